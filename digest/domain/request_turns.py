"""Whose turn it is to ask a group of hosts: the rule behind the pace, whoever writes the times down.

Times are seconds on one clock that all who ask share.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

LOOK_AGAIN = 0.5
"""Seconds until one who waits for another's request to end looks again."""


@dataclass(frozen=True, slots=True)
class Turn:
    """`wait` seconds and ask again for a turn; 0: it is yours until you leave. `closed`: the group is left in peace that long."""

    wait: float = 0.0
    closed: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """What is known of a group: when the next request may start, until when one is under way, until when it wants peace."""

    free_at: float = 0.0
    busy_until: float = 0.0
    closed_until: float = 0.0

    def enter(self, pace: float, lease: float, now: float) -> tuple[Turns, Turn]:
        """Takes the turn if it is free. `pace`: between the starts of two requests. `lease`: how long one may last at most,
        so that one who died in it does not block the others for ever.
        """
        if (closed := self.closed_until - now) > 0:
            return self, Turn(closed=closed)
        if (busy := self.busy_until - now) > 0:
            return self, Turn(wait=min(busy, LOOK_AGAIN))
        # a clock that was set back must not make anybody wait longer than the pace
        if (early := min(self.free_at - now, pace)) > 0:
            return self, Turn(wait=early)
        return replace(self, free_at=now + pace, busy_until=now + lease), Turn()

    def left(self) -> Turns:
        return replace(self, busy_until=0.0)

    def resting(self, until: float) -> Turns:
        return replace(self, closed_until=max(self.closed_until, until))
