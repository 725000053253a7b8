"""`digest inbound`: what came back, processed: from files, from the mailbox that is set, or as it arrives."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from digest.cli.options import answer, at_option, wired
from digest.domain.errors import ConfigurationError
from digest.stop_signals import on_stop_signal, wait_for

if TYPE_CHECKING:
    from digest.container import Container
    from digest.domain.feedback import Feedback
    from digest.services.feedback.process import FeedbackResult


@click.command()
@click.argument("files", nargs=-1)
@click.option("--poll", is_flag=True, help="Look once into the IMAP mailbox of [inbound].")
@click.option("--listen", is_flag=True, help="Listen on the port of [inbound] until SIGTERM, as `digest run` does.")
@at_option
@wired
def inbound(container: Container, as_json: bool, files: tuple[str, ...], poll: bool, listen: bool, at: datetime) -> None:
    """Process bounces, complaints and unsubscribe mails from files, mbox, Maildir or - (standard input).

    A file is the operator's word: what it says of an address is believed. Of what arrives by itself only that is believed
    which names a mail of ours as nobody else could.
    """
    if sum((bool(files), poll, listen)) != 1:
        raise click.UsageError("give files (or -), or --poll, or --listen")
    if listen:
        _listen(container)
    elif poll:
        _poll(container, as_json, at)
    else:
        _read(container, as_json, files, at)


def _read(container: Container, as_json: bool, files: tuple[str, ...], at: datetime) -> None:
    from digest.cli.review import held_line
    from digest.mail.inbound.mail_files import read_mailbox
    from digest.mail.inbound.read_feedback import read_feedback
    from digest.services.feedback.process import Action

    report: list[dict[str, object]] = []
    for found in (found for file in files for found in read_mailbox(file, sys.stdin.buffer)):
        feedback = read_feedback(found.data, is_verp=container.adapters.verp_signer.made)
        processed = container.feedback.process_feedback(feedback, at, trusted=True)
        report.append({"file": found.place, **_document(feedback), "action": str(processed.action)})
        _alarm(processed)

    def lines() -> None:
        for each in report:
            click.echo(f"{each['file']}: {each['kind']}, {each['action']}")

    answer(as_json, report, lines)
    if any(each["action"] == Action.HELD for each in report):
        click.echo(f"digest: {held_line(container)}", err=True)
        raise SystemExit(1)


def _poll(container: Container, as_json: bool, at: datetime) -> None:
    if container.feedback.imap is None:
        raise ConfigurationError("inbound.imap_server", "there is none; set it with imap_user and imap_password_file")
    actions: list[str] = []

    def report(processed: FeedbackResult) -> None:
        actions.append(str(processed.action))
        _alarm(processed)

    processed = container.feedback.poll(at, report)
    found = {"looked_at": len(actions), "processed": processed, "actions": actions}
    answer(as_json, found, lambda: click.echo(f"{len(actions)} mails looked at, {processed} processed and moved"))


def _listen(container: Container) -> None:
    stop = threading.Event()

    def failed(error: Exception) -> None:
        click.echo(f"digest: {error}", err=True)

    listener = container.feedback.listener(lambda: datetime.now(UTC), _alarm, failed)
    if listener is None:
        raise ConfigurationError("inbound.port", "there is none; set the port to listen on")
    on_stop_signal(stop.set)
    with listener:
        settings = container.settings.inbound
        click.echo(f"listening on {settings.host}:{settings.port} ({settings.protocol})", err=True)
        wait_for(stop)


def _alarm(processed: FeedbackResult) -> None:
    for alarm in processed.alarms:
        click.echo(f"digest: {alarm}", err=True)


def _document(feedback: Feedback) -> dict[str, object]:
    return {
        "kind": str(feedback.kind),
        "recipients": [
            {"address": each.address, "status": each.status, "class": None if each.bounce is None else str(each.bounce)}
            for each in feedback.recipients
        ],
    }
