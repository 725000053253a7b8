"""Mail made to hurt: it is read within bounded time, never raises, and never makes us stop mailing somebody it is not about."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from digest.domain.feedback import FeedbackKind
from digest.mail.inbound.read_feedback import read_feedback
from tests.notices import SHAPES, damaged, every_mail, hard, refusals, unnamed
from tests.tables import every_row

SECONDS = 1.0
"""Of the processor, for 10 MB; in practice a fifth of it."""

DAEMON = b"From: MAILER-DAEMON@mx.example\nReturn-Path: <>\nSubject: Undelivered mail\n"
REPORT = (
    DAEMON + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\n%s\n"
    b"--b\nContent-Type: message/delivery-status\n\n%s\n--b--\n"
)
RECIPIENT = b"Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 "

HOSTILE: dict[str, Callable[[], bytes]] = {
    "nested multiparts": lambda: (
        DAEMON + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(20_000))
    ),
    "nested messages": lambda: DAEMON + b"Content-Type: message/rfc822\n\n" * 200_000,
    "many parts": lambda: DAEMON + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 2_000_000,
    "many small boundaries": lambda: DAEMON + b"Content-Type: multipart/mixed; boundary=-\n\n" + b"---\n" * 2_000_000,
    "one long line": lambda: DAEMON + b"\n" + b"a" * 10_000_000,
    "blank lines": lambda: DAEMON + b"\n" * 10_000_000,
    "carriage returns": lambda: DAEMON.replace(b"\n", b"\r") + b"\r" * 10_000_000,
    "spaces": lambda: DAEMON + b"\n" + b" \t\n" * 3_000_000,
    "quote marks": lambda: DAEMON + b"\n" + b">\n" * 5_000_000,
    "addresses": lambda: DAEMON + b"\n" + b"<a@b.example>: unknown\n" * 400_000,
    "other addresses": lambda: DAEMON + b"\n" + b"".join(b"<a%d@b.example>: unknown\n" % i for i in range(300_000)),
    "half addresses": lambda: DAEMON + b"\n" + b"<a@" * 3_000_000,
    "at signs": lambda: DAEMON + b"\n" + b"@" * 3_000_000,
    "tags": lambda: DAEMON + b"Content-Type: text/html\n\n" + b"<style " * 1_000_000,
    "angles": lambda: DAEMON + b"Content-Type: text/html\n\n" + b"<" * 8_000_000,
    "headers": lambda: (b"Delivered-To: " + b"a" * 1_900 + b"\n") * 5_000 + DAEMON + b"\nx",
    "folded header": lambda: b"X: a\n" + b" a\n" * 2_000_000 + DAEMON,
    "encoded words": lambda: b"Subject: " + b"=?utf-8?B?" * 500_000 + b"\n" + DAEMON + b"\nx",
    "recipients": lambda: REPORT % (b"x", (RECIPIENT + b"no\n\n") * 80_000),
    "words of diagnosis": lambda: REPORT % (b"host " * 200_000, RECIPIENT + b"mailbox message from ip host exceeds " * 90_000),
    "fields of a report": lambda: DAEMON + b"\n" + b"Action: x\n" * 1_000_000,
    "separators": lambda: DAEMON + b"\n" + b"-- original " * 800_000,
    "json": lambda: DAEMON + b"X-Amz-Sns-Message-Id: 1\n\n" + b"[" * 5_000_000,
    "punycode": lambda: DAEMON + b"Content-Type: text/plain; charset=punycode\n\n" + b"a" * 8_000_000,
    "no text codec": lambda: DAEMON + b"Content-Type: text/plain; charset=zip\n\nx",
    "base64": lambda: DAEMON + b"Content-Transfer-Encoding: base64\n\n" + b"QUFB" * 2_500_000,
    "nothing": lambda: b"",
    "zeros": lambda: b"\0" * 1_000_000,
}


@every_row("name", HOSTILE)
def test_hostile_mail_is_read_in_bounded_time(name: str) -> None:
    data = HOSTILE[name]()
    started = time.process_time()
    feedback = read_feedback(data)
    assert time.process_time() - started < SECONDS
    assert len(feedback.recipients) <= 110


@given(st.binary(max_size=3_000))
def test_any_bytes_are_read(data: bytes) -> None:
    assert read_feedback(data).kind in FeedbackKind


@given(
    st.lists(
        st.sampled_from([b"\n", b"\r\n", b"--b\n", b"--b--\n", b"From: ", b"MAILER-DAEMON@x\n", b"Content-Type: ", b"text/html\n",
                         b"multipart/report; boundary=b\n", b"message/rfc822\n", b"message/delivery-status\n", b"<a@b>:\n",
                         b"Final-Recipient: rfc822; a@b.example\n", b"Action: failed\n", b"Status: 5.1.1\n", b"charset=utf-16\n",
                         b"550 5.1.1 unknown\n", b"Content-Transfer-Encoding: base64\n", b"\xff\xfe", b"\0", b"=?utf-8?Q?=ZZ?="]),
        max_size=60,
    )
)  # fmt: skip
def test_pieces_of_mail_in_any_order_are_read(pieces: list[bytes]) -> None:
    assert read_feedback(b"".join(pieces)).kind in FeedbackKind


# ---- damaged copies of mails ----------------------------------------------------------------------------------------------


def test_damage_never_makes_a_mail_about_somebody_it_does_not_name() -> None:
    chance = random.Random(20261123)
    for data in every_mail():
        copy = damaged(data, chance)
        assert list(unnamed(copy, read_feedback(copy))) == []


@given(data=st.data())
def test_a_report_of_a_soft_failure_never_turns_hard_by_truncation(data: st.DataObject) -> None:
    mail = data.draw(st.sampled_from(_full_mailboxes()))
    cut = data.draw(st.integers(min_value=0, max_value=len(mail)))
    assert not hard(read_feedback(mail[:cut]))


@cache
def _full_mailboxes() -> list[bytes]:
    """Notices that name a full mailbox and nothing else."""
    return [put(refusal) for refusal in refusals() if refusal.cause == "full" for put in SHAPES.values()]
