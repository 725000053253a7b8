"""Reports and complaints field by field (RFC 3464, RFC 5965), and how a mail is taken apart (RFC 2045 to 2047)."""

from __future__ import annotations

import base64

import pytest

from digest.domain.feedback import BounceClass, Feedback, FeedbackKind, Returned
from digest.mail.inbound.read_feedback import read_feedback
from digest.mail.message.mime import read_mail
from tests.tables import every_row

HARD, SOFT, SENDER, DELAYED = BounceClass.HARD, BounceClass.SOFT, BounceClass.SENDER, BounceClass.DELAYED
ADA, BOB = "ada@example.org", "bob@example.org"


def report(*blocks: str, notice: str = "I could not deliver your message.", encoding: str = "") -> Feedback:
    status = "Reporting-MTA: dns; mx.example\n\n" + "\n\n".join(block.strip() for block in blocks) + "\n"
    if encoding == "base64":
        status = base64.encodebytes(status.encode()).decode()
    return read_feedback(
        (
            "From: MAILER-DAEMON@mx.example\nSubject: Undelivered\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
            f"--b\nContent-Type: text/plain\n\n{notice}\n"
            f"--b\nContent-Type: message/delivery-status\nContent-Transfer-Encoding: {encoding or '7bit'}\n\n{status}\n--b--\n"
        ).encode()
    )


def block(action: str = "failed", status: str = "5.1.1", diagnostic: str = "smtp; 550 5.1.1 no such user", more: str = "") -> str:
    lines = [f"Final-Recipient: rfc822; {ADA}", f"Action: {action}", f"Status: {status}"]
    return "\n".join([*lines, *([f"Diagnostic-Code: {diagnostic}"] if diagnostic else []), *([more] if more else [])])


BLOCKS = [
    # one recipient's block → the mailbox, its status, its class, what is kept of the words
    (block(), Returned(ADA, "5.1.1", HARD, "550 5.1.1 no such user")),
    (block(diagnostic=""), Returned(ADA, "5.1.1", HARD, "5.1.1")),
    (block(diagnostic="550 5.1.1 no such user"), Returned(ADA, "5.1.1", HARD, "550 5.1.1 no such user")),
    (block("delayed", "4.4.1", "smtp; 451 later"), Returned(ADA, "4.4.1", DELAYED, "451 later")),
    (block("Delayed", "4.4.1", "smtp; 451 later"), Returned(ADA, "4.4.1", DELAYED, "451 later")),
    (block(status="5.2.2", diagnostic="smtp; 552 5.2.2 mailbox full"), Returned(ADA, "5.2.2", SOFT, "552 5.2.2 mailbox full")),
    (block(status="5.7.1", diagnostic="smtp; 554 5.7.1 spam"), Returned(ADA, "5.7.1", SENDER, "554 5.7.1 spam")),
    (
        block(diagnostic="x-unix; user unknown"),
        Returned(ADA, "5.1.1", SOFT, "user unknown"),
    ),
    (block(more=f"Original-Recipient: rfc822; {BOB}"), Returned(BOB, "5.1.1", HARD, "550 5.1.1 no such user")),
    (block(more=f"X-Actual-Recipient: rfc822; {BOB}"), Returned(BOB, "5.1.1", HARD, "550 5.1.1 no such user")),
    (block(more="Original-Recipient: x400; /S=x@y/"), Returned(ADA, "5.1.1", HARD, "550 5.1.1 no such user")),
    (block(diagnostic="smtp; " + "x" * 600), Returned(ADA, "5.1.1", HARD, "x" * 500)),
    (f"Final-Recipient: rfc822; '{ADA}'\nAction: failed\nStatus: 5.1.1", Returned(ADA, "5.1.1", HARD, "5.1.1")),
    (f"Final-Recipient: RFC822;<{ADA}>\nAction: failed\nStatus: 5.1.1", Returned(ADA, "5.1.1", HARD, "5.1.1")),
    (f"final-recipient: rfc822;\n {ADA}\naction: failed\nstatus: 5.1.1", Returned(ADA, "5.1.1", HARD, "5.1.1")),
    ("Action: failed\nStatus: 5.1.1", Returned("", "5.1.1", HARD, "5.1.1")),
]


@every_row("encoding", ["", "base64"])
@every_row(("given", "returned"), BLOCKS)
def test_what_a_report_says_of_one_recipient(given: str, returned: Returned, encoding: str) -> None:
    found = report(given, encoding=encoding)
    assert (found.kind, found.reason) == (FeedbackKind.BOUNCE, "delivery report (RFC 3464)")
    assert found.recipients == (returned,)


@pytest.mark.parametrize("category", ["bad-mailbox", "inactive-mailbox", "bad-domain", "Bad-Mailbox"])
def test_powermta_tells_that_it_was_the_recipient(category: str) -> None:
    """It gives 5.0.0 to everything; without the category "user unknown" may have been said of the content."""
    vague = block(status="5.0.0", diagnostic="smtp;550 user unknown")
    assert [each.bounce for each in report(vague).recipients] == [SOFT]
    assert [each.bounce for each in report(f"{vague}\nX-PowerMTA-BounceCategory: {category}").recipients] == [HARD]
    assert [each.bounce for each in report(f"{vague}\nX-PowerMTA-BounceCategory: other").recipients] == [SOFT]


def test_each_recipient_has_its_own_words() -> None:
    other = block(status="5.2.2", diagnostic="smtp; 552 5.2.2 mailbox full").replace(ADA, BOB)
    sent = block("delivered", "2.0.0", "").replace(ADA, "eve@example.org")
    found = report(block(), other, sent)
    assert [(each.address, each.bounce) for each in found.recipients] == [(ADA, HARD), (BOB, SOFT)]
    assert report(block(), block(status="5.2.2").replace(ADA, ADA.upper())).recipients == report(block()).recipients, "once each"


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded", "Relayed (to mailing list)"])
def test_a_report_that_all_went_well_is_no_bounce(action: str) -> None:
    found = report(block(action, "2.0.0", ""))
    assert (found.kind, found.recipients, found.reason) == (FeedbackKind.OTHER, (), "delivery report: delivered")


def test_where_the_report_says_little_the_notice_is_asked() -> None:
    vague = block(status="5.0.0", diagnostic="")
    full = f"<{ADA}>: the mailbox is full\n\n<{BOB}>: host mx said: 550 5.1.1 no such user (in reply to RCPT TO command)"
    found = report(vague, vague.replace(ADA, BOB), notice=full)
    assert [(each.address, each.bounce) for each in found.recipients] == [(ADA, SOFT), (BOB, HARD)]
    dovecot = "Your message was automatically rejected: Quota exceeded (mailbox for user is full)"
    (one,) = report(block(status="5.2.2", diagnostic="x"), notice=dovecot).recipients
    assert (one.bounce, one.diagnostic) == (SOFT, "Quota exceeded (mailbox for user is full)")


# ---- complaints ------------------------------------------------------------------------------------------------------------


def complaint(fields: str, original: str = f"To: {BOB}\nSubject: x\n", kind: str = "message/rfc822") -> Feedback:
    return read_feedback(
        (
            "From: fbl@provider.example\nSubject: complaint\n"
            "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
            f"--b\nContent-Type: message/feedback-report\n\n{fields}\n--b\nContent-Type: {kind}\n\n{original}\n--b--\n"
        ).encode()
    )


COMPLAINED = [
    (f"Feedback-Type: abuse\nOriginal-Rcpt-To: <{ADA}>", [ADA], "abuse"),
    (f"Feedback-Type: Abuse\nOriginal-Rcpt-To: {ADA}, {ADA}", [ADA], "abuse"),
    (f"Original-Rcpt-To: {ADA}", [ADA], "abuse"),
    (f"Feedback-Type: fraud\nRemoval-Recipient: {ADA}", [ADA], "fraud"),
    (f"Feedback-Type: abuse\nOriginal-Rcpt-To: redacted\nX-HmXmrOriginalRecipient: {ADA}", [ADA], "abuse"),
    (f"Feedback-Type: abuse\n\nOriginal-Rcpt-To: {ADA}", [ADA], "abuse"),  # an empty line where none should be
    ("Feedback-Type: abuse\nUser-Agent: x/1", [BOB], "abuse"),  # nobody named: whom the mail was to
]


@every_row("kind", ["message/rfc822", "text/rfc822-headers", "message/rfc822-headers"])
@every_row(("fields", "readers", "said"), COMPLAINED)
def test_who_complained(fields: str, readers: list[str], said: str, kind: str) -> None:
    found = complaint(fields, kind=kind)
    assert (found.kind, found.reason) == (FeedbackKind.COMPLAINT, f"feedback report: {said}")
    assert found.recipients == tuple(Returned(reader, "", None, said) for reader in readers)


def test_a_mailbox_that_the_original_names_better_than_to() -> None:
    original = f"To: list@example.org\nX-Original-To: {ADA}\n"
    assert [each.address for each in complaint("Feedback-Type: abuse", original).recipients] == [ADA]
    assert complaint("Feedback-Type: abuse", "Subject: nobody\n").recipients == ()


@pytest.mark.parametrize("type_", ["auth-failure", "dmarc"])
def test_a_report_of_failed_authentication_is_about_us(type_: str) -> None:
    found = complaint(f"Feedback-Type: {type_}\nOriginal-Rcpt-To: {ADA}")
    assert found.recipients == (Returned(ADA, "", SENDER, type_),)


def forwarded(sender: str, subject: str, attached: str = "message/rfc822") -> Feedback:
    return read_feedback(
        (
            f"From: {sender}\nSubject: {subject}\nContent-Type: multipart/mixed; boundary=b\n\n"
            f"--b\nContent-Type: {attached}\n\nTo: {ADA}\nSubject: Papers\n\nhello\n--b--\n"
        ).encode()
    )


@pytest.mark.parametrize(
    ("sender", "subject"),
    [
        ("staff@hotmail.com", "complaint about message from 192.0.2.1"),
        ("Postmaster <feedbackloop@provider.example>", "Abuse report"),
        ("complaints@provider.example", "[SPAM] user report"),
        ("abuse@provider.example", "=?utf-8?q?Spam_complaint?="),
    ],
)
def test_an_elder_loop_only_forwards_the_mail(sender: str, subject: str) -> None:
    found = forwarded(sender, subject)
    assert (found.kind, found.reason) == (FeedbackKind.COMPLAINT, "complaint that forwards the message")
    assert found.recipients == (Returned(ADA, "", None, "abuse"),)


@pytest.mark.parametrize(
    ("sender", "subject", "attached"),
    [
        ("eve@example.org", "complaint about message from 192.0.2.1", "message/rfc822"),
        ("staff@hotmail.com", "a question", "message/rfc822"),
        ("staff@hotmail.com", "complaint about message from 192.0.2.1", "text/plain"),
        ("nobody", "complaint about message from 192.0.2.1", "message/rfc822"),
    ],
)
def test_a_person_who_forwards_a_mail_is_no_loop(sender: str, subject: str, attached: str) -> None:
    assert forwarded(sender, subject, attached).kind is not FeedbackKind.COMPLAINT


# ---- how a mail is taken apart ---------------------------------------------------------------------------------------------


def body(text: bytes, encoding: str = "7bit", type_: str = "text/plain; charset=utf-8") -> str:
    return read_mail(f"Content-Type: {type_}\nContent-Transfer-Encoding: {encoding}\n\n".encode() + text).text


BODIES = [
    (b"caf=C3=A9 =\nau lait", "quoted-printable", "text/plain; charset=utf-8", "café au lait"),
    (base64.b64encode("café".encode()), "base64", "text/plain; charset=utf-8", "café"),
    (base64.b64encode("café".encode()), " Base64 ", "text/plain; charset=utf-8", "café"),
    (base64.b64encode(b"ab").rstrip(b"="), "base64", "text/plain", "ab"),
    (base64.b64encode(b"abcd").rstrip(b"="), "base64", "text/plain", "abcd"),
    (base64.b64encode(b"abcde").rstrip(b"="), "base64", "text/plain", "abcde"),
    (b"YWJj\nZ!GVm", "base64", "text/plain", "abcdef"),
    (b"YWJjZ", "base64", "text/plain", "abc"),
    ("café".encode("latin-1"), "8bit", "text/plain; charset=iso-8859-1", "café"),
    ("café".encode("latin-1"), "8bit", "text/plain", "café"),
    ("café".encode("latin-1"), "8bit", 'text/plain; format=flowed; CHARSET="iso-8859-1"', "café"),
    ("café".encode(), "8bit", "text/plain; charset=no-such", "café"),
    ("日本".encode("iso-2022-jp"), "7bit", "text/plain", "日本"),
    (b"a\\u0041", "7bit", "text/plain; charset=unicode-escape", "a\\u0041"),
    (b"<p>one<p>two &amp; <b>th</b>ree<br>four", "7bit", "text/html", "\none\ntwo & three\nfour"),
    (b"<style>p { }</style>a<script>b</script>c<title>d</title>e", "7bit", "text/html", "ace"),
    (b"a<style>never closed", "7bit", "text/html", "a"),
    (b"a<b", "7bit", "text/plain", "a<b"),
]


@every_row(("sent", "encoding", "type_", "read"), BODIES)
def test_a_body_as_it_was_meant(sent: bytes, encoding: str, type_: str, read: str) -> None:
    assert body(sent, encoding, type_) == read


SUBJECTS = [
    ("plain", "plain"),
    ("=?utf-8?q?caf=C3=A9?=", "café"),
    ("=?iso-8859-1?q?caf=E9?= au =?utf-8?b?bGFpdA==?=", "café au lait"),
    ("=?no-such?q?caf=C3=A9?=", "café"),
    ("=?utf-8?b?a?=", "=?utf-8?b?a?="),
]


@pytest.mark.parametrize(("sent", "read"), SUBJECTS)
def test_a_subject_as_it_was_meant(sent: str, read: str) -> None:
    assert read_mail(f"Subject: {sent}\n\n".encode()).words("subject") == read


def test_fields_are_unfolded_and_what_is_none_is_skipped() -> None:
    mail = read_mail(
        b"\r\n\r\nFrom ada Mon Nov 23\r\nTo: a@x.test,\r\n\tb@x.test\r\nno field\r\nX-A : 1\r\nx-a: 2\r\n\r\nbody\r\n"
    )
    assert mail.header("To") == "a@x.test, b@x.test"
    assert list(mail.all("X-A")) == ["1", "2"]
    assert (mail.header("none"), mail.body, mail.content_type) == ("", b"body\n", "text/plain")


def nested(boundary: str = 'boundary="b b"') -> bytes:
    return f"Content-Type: Multipart/Mixed; {boundary}\n\npreamble\n--b b\nContent-Type: text/html\n\n<p>x\n--b b\n\ny\n".encode()


@pytest.mark.parametrize("end", [b"--b b--\nepilogue\n", b"--b b--", b""], ids=["whole", "at the end", "cut off"])
def test_parts_are_told_apart(end: bytes) -> None:
    parts = read_mail(nested() + end).parts
    assert [(part.content_type, part.body.strip()) for part in parts] == [("text/html", b"<p>x"), ("text/plain", b"y")]


def test_a_boundary_that_was_lost_is_guessed() -> None:
    mail = b"Content-Type: multipart/mixed\n\n--=_0123456789\nContent-Type: text/html\n\nx\n--=_0123456789--\n"
    assert [part.content_type for part in read_mail(mail).parts] == ["text/html"]
    assert read_mail(b"Content-Type: multipart/mixed\n\nnothing\n").parts == ()
