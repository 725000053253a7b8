"""`digest inbound`: what came back, heeded."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from digest.cli.options import answer, at_option, wired

if TYPE_CHECKING:
    from digest.domain.feedback import Feedback
    from digest.mail.verp import Stamps
    from digest.wiring import Wiring


@click.command()
@click.argument("files", nargs=-1, required=True)
@at_option
@wired
def inbound(wiring: Wiring, as_json: bool, files: tuple[str, ...], at: datetime) -> None:
    """Heed bounces, complaints and unsubscribe mails from files, mbox, Maildir or - (standard input)."""
    from digest.mail.inbound import read_feedback
    from digest.mail.mailbox import read_mailbox

    told: list[dict[str, object]] = []
    for found in (found for file in files for found in read_mailbox(file, sys.stdin.buffer)):
        feedback = read_feedback(found.data, is_verp=_ours(wiring.stamps))
        heeded = wiring.heed(feedback, at, trusted=True)
        told.append({"file": found.place, **_document(feedback), "action": str(heeded.action)})
        for alarm in heeded.alarms:
            click.echo(f"digest: {alarm}", err=True)

    def lines() -> None:
        for each in told:
            click.echo(f"{each['file']}: {each['kind']}, {each['action']}")

    answer(as_json, told, lines)


def _ours(stamps: Stamps) -> Callable[[str], bool]:
    return lambda address: stamps.read_bounce(address) is not None or stamps.read_unsubscribe(address) is not None


def _document(feedback: Feedback) -> dict[str, object]:
    return {
        "kind": str(feedback.kind),
        "recipients": [
            {"address": each.address, "status": each.status, "class": None if each.bounce is None else str(each.bounce)}
            for each in feedback.recipients
        ],
    }
