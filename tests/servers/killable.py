"""Moments at which a `digest deliver` kills itself: what is done in a process of preloaded.py before it runs its command.

What is wrapped here is wrapped there only: the program knows nothing of it.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import digest.store.deliveries.deliveries as stored
from digest.mail.smtp.journal import Journal
from digest.mail.smtp.smtp_session import Session
from digest.services.editions.service import EditionService

STAGES = (
    "after the claim",
    "mid-body",
    "before the dot",
    "with the dot written down",
    "after the dot",
    "after the reply",
    "with the reply written down",
    "mid-record",
    "recorded, and not written down",
)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)  # the signal may reach another thread first; this one goes no further


class Moments:
    """Counts the moments of one stage and strikes at the nth."""

    def __init__(self, stage: str, nth: int) -> None:
        self._stage = stage
        self._left = nth
        self._lock = threading.Lock()

    def __call__(self, stage: str) -> bool:
        """Whether this is the moment."""
        if stage != self._stage:
            return False
        with self._lock:
            self._left -= 1
            return self._left == 0


def wrap(owner: Any, name: str, around: Callable[..., Any]) -> None:
    usual = getattr(owner, name)
    setattr(owner, name, lambda *args, **kwargs: around(usual, *args, **kwargs))


def strike(stage: str, nth: int) -> None:
    """SIGKILL itself at the nth such moment: wraps the calls between which a delivery changes its state."""
    assert stage in STAGES, stage
    now = Moments(stage, nth)
    thread = threading.local()

    def before(stage: str) -> Callable[..., Any]:
        def around(usual: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            if now(stage):
                kill()
            return usual(*args, **kwargs)

        return around

    def dot(usual: Callable[..., Any], *args: Any) -> None:
        if now("before the dot"):
            kill()
        usual(*args)
        thread.dotted = True
        if now("with the dot written down"):
            kill()

    def write(usual: Callable[..., Any], session: Session, data: bytes | memoryview, flags: int = 0) -> Iterator[Any]:
        dotted, thread.dotted = getattr(thread, "dotted", False), False
        if b"\r\nMessage-ID:" in bytes(data) and now("mid-body"):
            yield from usual(session, data[: len(data) // 2])
            kill()
        yield from usual(session, data, flags)
        if dotted and now("after the dot"):
            kill()

    def reply(usual: Callable[..., Any], *args: Any) -> None:
        if now("after the reply"):
            kill()
        usual(*args)
        if now("with the reply written down"):
            kill()

    def record(usual: Callable[..., Any], *args: Any) -> None:
        usual(*args)
        if now("mid-record"):
            kill()

    wrap(Journal, "dot", dot)
    wrap(Journal, "reply", reply)
    wrap(Journal, "recorded", before("recorded, and not written down"))
    wrap(Session, "_write", write)
    wrap(stored, "record", record)
    at_composing(before("after the claim"))


def at_composing(around: Callable[..., Any]) -> None:
    """Calls `around` for each mail that is about to be composed: it has been claimed, and no relay has heard of it."""
    usual: Any = EditionService.compose
    EditionService.compose = lambda *args: around(usual, *args)  # type: ignore[method-assign]


def strike_after(seconds: float) -> None:
    """SIGKILL itself so long after its first claim, wherever it is."""
    clock = threading.Timer(seconds, kill)
    clock.daemon = True
    started: list[bool] = []

    def around(usual: Callable[..., Any], *args: Any) -> Any:
        if not started:
            started.append(True)
            clock.start()
        return usual(*args)

    at_composing(around)
