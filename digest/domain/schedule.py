"""When things are due. A reader's hour is wall-clock time in their zone; everything that comes out is in UTC.

No cron in local time: it skips or doubles at a DST change. We ask instead for the latest instant that was due.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from digest.domain.phrase import Either, Phrase, Weekday, phrase

EVERY_DAY = frozenset(range(7))
WEEKDAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LOOKED_AHEAD = 400
"""Due instants of a reader that are looked at for the next mail: a list may be made on one weekday that is not the reader's."""
_LONG_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS_BY_WORD = {"daily": EVERY_DAY, "weekdays": frozenset(range(5))} | {
    name: frozenset({day}) for names in (WEEKDAY_NAMES, _LONG_NAMES) for day, name in enumerate(names)
}


class Frequency(StrEnum):
    """How often: on each chosen weekday, on the first of them in a week, or on the first of them in a month."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"

    def longer(self, other: Frequency) -> Frequency:
        return max(self, other, key=list(Frequency).index)


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
    given = repr(name[:40])
    if near:
        raise ValueError(phrase("unknown time zone %(given)s; did you mean %(near)s?", given=given, near=near[0]))
    raise ValueError(phrase("unknown time zone %(given)s; such as Europe/Berlin", given=given))


@cache
def known_zone(name: str) -> ZoneInfo | None:
    """None for a name that tzdata does not list, whatever this machine knows by it."""
    return ZoneInfo(name) if name in zone_names() else None


@dataclass(frozen=True, slots=True)
class Timetable:
    """A reader's hour and days, or the first cutoff of a list's days."""

    hour: time
    zone: ZoneInfo
    weekdays: frozenset[int] = EVERY_DAY
    frequency: Frequency = Frequency.DAILY

    def includes(self, day: date) -> bool:
        if self.frequency is Frequency.WEEKLY:
            return day.weekday() == min(self.weekdays, default=7)
        if self.frequency is Frequency.MONTHLY and any(
            (day - timedelta(days=before)).weekday() in self.weekdays for before in range(1, min(day.day, 8))
        ):
            return False
        return day.weekday() in self.weekdays

    def latest(self, now: datetime) -> Due | None:
        """The latest due instant at or before `now`; None when no weekday is chosen."""
        return next(_dues(now, self, step=-1), None)

    def following(self, now: datetime) -> Due | None:
        """The first due instant strictly after `now`; None when no weekday is chosen."""
        return next(_dues(now, self, step=1), None)


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """When a list's editions are cut off: on each of its days from `first` on, every so long for a day."""

    first: Timetable
    every: timedelta = timedelta(days=1)

    @property
    def every_day(self) -> bool:
        return self.first.frequency is Frequency.DAILY and self.first.weekdays == EVERY_DAY

    def latest(self, at: datetime) -> Cutoff | None:
        """The newest at or before `at`; None where no weekday is chosen."""
        due = self.first.latest(at)
        return Cutoff(due.day, due.at, self.last_of(due.at, at)) if due else None

    def last_of(self, first: datetime, by: datetime) -> datetime:
        """Of those of the day that begins at `first`, the last at or before `by`; the first where none has passed."""
        passed = min(max(by - first, timedelta(0)), timedelta(days=1) - timedelta(microseconds=1))
        return first + passed // self.every * self.every


@dataclass(frozen=True, slots=True)
class Cutoff:
    """A cutoff `at` an instant, of a list's `day` whose first cutoff was at `first`."""

    day: date
    first: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class MailDue:
    """A mail of a reader: when it is due, for which of their days, and when it is too late.

    `cutoff` is the list's newest by then. A list that is made every day has an issue with each cutoff, any other with each of its
    days: `issue` is when that began, and an edition from before it has been had or missed.
    """

    due_at: datetime
    today: date
    cutoff: Cutoff
    issue: datetime
    expires_at: datetime


NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Had:
    """What a reader was mailed by a list: the cutoff of its newest edition, and of scheduled mails the reader's last day that had
    one and when that was due.
    """

    cutoff: datetime = NEVER
    day: date = date.min
    due_at: datetime = NEVER


def latest_mail(reader: Timetable, cutoffs: Cutoffs, now: datetime) -> MailDue | None:
    """The latest that was due at or before `now`. None where no weekday is chosen."""
    return _mail(reader.latest(now), reader, cutoffs)


def mail_due(reader: Timetable, cutoffs: Cutoffs, now: datetime) -> MailDue | None:
    """The latest, unless it is too late for it: the reader's day is over and the next one is nearer.

    So what was missed is caught up, but nobody gets it an hour before the next. None, too, where no weekday is chosen.
    """
    mail = latest_mail(reader, cutoffs, now)
    if mail is None or mail.today == now.astimezone(reader.zone).date() or now - mail.due_at < mail.expires_at - now:
        return mail
    return None


def next_mail(
    reader: Timetable, cutoffs: Cutoffs, now: datetime, had: Had, paused_until: date | None = None, *, at_once: bool = False
) -> MailDue | None:
    """The next mail that `comes` to a reader. `at_once`: the one that was due by `now`, too, should they not have had it."""
    looked_at = mail_due(reader, cutoffs, now) if at_once else None
    if looked_at is not None and comes(looked_at, reader.zone, had, paused_until):
        return looked_at
    after = now
    if paused_until is not None:
        after = max(now, due_on(paused_until, time(0), reader.zone) - timedelta(microseconds=1))
    for _ in range(_LOOKED_AHEAD):
        due = reader.following(after)
        mail = _mail(due, reader, cutoffs)
        if due is None or mail is None or comes(mail, reader.zone, had, paused_until):
            return mail
        after = due.at
    return None


def comes(mail: MailDue, zone: ZoneInfo, had: Had, paused_until: date | None = None) -> bool:
    """Whether a reader gets it: no issue twice or after a newer one, no second mail on one of their days, none in a pause.

    The outbox asks the same of the tables (Deliveries.create_due).
    """
    in_pause = paused_until is not None and mail.today < paused_until
    day_began = due_on(mail.today, time(0), zone)
    return not in_pause and mail.issue > had.cutoff and mail.today > had.day and had.due_at < day_began


def _mail(due: Due | None, reader: Timetable, cutoffs: Cutoffs) -> MailDue | None:
    if due is None or (cutoff := cutoffs.latest(due.at)) is None:
        return None
    following = reader.following(due.at)
    expires_at = following.at if following else due.at + timedelta(days=1)
    return MailDue(due.at, due.day, cutoff, cutoff.at if cutoffs.every_day else cutoff.first, expires_at)


def due_on(day: date, hour: time, zone: ZoneInfo) -> datetime:
    """The instant of `hour` on the local `day`, in UTC.

    An hour that does not exist that day (spring forward) is the same distance after midnight, so 02:30 becomes 03:30 summer
    time; one that exists twice (fall back) is its first occurrence. So every local day has exactly one due instant.
    """
    return datetime.combine(day, hour, zone).astimezone(UTC)


def _dues(now: datetime, timetable: Timetable, step: int) -> Iterator[Due]:
    # Nine days around today hold every weekday even where a zone skipped a whole day (Samoa, 2011-12-30).
    today = now.astimezone(timetable.zone).date()
    for days in range(-1, 70 if timetable.frequency is Frequency.MONTHLY else 9):
        try:
            day = today + timedelta(days=days * step)
            at = due_on(day, timetable.hour, timetable.zone)
            if timetable.includes(day) and (at <= now if step < 0 else at > now):
                yield Due(day, at)
        except OverflowError:
            return


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


def parse_frequency(text: str) -> Frequency:
    """Raises ValueError naming what is none."""
    try:
        return Frequency(text.strip().lower())
    except ValueError:
        given, known = repr(text.strip()[:20]), ", ".join(Frequency)
        raise ValueError(phrase("%(given)s is not a frequency; should be %(known)s", given=given, known=known)) from None


def days_in_words(frequency: Frequency, weekdays: frozenset[int]) -> Phrase:
    """ "every day", "every Monday and Thursday", "weekly on Monday", "monthly on the 1st", "monthly on the first Friday"."""
    days = [Weekday(day) for day in sorted(weekdays)]
    if frequency is Frequency.WEEKLY:
        return phrase("weekly on %(day)s", day=days[0])
    if frequency is Frequency.MONTHLY:
        if weekdays == EVERY_DAY:
            return phrase("monthly on the 1st")
        return phrase("monthly on the first %(day)s", day=Either(days))
    if weekdays == EVERY_DAY:
        return phrase("every day")
    if weekdays == _DAYS_BY_WORD["weekdays"]:
        return phrase("Monday to Friday")
    return phrase("every %(day)s", day=tuple(days))


def format_weekdays(days: frozenset[int]) -> str:
    return "daily" if days == EVERY_DAY else ",".join(WEEKDAY_NAMES[d] for d in sorted(days))
