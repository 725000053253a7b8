"""`digest deliver`, to be killed: `python killable.py` reads orders on stdin, one JSON object a line, and answers each with one.

    {"stage": "after the dot", "nth": 3}    SIGKILL itself at the third such moment
    {"after": 0.05}                         SIGKILL itself so many seconds after its first claim, wherever it is
    {}                                      run to the end
    → {"status": -9, "said": "…"}           how it ended (as subprocess has it) and the end of what it printed

Each order is a process of its own, forked before anything is opened, so that a kill costs no start of the interpreter.
What is wrapped here is wrapped here only: the program knows nothing of it.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import digest.store.deliveries.deliveries as stored
from digest import cli
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
PATIENCE = 60
"""Seconds until a run that does not end is ended (by SIGALRM, so that it does not pass for a kill)."""


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(PATIENCE)  # the signal may reach another thread first; this one goes no further


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


def hook(now: Moments) -> None:
    """Wraps the calls between which a delivery changes its state."""
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
    clock = threading.Timer(seconds, kill)
    clock.daemon = True
    started: list[bool] = []

    def around(usual: Callable[..., Any], *args: Any) -> Any:
        if not started:
            started.append(True)
            clock.start()
        return usual(*args)

    at_composing(around)


def run(order: dict[str, Any], out: int) -> None:
    """The child: never returns."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    status = 70
    try:
        signal.alarm(PATIENCE)
        if "stage" in order:
            assert order["stage"] in STAGES, order
            hook(Moments(order["stage"], order["nth"]))
        if "after" in order:
            strike_after(order["after"])
        cli.main(["deliver", "--json"])
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException as error:
        print(repr(error), file=sys.stderr)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def main() -> None:
    gc.freeze()  # a child that walks through what it was born with copies all of it
    for line in sys.stdin:
        with tempfile.TemporaryFile() as out:
            child = os.fork()
            if child == 0:
                run(json.loads(line), out.fileno())
            _, status = os.waitpid(child, 0)
            out.seek(0)
            said = out.read().decode("utf-8", "replace")
        print(json.dumps({"status": os.waitstatus_to_exitcode(status), "said": said[-4000:]}), flush=True)


if __name__ == "__main__":
    main()
