"""When a paper's numbers are worth another look.

Often while it may still be picked, ever more rarely once it was sent. A look is due at fixed ages, so nothing need be kept per
paper: those due are the ones that passed such an age since the last look, and what was missed meanwhile is made up for once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

EVERY = timedelta(hours=6)
"""A source is asked no more often than this, so that its requests are for many papers at once."""
FIRST_LOOK_BACK = timedelta(days=2)
"""What a source that never was asked makes up for."""
RECENT = timedelta(days=14)
"""A paper that was published or listed longer than this before we saw it is old: a back-fill's, looked at only once sent."""

_DAY = timedelta(days=1)
WHILE_NEW = (timedelta(hours=12), *(days * _DAY for days in (1, 2, 3, 5, 7)))
"""Ages of a paper at which it is looked at."""
ONCE_SENT = (*WHILE_NEW, *(days * _DAY for days in (10, 14, 21, 30, 45, 60, 90, 120, 150, 180)))


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open: `after` < instant ≤ `until`."""

    after: datetime
    until: datetime


def spans(ages: tuple[timedelta, ...], after: datetime, until: datetime) -> tuple[Span, ...]:
    """When the papers were first seen that reached one of `ages` after `after` and by `until`; apart and in order, oldest first.

    Where looks were missed, spans grow into each other, so that a paper is in one of them.
    """
    found: list[Span] = []
    for age in sorted(ages, reverse=True):
        span = Span(after - age, until - age)
        if found and span.after <= found[-1].until:
            span = Span(found.pop().after, span.until)
        found.append(span)
    return tuple(found)
