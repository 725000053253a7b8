"""What will matter: papers in order of the votes they are expected to gain, each with the reasons in words and figures."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import heapify, heappop, heapreplace
from itertools import pairwise
from typing import Protocol

from digest.domain.paper import BURST, UNVOTED, Candidate, Ranked, Reason
from digest.domain.phrase import Phrase, phrase, phrases
from digest.ranking.features import STARS, VOTES, Figures, links_code, observe
from digest.ranking.model import PLAIN, Model


class Ranker(Protocol):
    """Candidates in, best first out. Looks at no signal observed after `at`; the same input gives the same ranking."""

    def __call__(self, candidates: Sequence[Candidate], at: datetime) -> list[Ranked]: ...


TODAY = phrase("today")
NEW = 36.0
"""Hours for which a paper is new."""
DAYS_PLOTTED = 7
SIGNS = {VOTES: ("votes", "▲"), STARS: ("stars", "★")}
NOTABLE = 0.8
"""Share of the window's papers with upvotes, or stars, whose number is too low to be told."""
FEW, ENOUGH = 3, 30
"""Fewer are never told, however few the others have; as many always are."""
MOVED = 0.1
"""Share of all upvotes or stars from which what came today is told: "+1 today" after hundreds speaks against a paper."""
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
    few = {kind: _few([figures for _, figures in spoken], kind) for kind in SIGNS}
    return [Ranked(f.paper, score, _reasons(f, model, few), growth(f)) for score, f in (*spoken, *silent)]


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


def _reasons(figures: Figures, model: Model, few: Mapping[str, float]) -> tuple[Reason, ...]:
    found = (
        _counts(figures, few),
        _set_aside(figures),
        *_track_record(figures, model),
        _words(figures, model, few),
        _topic(figures),
    )
    return tuple(filter(None, found))


def _few(spoken: Sequence[Figures], kind: str) -> float:
    """Below which a number of that kind speaks for no paper of this window."""
    totals = sorted(found.last for figures in spoken if (found := figures.voices.get(kind)) and found.last >= 1)
    return min(ENOUGH, max(FEW, totals[int(NOTABLE * len(totals))])) if totals else FEW


def _counts(figures: Figures, few: Mapping[str, float]) -> Reason | None:
    """ "▲ 145 (+102 today) · ★ 310": upvotes and stars, and what the last 24 hours added; "New" where there is none yet."""
    shown, moved, noticed = [], [], False
    for kind, (name, sign) in SIGNS.items():
        found = figures.voices.get(kind)
        if found is None or (total := round(found.last)) < 1:
            continue
        gained = round(found.grown(24, before=0.0 if kind == VOTES else None))
        noticed = True
        if total < few[kind]:
            continue
        shown.append(counted(sign, total, gained if gained >= max(1, MOVED * total) else 0))
        moved += [name] if gained >= 1 else []
    if shown:
        both = phrase("%(votes)s · %(stars)s", votes=shown[0], stars=shown[-1]) if len(shown) > 1 else shown[0]
        return Reason(moved[0] if moved else "quiet", both)
    return None if noticed or figures.age >= NEW else Reason(UNVOTED, phrase("New"))


def counted(sign: str, total: int, gained: int, window: str = TODAY) -> Phrase:
    """ "▲ 145 (+102 today)"; where all came in the window "▲ 145 today", where none did "▲ 145"."""
    if gained < 1:
        return phrase("%(sign)s %(total)s", sign=sign, total=total)
    if gained >= total:
        return phrase("%(sign)s %(total)s %(window)s", sign=sign, total=total, window=window)
    return phrase("%(sign)s %(total)s (+%(gained)s %(window)s)", sign=sign, total=total, gained=gained, window=window)


def _set_aside(figures: Figures) -> Reason | None:
    """For operators: no mail or page argues against its own picks."""
    if figures.set_aside < 1:
        return None
    count = f"{figures.set_aside:,.0f} upvote{'s do' if round(figures.set_aside) != 1 else ' does'}"
    return Reason(BURST, f"{count} not count: too many came at once while little else moved")


def _track_record(figures: Figures, model: Model) -> Iterator[Reason]:
    """What speaks for a paper nobody has spoken of, besides its words."""
    counts = {name for name, weight in model.without_votes.items() if weight > 0} if figures.is_silent else set()
    if (earlier := figures.track_record.authors) and "authors" in counts:
        yield Reason("record", phrases("by authors of %(n)s trending paper", "by authors of %(n)s trending papers", earlier))
    if figures.track_record.likeness >= CLOSE and "likeness" in counts:
        yield Reason("likeness", phrase("like papers that trended lately"))
    if "code" in counts and links_code(figures.paper):
        yield Reason("code", phrase("with code"))


def _topic(figures: Figures) -> Reason | None:
    """Where its list lets its topic count more or less than others."""
    if figures.topic_weight == 1:
        return None
    topic, weight = figures.paper.categories[0], f"{figures.topic_weight:g}"
    return Reason("topic", phrase("%(topic)s counts %(weight)s× on this list", topic=topic, weight=weight))


def _words(figures: Figures, model: Model, few: Mapping[str, float]) -> Reason | None:
    """For a paper that only its text speaks for yet."""
    if figures.votes >= few[VOTES] or figures.age >= NEW or figures.appeal < 0.2:
        return None
    reported = [f"“{word}”" for word in model.appeal.distinctive_words(figures.paper)]
    return Reason("words", phrase("about %(words)s, which readers like", words=reported)) if reported else None


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
