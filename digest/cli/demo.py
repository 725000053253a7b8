"""`digest demo`: today's papers through a real mail server into an inbox on this machine. No configuration, no network."""

from __future__ import annotations

import socket
import sys
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digest.cli.options import at_option
from digest.domain.subscriber import Preferences
from digest.render.text.latex import readable

if TYPE_CHECKING:
    from digest.config import Settings
    from digest.container import Container
    from digest.domain.edition import Edition

READER = "reader@demo.example"


@click.command()
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("var/demo"), show_default=True)
@at_option
def demo(folder: Path, at: datetime) -> None:
    """Today's papers through a real mail server into an inbox on this machine."""
    from digest.container import Container
    from digest.mail.dev_smtp_server import DevSmtpServer

    folder.mkdir(parents=True, exist_ok=True)
    at = at.astimezone(UTC)
    with DevSmtpServer(folder / "inbox") as inbox, Container(_settings(folder, inbox.port)) as container:
        edition = _edition(container, at)
        before = len(inbox.messages())
        _deliver(container, edition, at)
        received = inbox.messages()[before:]
        if not received:
            click.echo(f"digest: no mail arrived; see `digest explain {READER}`", err=True)
            raise SystemExit(1)
        _show(received[-1], edition)
        if sys.stdout.isatty():
            _serve(container)


def _settings(folder: Path, port: int) -> Settings:
    from digest.config import Database, Delivery, ListSettings, Mail, Relay, Secrets, Settings, Web

    page = _free_port(8000)
    return Settings.model_construct(
        database=Database(url=f"sqlite:///{folder / 'digest.sqlite3'}"),
        secrets=Secrets(key_file=folder / "digest.key"),
        web=Web(base_url=f"http://127.0.0.1:{page}", port=page),
        mail=Mail(from_name="Digest demo", from_address="digest@demo.example", postal_address="1 Demo Lane, Everywhere"),
        relays=(Relay(host="127.0.0.1", port=port, tls="none", name="inbox"),),
        delivery=Delivery(journal=folder / "journal", connections=1),
        lists=(
            ListSettings(
                name="daily",
                title="Trending papers",
                description="Get trending papers in your inbox once a day",
                cutoff=time(0, 0),
                candidates_for_days=60,
            ),
        ),
        sources=(),
    )


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


def _edition(container: Container, at: datetime) -> Edition:
    """Seeds → store → today's edition. Each step finds what a former run did."""
    from digest.adapters import shipped

    report = container.papers.load([shipped("seeds")], None, at)
    click.echo(f"{report.papers_new} new papers from seeds/, {report.papers_unchanged} known")
    return container.editions.edition(container.adapters.paper_list(None), at.date(), at)


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


def _serve(container: Container) -> None:
    from digest.daemon import Daemon

    click.echo(f"today's page: {container.settings.web.base_url}/   (Ctrl-C ends)")
    Daemon(container, collect=False).run()
