"""What will matter: papers in order of the votes they are expected to gain, each with the reasons in words and figures."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import heapify, heappop, heapreplace
from itertools import pairwise
from math import exp
from typing import Protocol

from digest.domain.paper import Candidate, Ranked, Reason
from digest.ranking.features import COMMENTS, STARS, VOTES, Figures, links_code, observe
from digest.ranking.model import PLAIN, Model
from digest.ranking.signal_history import SignalHistory


class Ranker(Protocol):
    """Candidates in, best first out. Looks at no signal observed after `at`; the same input gives the same ranking."""

    def __call__(self, candidates: Sequence[Candidate], at: datetime) -> list[Ranked]: ...


NEW = 36.0
"""Hours for which a paper is new, and all its votes are "since yesterday"."""
DAYS_PLOTTED = 7
REPEATED = 0.85
"""What a paper nobody has spoken of counts for each one of its primary category placed before it."""
CLOSE = 0.19
"""Likeness to what was voted up lately that is worth a reason: one new paper in ten reaches it."""


def rank(candidates: Sequence[Candidate], at: datetime, model: Model = PLAIN) -> list[Ranked]:
    """Best first, ties by identifier; the score is the votes expected in the next 72 hours.

    Pure: only signals observed by `at` count, in whatever order candidates and signals come. Papers nobody has said anything
    about come last, spread over their primary categories by REPEATED.
    """
    scored = [(model.expected(figures), figures) for figures in observe(candidates, at, model.appeal.of)]
    scored.sort(key=lambda pair: (-pair[0], pair[1].paper.identifier, pair[1].paper.id))
    spoken = [pair for pair in scored if not pair[1].is_silent]
    silent = _spread([pair for pair in scored if pair[1].is_silent])
    return [Ranked(f.paper, score, _reasons(f, model), growth(f)) for score, f in (*spoken, *silent)]


@dataclass(frozen=True, slots=True)
class Trending:
    """The ranker of a model: what container hands to those who rank."""

    model: Model = PLAIN

    def __call__(self, candidates: Sequence[Candidate], at: datetime) -> list[Ranked]:
        return rank(candidates, at, self.model)


def growth(figures: Figures) -> tuple[float, ...]:
    """Votes gained a day, oldest first, at most DAYS_PLOTTED; empty when nobody counts votes."""
    votes = figures.voices.get(VOTES)
    if votes is None:
        return ()
    days = min(DAYS_PLOTTED, int(figures.age // 24) + 1)
    marks = [votes.value_at(-24.0 * day, before=0.0) for day in range(days, -1, -1)]
    return tuple(max(0.0, after - before) for before, after in pairwise(marks))


# ---- reasons ---------------------------------------------------------------------------------------------------------------


# A figure is told once on a card. With V votes in all, g of them since yesterday, t times the usual, s set aside:
#
#   what the main reason tells                  beside it, where it stands out          beside it, where s votes do not count
#   +V upvotes (and stars …) since yesterday    t× the upvotes of a typical paper …     s upvotes do not count: …
#   +g upvotes …, or stars or comments only     V upvotes in all, t× those of a …       s upvotes do not count: …
#   V upvotes, none since yesterday             t× the upvotes of a typical paper …     s upvotes do not count: …
#   V upvotes, counted n days ago               t× the upvotes of a typical paper …     s upvotes do not count: …
#   by chance the very figure that comes next                                           some of its upvotes do not count: …


def _reasons(figures: Figures, model: Model) -> tuple[Reason, ...]:
    main, reported = _main_reason(figures)
    beside = (
        _set_aside(figures, reported),
        _compared(figures, reported),
        *_track_record(figures, model),
        _words(figures, model),
        _topic(figures),
    )
    return (main, *filter(None, beside))


def _main_reason(figures: Figures) -> tuple[Reason, int | None]:
    """(what moved since yesterday, else how the paper stands; the count of upvotes it tells)."""
    new = figures.age < NEW
    moved = {}
    for kind, one, many, least in _KINDS:
        found = figures.voices.get(kind)
        gained = round(_since_yesterday(found, total=new and kind == VOTES)) if found else 0
        if gained >= least:
            moved[kind] = gained, f"+{gained:,} {one if gained == 1 else many}"
    if moved:
        # comments alone say little, so they only join what else moved
        kinds = {VOTES: "votes", STARS: "stars", COMMENTS: "comments"}
        words = Reason(kinds[next(iter(moved))], f"{_listed([text for _, text in moved.values()])} since yesterday")
        return words, moved[VOTES][0] if VOTES in moved else None
    votes = figures.voices.get(VOTES)
    if votes is None or round(votes.last) < 1:
        return (Reason("new", "new, no votes yet") if new else Reason("quiet", "no votes yet")), None
    how = "none since yesterday" if votes.read >= -NEW else f"counted {round(-votes.read / 24)} days ago"
    return Reason("quiet", f"{_votes(votes.last)}, {how}"), round(votes.last)


_KINDS = ((VOTES, "upvote", "upvotes", 1), (STARS, "star", "stars", 1), (COMMENTS, "comment", "comments", 3))


def _since_yesterday(found: SignalHistory, *, total: bool) -> float:
    return found.last if total else found.grown(24)


def _set_aside(figures: Figures, reported: int | None) -> Reason | None:
    if figures.set_aside < 1:
        return None
    count = round(figures.set_aside)
    which = "some of its upvotes do" if count == reported else f"{_votes(count)} {'does' if count == 1 else 'do'}"
    return Reason("burst", f"{which} not count: too many came at once while little else moved")


def _compared(figures: Figures, reported: int | None) -> Reason | None:
    """Next to the papers of its day, where it stands out."""
    times = (1 + figures.votes) / exp(figures.usual)
    if figures.votes < 10 or times < 2 or figures.set_aside:
        return None
    usual = "of a typical paper first seen the same day"
    if round(figures.votes) == reported:
        return Reason("cohort", f"{times:,.0f}× the upvotes {usual}")
    return Reason("cohort", f"{_votes(figures.votes)} in all, {times:,.0f}× those {usual}")


def _track_record(figures: Figures, model: Model) -> Iterator[Reason]:
    """What speaks for a paper nobody has spoken of, besides its words."""
    counts = {name for name, weight in model.without_votes.items() if weight > 0} if figures.is_silent else set()
    if (earlier := figures.track_record.authors) and "authors" in counts:
        papers = "1 earlier paper by its authors was" if earlier == 1 else f"{earlier:,} earlier papers by its authors were"
        yield Reason("record", f"{papers} featured or voted up")
    if figures.track_record.likeness >= CLOSE and "likeness" in counts:
        yield Reason("likeness", "close to what was voted up lately")
    if "code" in counts and links_code(figures.paper):
        yield Reason("code", "links to its code")


def _topic(figures: Figures) -> Reason | None:
    """Where its list lets its topic count more or less than others."""
    if figures.topic_weight == 1:
        return None
    return Reason("topic", f"{figures.paper.categories[0]} counts {figures.topic_weight:g}× on this list")


def _words(figures: Figures, model: Model) -> Reason | None:
    """For a paper that only its text speaks for yet."""
    if figures.votes >= 10 or figures.age >= NEW or figures.appeal < 0.2:
        return None
    reported = [f"“{word}”" for word in model.appeal.distinctive_words(figures.paper)]
    return Reason("words", f"papers on {_listed(reported)} tend to be voted up") if reported else None


def _votes(count: float) -> str:
    return f"{count:,.0f} upvote{'s' if round(count) != 1 else ''}"


def _listed(texts: Sequence[str]) -> str:
    return f"{', '.join(texts[:-1])} and {texts[-1]}" if len(texts) > 1 else texts[0]


# ---- papers nobody has spoken of -------------------------------------------------------------------------------------------


def _spread(silent: Sequence[tuple[float, Figures]]) -> list[tuple[float, Figures]]:
    """The best first, where each paper counts REPEATED times less for every one of its primary category already placed.

    `silent` is in order of score. Of each topic only the first that waits can be next.
    """
    waiting: defaultdict[str, deque[tuple[int, tuple[float, Figures]]]] = defaultdict(deque)
    for place, pair in enumerate(silent):
        waiting["".join(pair[1].paper.categories[:1])].append((place, pair))
    heads = [(-of_topic[0][1][0], of_topic[0][0], 0, topic) for topic, of_topic in waiting.items()]
    heapify(heads)
    placed = []
    while heads:
        _, _, before, topic = heads[0]
        placed.append(waiting[topic].popleft()[1])
        if waiting[topic]:
            place, (score, _) = waiting[topic][0]
            heapreplace(heads, (-score * REPEATED ** (before + 1), place, before + 1, topic))
        else:
            heappop(heads)
    return placed
