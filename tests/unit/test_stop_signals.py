"""A long-running command ends when it is asked to, whatever its threads do at that moment."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator

import pytest

from digest.stop_signals import on_stop_signal, wait_for
from tests.servers.running import PATIENCE


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_what_is_called_may_need_a_lock_that_the_main_thread_holds() -> None:
    """An event's own, when the signal comes just as the main thread begins to wait for it."""
    lock, asked = threading.Lock(), threading.Event()

    def stop() -> None:
        if lock.acquire(timeout=PATIENCE):
            asked.set()

    on_stop_signal(stop)
    with lock:
        signal.raise_signal(signal.SIGTERM)
    assert asked.wait(PATIENCE / 2)


def test_a_signal_that_another_thread_takes_ends_the_wait() -> None:
    """The system may hand it to any; the main thread sleeps on, and Python's handlers run there."""
    stopped, main = threading.Event(), threading.main_thread()
    on_stop_signal(stopped.set)

    def other() -> None:
        time.sleep(0.05)  # the main thread waits by then; if not, nothing is shown, and nothing fails
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    assert threading.current_thread() is main
    threading.Thread(target=other, daemon=True).start()
    rescue = threading.Timer(PATIENCE / 2, stopped.set)
    rescue.start()
    wait_for(stopped)
    assert rescue.is_alive()
    rescue.cancel()
