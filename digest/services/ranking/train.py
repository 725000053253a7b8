"""From the history a store holds to the coefficients of the ranking. What was observed after `until` plays no part.

papers with votes ─▶ appeal of their words ─▶ mornings: who gained what ─▶ model
(store)              (ranking/fitting)        (here)                      (ranking/fitting)
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from digest.domain.edition import PaperList
from digest.domain.errors import InvalidInput
from digest.domain.instant import isoformat
from digest.domain.paper import Candidate, Paper
from digest.ranking.features import FEATURES, VOTES, Figures, observe, vector
from digest.ranking.signal_history import SignalHistory, signal_history
from digest.store.unit_of_work import Store

if TYPE_CHECKING:
    from digest.ranking.fitting import JudgedPaper, Row
    from digest.ranking.model import Model

HORIZON = timedelta(hours=72)
"""The growth that is foretold."""
FATE = timedelta(days=6)
"""By then a paper's votes tell how its words were received."""
HOURS_OF_A_MORNING = 5
"""A day is looked at at the list's cutoff and the hours after it, so that the model does not hang on one hour."""
LONGEST_HISTORY = timedelta(days=1000)
CONTENDERS = 40
"""Papers of a morning that teach: those far behind say nothing about the first ten."""
FEWEST_MORNINGS = 21
FEWEST, READ_AGAIN = 10, 0.05
"""Candidates of a morning that teaches, and what part of them was read again more than three days later."""
_WEEK = timedelta(days=7)


def train(store: Store, paper_list: PaperList, until: datetime) -> Model:
    """The model of what was observed by `until`. Raises InvalidInput for too little history."""
    from digest.ranking import fitting

    history = voted(store, paper_list, until)
    appeal, unseen = fitting.fit_text_prior(_known(history, until))

    rows: list[Row] = []
    mornings = 0
    for at in _mornings(history, paper_list, until):
        figures = _well_read(history, paper_list, at, lambda paper: unseen.get(paper.id) or appeal.of(paper))
        if figures:
            gains = {each.paper.id: votes for each, votes in figures}
            contenders = sorted((each for each, _ in figures), key=lambda f: (-hot(f), f.paper.id))[:CONTENDERS]
            rows += [fitting.Row(mornings, f.paper.id, vector(f), gains[f.paper.id]) for f in contenders]
            mornings += 1
    days = mornings // HOURS_OF_A_MORNING
    if days < FEWEST_MORNINGS:
        raise InvalidInput(
            "history", f"holds votes that were read daily for {days} mornings by {isoformat(until)}; should be {FEWEST_MORNINGS}"
        )
    record = {"until": isoformat(until), "papers": len(history), "mornings": days}
    return fitting.fit_growth(tuple(FEATURES), rows, appeal, record)


def hot(figures: Figures) -> float:
    """The formula to beat."""
    return float(figures.votes / (figures.age + 6.0) ** 1.4)


def voted(store: Store, paper_list: PaperList, until: datetime) -> list[Candidate]:
    """Papers with votes, in order of first sight, with what was observed by `until`; read a week of papers at a time."""
    found: list[Candidate] = []
    since = until - LONGEST_HISTORY
    while since < until:
        end = min(since + _WEEK, until)
        with store.read() as unit:
            week = unit.papers.candidates(until, since, paper_list, end - timedelta(microseconds=1) if end < until else until)
        found += [each for each in week if any(signal.kind == VOTES for signal in each.signals)]
        since = end
    return found


def votes_at(candidate: Candidate, at: datetime) -> SignalHistory | None:
    return signal_history((s for s in candidate.signals if s.kind == VOTES), at).get(VOTES)


def _known(history: Sequence[Candidate], until: datetime) -> list[JudgedPaper]:
    from digest.ranking.fitting import JudgedPaper

    found = []
    for each in history:
        then = each.paper.first_seen_at + FATE
        if then <= until and (votes := votes_at(each, then)):
            found.append(JudgedPaper(each.paper, each.paper.first_seen_at.toordinal(), votes.last))
    return found


def _mornings(history: Sequence[Candidate], paper_list: PaperList, until: datetime) -> Iterator[datetime]:
    """Every instant looked at: the hours from the list's cutoff (as UTC) on, each day whose three next days are known."""
    if not history:
        return
    day = history[0].paper.first_seen_at.date()
    while True:
        first = datetime.combine(day, time(paper_list.cutoff.hour), UTC)
        if first + timedelta(hours=HOURS_OF_A_MORNING) + HORIZON > until:
            return
        yield from (first + timedelta(hours=n) for n in range(HOURS_OF_A_MORNING))
        day += timedelta(days=1)


def _well_read(
    history: Sequence[Candidate], paper_list: PaperList, at: datetime, appeal: Callable[[Paper], float]
) -> list[tuple[Figures, float]]:
    """The candidates of a morning with the votes each gained; none where hardly any was read again in the days after.

    Readings do not fall on the hour: growth is on a straight line between those around it.
    """
    start = bisect_left(history, at - paper_list.candidates_for, key=lambda c: c.paper.first_seen_at)
    end = bisect_right(history, at, key=lambda c: c.paper.first_seen_at)
    candidates = history[start:end]
    later = [votes_at(each, at + 2 * HORIZON) for each in candidates]
    again = [votes is not None and votes.read > -HORIZON / timedelta(hours=1) for votes in later]
    if len(candidates) < FEWEST or sum(again) < len(candidates) * READ_AGAIN:
        return []
    found = []
    for figures, votes in zip(observe(candidates, at, appeal), later, strict=True):
        known = figures.voices.get(VOTES)
        if known and votes:
            found.append((figures, max(0.0, votes.value_at(-HORIZON / timedelta(hours=1)) - known.last)))
    return found if any(gain for _, gain in found) else []
