"""When things are due. A reader's hour is wall-clock time in their zone; everything that comes out is in UTC.

No cron in local time: it skips or doubles at a DST change. We ask instead for the latest instant that was due.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

EVERY_DAY = frozenset(range(7))
WEEKDAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LOOKED_AHEAD = 400
"""Hours of a reader that are looked at for the next mail: a list may be made on one weekday that is not the reader's."""
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
def zone_names() -> frozenset[str]:
    """Every zone that tzdata lists: the same on every machine, whatever else that one has ("localtime", "posix/…")."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text("ascii").split()) - {"Factory"}


def read_zone(name: str) -> str:
    """The name, if it is a time zone's. Raises ValueError saying what would be right."""
    if name in zone_names():
        return name
    near = get_close_matches(name[:60], zone_names(), 1)
    raise ValueError(f"unknown time zone {name[:40]!r}; " + (f"did you mean {near[0]}?" if near else "such as Europe/Berlin"))


@cache
def known_zone(name: str) -> ZoneInfo | None:
    """None for a name that tzdata does not list, whatever this machine knows by it."""
    return ZoneInfo(name) if name in zone_names() else None


@dataclass(frozen=True, slots=True)
class Timetable:
    """A reader's hour and days, or a list's cutoffs."""

    hour: time
    zone: ZoneInfo
    weekdays: frozenset[int] = EVERY_DAY


@dataclass(frozen=True, slots=True)
class MailDue:
    """A mail of a reader: when it is due, for which of their days, the day of the edition, and when it is too late."""

    due_at: datetime
    today: date
    edition_day: date
    expires_at: datetime


NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Had:
    """What a reader was mailed by a list: the day of its newest edition, and when the last scheduled mail was due."""

    edition_day: date = date.min
    due_at: datetime = NEVER


def mail_due(reader: Timetable, cutoffs: Timetable, now: datetime) -> MailDue | None:
    """The latest at or before `now`: the edition whose cutoff was the last before it. None where no weekday is chosen."""
    return _mail(latest_due(now, reader.hour, reader.zone, reader.weekdays), reader, cutoffs)


def next_mail(
    reader: Timetable, cutoffs: Timetable, now: datetime, had: Had, paused_until: date | None = None, *, at_once: bool = False
) -> MailDue | None:
    """The next mail that `comes` to a reader. `at_once`: the one that was due by `now`, too, should they not have had it."""
    looked_at = mail_due(reader, cutoffs, now) if at_once else None
    if looked_at is not None and comes(looked_at, reader.zone, had, paused_until):
        return looked_at
    after = now
    if paused_until is not None:
        after = max(now, due_on(paused_until, time(0), reader.zone) - timedelta(microseconds=1))
    for _ in range(_LOOKED_AHEAD):
        due = next_due(after, reader.hour, reader.zone, reader.weekdays)
        mail = _mail(due, reader, cutoffs)
        if due is None or mail is None or comes(mail, reader.zone, had, paused_until):
            return mail
        after = due.at
    return None


def comes(mail: MailDue, zone: ZoneInfo, had: Had, paused_until: date | None = None) -> bool:
    """Whether a reader gets it: no edition twice or after a newer one, no second mail on one of their days, none in a pause.

    The outbox asks the same of the tables (Deliveries.create_due).
    """
    in_pause = paused_until is not None and mail.today < paused_until
    return not in_pause and mail.edition_day > had.edition_day and had.due_at < due_on(mail.today, time(0), zone)


def _mail(due: Due | None, reader: Timetable, cutoffs: Timetable) -> MailDue | None:
    if due is None or (cutoff := latest_due(due.at, cutoffs.hour, cutoffs.zone, cutoffs.weekdays)) is None:
        return None
    following = next_due(due.at, reader.hour, reader.zone, reader.weekdays)
    return MailDue(due.at, due.day, cutoff.day, following.at if following else due.at + timedelta(days=1))


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
