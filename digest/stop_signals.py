"""What asks a long-running command to end cleanly, and how it waits for that."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

_LOOK = 1.0


def stop_signals() -> tuple[signal.Signals, ...]:
    """A terminal that closes sends SIGHUP; where it is ignored (nohup), it stays so."""
    hangup = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)
    return (signal.SIGTERM, signal.SIGINT, *hangup)


def on_stop_signal(stop: Callable[[], None]) -> None:
    """`stop` is called, in a thread of its own, for each stop signal.

    A handler runs in the middle of whatever the main thread does. Where that holds the lock of an event, for it is about to wait,
    a handler that sets the event waits for ever.
    """

    def handler(signum: int, frame: FrameType | None) -> None:
        threading.Thread(target=stop, name="stop", daemon=True).start()

    for number in stop_signals():
        signal.signal(number, handler)


def wait_for(stopped: threading.Event) -> None:
    """Blocks until it is set.

    Handlers run in the main thread once that wakes, and a signal that the system gives to another thread wakes it not: it looks.
    """
    while not stopped.wait(_LOOK):
        pass
