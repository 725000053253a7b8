"""A stored history replayed morning by morning, each ranker choosing from what was known and judged by what came.

    each morning:  candidates (store, as known) ─▶ rank ─▶ the best not featured yet ─▶ what they gained in the next 72 hours

A ranker is given nothing that was observed after the morning. Each features on its own: what it featured it does not feature
again. Errors are standard errors over the mornings; a difference is paired: taken morning by morning, then averaged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import fmean, median, stdev
from zoneinfo import ZoneInfo

from digest.domain.edition import PaperList
from digest.domain.errors import InvalidInput
from digest.domain.paper import Candidate, Paper
from digest.domain.schedule import due_on
from digest.ranking.features import VOTES
from digest.ranking.signal_history import signal_history
from digest.ranking.trending import Ranker
from digest.store.unit_of_work import Store

HORIZON = timedelta(hours=72)
FEATURED = 10
FEWEST = 10
"""A morning with fewer candidates shows nothing: any order would do."""
HOURS_LATE = (3, 6, 12, 24)
"""How long after its cutoff an edition is looked at again."""
ANNOUNCED = timedelta(hours=24)
"""Papers first seen so long before a cutoff are the choice of a list without votes …"""
FATE = timedelta(days=7)
"""… judged by the votes they have so long after it …"""
REACHED = 10
"""… and by how many have this many."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over mornings with its standard error (0 where there is one morning)."""

    mean: float
    error: float


@dataclass(frozen=True, slots=True)
class Score:
    """How one ranker did. `months` has NDCG@10 by month ("2026-04")."""

    ranker: str
    ndcg: float
    """Mean over the mornings of NDCG@10: gain by place, discounted by log2, as a part of the best order's."""
    ndcg_error: float
    captured: float
    """Votes that the featured papers gained, as a part of what the best choice would have gained."""
    captured_error: float
    hours: float
    """Median hours from first sight to being featured."""
    months: Mapping[str, float]
    difference: Mean
    """NDCG@10 less that of the first ranker, on the mornings both were judged on."""
    lost: Mapping[int, Mean]
    """By hours since the cutoff: NDCG@10 of a choice made then, less that of the cutoff's choice, both judged from then on.

    Of the first ranker only: each look reads the history once more.
    """


@dataclass(frozen=True, slots=True)
class Unvoted:
    """How one ranker did where nobody has voted: on the papers of each day, as if no reading of them were known."""

    ranker: str
    ndcg: Mean
    reached: Mean
    """The part of its ten that had REACHED votes after FATE."""
    categories: float
    """Primary categories among the ten."""


@dataclass(frozen=True, slots=True)
class Backtest:
    since: date
    until: date
    mornings: int
    scores: tuple[Score, ...]
    """In the order the rankers were given."""
    unvoted: tuple[Unvoted, ...] = ()
    """The same order; empty where no day had enough papers and votes on them."""
    unvoted_days: int = 0
    unvoted_chance: float = 0.0
    """The part of all papers of those days that had REACHED votes after FATE."""


@dataclass(frozen=True, slots=True)
class _Morning:
    at: datetime
    candidates: Sequence[Candidate]
    gains: Mapping[int, float]


def backtest(
    store: Store,
    paper_list: PaperList,
    rankers: Mapping[str, Ranker],
    since: date,
    until: date,
    known_by: datetime,
    *,
    again: bool = True,
) -> Backtest:
    """Every morning at the list's cutoff from `since` to `until` (both included), as far as 72 hours after it are known.

    `known_by` is where the history ends. Without `again` nothing is said of what is lost by the hour (`lost` is empty): it takes
    most of the time. Raises InvalidInput where there is no morning to judge.
    """
    days = [since + timedelta(days=n) for n in range((until - since).days + 1)]
    cutoffs = [due_on(day, paper_list.cutoff, ZoneInfo(paper_list.timezone)) for day in days]
    mornings = [each for at in cutoffs if (each := _morning(store, paper_list, at, known_by))]
    if not mornings:
        record = f"has no morning from {since} to {until} with {FEWEST} papers whose votes were read again in the 72 hours after"
        raise InvalidInput("history", record)

    def look_again(at: datetime) -> _Morning | None:
        return _morning(store, paper_list, at, known_by)

    judged = {
        name: _judged(rank, mornings, look_again if again and not n else None) for n, (name, rank) in enumerate(rankers.items())
    }
    first = next(iter(judged.values()))
    announced = [each for at in cutoffs if (each := _announced(store, paper_list, at, known_by))]
    return Backtest(
        since=mornings[0].at.date(),
        until=mornings[-1].at.date(),
        mornings=len(mornings),
        scores=tuple(_score(name, each, first) for name, each in judged.items()),
        unvoted=tuple(_unvoted(name, rank, announced) for name, rank in rankers.items()) if announced else (),
        unvoted_days=len(announced),
        unvoted_chance=_reached([votes for day in announced for votes in day.gains.values()]),
    )


def _morning(store: Store, paper_list: PaperList, at: datetime, known_by: datetime) -> _Morning | None:
    """None where it can not be judged."""
    if at + HORIZON > known_by:
        return None
    with store.read() as unit:
        start = at - paper_list.candidates_for
        candidates = unit.papers.candidates(at, start, paper_list)
        later = {each.paper.id: each for each in unit.papers.candidates(at + HORIZON, start, paper_list, at)}
    gains = {each.paper.id: gain(later.get(each.paper.id, each), at) for each in candidates}
    return _Morning(at, candidates, gains) if len(candidates) >= FEWEST and any(gains.values()) else None


def _announced(store: Store, paper_list: PaperList, at: datetime, known_by: datetime) -> _Morning | None:
    """The papers of the day before a cutoff, as if nobody had spoken of them; their gains are the votes they came to."""
    if at + FATE > known_by:
        return None
    with store.read() as unit:
        candidates = unit.papers.candidates(at, at - ANNOUNCED, paper_list, silent=True)
        later = unit.papers.candidates(at + FATE, at - ANNOUNCED, paper_list, at)
    votes = {each.paper.id: _votes(each, at + FATE) for each in later}
    gains = {each.paper.id: votes.get(each.paper.id, 0.0) for each in candidates}
    return _Morning(at, candidates, gains) if len(candidates) > FEATURED and any(gains.values()) else None


def _votes(candidate: Candidate, at: datetime) -> float:
    votes = signal_history((signal for signal in candidate.signals if signal.kind == VOTES), at).get(VOTES)
    return votes.last if votes else 0.0


def gain(candidate: Candidate, at: datetime) -> float:
    """Votes gained in the 72 hours after `at`, by what was read last at either end; a first reading counts in full."""
    return max(0.0, _votes(candidate, at + HORIZON) - _votes(candidate, at))


def ndcg(gains: Sequence[float], best: Sequence[float], places: int = FEATURED) -> float:
    """`gains` in the order ranked, `best` all there were. 1 is the best order; a morning without any gain is 1 too."""
    ideal = _discounted(sorted(best, reverse=True)[:places])
    return _discounted(gains[:places]) / ideal if ideal else 1.0


def _discounted(gains: Sequence[float]) -> float:
    return math.fsum(each / math.log2(place + 2) for place, each in enumerate(gains))


def mean_of(values: Sequence[float]) -> Mean:
    return Mean(fmean(values), stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0)


# ---- judging one ranker ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Judged:
    """One ranker, morning by morning."""

    ndcg: dict[datetime, float]
    captured: list[float]
    hours: list[float]
    lost: dict[int, list[float]]


def _judged(rank: Ranker, mornings: Sequence[_Morning], look_again: Callable[[datetime], _Morning | None] | None) -> _Judged:
    """`look_again` gives the morning as it is some hours later: loaded when looked at, since all of them fill the memory."""
    featured: set[int] = set()
    judged = _Judged({}, [], [], {hours: [] for hours in HOURS_LATE})
    for morning in mornings:
        best = _open_to(morning, featured)
        if len(best) < FEWEST or not any(best):
            continue
        picks = _picks(rank, morning, featured)
        gains = [morning.gains[paper.id] for paper in picks]
        judged.ndcg[morning.at] = ndcg(gains, best)
        judged.captured.append(math.fsum(gains) / math.fsum(sorted(best, reverse=True)[:FEATURED]))
        judged.hours.extend((morning.at - paper.first_seen_at) / timedelta(hours=1) for paper in picks)
        for hours in HOURS_LATE if look_again else ():
            if look_again and (look := look_again(morning.at + timedelta(hours=hours))):
                best = _open_to(look, featured)
                rerender = [look.gains[paper.id] for paper in _picks(rank, look, featured)]
                kept = [look.gains.get(paper.id, 0.0) for paper in picks]
                judged.lost[hours].append(ndcg(rerender, best) - ndcg(kept, best))
        featured |= {paper.id for paper in picks}
    return judged


def _open_to(morning: _Morning, featured: Set[int]) -> list[float]:
    return [value for paper, value in morning.gains.items() if paper not in featured]


def _picks(rank: Ranker, morning: _Morning, featured: Set[int] = frozenset()) -> list[Paper]:
    ranked = rank(morning.candidates, morning.at)
    return [each.paper for each in ranked if each.paper.id not in featured][:FEATURED]


def _score(name: str, judged: _Judged, first: _Judged) -> Score:
    overall, captured = mean_of(list(judged.ndcg.values())), mean_of(judged.captured)
    by_month: dict[str, list[float]] = {}
    for at, value in judged.ndcg.items():
        by_month.setdefault(f"{at:%Y-%m}", []).append(value)
    return Score(
        ranker=name,
        ndcg=overall.mean,
        ndcg_error=overall.error,
        captured=captured.mean,
        captured_error=captured.error,
        hours=median(judged.hours),
        months={month: fmean(values) for month, values in sorted(by_month.items())},
        difference=mean_of([value - first.ndcg[at] for at, value in judged.ndcg.items() if at in first.ndcg] or [0.0]),
        lost={hours: mean_of(values) for hours, values in judged.lost.items() if values},
    )


def _unvoted(name: str, rank: Ranker, days: Sequence[_Morning]) -> Unvoted:
    picks = [_picks(rank, day) for day in days]
    gains = [[day.gains[paper.id] for paper in own] for day, own in zip(days, picks, strict=True)]
    return Unvoted(
        ranker=name,
        ndcg=mean_of([ndcg(own, list(day.gains.values())) for own, day in zip(gains, days, strict=True)]),
        reached=mean_of([_reached(own) for own in gains]),
        categories=fmean(len({paper.categories[:1] for paper in own}) for own in picks),
    )


def _reached(votes: Sequence[float]) -> float:
    return fmean(each >= REACHED for each in votes) if votes else 0.0
