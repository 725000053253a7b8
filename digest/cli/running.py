"""`digest tick`, `deliver` and `run`: the journey, one step or for good."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING

import click

from digest.cli.options import Instant, answer, at_option, wired
from digest.domain.errors import RelayUnreachable

if TYPE_CHECKING:
    from digest.container import Container


@click.command()
@at_option
@wired
def tick(container: Container, as_json: bool, at: datetime) -> None:
    """One scheduler tick: editions due are made, deliveries due are created."""
    ticked = container.scheduler.tick(at)

    def lines() -> None:
        made, created = ticked.editions, ticked.deliveries
        click.echo(f"{made} edition{'s' * (made != 1)} made, {created} deliver{'y' if created == 1 else 'ies'} created")
        for reason in ticked.skipped:
            click.echo(f"  {reason}")

    answer(as_json, {"editions": ticked.editions, "deliveries": ticked.deliveries, "skipped": list(ticked.skipped)}, lines)
    if failed := (*ticked.failed, *ticked.cohorts_failed):
        for reason in failed:
            click.echo(f"digest: {reason}", err=True)
        raise SystemExit(1)


@click.command()
@click.option("--at", "instant", type=Instant(), help="Act as if it were this instant all along.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but what is wrong.")
@wired
def deliver(container: Container, as_json: bool, instant: datetime | None, quiet: bool) -> None:
    """Work the outbox until nothing is due; SIGTERM finishes the messages in flight. In a terminal a bar shows how far it is."""
    from digest.cli.progress import bar, hidden
    from digest.cli.review import held_line
    from digest.stop_signals import on_stop_signal

    stop = Event()
    on_stop_signal(stop.set)

    def clock() -> datetime:
        return instant or datetime.now(UTC)

    watched = bar(lambda: container.delivery.remaining(clock()), quiet=quiet or as_json)
    with suppress(RelayUnreachable):  # delivering meets it too, and says so
        container.notices.send_queued(clock, stop.is_set)
    if container.adapters.key_problem:
        click.echo(f"digest: {container.adapters.key_problem}", err=True)
    with watched.showing() if watched else hidden() as progress:
        result = container.delivery.deliver(clock, stop=stop.is_set, progress=progress)
    text = asdict(result.tally)

    def lines() -> None:
        click.echo(", ".join(f"{name} {value}" for name, value in text.items() if value) or "nothing was due")

    if as_json or not quiet:
        answer(as_json, text, lines)
    if not result.stopped:
        for relay, reason in result.passed_over.items():
            click.echo(f"digest: relay {relay} takes no mail, the next one is used: {reason}", err=True)
    unknown = [
        f"list {name} is not in the settings: its {count} deliveries that are due wait until it is"
        for name, count in result.lists_unknown.items()
    ]
    wrong = [line for line in (result.stopped, *unknown, held_line(container)) if line]
    for line in wrong:
        click.echo(f"digest: {line}", err=True)
    if wrong:
        raise SystemExit(1)


@click.command()
@click.option("--no-web", is_flag=True, help="No web pages.")
@click.option("--no-deliver", is_flag=True, help="Make editions and deliveries, send nothing.")
@click.option("--no-collect", is_flag=True, help="Fetch nothing from the sources.")
@wired
def run(container: Container, as_json: bool, no_web: bool, no_deliver: bool, no_collect: bool) -> None:
    """The daemon: web, scheduler and delivery."""
    from digest.cli.logs import set_up
    from digest.cli.progress import bar, hidden
    from digest.daemon import Daemon

    watched = bar(lambda: container.delivery.remaining(datetime.now(UTC)), quiet=as_json or no_deliver)
    set_up(container.settings.log, container.adapters.hash_address, watched.stream if watched else None)
    showing = watched.showing if watched else hidden
    web = container.settings.web.enabled and not no_web
    if not Daemon(container, web=web, deliver=not no_deliver, collect=not no_collect, showing=showing).run():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # a thread waits for a source to answer, maybe for minutes: what it has done is stored


@click.command()
@wired
def worker(container: Container, as_json: bool) -> None:
    """Deliver what is due, for good: any number of workers, on any hosts, on one PostgreSQL database."""
    from digest.cli.logs import set_up
    from digest.worker import Worker

    set_up(container.settings.log, container.adapters.hash_address)
    Worker(container).run()
