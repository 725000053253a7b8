"""Turns that all processes on one database share, so that `digest collect` beside the daemon keeps the pace with it.

The times are the wall clock's. A Retry-After outlives a restart, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime

from digest.domain.rate_limit import Turn, Turns
from digest.store.unit_of_work import Store

KEY = "turns"
"""In the store, under the group's name in angle brackets: no source is named so."""


class SharedTurns:
    """Keeps sources/throttle.py's Book. `lease`: seconds after which a request that never ended (its process died) is
    forgotten.
    """

    def __init__(self, store: Store, lease: float) -> None:
        self._store = store
        self._lease = lease

    def enter(self, group: str, pace: float, now: float) -> Turn:
        answer = Turn()

        def take(turns: Turns) -> Turns:
            nonlocal answer
            turns, answer = turns.enter(pace, self._lease, now)
            return turns

        self._change(group, take, now)
        return answer

    def leave(self, group: str, until: float, now: float) -> None:
        self._change(group, lambda turns: turns.left(until if until > now else 0.0), now)

    def close(self, group: str, until: float, now: float) -> None:
        self._change(group, lambda turns: turns.resting(until), now)

    def _change(self, group: str, how: Callable[[Turns], Turns], now: float) -> None:
        with self._store.begin() as unit:
            unit.sources.change(f"<{group}>", KEY, lambda state: asdict(how(Turns(**state))), datetime.fromtimestamp(now, UTC))
