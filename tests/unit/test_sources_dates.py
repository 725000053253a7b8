"""Dates, whole or in part, in every form that sources and people write."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources.dates import dated, read_date
from tests.tables import every_row

SEEN = datetime(2026, 8, 15, tzinfo=UTC)

DATES = [
    ("2021", "2021-01-01"),
    ("2021-05", "2021-05-01"),
    ("2021-00", "2021-01-01"),
    ("2021-05-00", "2021-05-01"),
    ("2021-00-00", "2021-01-01"),
    ("2021/05", "2021-05-01"),
    ("2019/11/15", "2019-11-15"),
    ("2019.11.15", "2019-11-15"),
    ("2021-5-6", "2021-05-06"),
    ("20210506", "2021-05-06"),
    ("2021-05/2021-06", "2021-05-01"),
    ("2021-05-01/2021-05-03", "2021-05-01"),
    ("2021/2022", "2021-01-01"),
    ("2021--2022", "2021-01-01"),
    ("2021-2022", "2021-01-01"),
    ("2021/..", "2021-01-01"),
    ("../2021", "2021-01-01"),
    ("2021-05-06 to 2021-05-09", "2021-05-06"),
    ("1–5 May 2021", "2021-05-01"),
    ("May–June 2021", "2021-05-01"),
    ("May/June 2021", "2021-05-01"),
    ("2021~", "2021-01-01"),
    ("2021?", "2021-01-01"),
    ("[2021]", "2021-01-01"),
    ("c2021", "2021-01-01"),
    ("2021a", "2021-01-01"),
    ("2021, in press", "2021-01-01"),
    ("2021-XX", "2021-01-01"),
    ("2021-21", "2021-03-01"),
    ("2021-W19", "2021-05-10"),
    ("2021-W19-3", "2021-05-12"),
    ("2021W193", "2021-05-12"),
    ("2021-123", "2021-05-03"),
    ("May 2021", "2021-05-01"),
    ("6 May 2021", "2021-05-06"),
    ("May 6, 2021", "2021-05-06"),
    ("May 6th, 2021", "2021-05-06"),
    ("2021 May 6", "2021-05-06"),
    ("2021-May-06", "2021-05-06"),
    ("06-May-2021", "2021-05-06"),
    ("Thursday, August 13, 2026 - 10:00", "2026-08-13"),
    ("Available online 6 May 2021", "2021-05-06"),
    ("Published: 2021-05-06", "2021-05-06"),
    ("Spring 2021", "2021-03-01"),
    ("Q2 2021", "2021-04-01"),
    ("März 2021", "2021-03-01"),
    ("15 novembre 2019", "2019-11-15"),
    ("août 2021", "2021-08-01"),
    ("13/08/2026", "2026-08-13"),
    ("08/13/2026", "2026-08-13"),
    ("05.06.2021", "2021-06-05"),
    ("08/2026", "2026-08-01"),
    ("6. 5. 2021", "2021-05-06"),
    ("2021. 5. 6.", "2021-05-06"),
    ("6 мая 2021 г.", "2021-05-06"),
    ("6 maja 2021", "2021-05-06"),
    ("6 mei 2021", "2021-05-06"),
    ("2021-maj-06", "2021-05-06"),
    ("Volume 12, Issue 3, May 2021", "2021-05-01"),
    ("Vol. 12 (2021)", "2021-01-01"),
    ("1984/85", "1984-01-01"),
    ("1984-85", "1984-01-01"),
    ("2019年11月15日", "2019-11-15"),
    ("2019年 11月", "2019-11-01"),
    ("2019年", "2019-01-01"),
    ("2019년 11월 15일 금요일", "2019-11-15"),
]


@every_row(("written", "day"), DATES)
def test_days(written: str, day: str) -> None:
    assert read_date(written) == datetime.fromisoformat(day).replace(tzinfo=UTC)


INSTANTS = [
    ("2026-08-12T07:00:00Z", "2026-08-12T07:00:00+00:00"),
    ("2026-08-12T07:00:00.5+02:00", "2026-08-12T05:00:00.500000+00:00"),
    ("2026-08-12 07:00:00", "2026-08-12T07:00:00+00:00"),
    ("2026-08-12 07:00:00 UTC", "2026-08-12T07:00:00+00:00"),
    ("Thu, 13 Aug 2026 10:00:00 GMT", "2026-08-13T10:00:00+00:00"),
    ("Thu, 13 Aug 2026 10:00:00 -0400", "2026-08-13T14:00:00+00:00"),
    ("13 Aug 26 10:00 EST", "2026-08-13T15:00:00+00:00"),
]


@pytest.mark.parametrize(("written", "instant"), INSTANTS)
def test_instants(written: str, instant: str) -> None:
    assert read_date(written) == datetime.fromisoformat(instant)


@every_row(
    "written",
    ["", "in edition_renderer", "forthcoming", "12:30", "0000", "2021-13-45", "2021-02-30", "20212022", "9" * 101, "NA"],
)
def test_what_is_no_date(written: str) -> None:
    assert read_date(written) is None


def test_parts_and_what_a_record_may_hold_instead() -> None:
    assert [dated(parts, SEEN) for parts in ([2018, 4, 13], ["2018", 4], [2018], 2018, [2018, 0, 0])] == [
        datetime(2018, month, day, tzinfo=UTC) for month, day in ((4, 13), (4, 1), (1, 1), (1, 1), (1, 1))
    ]
    assert [dated(odd, SEEN) for odd in (None, True, {}, [], [[2018]], [2018, 13], [1, 2, 3, 4], -5, 1e9)] == [None] * 9


def test_a_date_still_to_come_says_nothing() -> None:
    assert dated("2026-08-17", SEEN) == datetime(2026, 8, 17, tzinfo=UTC), "it may be tomorrow there already"
    assert [dated(later, SEEN) for later in ("2026-08-18", "2027", "December 2026", "9999-12-31")] == [None] * 4


PARTS = [
    "2021",
    "0000",
    "9999",
    "-",
    "/",
    ".",
    " ",
    "W",
    "T",
    "Z",
    ":",
    "May",
    "März",
    "13",
    "00",
    "Q1",
    "to",
    "+99:99",
    "GMT",
    "~",
    "٣",
]


@given(st.lists(st.sampled_from(PARTS) | st.text(max_size=2), max_size=12).map("".join))
def test_whatever_is_written_is_an_instant_or_none(written: str) -> None:
    found = read_date(written)
    assert found is None or found.utcoffset() is not None
