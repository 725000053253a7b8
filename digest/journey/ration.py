"""ration: how many mails a relay, and a recipient's domain, may have in a minute, counted in the database.

So no restart and no second process, on whatever host, makes them more. A minute is cut into ten spans with a tenth of the limit
each, where there are tenths: a limit is then a pace and not a burst, and any 60 seconds hold at most a tenth more than a minute.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Protocol

from digest.domain.delivery import Claimed

_MINUTE = timedelta(minutes=1)
_SPANS = 10
_LOTS = 4
"""A process takes its share of a span in this many lots: fewer transactions, and others get theirs too."""


class Allowances(Protocol):
    def take(self, key: str, at: datetime, per: timedelta, limit: int, wanted: int) -> int: ...
    def use(self, key: str, at: datetime, per: timedelta, count: int = 1) -> int: ...


class Unit(Protocol):
    @property
    def allowances(self) -> Allowances: ...


class Store(Protocol):
    def begin(self) -> AbstractContextManager[Unit]: ...


def span_of(per_minute: int) -> tuple[timedelta, int]:
    """(how long a span is, how many it may have)."""
    return (_MINUTE / _SPANS, per_minute // _SPANS) if per_minute >= _SPANS else (_MINUTE, per_minute)


def end_of_span(at: datetime, per: timedelta) -> datetime:
    seconds = per.total_seconds()
    return datetime.fromtimestamp((at.timestamp() // seconds + 1) * seconds, UTC)


class RelayQuota:
    """What is left of a relay's limit. Keeps mail.post.Quota; threads may share it."""

    def __init__(self, store: Store, relay: str, per_minute: int, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock
        self._key = f"relay/{relay}"
        self._per, self._limit = span_of(per_minute)
        self._lot = -(-self._limit // _LOTS)
        self._left, self._spent = 0, False
        self._until: datetime | None = None
        """The end of the span that these are of."""
        self._lock = threading.Lock()

    def take(self) -> bool:
        with self._lock:
            self._look()
            if not self._left:
                return False
            self._left -= 1
            return True

    def wait(self) -> float:
        with self._lock:
            now = self._look()
            if self._left or self._until is None:
                return 0.0
            return max((self._until - now).total_seconds(), 0.001)

    def _look(self) -> datetime:
        """Forgets what is left of a span that is over, and asks for the next lot."""
        now = self._clock()
        if self._until is None or now >= self._until:
            self._left, self._spent = 0, False
        if not self._left and not self._spent:
            with self._store.begin() as unit:
                self._left = unit.allowances.take(self._key, now, self._per, self._limit, self._lot)
            self._until, self._spent = end_of_span(now, self._per), not self._left
        return now


def rationed(
    claimed: Sequence[Claimed], per_minute: int | None, allowances: Allowances, now: datetime
) -> tuple[list[Claimed], dict[int, datetime]]:
    """(who may be mailed now, when to try the others): at most so many a minute to each recipient's domain.

    Who must wait is spread over the spans to come, so that a domain with a million readers is not looked at whole in each.
    """
    if per_minute is None:
        return list(claimed), {}
    per, limit = span_of(per_minute)
    by_domain: dict[str, list[Claimed]] = defaultdict(list)
    for each in claimed:
        by_domain[each.address.domain].append(each)
    later: dict[int, datetime] = {}
    for domain, theirs in sorted(by_domain.items()):  # in one order: two processes must not wait for each other
        granted = allowances.take(f"domain/{domain}", now, per, limit, len(theirs))
        if granted == len(theirs):
            continue
        waiting = theirs[granted:]
        put_off = allowances.use(f"domain-later/{domain}", now, per, len(waiting))
        for place, each in enumerate(waiting, start=put_off - len(waiting)):
            later[each.id] = end_of_span(now, per) + (place // limit) * per
    return [each for each in claimed if each.id not in later], later
