"""When papers are looked up again, and how many readings of them are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from digest.domain.refresh_schedule import ONCE_SENT, WHILE_NEW, Span, spans

SEEN = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def is_due(ages: tuple[timedelta, ...], after: datetime, until: datetime) -> int:
    """How many of the spans hold a paper first seen at SEEN."""
    return sum(span.after < SEEN <= span.until for span in spans(ages, after, until))


def test_looks_thin_out_with_age() -> None:
    """Asked every six hours for a year: a paper nobody was sent is left alone after a week, a sent one after half a year."""
    turns = [SEEN + n * 6 * HOUR for n in range(4 * 365)]
    looks = {
        ages: [(later - SEEN) / DAY for earlier, later in pairwise(turns) if is_due(ages, earlier, later)]
        for ages in (WHILE_NEW, ONCE_SENT)
    }
    assert looks[WHILE_NEW] == [0.5, 1, 2, 3, 5, 7]
    assert looks[ONCE_SENT] == [0.5, 1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 150, 180]
    pauses = [later - earlier for earlier, later in pairwise(looks[ONCE_SENT])]
    assert pauses == sorted(pauses)


def test_what_was_missed_is_made_up_for_once() -> None:
    assert is_due(ONCE_SENT, SEEN - DAY, SEEN + 40 * DAY) == 1
    assert is_due(ONCE_SENT, SEEN + 8 * DAY, SEEN + 9 * DAY) == 0


@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=12, unique=True),
    st.integers(-50, 400),
    st.integers(0, 300),
    st.integers(0, 500),
)
def test_a_paper_is_due_once_exactly_if_an_age_passed(ages: list[int], after: int, length: int, paper: int) -> None:
    since, until = SEEN + after * HOUR, SEEN + (after + length) * HOUR
    seen = since - (paper - 100) * HOUR
    passed = any(since < seen + age * HOUR <= until for age in ages)
    found = spans(tuple(age * HOUR for age in ages), since, until)
    assert sum(span.after < seen <= span.until for span in found) == passed
    assert all(isinstance(span, Span) and span.after <= span.until for span in found)
