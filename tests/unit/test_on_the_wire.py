"""The bytes between DATA and the final dot: nothing in a message can end it early (SMTP smuggling)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.mail.wire import on_the_wire

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


@pytest.mark.parametrize(("given_bytes", "sent"), TABLE)
def test_what_goes_out(given_bytes: bytes, sent: bytes) -> None:
    assert on_the_wire(given_bytes) == sent


@given(st.lists(st.sampled_from([b"\r", b"\n", b".", b"x", b"\r\n", b"\r\n.\r\n"])).map(b"".join))
def test_no_bare_line_end_and_no_lone_dot(data: bytes) -> None:
    sent = on_the_wire(data)
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", sent)
    assert not re.search(rb"(?:^|\r\n)\.(?!\.)", sent)
    assert sent.endswith(b"\r\n")
