"""The simple formulas a ranking is measured against: a score from votes, age and nothing else.

A ranker is anything that takes candidates and an instant and gives them back best first; these are the shortest ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.domain.paper import Candidate, Ranked
from digest.ranking.features import VOTES
from digest.ranking.signal_history import SignalHistory, signal_history

Score = Callable[[SignalHistory, float], float]
"""From a paper's votes as heard and its age in hours."""


@dataclass(frozen=True, slots=True)
class Formula:
    """Best first by one score; ties by identifier; papers without votes last. Pure: later readings play no part."""

    score: Score

    def __call__(self, candidates: Sequence[Candidate], at: datetime) -> list[Ranked]:
        ranked = []
        for each in candidates:
            votes = signal_history((s for s in each.signals if s.kind == VOTES), at).get(VOTES)
            age = max(0.0, (at - each.paper.first_seen_at) / timedelta(hours=1))
            ranked.append(Ranked(each.paper, self.score(votes, age) if votes else -math.inf))
        return sorted(ranked, key=lambda r: (-r.score, r.paper.identifier, r.paper.id))


FORMULAS: Mapping[str, Formula] = {
    "upvotes / (age + 6 h)^1.4": Formula(lambda votes, age: votes.last / (age + 6.0) ** 1.4),
    "Hacker News: (upvotes - 1) / (age + 2 h)^1.8": Formula(lambda votes, age: max(votes.last - 1.0, 0.0) / (age + 2.0) ** 1.8),
    "Reddit: log10 upvotes - age / 12.5 h": Formula(lambda votes, age: math.log10(max(votes.last, 1.0)) - age / 12.5),
    "velocity: upvotes / (age + 1 h)": Formula(lambda votes, age: votes.last / (age + 1.0)),
    "upvotes of the last 24 h": Formula(lambda votes, age: votes.grown(24.0, 0.0)),
    "upvotes": Formula(lambda votes, age: votes.last),
    "newest first": Formula(lambda votes, age: -age),
}
