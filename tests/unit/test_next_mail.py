"""What a reader's page promises after they changed something is what the scheduler does: both ask one function."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from digest.domain.schedule import EVERY_DAY, Cutoffs, Had, MailDue, Timetable, comes, mail_due, next_mail
from tests.tables import every_row

HALF_AN_HOUR = timedelta(minutes=30)
DAILY = Cutoffs(Timetable(time(5), ZoneInfo("UTC")))
SIX_HOURS = Cutoffs(Timetable(time(5), ZoneInfo("UTC")), timedelta(hours=6))
LATE = Cutoffs(Timetable(time(10), ZoneInfo("America/New_York")))
WORKDAYS = Cutoffs(Timetable(time(5), ZoneInfo("Europe/Berlin"), frozenset(range(5))))
MONDAYS = Cutoffs(Timetable(time(5), ZoneInfo("UTC"), frozenset({0})))


@dataclass(frozen=True)
class Reader:
    hour: str = "07:00"
    zone: str = "UTC"
    days: frozenset[int] = EVERY_DAY
    paused_until: date | None = None

    @functools.cached_property
    def timetable(self) -> Timetable:
        return Timetable(time.fromisoformat(self.hour), ZoneInfo(self.zone), self.days)


TUE, WED, THU, WEEKEND = (frozenset(days) for days in ({1}, {2}, {3}, {5, 6}))
CHANGES = {
    "later hour": (Reader("07:00"), Reader("20:00")),
    "earlier hour, not there yet": (Reader("20:00"), Reader("07:00")),
    "before the cutoff": (Reader("07:00"), Reader("04:00")),
    "after the cutoff": (Reader("04:00"), Reader("07:00")),
    "midnight": (Reader("23:30"), Reader("00:00")),
    "to the day before": (Reader(days=THU), Reader(days=WED)),
    "to two days before": (Reader(days=THU), Reader(days=TUE)),
    "to weekends": (Reader(), Reader(days=WEEKEND)),
    "to every day": (Reader(days=TUE), Reader()),
    "far east": (Reader(), Reader(zone="Pacific/Kiritimati")),
    "far west": (Reader(zone="Pacific/Kiritimati"), Reader(zone="Pacific/Pago_Pago")),
    "zone and hour": (Reader("22:00", "Asia/Tokyo"), Reader("06:00", "America/Los_Angeles")),
    "pause begins": (Reader("20:00"), Reader("20:00", paused_until=date(2026, 11, 3))),
    "pause ends": (Reader(paused_until=date(2027, 1, 1)), Reader()),
    "pause and midnight": (Reader(), Reader("00:00", paused_until=date(2026, 11, 4))),
    "an hour that does not exist": (Reader(zone="Europe/Berlin"), Reader("02:30", "Europe/Berlin")),
}
INSTANTS = [
    datetime(2026, 10, 29, 12, tzinfo=UTC),
    datetime(2026, 10, 24, 12, tzinfo=UTC),  # Europe goes back on the 25th
    datetime(2026, 3, 28, 12, tzinfo=UTC),  # and forward on the 29th
    datetime(2026, 10, 29, 4, tzinfo=UTC),
    datetime(2026, 10, 29, 7, tzinfo=UTC),
    datetime(2026, 10, 31, 23, tzinfo=UTC),
]


due = functools.cache(mail_due)
"""The cases ask for the same instants of the same readers again and again."""


def mailed(reader: Reader, cutoffs: Cutoffs, at: datetime, had: Had) -> tuple[MailDue | None, Had]:
    """What the scheduler does at an instant, with every edition there as of its cutoff."""
    mail = due(reader.timetable, cutoffs, at)
    if mail is None or not comes(mail, reader.timetable.zone, had, reader.paused_until):
        return None, had
    return mail, Had(mail.cutoff.at, mail.today, mail.due_at)


@every_row("cutoffs", [DAILY, SIX_HOURS, LATE, WORKDAYS, MONDAYS], ids=["daily", "six hours", "late", "workdays", "mondays"])
@every_row("change", CHANGES)
@every_row("changed_at", INSTANTS, ids=lambda at: f"{at:%m-%dT%H}")
def test_the_promise_is_what_happens(change: str, cutoffs: Cutoffs, changed_at: datetime) -> None:
    before, after = CHANGES[change]
    had, at = Had(), changed_at - timedelta(days=8)
    while at < changed_at:
        had = mailed(before, cutoffs, at, had)[1]
        at += HALF_AN_HOUR
    promised = next_mail(after.timetable, cutoffs, changed_at, had, after.paused_until, at_once=True)
    assert promised is not None
    came, days = [], set[date]()
    if had.day > date.min:
        days.add(had.due_at.astimezone(after.timetable.zone).date())
    while at < max(changed_at + timedelta(days=8), promised.due_at + timedelta(days=2)):
        mail, then = mailed(after, cutoffs, at, had)
        if mail is not None:
            assert mail.cutoff.at > had.cutoff, "an older edition never comes after a newer one"
            assert mail.today not in days, "nor a second mail on one of their days"
            came.append((at, mail))
            days.add(mail.today)
        had, at = then, at + HALF_AN_HOUR
    first_at, first = came[0]
    assert first == promised
    assert first_at == max(changed_at, first.due_at)


def test_without_a_weekday_nothing_is_promised() -> None:
    nobody = Timetable(time(7), ZoneInfo("UTC"), frozenset())
    assert next_mail(nobody, DAILY, INSTANTS[0], Had(), at_once=True) is None
    assert next_mail(Reader().timetable, Cutoffs(nobody), INSTANTS[0], Had(), at_once=True) is None


def test_a_pause_without_end_has_no_next_mail() -> None:
    assert next_mail(Reader().timetable, DAILY, INSTANTS[0], Had(), date.max) is None
