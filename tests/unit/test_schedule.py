"""Every local day has exactly one due instant, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.schedule import EVERY_DAY, Due, Timetable, due_on, format_weekdays, parse_weekdays

CASES = [  # zone, local day, hour → UTC
    ("Europe/Berlin", date(2026, 3, 28), time(2, 30), "2026-03-28T01:30"),
    ("Europe/Berlin", date(2026, 3, 29), time(2, 30), "2026-03-29T01:30"),  # the hour does not exist: 03:30 summer time
    ("Europe/Berlin", date(2026, 10, 25), time(2, 30), "2026-10-25T00:30"),  # the hour exists twice: the first one
    ("Europe/Berlin", date(2026, 10, 26), time(7, 0), "2026-10-26T06:00"),
    ("Asia/Kolkata", date(2026, 1, 1), time(0, 0), "2025-12-31T18:30"),
    ("Pacific/Kiritimati", date(2026, 1, 1), time(7, 0), "2025-12-31T17:00"),
    ("America/St_Johns", date(2026, 7, 1), time(7, 0), "2026-07-01T09:30"),
]


@pytest.mark.parametrize(("zone", "day", "hour", "utc"), CASES)
def test_an_hour_of_a_local_day_in_utc(zone: str, day: date, hour: time, utc: str) -> None:
    assert due_on(day, hour, ZoneInfo(zone)) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu"]
)
HOURS = st.times().map(lambda t: t.replace(second=0, microsecond=0))
NOWS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda d: d.replace(tzinfo=UTC))  # noqa: DTZ001 - made aware
DAYS = st.frozensets(st.integers(0, 6), min_size=1)


@given(NOWS, HOURS, ZONES, DAYS)
def test_latest_and_next_enclose_now_with_nothing_between(now: datetime, hour: time, zone: str, days: frozenset[int]) -> None:
    tz = ZoneInfo(zone)
    latest, following = Timetable(hour, tz, days).latest(now), Timetable(hour, tz, days).following(now)
    assert latest is not None
    assert following is not None
    assert latest.at <= now < following.at
    assert latest.day.weekday() in days
    assert Timetable(hour, tz, days).following(latest.at) == following
    assert Timetable(hour, tz, days).latest(following.at) == following


@given(NOWS, HOURS, ZONES)
def test_a_year_of_mornings_has_one_mail_a_day(start: datetime, hour: time, zone: str) -> None:
    tz, at, days = ZoneInfo(zone), start, []
    for _ in range(60):
        due = Timetable(hour, tz).following(at)
        assert due is not None
        days.append(due.day)
        at = due.at
    assert days == [days[0] + timedelta(days=n) for n in range(60)]


def test_the_day_samoa_skipped_and_no_weekdays() -> None:
    samoa = ZoneInfo("Pacific/Apia")
    skipped = datetime(2011, 12, 30, 12, tzinfo=UTC)
    assert Timetable(time(7), samoa).latest(skipped) is not None
    assert Timetable(time(7), samoa, frozenset()).latest(skipped) is None
    assert Timetable(time(7), samoa, frozenset()).following(skipped) is None
    friday = Due(date(2011, 12, 30), datetime(2011, 12, 30, 17, tzinfo=UTC))
    assert Timetable(time(7), samoa, frozenset({4})).following(skipped) == friday, (
        "the Friday that was skipped has its mail all the same"
    )


def test_due_by_the_clock_on_the_readers_wall() -> None:
    berlin, now = ZoneInfo("Europe/Berlin"), datetime(2026, 5, 4, 5, 0, tzinfo=UTC)  # a Monday, 07:00 in Berlin
    assert Timetable(time(7), berlin).latest(now) == Due(date(2026, 5, 4), now)
    assert Timetable(time(7), berlin).following(now) == Due(date(2026, 5, 5), now + timedelta(days=1))
    assert Timetable(time(7, 1), berlin).latest(now) == Due(date(2026, 5, 3), datetime(2026, 5, 3, 5, 1, tzinfo=UTC))
    assert Timetable(time(7), berlin, frozenset({0})).following(now) == Due(
        date(2026, 5, 11), datetime(2026, 5, 11, 5, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    ("text", "days"),
    [("daily", EVERY_DAY), ("weekdays", frozenset(range(5))), ("mon, Thu", frozenset({0, 3})), ("sunday;sat", frozenset({5, 6}))],
)
def test_weekdays_are_read(text: str, days: frozenset[int]) -> None:
    assert parse_weekdays(text) == days
    assert parse_weekdays(format_weekdays(days)) == days


def test_weekdays_are_told_short() -> None:
    assert format_weekdays(EVERY_DAY) == "daily"
    assert format_weekdays(frozenset({6, 0, 3})) == "mon,thu,sun"


@pytest.mark.parametrize("text", ["", "moon", "mo", ",", "mon tue"])
def test_what_is_no_weekday_is_refused(text: str) -> None:
    said = "; should be like mon,tue,wed,thu,fri, daily or weekdays$"
    with pytest.raises(ValueError, match=(f"^{text!r} is not a weekday" if text.strip(",") else "^no weekday given") + said):
        parse_weekdays(text)
