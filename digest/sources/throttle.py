"""How often and how stubbornly one server is asked: a pace per group of hosts, a circuit that opens after repeated failure, and
how long a server asks to be left alone.

Shared by all requests of one getter, whichever source or thread they come from; with a `Book` that other processes see, by theirs
too.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

from digest.domain.errors import SourceThrottled
from digest.domain.rate_limit import Turn, Turns
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
    "pub.orcid.org": Pace("orcid", 0.2),  # anonymous: 12 requests a second
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


class TurnStore(Protocol):
    """Where the turns are written down: in memory, or where every process that asks can see them."""

    def enter(self, group: str, pace: float, now: float) -> Turn: ...
    def leave(self, group: str, until: float, now: float) -> None: ...
    def close(self, group: str, until: float, now: float) -> None: ...


class InMemory:
    """For one process. The group's lock is the pacer's, so nobody else is ever under way."""

    def __init__(self) -> None:
        self._turns: dict[str, Turns] = {}

    def enter(self, group: str, pace: float, now: float) -> Turn:
        self._turns[group], answer = self._turns.get(group, Turns()).enter(pace, 0.0, now)
        return answer

    def leave(self, group: str, until: float, now: float) -> None:
        self._turns[group] = self._turns.get(group, Turns()).left(until if until > now else 0.0)

    def close(self, group: str, until: float, now: float) -> None:
        self._turns[group] = self._turns.get(group, Turns()).resting(until)


@dataclass(slots=True)
class _Line:
    """One group's queue in this process: who holds the lock may speak."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    failures: int = 0


class Pacer:
    """One request at a time per group, its starts at least the pace apart; none while the group's circuit is open."""

    def __init__(
        self, clock: Clock, sleep: Sleep, book: TurnStore | None = None, *, failures_allowed: int = 5, rest: float = 300.0
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._book = book or InMemory()
        self._failures_allowed = failures_allowed
        self._rest = rest
        self._lines: defaultdict[str, _Line] = defaultdict(_Line)

    @contextmanager
    def turn(self, source: str, pace: Pace) -> Iterator[Callable[[float], None]]:
        """Waits for this group's next turn and holds it: also for as many seconds afterwards as the function it gives is told.

        Raises SourceThrottled, without waiting, where the circuit is open.
        """
        rest = 0.0

        def hold(seconds: float) -> None:
            nonlocal rest
            rest = seconds

        with self._lines[pace.group].lock:
            now = self._clock()
            while (answer := self._book.enter(pace.group, pace.seconds, now)).wait > 0:
                self._sleep(answer.wait)
                now = max(self._clock(), now + answer.wait)
            if answer.closed > 0:
                why = f"{pace.group} is left in peace for another {answer.closed:.0f} s after it failed or asked for it"
                raise SourceThrottled(source, why, timedelta(seconds=answer.closed))
            try:
                yield hold
            finally:
                now = self._clock()
                self._book.leave(pace.group, now + rest, now)

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
        now = self._clock()
        self._book.close(pace.group, now + seconds, now)


_A_DAY = 86_400.0


def seconds_asked_for(value: str, sent: str = "") -> float | None:
    """What Retry-After (RFC 9110 §10.2.3) or Backoff asks for, in either form; None where there is none or it makes no sense.

    A date is held against the answer's own Date (`sent`), so that neither our clock nor theirs need be right.
    """
    if value.strip().isdecimal():
        return min(float(value), _A_DAY)
    try:
        left = _instant(value) - _instant(sent)
    except ValueError:
        return None
    return min(max(left.total_seconds(), 0.0), _A_DAY)


def _instant(http_date: str) -> datetime:
    problem = parsedate_to_datetime(http_date)
    return problem if problem.tzinfo else problem.replace(tzinfo=UTC)
