"""How often and how stubbornly one server is asked: a pace per group of hosts, and a circuit that opens after repeated failure.

Shared by all requests of one getter, whichever source or thread they come from. Another process keeps its own pace.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from digest.domain.errors import SourceThrottled
from digest.sources.port import ARXIV_PACE, Pace

Clock = Callable[[], float]
"""Seconds that only go forward."""
Sleep = Callable[[float], None]

PACES: dict[str, Pace] = {
    "arxiv.org": ARXIV_PACE,
    "huggingface.co": Pace("huggingface", 0.6),  # anonymous: 500 requests in 5 minutes
    "api.semanticscholar.org": Pace("semanticscholar", 1.0),
    "api.biorxiv.org": Pace("biorxiv", 1.0),
    "api.openalex.org": Pace("openalex", 0.2),
    "api.crossref.org": Pace("crossref", 0.2),
}
"""By host, or a domain above it. Any other host is its own group."""
ELSEWHERE = 1.0


def pace_of(host: str) -> Pace:
    """The pace kept with `host`: its own entry, else that of a domain above it, else one request a second."""
    labels = host.lower().rstrip(".").split(".")
    for start in range(len(labels)):
        if pace := PACES.get(".".join(labels[start:])):
            return pace
    return Pace(host.lower(), ELSEWHERE)


@dataclass(slots=True)
class _Line:
    """One group's queue: who holds the lock may speak."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    free_at: float | None = None
    failures: int = 0
    closed_until: float = 0.0


class Pacer:
    """One request at a time per group, its starts at least the pace apart; none while the group's circuit is open."""

    def __init__(self, clock: Clock, sleep: Sleep, *, failures_allowed: int = 5, rest: float = 300.0) -> None:
        self._clock = clock
        self._sleep = sleep
        self._failures_allowed = failures_allowed
        self._rest = rest
        self._lines: defaultdict[str, _Line] = defaultdict(_Line)

    @contextmanager
    def turn(self, source: str, pace: Pace) -> Iterator[None]:
        """Waits for this group's next turn and holds it. Raises SourceThrottled, without waiting, where the circuit is open."""
        line = self._lines[pace.group]
        with line.lock:
            self._refuse_if_open(source, pace, line)
            now = self._clock()
            if line.free_at is not None and now < line.free_at:
                self._sleep(line.free_at - now)
                now = max(self._clock(), line.free_at)
            line.free_at = now + pace.seconds
            yield

    def succeeded(self, pace: Pace) -> None:
        self._lines[pace.group].failures = 0

    def failed(self, pace: Pace) -> None:
        """A call gave up. After `failures_allowed` in a row the circuit opens for `rest` seconds; then one call may try again."""
        line = self._lines[pace.group]
        line.failures += 1
        if line.failures >= self._failures_allowed:
            self.close(pace, self._rest)

    def close(self, pace: Pace, seconds: float) -> None:
        """Asks nothing of the group for `seconds`: the server said so, or it fails again and again."""
        line = self._lines[pace.group]
        line.closed_until = max(line.closed_until, self._clock() + seconds)

    def _refuse_if_open(self, source: str, pace: Pace, line: _Line) -> None:
        left = line.closed_until - self._clock()
        if left > 0:
            why = f"{pace.group} is left in peace for another {left:.0f} s after it failed or asked for it"
            raise SourceThrottled(source, why, timedelta(seconds=left))
