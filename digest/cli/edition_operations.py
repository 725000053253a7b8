"""`digest pause`, `resume`, `cancel`, `correct` and `redeliver`: a morning that goes wrong, put right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digest.cli.options import answer, at_option, wired
from digest.domain.errors import InvalidInput

if TYPE_CHECKING:
    from digest.container import Container
    from digest.services.operations.service import DeliveryCounts

edition_argument = click.argument("edition", metavar="EDITION")
unsure_option = click.option(
    "--include-uncertain", "unsure", is_flag=True, help="Also those who may have got it: no relay answered their final dot."
)


def _chosen(container: Container, name: str | None, everything: bool) -> list[str]:
    if everything == (name is not None):
        raise click.UsageError("name one LIST, or say --all")
    return [each.name for each in container.adapters.lists] if everything else [container.adapters.paper_list(name).name]


@click.command()
@click.argument("list_name", metavar="[LIST]", required=False)
@click.option("--all", "everything", is_flag=True, help="Every list.")
@click.option("--reason", default="paused by the operator", show_default=True, help="Shown to operators and in `explain`.")
@at_option
@wired
def pause(container: Container, as_json: bool, list_name: str | None, everything: bool, reason: str, at: datetime) -> None:
    """Make no edition of a list and send nothing of it until it is resumed; what is due waits."""
    names = _chosen(container, list_name, everything)
    _report_change(as_json, "paused", container.operations.pause(names, reason, at), names)


@click.command()
@click.argument("list_name", metavar="[LIST]", required=False)
@click.option("--all", "everything", is_flag=True, help="Every list.")
@wired
def resume(container: Container, as_json: bool, list_name: str | None, everything: bool) -> None:
    """Go on with a list that was paused."""
    names = _chosen(container, list_name, everything)
    _report_change(as_json, "resumed", container.operations.resume(names), names)


def _report_change(as_json: bool, what: str, changed: Sequence[str], names: Sequence[str]) -> None:
    def lines() -> None:
        for name in names:
            click.echo(f"{name}: {what}" if name in changed else f"{name}: as before")

    answer(as_json, {what: list(changed)}, lines)


@click.command()
@edition_argument
@click.option("--reason", default="", help="Kept with each delivery that is withheld.")
@wired
def cancel(container: Container, as_json: bool, edition: str, reason: str) -> None:
    """Send no further copy of an edition (LIST/DATE), and say what went and what did not."""
    cancelled = container.operations.cancel(container.editions.edition_named(edition), reason)

    def lines() -> None:
        click.echo(f"deliveries withheld: {cancelled.withheld}")
        _delivery_counts(cancelled.delivery_counts)

    answer(as_json, {"withheld": cancelled.withheld, **asdict(cancelled.delivery_counts)}, lines)


@click.command()
@edition_argument
@click.option("--text", default="", help="The words; paragraphs are separated by an empty line.")
@click.option("--file", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The words, from a file.")
@unsure_option
@at_option
@wired
def correct(container: Container, as_json: bool, edition: str, text: str, file: Path | None, unsure: bool, at: datetime) -> None:
    """Queue a correction for exactly those who got an edition (LIST/DATE)."""
    if bool(text) == (file is not None):
        raise click.UsageError("give the words by --text or by --file")
    try:
        words = file.read_text("utf-8") if file else text
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(str(file), f"cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'})") from None
    corrected = container.operations.correct(container.editions.edition_named(edition), words, at, unsure=unsure)
    document = {"queued": corrected.queued, "content_hash": corrected.correction.content_hash}
    answer(as_json, document, lambda: click.echo(f"corrections queued: {corrected.queued}"))


@click.command()
@edition_argument
@unsure_option
@click.option("--to", "email", help="Only this subscriber's copy, before everybody's.")
@click.option("--reinstate", is_flag=True, help="Also when it was cancelled: it stands again.")
@at_option
@wired
def redeliver(
    container: Container, as_json: bool, edition: str, unsure: bool, email: str | None, reinstate: bool, at: datetime
) -> None:
    """Queue an edition (LIST/DATE) again for exactly those who did not get it."""
    only = container.adapters.address(email) if email else None
    again = container.operations.redeliver(
        container.editions.edition_named(edition), at, unsure=unsure, reinstate=reinstate, only=only
    )

    def lines() -> None:
        click.echo(f"deliveries queued again: {again.queued}")
        _delivery_counts(again.delivery_counts)

    answer(as_json, {"queued": again.queued, **asdict(again.delivery_counts)}, lines)


def _delivery_counts(delivery_counts: DeliveryCounts) -> None:
    words = {
        "went": "went out",
        "unsure": "may have gone out (no answer to the final dot)",
        "in_flight": "being handed over",
        "waiting": "waiting",
        "not_sent": "did not go out",
    }
    for name, count in asdict(delivery_counts).items():
        if count:
            click.echo(f"  {words[name]}: {count}")
