"""`digest review`: what a run would have done to many readers at once, held until the operator decides."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

import click

from digest.cli.options import answer, at_option, wired

if TYPE_CHECKING:
    from digest.container import Container

_SHOWN = 10
"""Addresses shown of a group; --json has them all."""


@click.command()
@click.option("--accept", is_flag=True, help="Carry them out: the addresses are suppressed, the deliveries end.")
@click.option("--undo", is_flag=True, help="Lift them, and what the same words had done before; send what is worth sending.")
@click.option("--reply", "reply", default="", metavar="TEXT", help="Only replies that contain this text.")
@at_option
@wired
def review(container: Container, as_json: bool, accept: bool, undo: bool, reply: str, at: datetime) -> None:
    """Show refusals in the same words that were held, grouped by the reply; accept or undo them."""
    if accept and undo:
        raise click.UsageError("choose --accept or --undo")
    queued = 0
    if accept:
        groups = container.operations.accept_held(reply)
    elif undo:
        groups, queued = container.operations.undo_held(at, reply)
    else:
        groups = container.operations.held(reply)

    def lines() -> None:
        for group in groups:
            click.echo(f"{group.state}: {len(group.addresses)} × {group.reply}")
            click.echo(f"  {', '.join(group.addresses[:_SHOWN])}{' …' if len(group.addresses) > _SHOWN else ''}")
        if undo:
            click.echo(f"deliveries queued again: {queued}")
        elif not groups:
            click.echo("nothing is held for review")
        elif not accept:
            click.echo("digest review --accept carries them out, --undo lifts them; --reply TEXT chooses among them")

    answer(as_json, [asdict(group) for group in groups], lines)


def held_line(container: Container) -> str:
    """One line for stderr where something is held for review; "" where nothing is."""
    finding = container.monitoring.held()
    return f"{finding.headline}: {finding.seen[0]}; look with `digest review`" if finding else ""
