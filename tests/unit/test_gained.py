"""What a week's and a month's editions rank by: the votes gained in their window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from digest.domain.identifier import Identifier
from digest.domain.paper import Candidate, Paper, Ranked, Reason, Signal
from digest.ranking.gained import most_gained, rank_by_gain

SINCE = datetime(2026, 3, 2, 5, tzinfo=UTC)
AT = SINCE + timedelta(days=7)
MOVED = (Reason("votes", "▲ 9 today"), Reason("burst", "rising fast"))


def candidate(number: int, first_seen: datetime, *readings: tuple[float, float], source: str = "huggingface") -> Candidate:
    """`readings`: (days after the window began, votes)."""
    known = Paper(
        id=number, identifiers=(Identifier("arxiv", f"2603.{number:05}"),), title=f"P{number}", first_seen_at=first_seen
    )
    return Candidate(known, tuple(Signal("upvotes", votes, SINCE + timedelta(days=day), source) for day, votes in readings))


def ranked(*candidates: Candidate) -> list[Ranked]:
    """As the ranking of the minute has them: in the order given."""
    return [Ranked(each.paper, 100.0 - place, MOVED) for place, each in enumerate(candidates)]


OLD, IN_IT = SINCE - timedelta(days=3), SINCE + timedelta(days=1)
GAINS = [
    ("grew in the window", candidate(1, OLD, (-1, 40), (0, 50), (6, 80)), 30),
    ("first seen in it: all that it has", candidate(1, IN_IT, (1, 20), (6, 25)), 25),
    ("read before and after it began: on a straight line", candidate(1, OLD, (-1, 10), (1, 30)), 10),
    ("read after the window: not known yet", candidate(1, OLD, (0, 10), (6, 12), (7.5, 90)), 2),
    ("had it all before", candidate(1, OLD, (-2, 500), (6, 500)), 0),
    ("taken back", candidate(1, OLD, (-1, 50), (6, 40)), 0),
    ("no reading", candidate(1, OLD), 0),
]


@pytest.mark.parametrize(("known", "gain"), [each[1:] for each in GAINS], ids=[each[0] for each in GAINS])
def test_what_was_gained_in_the_window(known: Candidate, gain: float) -> None:
    [found] = rank_by_gain(ranked(known), [known], SINCE, AT, "this week")
    assert found.score == pytest.approx(gain)
    said = [reason.text for reason in found.reasons]
    assert said == ([f"▲ {gain} this week", "rising fast"] if gain else [reason.text for reason in MOVED])


def test_the_most_gained_come_first_and_equals_stay_in_their_order() -> None:
    popular = candidate(1, OLD, (-2, 900), (0, 990), (6, 1000))
    risen, fresh = candidate(2, OLD, (0, 5), (6, 65)), candidate(3, IN_IT, (6, 60))
    also = candidate(4, IN_IT, (6, 60))
    everything = [popular, also, risen, fresh]
    assert [each.paper.id for each in rank_by_gain(ranked(*everything), everything, SINCE, AT, "this week")] == [4, 2, 3, 1]


def test_most_gained_of_all_that_were_read() -> None:
    everything = [each[1] for each in GAINS]
    for known, gain in ((each[1], each[2]) for each in GAINS):
        found = most_gained({known.paper.id: known.paper.first_seen_at}, {known.paper.id: known.signals}, SINCE, AT, 10)
        assert [each.votes for each in found] == ([gain] if gain else [])
    seen = {n: each.paper.first_seen_at for n, each in enumerate(everything)}
    best = most_gained(seen, {n: each.signals for n, each in enumerate(everything)}, SINCE, AT, 3)
    assert [each.reason("this week").text for each in best] == ["▲ 80 (+30 this week)", "▲ 25 this week", "▲ 30 (+10 this week)"]


def test_one_vote_counts() -> None:
    known = candidate(1, IN_IT, (6, 1))
    [found] = rank_by_gain(ranked(known), [known], SINCE, AT, "this month")
    assert found.reasons[0].text == "▲ 1 this month"
