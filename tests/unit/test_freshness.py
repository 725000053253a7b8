"""Silence that is news, and silence that is a weekend."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from digest.sources.publishing_schedule import (
    PublishingSchedule,
    SourceHealth,
    arxiv_holidays,
    is_stale,
    latest_promise,
    silence_note,
)
from tests.tables import every_row


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# 2026-03-06 is a Friday. arXiv announces at 20:00 in New York: 01:00 UTC in winter, 00:00 in summer.
CASES = [
    ("arxiv", "2026-03-06T01:10", "2026-03-06T12:00", False, "Thursday evening's batch came"),
    ("arxiv", "2026-03-06T01:10", "2026-03-08T23:00", False, "no announcement on Friday and Saturday"),
    (
        "arxiv",
        "2026-03-06T01:10",
        "2026-03-09T05:00",
        False,
        "Sunday evening's is due, but in its grace (and an hour of summer time)",
    ),
    ("arxiv", "2026-03-06T01:10", "2026-03-09T06:30", True, "Sunday evening's did not come"),
    ("arxiv", "2026-03-05T01:10", "2026-03-06T08:00", True, "Wednesday's came, Thursday's did not"),
    ("arxiv", "2026-12-24T01:10", "2026-12-27T12:00", False, "Christmas Eve, Christmas, weekend"),
    ("arxiv", None, "2026-03-06T12:00", True, "nothing ever came"),
    ("workdays", "2026-03-06T12:00", "2026-03-08T20:00", False, "Friday's came on Friday, and it is the weekend"),
    ("workdays", "2026-03-05T23:00", "2026-03-07T05:30", False, "Friday brought nothing, but it is in its grace"),
    ("workdays", "2026-03-05T23:00", "2026-03-07T06:30", True, "Friday brought nothing"),
    ("workdays", "2026-03-07T01:00", "2026-03-09T20:00", False, "a weekend, and Monday is not over"),
    ("workdays", "2026-03-07T01:00", "2026-03-10T07:00", True, "Monday brought nothing"),
    ("irregular", None, "2026-03-06T12:00", False, "promised nothing"),
]


@every_row(("rhythm", "last", "now", "stale"), [case[:4] for case in CASES], ids=[case[4] for case in CASES])
def test_stale(rhythm: str, last: str | None, now: str, stale: bool) -> None:
    assert is_stale(PublishingSchedule(rhythm), at(last) if last else None, at(now)) is stale


def test_announcements_keep_new_york_time() -> None:
    for noon, announced in (("2026-03-06T12:00", "2026-03-06T01:00"), ("2026-07-15T12:00", "2026-07-15T00:00")):
        promise = latest_promise(PublishingSchedule.ARXIV, at(noon))
        assert promise is not None
        assert promise.due == at(announced)


@pytest.mark.parametrize(
    ("year", "moving"),
    [
        (2024, {date(2024, 1, 15), date(2024, 5, 27), date(2024, 9, 2), date(2024, 11, 28)}),
        (2025, {date(2025, 1, 20), date(2025, 5, 26), date(2025, 9, 1), date(2025, 11, 27)}),
        (2026, {date(2026, 1, 19), date(2026, 5, 25), date(2026, 9, 7), date(2026, 11, 26)}),
    ],
)
def test_the_evenings_without_announcement(year: int, moving: set[date]) -> None:
    """Martin Luther King Jr.'s, Memorial and Labor Day and Thanksgiving move; the others do not."""
    fixed = {date(year, *day) for day in ((1, 1), (6, 19), (7, 4), (12, 24), (12, 25), (12, 31))}
    assert arxiv_holidays(year) == moving | fixed


DOWN = datetime(2026, 3, 2, 5, tzinfo=UTC)


def health(name: str, seen: datetime | None, *, asked: datetime = DOWN, failing: datetime | None = None) -> SourceHealth:
    return SourceHealth(
        source=name, asked_at=asked, rhythm=PublishingSchedule.IRREGULAR, last_unseen_at=seen, failing_since=failing
    )


def test_a_source_that_promises_nothing_is_missed_after_a_day_of_failures() -> None:
    hours = timedelta(hours=1)
    assert not health("hf", DOWN, failing=DOWN - 23 * hours).silent(DOWN)
    assert health("hf", DOWN, failing=DOWN - 24 * hours).silent(DOWN)
    assert not health("hf", None).silent(DOWN)


def test_readers_are_told_which_sources_are_silent_and_since_when() -> None:
    long = DOWN - timedelta(days=2)
    down = [health("hf", DOWN - timedelta(days=3), failing=long), health("arxiv", None, failing=long), health("well", DOWN)]
    said = "Nothing new from arxiv so far and hf since 27 February: papers may be missing here; they follow once"
    assert silence_note(down, DOWN) == f"{said} they are shown."
    assert silence_note([down[2]], DOWN) == ""
    assert silence_note([], DOWN) == ""


def test_a_source_that_nobody_asks_any_more_is_not_missed() -> None:
    long = DOWN - timedelta(days=9)
    asked = {days: health("hf", None, asked=DOWN - timedelta(days=days), failing=long) for days in (3, 4, -1)}
    assert [bool(silence_note([each], DOWN)) for each in asked.values()] == [True, False, False]
