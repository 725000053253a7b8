"""What a relay answers, read from a socket: whole, in pieces, over several lines, as garbage, or not at all (RFC 5321 §4.2)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from digest.domain.delivery import Reply
from digest.mail.smtp.poll_loop import finished
from digest.mail.smtp.wire import Replies, SessionLost, reply_of
from tests.servers.running import PATIENCE

Pair = tuple[socket.socket, Replies]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """The server's end, and our reading of it."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        ours = socket.create_connection(listening.getsockname())
        theirs, _ = listening.accept()
    ours.setblocking(False)
    with closing(theirs), closing(ours):
        yield theirs, Replies(ours)


ONE = [
    (b"250 2.0.0 queued as 4F1\r\n", Reply(250, "queued as 4F1", "2.0.0")),
    (b"250 queued\n", Reply(250, "queued")),
    (b"250\r\n", Reply(250)),
    (b"250 \r\n", Reply(250)),
    (b"354 go on\r\n", Reply(354, "go on")),
    (b"550-5.1.1 nobody\r\n550-5.1.1 of that name\r\n550 5.1.1 here\r\n", Reply(550, "nobody of that name here", "5.1.1")),
    (b"550-nobody\r\n550-5.1.1 of that name\r\n550 5.7.9 here\r\n", Reply(550, "nobody of that name here", "5.1.1")),
    (b"250-one\r\n250\r\n", Reply(250, "one")),
    (b"450 5.1.1 says two things\r\n", Reply(450, "5.1.1 says two things")),
    (b"550 5.1.1\r\n", Reply(550, "", "5.1.1")),
    (b"550 5.1.1: colon\r\n", Reply(550, "5.1.1: colon")),
    (b"550 5.1.1234 no status\r\n", Reply(550, "5.1.1234 no status")),
    (b"550  5.1.1 two blanks\r\n", Reply(550, "5.1.1 two blanks")),
    (b"550 a\tb\x1b[31mc\x00d\r\n", Reply(550, "a b [31mc d")),
    ("550 Postfach ungültig\r\n".encode(), Reply(550, "Postfach ungültig")),
    (b"550 Postfach ung\xfcltig\r\n", Reply(550, "Postfach ung\ufffdltig")),
    (b"550 " + b"x" * 1500 + b"\r\n", Reply(550, "x" * 1000)),
]


@pytest.mark.parametrize(("sent", "read"), ONE, ids=[repr(each[0][:30]) for each in ONE])
@pytest.mark.parametrize("pieces", [0, 1, 3], ids=["whole", "byte by byte", "in threes"])
def test_a_reply_is_read(pair: Pair, sent: bytes, read: Reply, pieces: int) -> None:
    theirs, replies = pair
    if not pieces:
        theirs.sendall(sent)
        assert finished(replies.read(5)) == read
    else:
        reading = replies.read(5)
        for place in range(0, len(sent), pieces):
            next(reading)  # it waits: what is there so far is no reply
            theirs.sendall(sent[place : place + pieces])
        assert finished(reading) == read
    assert not replies.unread


def test_two_replies_in_one_go_are_two(pair: Pair) -> None:
    theirs, replies = pair
    theirs.sendall(b"250 one\r\n550 5.1.1 two\r\n35")
    assert finished(replies.read(5)) == Reply(250, "one")
    assert replies.unread
    assert finished(replies.read(5)) == Reply(550, "two", "5.1.1")
    assert replies.unread, "the beginning of the third"
    theirs.sendall(b"4 three\r\n")
    assert finished(replies.read(5)) == Reply(354, "three")
    assert not replies.unread


def test_the_lines_of_a_greeting_are_told_apart(pair: Pair) -> None:
    theirs, replies = pair
    theirs.sendall(b"250-mx.example\r\n250-SIZE 1000\r\n250 2.0.0 HELP\r\n250 NEXT\r\n")
    assert finished(replies.read_lines(5)) == (250, ["mx.example", "SIZE 1000", "2.0.0 HELP"])
    assert finished(replies.read_lines(5)) == (250, ["NEXT"])


GRANTED = [
    (b"250 ok\r\n250 ok\r\n354 go\r\n", True),
    (b"250 2.1.0 ok\r\n251 will forward\r\n354 go\r\n", True),
    (b"250 ok\n250 ok\n354 go\n", True),
    (b"250 ok\r\n550 no\r\n354 go\r\n", False),
    (b"250 ok\r\n250 ok\r\n554 no\r\n", False),
    (b"250 ok\r\n250 ok\r\n", False),
    (b"250 ok\r\n250 ok\r\n354 go", False),
    (b"250-ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", False),
    (b"250 ok\r\n250 ok\r\n354 go\r\n250 more\r\n", False),
    (b"250 ok\r\n250\r\n354 go\r\n", False),
]


@pytest.mark.parametrize(("sent", "granted"), GRANTED, ids=[repr(each[0]) for each in GRANTED])
def test_three_grants_at_once_are_seen_and_anything_else_is_left_to_be_read(pair: Pair, sent: bytes, granted: bool) -> None:
    theirs, replies = pair
    theirs.sendall(b"220 hello\r\n" + sent)
    assert finished(replies.read(5)) == Reply(220, "hello"), "the rest came with it"
    assert replies.all_granted() is granted
    assert replies.unread is not granted


GARBAGE = [
    (b"hello\r\n", "garbage instead of a reply: b'hello\\r'"),
    (b"25 ok\r\n", "garbage instead of a reply: b'25 ok\\r'"),
    (b"2500 ok\r\n", "garbage instead of a reply: b'2500 ok\\r'"),
    (b"150 ok\r\n", "garbage instead of a reply: b'150 ok\\r'"),
    (b"650 ok\r\n", "garbage instead of a reply: b'650 ok\\r'"),
    (b"\r\n", "garbage instead of a reply: b'\\r'"),
    (b"250-one\r\nwhat\r\n", "garbage instead of a reply: b'what\\r'"),
    (b"y" * 100 + b"\r\n", f"garbage instead of a reply: {b'y' * 60!r}"),
    (b"250 " + b"x" * 2045, "garbage instead of a reply: a line without end"),
    (b"250-x\r\n" * 128 + b"250 x\r\n", "a reply of more than 128 lines"),
]


@pytest.mark.parametrize(("sent", "why"), GARBAGE, ids=[repr(each[0][:20]) for each in GARBAGE])
def test_what_is_no_reply_ends_the_session(pair: Pair, sent: bytes, why: str) -> None:
    theirs, replies = pair
    theirs.sendall(sent)
    with pytest.raises(SessionLost) as lost:
        finished(replies.read(5))
    assert str(lost.value) == why


def test_as_long_as_allowed_is_a_reply(pair: Pair) -> None:
    theirs, replies = pair
    theirs.sendall(b"250-x\r\n" * 127 + b"250 y\r\n")
    assert finished(replies.read(5)).text == "x " * 127 + "y"
    theirs.sendall(b"250 " + b"x" * 2044)
    reading = replies.read(5)
    next(reading)
    theirs.sendall(b"\r\n")
    assert finished(reading).text == "x" * 1000


ENDS = [
    (b"", "the server closed the connection"),
    (b"250 o", "the server closed the connection in the middle of a reply"),
    (b"250-one\r\n", "the server closed the connection"),
]


@pytest.mark.parametrize(("sent", "why"), ENDS)
def test_a_connection_that_ends(pair: Pair, sent: bytes, why: str) -> None:
    theirs, replies = pair
    theirs.sendall(sent)
    theirs.close()
    with pytest.raises(SessionLost) as lost:
        finished(replies.read(5))
    assert str(lost.value) == why


def test_a_connection_that_breaks() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        ours = socket.create_connection(listening.getsockname())
        theirs, _ = listening.accept()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        theirs.close()  # with a reset
        ours.setblocking(False)
        with closing(ours), pytest.raises(SessionLost, match=r"connection lost: Connection reset by peer"):
            finished(Replies(ours).read(5))


def test_a_server_that_says_nothing_is_waited_for_so_long(pair: Pair) -> None:
    _, replies = pair
    began = time.monotonic()
    with pytest.raises(SessionLost) as lost:
        finished(replies.read(0.2))
    assert str(lost.value) == "no reply within 0.2 s"
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("lines", [False, True], ids=["one line", "many"])
def test_a_server_that_drips_does_not_hold_us_for_ever(pair: Pair, lines: bool) -> None:
    """The time is for the whole reply, not for each of its bytes."""
    theirs, replies = pair
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.05):
            theirs.sendall(b"250-x\r\n" if lines else b"2")

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    began = time.monotonic()
    try:
        with pytest.raises(SessionLost, match=r"no reply within 0\.4 s"):
            finished(replies.read(0.4))
        assert time.monotonic() - began < PATIENCE
    finally:
        stop.set()
        thread.join()


def test_what_a_reply_says_is_one_line_without_its_status() -> None:
    assert reply_of(550, ["5.1.1 a", "", "  b\u2028c  "]) == Reply(550, "a b c", "5.1.1")
    assert str(reply_of(421, ["4.7.0 try", "4.7.0 later"])) == "421 4.7.0 try later"
