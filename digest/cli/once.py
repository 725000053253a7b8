"""`digest once`: a day without a daemon, as cron, a timer or a CI job runs it."""

from __future__ import annotations

import signal
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING

import click

from digest.cli.options import Instant, answer, wired
from digest.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from digest.container import Container


@click.command()
@click.option("--list", "list_name", help="Only this list; --to without it means the first one configured.")
@click.option("--to", "emails", multiple=True, help="Somebody who wants each edition as soon as it is made; may be repeated.")
@click.option("--if-due", is_flag=True, help="Ask no source and make no edition while nobody waits for one.")
@click.option("--at", type=Instant(), help="Act as if it were this instant all along.")
@wired
def once(
    container: Container, as_json: bool, list_name: str | None, emails: tuple[str, ...], if_due: bool, at: datetime | None
) -> None:
    """Collect, make what is due, send it and exit: for cron, a timer or a CI job, any number of times a day.

    Exits with 1 and one line when something due could not be made or sent; the next run tries again.
    """
    new_database = not container.database_is_there()
    if trouble := container.adapters.key_problem:
        raise ConfigurationError("secrets.key", trouble.removeprefix("secrets.key "))
    asked = Counter[str]()

    def ask(signum: int, frame: FrameType | None) -> None:
        asked["stop"] += 1

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    chosen = container.adapters.paper_list(list_name)
    lists = [chosen] if list_name else container.adapters.lists
    result = container.once.run(
        lists,
        [container.adapters.address(email) for email in emails],
        at or datetime.now(UTC),
        lambda: at or datetime.now(UTC),
        lambda: asked["stop"] > 0,
        only_if_due=if_due,
    )
    tally = {name: value for name, value in asdict(result.tally).items() if name != "seconds"}
    document = {
        "collected": [asdict(each) for each in result.collected],
        "editions": result.ticked.editions,
        **tally,
        "nothing_due": result.nothing_due,
        "skipped": list(result.skipped),
        "new_database": new_database,
    }

    def lines() -> None:
        new = sum(each.papers_new for each in result.collected)
        made = result.ticked.editions
        done = [f"{new} new paper{'s' * (new != 1)}" if result.collected else "", f"{made} edition{'s' * (made != 1)} made"]
        done += [f"{value} {name}" for name, value in tally.items() if value]
        click.echo(", ".join(filter(None, done)) + (f": {result.nothing_due}" if result.nothing_due else ""))

    answer(as_json, document, lines)
    if new_database:
        place = container.settings.database.url.rpartition("@")[2]
        click.echo(f"digest: {place} is new: if there was one before, papers it sent may come again", err=True)
    for line in result.skipped:
        click.echo(f"digest: {line}", err=True)
    if unanswered := [str(each.error) for each in result.collected if each.error] if not result.failed else []:
        click.echo(f"digest: {'; '.join(unanswered)}", err=True)
    if result.failed:
        click.echo(f"digest: {'; '.join(result.failed)}", err=True)
        raise SystemExit(1)
