"""Dialogues that say what they wait for: alone, several in one thread, and what can only block in a thread of its own."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from math import inf

import pytest

from digest.mail.smtp.poll_loop import Dialogue, Steps, Wait, finished, in_thread, run_all, run_one, wait_for

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        yield ours, theirs


WANTS = [
    (BlockingIOError(), False, False),
    (BlockingIOError(), True, True),
    (ssl.SSLWantReadError(), True, False),
    (ssl.SSLWantReadError(), False, False),
    (ssl.SSLWantWriteError(), False, True),
    (ssl.SSLWantWriteError(), True, True),
]


@pytest.mark.parametrize(("error", "writing", "waits_to_write"), WANTS)
def test_tls_may_have_to_read_before_it_writes(pair: Pair, error: OSError, writing: bool, waits_to_write: bool) -> None:
    assert wait_for(pair[0], error, writing, 7.0) == Wait(pair[0], waits_to_write, 7.0)


def signal_history(sock: socket.socket, until: float = inf) -> Steps[bytes]:
    yield Wait(sock, False, until)
    try:
        return sock.recv(100, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return b""


def test_one_waits_until_there_is_something_to_read(pair: Pair) -> None:
    threading.Timer(0.1, pair[1].sendall, [b"hello"]).start()
    assert finished(signal_history(pair[0])) == b"hello"


def test_one_waits_no_longer_than_it_said(pair: Pair) -> None:
    began = time.monotonic()
    assert finished(signal_history(pair[0], began + 0.15)) == b""
    assert time.monotonic() - began >= 0.15
    assert finished(signal_history(pair[0], began)) == b"", "the time is over already"


def test_a_socket_that_can_be_written_to_is_not_waited_for(pair: Pair) -> None:
    def writes() -> Steps[str]:
        yield Wait(pair[0], True, inf)
        return "written"

    assert finished(writes()) == "written"


def test_alone_tells_what_it_tells_and_waits_where_it_waits(pair: Pair) -> None:
    closed: list[str] = []

    def dialogue() -> Dialogue[str, int]:
        try:
            yield "one"
            said = yield from signal_history(pair[0])
            yield said.decode()
            return 3
        finally:
            closed.append("closed")

    pair[1].sendall(b"two")
    told: list[str] = []

    def whole() -> Iterator[str]:
        told.append(str((yield from run_one(dialogue()))))

    assert list(whole()) == ["one", "two"]
    assert told == ["3"]
    assert closed == ["closed"]
    early = run_one(dialogue())
    assert next(early) == "one"
    early.close()
    assert closed == ["closed", "closed"], "closed early, it closes the dialogue"


def test_aside_gives_back_what_came_of_it_or_raises_it() -> None:
    threads: list[str] = []

    def works() -> int:
        threads.append(threading.current_thread().name)
        time.sleep(0.05)
        return 42

    def fails() -> int:
        raise ValueError("no")

    assert finished(in_thread(works)) == 42
    assert threads != [threading.current_thread().name]
    with pytest.raises(ValueError, match="no"):
        finished(in_thread(fails))


def test_aside_is_not_left_before_its_thread_has_ended() -> None:
    ended = threading.Event()

    def works() -> None:
        time.sleep(0.1)
        ended.set()

    steps = in_thread(works)
    next(steps)
    steps.close()
    assert ended.is_set()


def test_several_take_turns_and_the_slow_does_not_hold_the_quick() -> None:
    pairs = [socket.socketpair() for _ in range(3)]

    def dialogue(name: str, sock: socket.socket) -> Dialogue[str, None]:
        yield f"{name} begins"
        yield f"{name} hears {(yield from signal_history(sock)).decode()}"
        yield f"{name} hears {(yield from signal_history(sock)).decode()}"

    told = run_all([dialogue(name, ours) for name, (ours, _) in zip("abc", pairs, strict=True)], pytest.fail)
    try:
        assert [next(told) for _ in range(3)] == ["a begins", "b begins", "c begins"]
        pairs[1][1].sendall(b"1")
        assert next(told) == "b hears 1"
        pairs[2][1].sendall(b"1")
        assert next(told) == "c hears 1"
        pairs[1][1].sendall(b"2")
        pairs[2][1].sendall(b"2")
        assert {next(told), next(told)} == {"b hears 2", "c hears 2"}
        pairs[0][1].sendall(b"1")
        assert next(told) == "a hears 1"
        pairs[0][1].sendall(b"2")
        assert list(told) == ["a hears 2"]
    finally:
        for ours, theirs in pairs:
            ours.close()
            theirs.close()


def test_one_that_breaks_leaves_the_others_alone(pair: Pair) -> None:
    def breaks() -> Dialogue[str, None]:
        yield "begins"
        raise OSError("gone")

    def goes_on() -> Dialogue[str, None]:
        yield "waits"
        yield (yield from signal_history(pair[0])).decode()

    broken: list[str] = []
    pair[1].sendall(b"hello")
    assert list(run_all([breaks(), goes_on()], lambda error: broken.append(str(error)))) == ["begins", "waits", "hello"]
    assert broken == ["gone"]


def test_each_waits_no_longer_than_it_said(pair: Pair) -> None:
    other, theirs = socket.socketpair()
    began = time.monotonic()

    def dialogue(name: str, sock: socket.socket, seconds: float) -> Dialogue[str, None]:
        yield from signal_history(sock, began + seconds)
        yield f"{name} {time.monotonic() - began >= seconds}"

    with closing(other), closing(theirs):
        told = list(run_all([dialogue("late", pair[0], 0.8), dialogue("soon", other, 0.1)], pytest.fail))
    assert told == ["soon True", "late True"]


def test_nothing_to_do_is_done_at_once() -> None:
    assert list(run_all([], pytest.fail)) == []
