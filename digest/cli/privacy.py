"""`digest export-data` and `digest prune`: what is kept about people, and what has been kept long enough."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

import click

from digest.cli.options import answer, at_option, wired

if TYPE_CHECKING:
    from digest.container import Container


@click.command()
@click.argument("email")
@at_option
@wired
def export_personal_data(container: Container, as_json: bool, email: str, at: datetime) -> None:
    """Everything held about an address, as JSON: for the person it is about."""
    click.echo(
        json.dumps(
            container.privacy.export_personal_data(container.adapters.address(email), at),
            indent=None if as_json else 2,
            ensure_ascii=False,
        )
    )


@click.command()
@at_option
@wired
def run_retention(container: Container, as_json: bool, at: datetime) -> None:
    """Drop what has been kept long enough; the daemon does it once a day."""
    gone = container.privacy.run_retention(at)
    periods = {each.name: each for each in container.privacy.kept}

    def lines() -> None:
        for name, count in gone.items():
            click.echo(f"{name}: {count} gone (kept {periods[name].how_long}: {periods[name].why})")

    answer(as_json, gone, lines)
