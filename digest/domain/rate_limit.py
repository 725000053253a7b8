"""How fast a relay is sent to, and when we may log in there: the rules, whoever keeps what they need to know.

Times are seconds on one clock that all processes share. Numbers alone are kept, so that JSON can hold them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from digest.domain.request_turns import LOOK_AGAIN, Turn

RECOVERY = 20.0
"""Seconds in which a relay that was too fast for is trusted with as much again; with more from then on."""
ROUND = 1.0
"""Seconds after a throttled message in which nothing is begun, and others that were under way are the same trouble."""
_JUST_BELOW = 0.95
_AT_FIRST = 2.0
"""Messages a second that were too many, where the relay had taken none yet."""
SLOWEST = 1 / 30
"""Messages a second, however often a relay throttles us."""
LONGEST_WAIT = 120.0
"""Seconds to the next message beyond which a relay counts as closed, not as slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What a relay takes, found out by its refusals: halved at each, then recovered along a curve, as CUBIC (RFC 9438) does it.

    The curve is flat just below the rate that was too much, where a careful search pays, and steep far from it on either side.
    """

    ceiling: float = 0.0
    """Messages a second, a little fewer than were too many; 0: none ever were."""
    throttled_at: float = 0.0
    free_at: float = 0.0
    """When the next message that nobody has reserved may begin."""

    def allowed(self, now: float) -> float:
        """Messages a second; inf: as fast as they are taken."""
        since = (now - self.throttled_at) / RECOVERY
        if not self.ceiling or since > 4 or since < 0:  # a clock that was set back must not slow us down
            return inf
        return self.ceiling * (1 + (since - 1) ** 5 / 2)

    def reserve(self, now: float, wanted: int, most: float = inf, burst: int = 1) -> tuple[Rate, list[float]]:
        """When up to `wanted` messages may begin. `most` a second is a limit from outside, of which so many may go at once."""
        rate = min(self.allowed(now), most)
        if rate == inf:
            return self, [now] * wanted
        start = now - (burst - 1) / rate if rate == most else now
        start = max(start, min(self.free_at, now + LONGEST_WAIT))
        return replace(self, free_at=start + wanted / rate), [start + place / rate for place in range(wanted)]

    def throttled(self, now: float, seen: float) -> Rate:
        """After a refusal; `seen`: how many the relay took in the last second."""
        if 0 <= now - self.throttled_at < ROUND:
            return self
        # what it took before it first refused, or in a burst, may be more than it takes for long
        too_much = min(self.allowed(now), 1.5 * self.ceiling) if self.ceiling else max(seen, _AT_FIRST)
        return Rate(ceiling=max(_JUST_BELOW * too_much, 2 * SLOWEST), throttled_at=now, free_at=now + ROUND)


FIRST_BACK_OFF, LONGEST_BACK_OFF = 120.0, 3600.0
"""Seconds to the next login after a refused one; each further refusal doubles them."""
LOGIN_LEASE = 60.0
"""Seconds that one login may last before another process tries its own."""
TRUSTED = 5.0
"""Seconds after a login that worked in which others log in without waiting for each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logins:
    """The logins at a relay with one user name and password. One at a time is tried, until one has worked just now."""

    refusals: int = 0
    """In a row."""
    closed_until: float = 0.0
    busy_until: float = 0.0
    worked_at: float = 0.0
    reply: str = ""
    """What the relay said to the last one that it refused."""

    def enter(self, now: float) -> tuple[Logins, Turn]:
        """Whether to log in now. `Turn.closed`: the last was refused, and none is tried for so long."""
        if 0 < (closed := self.closed_until - now) <= LONGEST_BACK_OFF:
            return self, Turn(closed=closed)
        if 0 <= now - self.worked_at <= TRUSTED:
            return self, Turn()
        if 0 < (busy := self.busy_until - now) <= LOGIN_LEASE:
            return self, Turn(wait=min(busy, LOOK_AGAIN))
        return replace(self, busy_until=now + LOGIN_LEASE), Turn()

    def worked(self, now: float) -> Logins:
        return Logins(worked_at=now)

    def refused(self, now: float, reply: str) -> Logins:
        if self.closed_until > now:  # one that began together with the one that was refused first
            return replace(self, reply=reply)
        wait = min(FIRST_BACK_OFF * 2**self.refusals, LONGEST_BACK_OFF)
        return Logins(refusals=self.refusals + 1, closed_until=now + wait, reply=reply)

    def left(self) -> Logins:
        """The connection ended before the relay said anything of the login."""
        return replace(self, busy_until=0.0)
