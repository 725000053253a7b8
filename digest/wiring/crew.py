"""Several processes on one outbox: each with its own store, journal and connections to the relays; they share the database alone.

A process with one thread forks its children: they have at once what it has loaded. One with more (a daemon) spawns them: a fork
would take along locks that other threads hold. Between a child and us is one pipe. Up come numbers; down goes one word, to stop,
and the pipe's end says the same: so no child outlives a parent that was killed by more than the messages in flight.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Self

from digest.config import Settings
from digest.domain.delivery import Tally
from digest.domain.errors import DigestError
from digest.services.delivery.run import Worked

_LOADED_ONCE = (
    "services.delivery.claims",
    "services.editions.message_composer",
    "services.editions.personalise",
    "mail.message.address",
    "mail.smtp.journal",
    "mail.smtp.relay_pool",
)
"""What each of us would load for itself as soon as it delivers: before a fork, it is loaded once."""
_LOOK = 0.2
"""Seconds between looks at whether to stop."""


def cores() -> int:
    """Those we may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def clock_of(at: datetime | None) -> Callable[[], datetime]:
    """Stands still at `at`, or the real one."""
    return (lambda: datetime.now(UTC)) if at is None else (lambda: at)


class Crew:
    """Children that deliver while the `with` lasts. `finish` waits for them; leaving early tells them to stop, and waits.

    The caller has no connection to the database open when the `with` begins: a fork must not inherit one.
    """

    def __init__(
        self,
        settings: Settings,
        count: int,
        at: datetime | None,
        stop: Callable[[], bool],
        progress: Callable[[Counter[str]], None],
    ) -> None:
        self._settings, self._count, self._at, self._stop, self._progress = settings, count, at, stop, progress
        self._children: dict[Connection, BaseProcess] = {}
        self._counts: dict[Connection | None, Counter[str]] = {}
        self._worked: list[Worked] = []
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._watch = threading.Thread(target=self._watching, name="crew", daemon=True)

    def __enter__(self) -> Self:
        forked = threading.active_count() == 1 and sys.platform == "linux"
        context: Any = multiprocessing.get_context("fork" if forked else "spawn")
        if forked:
            for name in _LOADED_ONCE:
                importlib.import_module(f"digest.{name}")
        for number in range(self._count):
            ours, theirs = context.Pipe()
            # a fork has copies of our ends, too: while it holds one, no end would be seen when we die
            inherited = (*self._children, ours) if forked else ()
            child = context.Process(
                target=_deliver, args=(self._settings, self._at, theirs, inherited), name=f"deliver-{number + 2}"
            )
            child.start()
            theirs.close()
            self._children[ours] = child
        self._watch.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ending.set()
        self._watch.join()

    def finish(self) -> tuple[list[Worked], int]:
        """(what each child did that came to an end, how many died). What those held is in their journals and leases."""
        self._watch.join()
        return self._worked, self._count - len(self._worked)

    def counted(self, counts: Counter[str], who: Connection | None = None) -> None:
        """Adds our own (None) or a child's numbers to what is shown."""
        with self._lock:
            self._counts[who] = Counter(counts)
            self._progress(sum(self._counts.values(), Counter()))

    def _watching(self) -> None:
        told = False
        while self._children:
            if not told and (self._ending.is_set() or self._stop()):
                told = True
                for pipe in self._children:
                    with contextlib.suppress(OSError):  # it has ended: we shall hear
                        pipe.send(None)
            ready = wait(list(self._children), _LOOK)
            for pipe in [each for each in self._children if each in ready]:
                try:
                    said = pipe.recv()
                except (EOFError, OSError):
                    self._children.pop(pipe).join()
                    pipe.close()
                    continue
                if isinstance(said, Worked):
                    self._worked.append(said)
                else:
                    self.counted(said, pipe)


def together(parts: list[Worked], seconds: float) -> Worked:
    """The sum of what several did in `seconds`, and the first reason why one stopped.

    Who stopped because nothing of theirs was accepted had one reader's refusal, where mail of the others was.
    """
    names = [each.name for each in fields(Tally) if each.name != "seconds"]
    done = {name: sum(getattr(part.tally, name) for part in parts) for name in names}
    tally = Tally(**done, seconds=round(seconds, 3))
    reasons = (part.stopped for part in parts if not (part.nothing_taken and tally.accepted))
    passed_over = {relay: reason for part in parts for relay, reason in part.passed_over.items()}
    return Worked(tally, next(filter(None, reasons), ""), passed_over=passed_over)


def _deliver(settings: Settings, at: datetime | None, pipe: Connection, inherited: Sequence[Connection]) -> None:
    """The child's whole life."""
    from digest.wiring import Wiring

    for each in inherited:
        each.close()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda signum, frame: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all of us: our parent passes it on

    def listen() -> None:
        with contextlib.suppress(EOFError, OSError):
            pipe.recv()
        stop.set()

    def tell(said: Worked | Counter[str]) -> None:
        try:
            pipe.send(said)
        except OSError:  # nobody listens any more
            stop.set()

    threading.Thread(target=listen, name="parent", daemon=True).start()
    try:
        with Wiring(settings) as wiring:
            tell(wiring.deliver(clock_of(at), stop.is_set, tell))
    except DigestError as error:
        tell(Worked(Tally(), str(error)))
