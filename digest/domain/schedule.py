"""When things are due. A reader's hour is wall-clock time in their zone; everything that comes out is in UTC.

No cron in local time: it skips or doubles at a DST change. We ask instead for the latest instant that was due.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

EVERY_DAY = frozenset(range(7))
WEEKDAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS_BY_WORD = {"daily": EVERY_DAY, "weekdays": frozenset(range(5))} | {
    name: frozenset({day}) for names in (WEEKDAY_NAMES, _LONG_NAMES) for day, name in enumerate(names)
}


@dataclass(frozen=True, slots=True)
class Due:
    """`day` is the local day the mail (or edition) is for; `at` the instant in UTC."""

    day: date
    at: datetime


@cache
def known_zone(name: str) -> ZoneInfo | None:
    """None for a name that this machine knows no zone by."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):  # OSError: the name of a folder, or one too long for a file
        return None


def due_on(day: date, hour: time, zone: ZoneInfo) -> datetime:
    """The instant of `hour` on the local `day`, in UTC.

    An hour that does not exist that day (spring forward) is the same distance after midnight, so 02:30 becomes 03:30 summer
    time; one that exists twice (fall back) is its first occurrence. So every local day has exactly one due instant.
    """
    return datetime.combine(day, hour, zone).astimezone(UTC)


def latest_due(now: datetime, hour: time, zone: ZoneInfo, weekdays: frozenset[int] = EVERY_DAY) -> Due | None:
    """The latest due instant at or before `now`; None when no weekday is chosen."""
    return next(_dues(now, hour, zone, weekdays, step=-1), None)


def next_due(now: datetime, hour: time, zone: ZoneInfo, weekdays: frozenset[int] = EVERY_DAY) -> Due | None:
    """The first due instant strictly after `now`; None when no weekday is chosen."""
    return next(_dues(now, hour, zone, weekdays, step=1), None)


def _dues(now: datetime, hour: time, zone: ZoneInfo, weekdays: frozenset[int], step: int) -> Iterator[Due]:
    # Nine days around today hold every weekday even where a zone skipped a whole day (Samoa, 2011-12-30).
    today = now.astimezone(zone).date()
    for days in range(-1, 9):
        try:
            day = today + timedelta(days=days * step)
        except OverflowError:
            return
        at = due_on(day, hour, zone)
        if day.weekday() in weekdays and (at <= now if step < 0 else at > now):
            yield Due(day, at)


def parse_weekdays(text: str) -> frozenset[int]:
    """Reads "mon,tue" (or "daily", "weekdays") into day numbers, Monday = 0. Raises ValueError naming what is no day."""
    days: set[int] = set()
    for word in (w.strip().lower() for w in text.replace(";", ",").split(",") if w.strip()):
        if word not in _DAYS_BY_WORD:
            raise ValueError(f"{word[:20]!r} is not a weekday; should be like mon,tue,wed,thu,fri, daily or weekdays")
        days |= _DAYS_BY_WORD[word]
    if not days:
        raise ValueError("no weekday given; should be like mon,tue,wed,thu,fri, daily or weekdays")
    return frozenset(days)


def format_weekdays(days: frozenset[int]) -> str:
    return "daily" if days == EVERY_DAY else ",".join(WEEKDAY_NAMES[d] for d in sorted(days))
