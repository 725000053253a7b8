"""Dialogues that say what they wait for, so that one thread can hold many: a thread a connection would have them fight for the
interpreter, which costs more than the dialogue.

A step of a dialogue is what it yields: a `Wait`, or something for whoever runs it. `alone` runs one, `together` several.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, inf
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_NAP = 0.2
"""Seconds between looks at whether to go on waiting."""

NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
"""What a socket that does not block raises instead."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Go on when the socket can be read (or written to), or at `until`, whichever is first. `until`: by `time.monotonic`."""

    sock: socket.socket
    writing: bool
    until: float


Steps = Generator[Wait, None, R]
"""Waits, and returns an R in the end."""
Dialogue = Generator[T | Wait, None, R]
"""Tells of a T now and then, too."""


def wait_for(sock: socket.socket, error: OSError, writing: bool, until: float) -> Wait:
    """What to wait for after `error`, one of NOT_NOW. TLS may have to read before it can write, and the other way round."""
    if isinstance(error, ssl.SSLWantReadError):
        writing = False
    elif isinstance(error, ssl.SSLWantWriteError):
        writing = True
    return Wait(sock, writing, until)


def run_one(steps: Dialogue[T, R]) -> Generator[T, None, R]:
    """One dialogue, waiting where it waits. Closed early, it closes the dialogue."""
    try:
        while True:
            step = next(steps)
            if isinstance(step, Wait):
                _until_ready(step)
            else:
                yield step
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # a StopIteration does not know what its generator returns
    finally:
        steps.close()


def finished(steps: Steps[R]) -> R:
    """What comes of a dialogue that only waits."""
    try:
        while True:
            _until_ready(next(steps))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # as above


def in_thread(work: Callable[[], R]) -> Steps[R]:
    """Has a thread of its own do what can only block. Not left before that thread has ended."""
    results: list[R] = []
    errors: list[BaseException] = []
    ours, theirs = socket.socketpair()

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)
        finally:
            theirs.close()

    with ours:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield Wait(ours, False, inf)
        finally:
            thread.join()
    if errors:
        raise errors[0]
    return results[0]


@dataclass(frozen=True, slots=True)
class Pace:
    """When the next message may begin: `wait` gives the seconds until then. More than `patience` is not waited for."""

    wait: Callable[[], float] = lambda: 0.0
    patience: float = 0.0


AT_ONCE = Pace()


def turn(pace: Pace) -> Steps[None]:
    """Waits for it. Asks again now and then: it may be over."""
    while 0 < (seconds := pace.wait()) <= pace.patience:
        ours, theirs = socket.socketpair()  # nothing is ever said over it
        with ours, theirs:
            yield Wait(ours, False, time.monotonic() + min(seconds, _NAP))


def always(delivery_id: int) -> bool:
    """Every message is wanted."""
    return True


def run_all(dialogues: Sequence[Dialogue[T, None]], broken: Callable[[Exception], object]) -> Iterator[T]:
    """What several dialogues tell of, as they do. `broken` is told how those ended that raised; the others go on."""
    ready, waiting = list(dialogues), dict[int, tuple[Dialogue[T, None], Wait]]()
    poll = select.poll()
    while ready or waiting:
        for dialogue in ready:  # each until it waits
            try:
                for step in dialogue:
                    if isinstance(step, Wait):
                        handle = step.sock.fileno()
                        waiting[handle] = dialogue, step
                        poll.register(handle, _EVENTS[step.writing])
                        break
                    yield step
            except Exception as error:
                broken(error)
        ready = []
        for handle in _awake(poll, [wait for _, wait in waiting.values()]):
            poll.unregister(handle)
            ready.append(waiting.pop(handle)[0])


_EVENTS = {False: select.POLLIN, True: select.POLLOUT}


def _awake(poll: select.poll, waits: Sequence[Wait]) -> list[int]:
    """The handles of those that need not wait any more: of one at least, where there is one."""
    while waits:
        left = min([wait.until for wait in waits]) - time.monotonic()
        if events := poll.poll(None if left == inf else max(ceil(left * 1000), 0)):
            return [handle for handle, _ in events]
        now = time.monotonic()
        if late := [wait.sock.fileno() for wait in waits if wait.until <= now]:
            return late
    return []


def _until_ready(wait: Wait) -> None:
    poll = select.poll()
    poll.register(wait.sock, _EVENTS[wait.writing])
    _awake(poll, [wait])
