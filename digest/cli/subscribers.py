"""`digest subscribers import | export | list`."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digest.cli.options import answer, at_option, wired
from digest.domain.feedback import SuppressionReason
from digest.domain.instant import isoformat

if TYPE_CHECKING:
    from digest.container import Container


REASONS = {
    "operator": SuppressionReason.OPERATOR,
    "unsubscribed": SuppressionReason.ASKED,
    "bounce": SuppressionReason.BOUNCE,
    "complaint": SuppressionReason.COMPLAINT,
}


@click.group()
def subscribers() -> None:
    """Import, export, suppress or list subscribers."""


@subscribers.command("import", short_help="Readers from a CSV file, or a plain list of addresses.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--confirmed",
    is_flag=True,
    help="Record consent given elsewhere; without it each gets a confirmation mail, sent by `digest run` or `digest deliver`.",
)
@click.option("--list", "list_name", help="The list for all rows (default: what a list column says, else the first configured).")
@click.option(
    "--columns", "given", multiple=True, metavar="OURS=THEIRS,…", help='Which column is which: email="Email Address",hour=Time.'
)
@at_option
@wired
def import_(
    container: Container,
    as_json: bool,
    file: Path,
    confirmed: bool,
    list_name: str | None,
    given: tuple[str, ...],
    at: datetime,
) -> None:
    """Readers from a CSV file as it comes, or a plain list of addresses; bad lines are reported, good ones kept.

    Columns are email,list,timezone,hour,weekdays,frequency,language,interests, or as listmonk, Mailchimp, Ghost, Google Forms and
    others name them; only email is required. Who unsubscribed, bounced or was blocked there is suppressed here.
    """
    paper_list = container.adapters.paper_list(list_name) if list_name else None
    report = container.subscriptions.import_subscribers(file, confirmed, at, paper_list, _columns(given))
    queued, by, how = (0, None, "") if confirmed else _confirmations(container, at)
    document = {
        "added": report.added,
        "unchanged": report.unchanged,
        "confirmations_owed": queued,
        "confirmations_sent_by": by,
        "suppressed": report.suppressed,
        "skipped": [{"line": each.line, "reason": each.reason} for each in report.skipped],
        "columns_ignored": list(report.columns_ignored),
        "rejected": [{"line": each.line, "reason": each.reason} for each in report.rejected],
    }

    def lines() -> None:
        counts = {"added": report.added, "unchanged": report.unchanged, "suppressed": report.suppressed}
        counts |= {"skipped": len(report.skipped), "rejected": len(report.rejected)}
        shown = ("added", "unchanged", "rejected")
        click.echo(", ".join(f"{count} {name}" for name, count in counts.items() if count or name in shown))
        if report.columns_ignored:
            click.echo(f"columns ignored: {', '.join(report.columns_ignored)}")
        if how:
            click.echo(how)
        out = [(each.line, each.reason) for each in report.rejected] + [(each.line, each.reason) for each in report.skipped]
        for line, reason in sorted(out)[:20]:
            click.echo(f"  line {line}: {reason}", err=True)

    answer(as_json, document, lines)
    if report.rejected and not (report.added or report.unchanged or report.suppressed):
        raise SystemExit(1)


def _columns(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in next(csv.reader([",".join(given)]), [])]
    if any(not (ours.strip() and theirs.strip()) for ours, _, theirs in pairs):
        raise click.BadParameter('should be like email="Email Address",hour=Time', param_hint="--columns")
    return {ours.strip().lower(): theirs.strip(' "') for ours, _, theirs in pairs}


def _confirmations(container: Container, at: datetime) -> tuple[int, str | None, str]:
    """(how many are queued, this import's and those from before; the process or command that sends them; both in words)."""
    from digest.services.notices.pending import GOOD_FOR

    pending_notices = container.notices.pending_notices()
    if not pending_notices.queued:
        return 0, None, "no confirmation is queued"
    waiting = f"{pending_notices.queued} confirmation{'s' if pending_notices.queued > 1 else ''} will go out"
    until = f"what waits at {isoformat(at + GOOD_FOR)} is not sent any more"
    if not container.settings.relays:
        return (
            pending_notices.queued,
            "digest deliver",
            f"{waiting} by `digest deliver` or `digest run`, once a relay is configured; {until}",
        )
    if pending_notices.sender is None:
        return pending_notices.queued, "digest deliver", f"{waiting} when `digest deliver` or `digest run` is started; {until}"
    host, process, *_ = pending_notices.sender.split("/")
    when = "within a minute" if at <= datetime.now(UTC) else f"from {isoformat(at)} on"
    sender = f"process {process} on {host}"
    return pending_notices.queued, sender, f"{waiting} {when}: {sender} sends them"


@subscribers.command(short_help="Never mail anybody in a file.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--reason", type=click.Choice(list(REASONS)), default="operator", show_default=True, help="Why.")
@at_option
@wired
def suppress(container: Container, as_json: bool, file: Path, reason: str, at: datetime) -> None:
    """Never mail anybody in this file: addresses as other products export them, or our own export of suppressions."""
    report = container.subscriptions.import_suppressions(file, REASONS[reason], container.adapters.secret, at)
    rejected = [{"line": each.line, "reason": each.reason} for each in report.rejected]

    def lines() -> None:
        click.echo(f"{report.suppressed} suppressed, {len(rejected)} rejected")
        for each in report.rejected[:20]:
            click.echo(f"  line {each.line}: {each.reason}", err=True)

    answer(as_json, {"suppressed": report.suppressed, "rejected": rejected}, lines)
    if rejected and not report.suppressed:
        raise SystemExit(1)


@subscribers.command(short_help="The active subscriptions as CSV, which import reads.")
@click.option(
    "--suppressions", is_flag=True, help="Who must not be mailed, as keyed hashes: what `suppress` reads with this key."
)
@wired
def export(container: Container, as_json: bool, suppressions: bool) -> None:
    """The active subscriptions as CSV (or JSON): what `import` reads. Who left or never confirmed is not in it.

    Cells that a spreadsheet would take for formulas begin with a quote; `import` takes it away again.
    """
    from digest.domain.subscriber import SubscriptionState
    from digest.services.subscriptions.csv_layout import COLUMNS
    from digest.services.subscriptions.subscriber_csv import defused, row_of
    from digest.services.subscriptions.suppression_csv import EXPORTED

    header: tuple[str, ...] = COLUMNS
    rows: Iterator[tuple[str, ...]] = (row_of(each) for each in container.subscriptions.all(SubscriptionState.ACTIVE))
    if suppressions:
        header, rows = EXPORTED, container.subscriptions.export_suppressions(container.adapters.secret)
    if as_json:
        answer(True, [dict(zip(header, row, strict=True)) for row in rows], lambda: None)
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(map(defused, rows))


@subscribers.command("list")
@wired
def list_(container: Container, as_json: bool) -> None:
    """Addresses, lists and states."""
    rows = [{"address": str(s.address), "list": s.list, "state": str(s.state)} for s in container.subscriptions.all()]

    def lines() -> None:
        if not rows:
            click.echo("nobody is subscribed yet")
        for row in rows:
            click.echo(f"{row['address']}  {row['list']}  {row['state']}")

    answer(as_json, rows, lines)
