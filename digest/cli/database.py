"""`digest migrate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from digest.cli.options import answer, wired

if TYPE_CHECKING:
    from digest.wiring import Wiring


@click.command()
@wired
def migrate(wiring: Wiring, as_json: bool) -> None:
    """Create or upgrade the database schema."""
    before, after = wiring.migrate()
    said = f"schema {after}, as before" if before == after else f"schema {before or 'none'} → {after}"
    answer(as_json, {"from": before, "to": after}, lambda: click.echo(said))
