"""The bytes between DATA and the final dot: nothing in a message can end it early (SMTP smuggling)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.delivery import Envelope
from digest.mail.smtp.wire import EhloExtensions, commands, impossible, on_the_wire
from tests.tables import every_row

TABLE = [
    (b"", b"\r\n"),
    (b"a\r\nb\r\n", b"a\r\nb\r\n"),
    (b"a", b"a\r\n"),
    (b".", b"..\r\n"),
    (b"a\r\n.\r\nMAIL FROM:<x>\r\n", b"a\r\n..\r\nMAIL FROM:<x>\r\n"),
    (b"a\n.\nMAIL FROM:<x>\n", b"a\r\n..\r\nMAIL FROM:<x>\r\n"),
    (b"a\r.\rMAIL FROM:<x>\r", b"a\r\n..\r\nMAIL FROM:<x>\r\n"),
    (b"a\r\n.\rb", b"a\r\n..\r\nb\r\n"),
    (b"a\n\r.\r\nb", b"a\r\n\r\n..\r\nb\r\n"),
    (b"a\r\r\nb", b"a\r\n\r\nb\r\n"),
]


@every_row(("given_bytes", "sent"), TABLE)
def test_what_goes_out(given_bytes: bytes, sent: bytes) -> None:
    assert on_the_wire(given_bytes) == sent


@given(st.lists(st.sampled_from([b"\r", b"\n", b".", b"x", b"\r\n", b"\r\n.\r\n"])).map(b"".join))
def test_no_bare_line_end_and_no_lone_dot(data: bytes) -> None:
    sent = on_the_wire(data)
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", sent)
    assert not re.search(rb"(?:^|\r\n)\.(?!\.)", sent)
    assert sent.endswith(b"\r\n")


ASCII, EIGHT = b"Subject: x\r\n\r\nhello\r\n", "Subject: x\r\n\r\nhéllo\r\n".encode()
EVERYTHING = EhloExtensions(pipelining=True, size_known=True, size=0, eight_bit=True, smtputf8=True, enhanced=True)
SAID_IN_MAIL = [
    # message, recipient, whether its header is UTF-8, what the relay offers → what MAIL says beside the path
    (ASCII, "ann@reader.test", False, EhloExtensions(), ""),
    (ASCII, "ann@reader.test", False, EVERYTHING, " SIZE=21"),
    (EIGHT, "ann@reader.test", False, EVERYTHING, " SIZE=22 BODY=8BITMIME"),
    (EIGHT, "ann@reader.test", False, EhloExtensions(eight_bit=True), " BODY=8BITMIME"),
    (ASCII, "jörg@reader.test", False, EVERYTHING, " SIZE=21 SMTPUTF8"),
    (ASCII, "ann@reader.test", True, EVERYTHING, " SIZE=21 SMTPUTF8"),
    (EIGHT, "jörg@reader.test", True, EVERYTHING, " SIZE=22 BODY=8BITMIME SMTPUTF8"),
]


@pytest.mark.parametrize(("data", "recipient", "utf8", "extensions", "said"), SAID_IN_MAIL)
def test_a_message_asks_for_what_it_needs_and_the_relay_offers(
    data: bytes, recipient: str, utf8: bool, extensions: EhloExtensions, said: str
) -> None:
    """RFC 1870 (SIZE), RFC 6152 (8BITMIME), RFC 6531 (SMTPUTF8)."""
    mail, rcpt, ask = commands(Envelope(1, "b+1@papers.test", recipient, (data,), smtputf8=utf8), extensions)
    assert mail == f"MAIL FROM:<b+1@papers.test>{said}\r\n".encode()
    assert (rcpt, ask) == (f"RCPT TO:<{recipient}>\r\n".encode(), b"DATA\r\n")


EIGHT_BIT = "554 5.6.3 not sent: the message is not ASCII and this relay does not offer 8BITMIME"
UTF8 = "553 5.6.7 not sent: the address is not ASCII and this relay does not offer SMTPUTF8"
BREAKS_OUT = "501 5.5.4 not sent: the envelope holds a space, control character or angle bracket"
NO_WAY = [
    ("ann@reader.test", ASCII, False, EVERYTHING, None),
    ("ann@reader.test", ASCII, False, EhloExtensions(), None),
    ("ann@reader.test", EIGHT, False, EhloExtensions(eight_bit=True), None),
    ("ann@reader.test", EIGHT, False, EhloExtensions(), EIGHT_BIT),
    ("jörg@reader.test", ASCII, False, EhloExtensions(smtputf8=True), None),
    ("jörg@reader.test", ASCII, False, EhloExtensions(eight_bit=True), UTF8),
    ("ann@reader.test", ASCII, True, EhloExtensions(eight_bit=True), UTF8),
    ("ann@reader.test", ASCII, False, EhloExtensions(size_known=True, size=21), None),
    (
        "ann@reader.test",
        ASCII,
        False,
        EhloExtensions(size_known=True, size=20),
        "552 5.3.4 not sent: 21 bytes, this relay takes 20",
    ),
    *((f"a{wrong}b@x.test", ASCII, False, EVERYTHING, BREAKS_OUT) for wrong in ("\r\n", " ", ">", "<", "\x00", "\x7f")),
]


@every_row(("recipient", "data", "utf8", "extensions", "said"), NO_WAY)
def test_what_a_relay_cannot_carry_is_known_before_anything_is_said(
    recipient: str, data: bytes, utf8: bool, extensions: EhloExtensions, said: str | None
) -> None:
    answer = impossible(Envelope(1, "b@papers.test", recipient, (data,), smtputf8=utf8), extensions)
    assert (answer and str(answer)) == said
