"""When a list must stop."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from digest.domain.circuit_breaker import ReturnCounts, Verdict, judge
from tests.tables import every_row

CASES = [
    (ReturnCounts(0, 0, 0), Verdict.FINE),
    (ReturnCounts(10, 1, 1), Verdict.FINE),  # one of ten is one, not ten percent
    (ReturnCounts(10, 2, 4), Verdict.WARN),
    (ReturnCounts(1_000, 1, 0), Verdict.FINE),
    (ReturnCounts(2_000, 2, 0), Verdict.FINE),  # exactly 0.1 %
    (ReturnCounts(1_999, 2, 0), Verdict.WARN),
    (ReturnCounts(1_000, 3, 0), Verdict.WARN),  # exactly 0.3 %
    (ReturnCounts(999, 3, 0), Verdict.PAUSE),
    (ReturnCounts(100_000, 301, 0), Verdict.PAUSE),
    (ReturnCounts(100_000, 101, 0), Verdict.WARN),
    (ReturnCounts(20, 0, 9), Verdict.WARN),
    (ReturnCounts(200, 0, 10), Verdict.WARN),  # exactly 5 %
    (ReturnCounts(199, 0, 10), Verdict.PAUSE),
    (ReturnCounts(1_000, 0, 20), Verdict.FINE),  # exactly 2 %
    (ReturnCounts(1_000, 0, 21), Verdict.WARN),
    (ReturnCounts(0, 5, 0), Verdict.PAUSE),
]


@every_row(("returns", "verdict"), CASES)
def test_rates_and_numbers(returns: ReturnCounts, verdict: Verdict) -> None:
    judged = judge(returns)
    assert judged.verdict is verdict
    assert bool(judged.reason) is (verdict is not Verdict.FINE)


def test_the_reason_can_be_read() -> None:
    assert judge(ReturnCounts(999, 3, 0)).reason == "3 complaints among 999 mails (0.30 %); at most 0.3 %"


_SEVERITY = [Verdict.FINE, Verdict.WARN, Verdict.PAUSE]


@given(st.integers(0, 10**6), st.integers(0, 10**4), st.integers(0, 10**4), st.integers(0, 100))
def test_more_complaints_never_make_it_milder(accepted: int, complaints: int, hard: int, more: int) -> None:
    before, after = judge(ReturnCounts(accepted, complaints, hard)), judge(ReturnCounts(accepted, complaints + more, hard))
    assert _SEVERITY.index(after.verdict) >= _SEVERITY.index(before.verdict)
