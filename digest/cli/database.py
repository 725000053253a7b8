"""`digest migrate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from digest.cli.options import answer, wired

if TYPE_CHECKING:
    from digest.container import Container


@click.command()
@click.option(
    "--accept-new-key",
    "new_key",
    is_flag=True,
    help="Also go on with another secrets.key, the old one being lost: links in old mails die, suppressed addresses are unknown.",
)
@wired
def migrate(container: Container, as_json: bool, new_key: bool) -> None:
    """Create or upgrade the database schema."""
    before, after = container.adapters.migrate(new_key=new_key)
    if new_key:
        container.adapters.accept_new_key()
    text = f"schema {after}, as before" if before == after else f"schema {before or 'none'} → {after}"
    answer(as_json, {"from": before, "to": after}, lambda: click.echo(text))
