"""backtest: a stored history replayed morning by morning, each ranker choosing from what was known and judged by what came.

    each morning:  candidates (store, as known) ─▶ rank ─▶ the best not featured yet ─▶ what they gained in the next 72 hours

A ranker is given nothing that was observed after the morning. Each features on its own: what it
featured it does not feature again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import fmean, median
from zoneinfo import ZoneInfo

from digest.domain.edition import PaperList
from digest.domain.errors import InvalidInput
from digest.domain.paper import Candidate
from digest.domain.schedule import due_on
from digest.ranking.features import VOTES
from digest.ranking.signal_history import heard
from digest.ranking.trending import Ranker
from digest.store.unit_of_work import Store

HORIZON = timedelta(hours=72)
FEATURED = 10
FEWEST = 10
"""A morning with fewer candidates shows nothing: any order would do."""


@dataclass(frozen=True, slots=True)
class Score:
    """How one ranker did. `months` has NDCG@10 by month ("2026-04")."""

    ranker: str
    ndcg: float
    """Mean over the mornings of NDCG@10: gain by place, discounted by log2, as a part of the best order's."""
    captured: float
    """Votes that the featured papers gained, as a part of what the best choice would have gained."""
    hours: float
    """Median hours from first sight to being featured."""
    months: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Backtest:
    since: date
    until: date
    mornings: int
    scores: tuple[Score, ...]
    """In the order the rankers were given."""


@dataclass(frozen=True, slots=True)
class _Morning:
    at: datetime
    candidates: Sequence[Candidate]
    gains: Mapping[int, float]


def backtest(
    store: Store, paper_list: PaperList, rankers: Mapping[str, Ranker], since: date, until: date, known_by: datetime
) -> Backtest:
    """Every morning at the list's cutoff from `since` to `until` (both included), as far as 72 hours after it are known.

    `known_by` is where the history ends. Raises InvalidInput where there is no morning to judge.
    """
    mornings = list(_mornings(store, paper_list, since, until, known_by))
    if not mornings:
        told = f"has no morning from {since} to {until} with {FEWEST} papers whose votes were read again in the 72 hours after"
        raise InvalidInput("history", told)
    scores = tuple(_score(name, rank, mornings) for name, rank in rankers.items())
    return Backtest(mornings[0].at.date(), mornings[-1].at.date(), len(mornings), scores)


def _mornings(store: Store, paper_list: PaperList, since: date, until: date, known_by: datetime) -> Iterator[_Morning]:
    for n in range((until - since).days + 1):
        at = due_on(since + timedelta(days=n), paper_list.cutoff, ZoneInfo(paper_list.timezone))
        if at + HORIZON > known_by:
            return
        with store.read() as unit:
            start = at - paper_list.candidates_for
            candidates = unit.papers.candidates(at, start, paper_list)
            later = {each.paper.id: each for each in unit.papers.candidates(at + HORIZON, start, paper_list, at)}
        gains = {each.paper.id: gain(later.get(each.paper.id, each), at) for each in candidates}
        if len(candidates) >= FEWEST and any(gains.values()):
            yield _Morning(at, candidates, gains)


def gain(candidate: Candidate, at: datetime) -> float:
    """Votes gained in the 72 hours after `at`, by what was read last at either end; a first reading counts in full."""
    votes = [signal for signal in candidate.signals if signal.kind == VOTES]
    before, after = heard(votes, at).get(VOTES), heard(votes, at + HORIZON).get(VOTES)
    return max(0.0, (after.last if after else 0.0) - (before.last if before else 0.0))


def ndcg(gains: Sequence[float], best: Sequence[float], places: int = FEATURED) -> float:
    """`gains` in the order ranked, `best` all there were. 1 is the best order; a morning without any gain is 1 too."""
    ideal = _discounted(sorted(best, reverse=True)[:places])
    return _discounted(gains[:places]) / ideal if ideal else 1.0


def _discounted(gains: Sequence[float]) -> float:
    return math.fsum(each / math.log2(place + 2) for place, each in enumerate(gains))


def _score(name: str, rank: Ranker, mornings: Sequence[_Morning]) -> Score:
    featured: set[int] = set()
    parts: list[tuple[str, float, float]] = []
    hours: list[float] = []
    for morning in mornings:
        open_to = {paper: value for paper, value in morning.gains.items() if paper not in featured}
        if len(open_to) < FEWEST or not any(open_to.values()):
            continue
        picks = [each.paper for each in rank(morning.candidates, morning.at) if each.paper.id in open_to][:FEATURED]
        gains, best = [open_to[paper.id] for paper in picks], list(open_to.values())
        ideal = math.fsum(sorted(best, reverse=True)[:FEATURED])
        parts.append((f"{morning.at:%Y-%m}", ndcg(gains, best), math.fsum(gains) / ideal))
        hours += [(morning.at - paper.first_seen_at) / timedelta(hours=1) for paper in picks]
        featured |= {paper.id for paper in picks}
    months = sorted({month for month, _, _ in parts})
    return Score(
        ranker=name,
        ndcg=fmean(value for _, value, _ in parts),
        captured=fmean(share for _, _, share in parts),
        hours=median(hours),
        months={month: fmean(value for each, value, _ in parts if each == month) for month in months},
    )
