"""How fast a relay is sent to, when we may log in there, and whose turn it is at a group of hosts: the rules alone.

Times are seconds on one clock that all processes share. Numbers alone are kept, so that JSON can hold them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import inf

from digest.domain.delivery import Attempt, Reply, Stage

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
        if 0 < (busy := self.busy_until - now) <= 2 * LOGIN_LEASE:  # of a host whose clock is ahead, or stood far ahead
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


# ---- turns at a group of hosts -----------------------------------------------------------------------------------------------


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

    def left(self, until: float = 0.0) -> Turns:
        """`until`: the server wants nobody else before."""
        return replace(self, busy_until=until)

    def resting(self, until: float) -> Turns:
        return replace(self, closed_until=max(self.closed_until, until))


# ---- replies that ask us to be slower: they speak of no reader and of no message ---------------------------------------------


_NOT_A_RATE = re.compile(
    r"mailbox|quota|storage|disk|\bthe user\b|daily|24.?h|per day|per month|grey.?list|relaying"
    r"|denied|authenticat|credential|sender address|local (?:configuration|problem)|\btls\b",
    re.IGNORECASE,
)
_RATE = re.compile(
    r"throttl|\brates?\b|rate.?limit|too (?:many|much|fast|quick)|slow(?:er|ing)?\b|(?:per|a|each) (?:second|minute|hour)|flood"
    r"|limit\b.{0,40}\b(?:exceed|reach)|exceed\w*\b.{0,40}\blimit|(?:server|system) (?:is )?(?:too )?busy|concurren"
    r"|\bMI:(?:SFQ|DMC)\b",  # NetEase's codes for too many in a quarter of an hour, or over one connection
    re.IGNORECASE,
)
_OF_THE_CONNECTION = re.compile(
    r"(?:too many|max\w*|limit|exceed).*\b(?:connection|session)\b|\b(?:connection|session)\b.*(?:limit|max)", re.IGNORECASE
)
_TOO_MANY_CONNECTIONS = re.compile(r"too many (?:concurrent |simultaneous |open |smtp )*(?:connections|sessions)", re.IGNORECASE)
_ASKED = (Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.BODY, Stage.DOT)


def throttled(attempt: Attempt) -> bool:
    """Whether the relay would have taken this message had it come later, and asks for no more than that."""
    reply = attempt.reply
    if reply is None or attempt.stage not in _ASKED or reply.enhanced.startswith(("4.1.", "4.2.")):
        return False
    if reply.code not in (421, 432, 450, 451, 452, 454) or _NOT_A_RATE.search(reply.text):
        return False
    return reply.code in (421, 454) or _RATE.search(reply.text) is not None


def connection_is_full(stage: Stage, reply: Reply) -> bool:
    """Whether a relay that took messages over this connection wants the next over another one."""
    if stage is Stage.MAIL and reply.code == 421:
        return True
    if reply.code // 100 not in (4, 5) or _TOO_MANY_CONNECTIONS.search(reply.text):
        return False
    return _OF_THE_CONNECTION.search(reply.text) is not None or (stage is Stage.MAIL and reply.enhanced == "4.5.3")
