"""What a mail is taken for, and whom it is about: stories in small mails of our own."""

from __future__ import annotations

import pytest

from digest.domain.feedback import BounceClass, FeedbackKind
from digest.mail.inbound.read_feedback import read_feedback
from digest.mail.verp import VerpSigner
from tests.tables import every_row

STAMPS = VerpSigner(b"a key long enough")
STAMP = STAMPS.of(17)
VERP = f"bounces+{STAMP.bounce}@ours.example"
FORGED = VERP.replace("17.", "18.")
UNSUBSCRIBE = f"unsubscribe+{STAMP.unsubscribe}@ours.example"


def ours(address: str) -> bool:
    return STAMPS.read_bounce(address) is not None or STAMPS.read_unsubscribe(address) is not None


def report(to: str = VERP, status: str = "5.1.1", action: str = "failed", words: str = "smtp; 550 5.1.1 no such user") -> bytes:
    return f"""Return-Path: <>
Delivered-To: {to}
From: MAILER-DAEMON@mx.example
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I could not deliver your message.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Original-Recipient: rfc822;ada@example.org
Final-Recipient: rfc822;ada@inner.example
Action: {action}
Status: {status}
Diagnostic-Code: {words}

--b
Content-Type: text/rfc822-headers

Message-ID: <{STAMP.message}@ours.example>
To: ada@example.org
Subject: Trending papers

--b--
""".encode()


def test_a_report_names_the_delivery_and_the_reader_as_we_spelled_them() -> None:
    found = read_feedback(report(), is_verp=ours)
    assert found.kind is FeedbackKind.BOUNCE
    assert found.verp == VERP
    assert found.message_id == f"{STAMP.message}@ours.example"
    (one,) = found.recipients
    assert (one.address, one.status, one.bounce) == ("ada@example.org", "5.1.1", BounceClass.HARD)


def test_a_forged_address_of_ours_is_as_if_it_were_not_there() -> None:
    assert read_feedback(report(to=FORGED), is_verp=ours).verp == ""
    assert read_feedback(report(to=FORGED), is_verp=ours, envelope_to=[VERP]).verp == VERP


def test_a_report_of_success_and_one_of_delay() -> None:
    assert read_feedback(report(action="delivered", status="2.0.0")).kind is FeedbackKind.OTHER
    delayed = read_feedback(report(action="delayed", status="4.4.1"))
    assert [each.bounce for each in delayed.recipients] == [BounceClass.DELAYED]


def test_an_attached_bounce_is_not_one() -> None:
    mail = b"From: ada@example.org\nTo: team@ours.example\nSubject: look\nContent-Type: multipart/mixed; boundary=o\n\n"
    mail += b"--o\nContent-Type: text/plain\n\nsee below\n--o\nContent-Type: message/rfc822\n\n" + report() + b"\n--o--\n"
    assert read_feedback(mail).kind is FeedbackKind.OTHER


@pytest.mark.parametrize("automatic", ["", "Auto-Submitted: auto-generated\n", "Precedence: bulk\n"])
def test_a_mail_to_the_unsubscribe_mailbox_unsubscribes_whoever_sends_it(automatic: str) -> None:
    mail = f"From: someone@else.example\nTo: {UNSUBSCRIBE}\nSubject: unsubscribe\n{automatic}\n".encode()
    found = read_feedback(mail, is_verp=ours)
    assert (found.kind, found.verp) == (FeedbackKind.UNSUBSCRIBE, UNSUBSCRIBE)


def test_a_forged_unsubscribe_mailbox_unsubscribes_nobody() -> None:
    forged = UNSUBSCRIBE.replace("17.", "18.")
    found = read_feedback(f"From: a@b.example\nTo: {forged}\nSubject: hello\n\n".encode(), is_verp=ours)
    assert (found.kind, found.verp) == (FeedbackKind.OTHER, "")


@pytest.mark.parametrize("subject", ["unsubscribe", "Re: Unsubscribe", "Please unsubscribe me.", "AW: opt out", "remove me"])
def test_a_wish_in_the_subject_is_heard_without_proof(subject: str) -> None:
    found = read_feedback(f"From: ada@example.org\nTo: digest@ours.example\nSubject: {subject}\n\n".encode(), is_verp=ours)
    assert (found.kind, found.verp) == (FeedbackKind.UNSUBSCRIBE, "")


def test_talking_about_unsubscribing_is_no_wish() -> None:
    mail = b"From: ada@example.org\nTo: digest@ours.example\nSubject: how to unsubscribe from lists, a study\n\n"
    assert read_feedback(mail).kind is FeedbackKind.OTHER


AUTOMATIC = [
    "Auto-Submitted: auto-replied\nSubject: Re: your mail",
    "Auto-Submitted: auto-replied\nSubject: Your mail was not delivered to my eyes",
    "X-Autoreply: yes\nSubject: thanks",
    "Precedence: auto_reply\nSubject: thanks",
    "Subject: Automatic reply: Trending papers",
    "Subject: =?utf-8?B?QWJ3ZXNlbmhlaXRzbm90aXo6IFRyZW5kaW5n?=",
    "Subject: Out of Office: back on Monday",
    "Subject: Réponse automatique : absent",
    "Auto-Submitted: auto-generated\nIn-Reply-To: <x@ours.example>\nSubject: ticket opened",
]


@every_row("fields", AUTOMATIC)
def test_an_automatic_answer_is_no_wish_and_no_bounce(fields: str) -> None:
    text = "Away; ask <grace@example.org>: 550 5.1.1 unknown. My mailbox is full.\n/confirm/12-1790000000.abcdefghijklmnop"
    mail = f"From: Ada <ada@example.org>\nTo: {VERP}\n{fields}\n\n{text}\n".encode()
    assert read_feedback(mail).kind is FeedbackKind.AUTO_REPLY


def test_a_reply_that_quotes_the_confirmation_confirms() -> None:
    mail = b"From: ada@example.org\nTo: digest@ours.example\nSubject: Re: Confirm\nIn-Reply-To: <x@ours.example>\n\n"
    mail += b"yes\n> https://ours.example/confirm/12-1790000000.abcdefghijklmnop\n"
    found = read_feedback(mail)
    assert (found.kind, found.token) == (FeedbackKind.CONFIRM, "12-1790000000.abcdefghijklmnop")


def test_a_server_that_quotes_the_confirmation_does_not_confirm() -> None:
    mail = b"From: MAILER-DAEMON@mx.example\nReturn-Path: <>\nSubject: Re: Confirm\nIn-Reply-To: <x@ours.example>\n\n"
    mail += b"> https://ours.example/confirm/12-1790000000.abcdefghijklmnop\n"
    assert read_feedback(mail).kind is not FeedbackKind.CONFIRM


COMPLAINT = b"""From: fbl@provider.example
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: text/plain

An abuse report.
--b
Content-Type: message/feedback-report

Feedback-Type: %s
Original-Rcpt-To: <ada@example.org>

--b
Content-Type: message/rfc822

Message-ID: <%s@ours.example>
To: ada@example.org

--b--
"""


@pytest.mark.parametrize(
    ("type_", "kind", "bounce"),
    [
        (b"abuse", FeedbackKind.COMPLAINT, None),
        (b"opt-out", FeedbackKind.COMPLAINT, None),
        (b"auth-failure", FeedbackKind.COMPLAINT, BounceClass.SENDER),
        (b"not-spam", FeedbackKind.OTHER, None),
    ],
)
def test_complaints(type_: bytes, kind: FeedbackKind, bounce: BounceClass | None) -> None:
    found = read_feedback(COMPLAINT % (type_, STAMP.message.encode()))
    assert found.kind is kind
    assert found.message_id == f"{STAMP.message}@ours.example"
    if kind is FeedbackKind.COMPLAINT:
        assert [(each.address, each.bounce) for each in found.recipients] == [("ada@example.org", bounce)]


def test_an_ordinary_mail_is_nothing() -> None:
    mail = b"From: Ada <ada@example.org>\nTo: digest@ours.example\nSubject: Lovely digest\n\nThe mailbox was full of it.\n"
    assert read_feedback(mail).kind is FeedbackKind.OTHER
