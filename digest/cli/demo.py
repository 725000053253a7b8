"""`digest demo`: papers through a real mail server into an inbox on this machine. No configuration; no network without --live."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import webbrowser
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digest.cli.options import at_option
from digest.domain.instant import isoformat
from digest.domain.subscriber import Preferences
from digest.render.text.latex import readable

if TYPE_CHECKING:
    from digest.config import Settings
    from digest.container import Container
    from digest.domain.edition import Edition

READER = "reader@demo.example"
SAMPLE_VOTES = {
    "seed:aae4d6517ec56064": (8, 61, 214),  # Grokking
    "seed:1736a3ccef88a48a": (5, 40, 158),  # Grokked Transformers
    "seed:e2bee7cb5aade9fd": (11, 47, 121),  # The Chomsky hierarchy
    "seed:3723b60a77a7ba3d": (3, 31, 97),  # What algorithms can transformers learn?
    "seed:555282ecbfd4c3e9": (6, 22, 83),  # Explaining grokking
    "seed:027202da9551c3d6": (2, 19, 64),  # Yo'LLaVA
    "seed:e1b5b7710aa48b76": (4, 17, 52),  # Grokfast
}
"""Invented, and said so in the mail: upvotes 20 hours, 8 hours and an hour before the first mail."""
_BEFORE = tuple(timedelta(hours=hours) for hours in (20, 8, 1))


@click.command()
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("var/demo"), show_default=True)
@click.option("--live", is_flag=True, help="Today's real papers and votes, from Hugging Face (over the network).")
@click.option("--source", default="https://huggingface.co", show_default=True, help="Where --live asks.")
@click.option(
    "--open/--no-open", "opens", default=None, help="Show it in a browser (default: in a terminal with a desktop; never in CI)."
)
@at_option
def demo(folder: Path, live: bool, source: str, opens: bool | None, at: datetime) -> None:
    """A digest through a real mail server into an inbox on this machine."""
    from digest.container import Container
    from digest.mail.dev_smtp_server import DevSmtpServer

    folder = folder / "live" if live else folder  # sample votes stay among samples
    folder.mkdir(parents=True, exist_ok=True)
    at = at.astimezone(UTC)
    settings = _settings(folder, source if live else "")
    with DevSmtpServer(folder / "inbox") as inbox, Container(_through(settings, inbox.port)) as container:
        _papers(container, folder, at, live=live)
        edition = container.editions.edition(container.adapters.paper_list(None), at.date(), at)
        before = len(inbox.messages())
        _deliver(container, edition, at)
        received = inbox.messages()[before:]
        if not received:
            click.echo(f"digest: no mail arrived; see `digest explain {READER}`", err=True)
            raise SystemExit(1)
        _show(received[-1], edition)
        if sys.stdout.isatty():
            _serve(container, opens=_may_open(opens))
        elif _may_open(opens):
            webbrowser.open(received[-1].with_suffix(".html").resolve().as_uri())


def _may_open(asked: bool | None) -> bool:
    """By itself in a terminal with a desktop: a browser in the terminal would take its place. Never in CI."""
    if os.environ.get("CI"):
        return False
    desktop = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(sys.stdout.isatty() and desktop) if asked is None else asked


def _settings(folder: Path, source: str) -> Settings:
    """`source`: where today's papers are asked for; empty: those in seeds/ are used."""
    from digest.config import Database, Delivery, ListSettings, LookUps, Mail, Secrets, Settings, SourceSettings, Web

    page = _free_port(8000)
    title = "Trending papers" if source else "Trending papers (demo with sample votes)"
    return Settings.model_construct(
        database=Database(url=f"sqlite:///{folder / 'digest.sqlite3'}"),
        secrets=Secrets(key_file=folder / "digest.key"),
        web=Web(base_url=f"http://127.0.0.1:{page}", port=page),
        mail=Mail(from_name="Digest demo", from_address="digest@demo.example", postal_address="1 Demo Lane, Everywhere"),
        delivery=Delivery(journal=folder / "journal", connections=1),
        lists=(
            ListSettings(
                name="daily",
                title=title,
                description="Get trending papers in your inbox once a day",
                cutoff=time(0, 0),
                candidates_for_days=60,
            ),
        ),
        sources=(SourceSettings(name="huggingface", kind="huggingface", base_url=source),) if source else (),
        look_ups=LookUps(arxiv_url=""),
    )


def _through(settings: Settings, port: int) -> Settings:
    from digest.config import Relay

    return settings.model_copy(update={"relays": (Relay(host="127.0.0.1", port=port, tls="none", name="inbox"),)})


def _free_port(interest: int) -> int:
    for port in (interest, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    return interest


def _papers(container: Container, folder: Path, at: datetime, *, live: bool) -> None:
    """Into the store; what a former run did is found. Exits where no source answers."""
    from digest.adapters import shipped

    if live:
        [collected] = container.papers.collect([], at)
        if collected.error:
            click.echo(f"digest: {collected.error}; without a network: digest demo", err=True)
            raise SystemExit(1)
        click.echo(f"{collected.papers_new} new papers from Hugging Face, {collected.papers_unchanged} known")
        return
    report = container.papers.load([shipped("seeds")], None, at)
    click.echo(f"{report.papers_new} new papers from seeds/, {report.papers_unchanged} known; the votes are samples")
    if not (votes := folder / "sample-votes.jsonl").exists():
        readings = [
            {"paper": paper, "kind": "upvotes", "value": value, "source": "sample", "observed_at": isoformat(at - before)}
            for paper, values in SAMPLE_VOTES.items()
            for value, before in zip(values, _BEFORE, strict=True)
        ]
        votes.write_text("".join(f"{json.dumps(each)}\n" for each in readings), "utf-8")
    container.papers.load([votes], None, at)


def _deliver(container: Container, edition: Edition, at: datetime) -> None:
    """The reader subscribes (once), falls due this minute and is mailed; had they today's mail already, it is sent once more."""
    address, now = container.adapters.address(READER), at.replace(second=0, microsecond=0)
    preferences = Preferences(hour=now.time())
    before = now - timedelta(days=1)
    step = container.subscriptions.add(address, edition.list, preferences, "", before, confirmed_by="demo")
    container.subscriptions.change(step.subscription, replace(preferences, hour=now.time()))
    container.scheduler.tick(at)
    result = container.delivery.deliver(lambda: at)
    if not result.tally.accepted:
        click.echo("today's edition was delivered before; sending it once more")
        container.delivery.send(container.adapters.paper_list(edition.list), edition.date, [address], at, dry_run=False)


def _show(received: Path, edition: Edition) -> None:
    """The mail as it arrived, parsed back, and where to open it."""
    from email import message_from_bytes, policy

    from rich.console import Console
    from rich.table import Table

    from digest.mail.inbound.message_parts import parts_of

    data = received.read_bytes()
    message = message_from_bytes(data, policy=policy.default)
    html, text = parts_of(data)
    received.with_suffix(".html").write_text(html, "utf-8")
    received.with_suffix(".txt").write_text(text, "utf-8")
    table = Table(title=str(message["Subject"]), caption=f"from {message['From']} to {message['To']}", min_width=60)
    table.add_column("#", justify="right")
    table.add_column("paper")
    table.add_column("why")
    for pick in edition.picks:
        why = "; ".join(readable(reason.text) for reason in pick.ranked.reasons)
        table.add_row(str(pick.rank), readable(pick.ranked.paper.title), why)
    console = Console()
    console.print(table)
    console.print(f"received {len(data)} bytes: {len(html)} characters of html, {len(text)} of text", highlight=False)
    for suffix, opens in ((".eml", "in a mail program"), (".html", "in a browser"), (".txt", "in a terminal")):
        console.print(f"  {received.with_suffix(suffix)}  {opens}", highlight=False, soft_wrap=True)


def _serve(container: Container, *, opens: bool) -> None:
    from digest.daemon import Daemon

    page = f"{container.settings.web.base_url}/"
    click.echo(f"today's page: {page}   (Ctrl-C ends)")
    if opens:
        threading.Thread(target=_open_when_up, args=(page, container.settings.web.port), daemon=True).start()
    Daemon(container, collect=False).run()


def _open_when_up(page: str, port: int) -> None:
    for _ in range(100):
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            webbrowser.open(page)
            return
        threading.Event().wait(0.1)
