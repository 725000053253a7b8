"""Runs a function in a process of its own, with an end to its time and memory: for strangers' bytes."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from threading import BoundedSemaphore
from typing import Any, TypeVar

from digest.domain.errors import DigestError
from digest.domain.phrase import phrase

_Answer = TypeVar("_Answer")

SECONDS = 10.0
PROCESSOR_SECONDS = 1.0
"""Of the function itself: what its modules take to load does not count."""
MEGABYTES = 1024
GIVES_WAY = 5
"""Of `nice`: where processors are few, pages come first."""
AT_ONCE = 2
PATIENCE = 5.0
"""Seconds to wait for one of the AT_ONCE places."""
_places = BoundedSemaphore(AT_ONCE)


class Overrun(DigestError):
    """It took too much time or memory, or too many run already."""


def run_apart(function: Callable[..., _Answer], *given: object, seconds: float = SECONDS) -> _Answer:
    """What `function` answers. It and what it takes and answers must be picklable; what goes wrong in it, it answers too.

    Raises Overrun.
    """
    if not _places.acquire(timeout=PATIENCE):
        raise Overrun(phrase("others are being read; please try again in a minute"))
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    try:
        process = context.Process(target=_run, args=(theirs, function, given), daemon=True)
        process.start()
        theirs.close()
        try:
            if not ours.poll(seconds):
                raise Overrun(phrase("takes longer than %(n)s s to read", n=round(seconds)))
            answer: _Answer = ours.recv()
            return answer
        except EOFError:
            raise Overrun(phrase("takes too much time or memory to read")) from None
        finally:
            process.kill()
            process.join()
            process.close()
    finally:
        ours.close()
        _places.release()


def _run(answers: Connection, function: Callable[..., Any], given: tuple[object, ...]) -> None:
    os.nice(GIVES_WAY)
    resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES * 1024 * 1024, MEGABYTES * 1024 * 1024))
    signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS)  # SIGPROF ends the process, inside a pattern too
    try:
        answers.send(function(*given))
    except MemoryError:
        return  # told by the pipe's end
