"""What is known of each candidate at an instant: figures for people, and the same as the numbers a model weighs.

Only readings observed by then play a part, whatever else a candidate carries.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.domain.paper import Candidate, Paper, TrackRecord
from digest.ranking import burst
from digest.ranking.signal_history import SignalHistory, signal_history

VOTES, STARS, COMMENTS = "upvotes", "github_stars", "comments"
LONGEST_UNREAD = 24.0
"""Hours after which a paper left out of its source's readings is no more left out than that."""
YOUNG = 24.0
"""Hours over which the little a new paper shows is worth more (its text), or less (its first votes), fading as e^-age/YOUNG."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One candidate at one instant. Hours are since it was first seen; growth is in votes."""

    paper: Paper
    age: float
    voices: burst.Voices
    votes: float
    """As they count: without the part of a burst that nothing supports."""
    set_aside: float
    """Votes of a burst that do not count."""
    grown: tuple[float, float, float]
    """Votes of the last 12, 24 and 48 hours, as they count."""
    grown_3h: float
    unread: float
    """Hours for which its sources went on to read others and not it; 0 where a source that is down reads nobody."""
    comments: float
    stars: float
    """Gained in the last 24 hours."""
    appeal: float
    track_record: TrackRecord
    topic_weight: float
    usual: float
    """The mean of ln(1 + votes) of the papers first seen on the same day."""

    @property
    def is_silent(self) -> bool:
        """Nobody has said anything about it, not even that it has no votes."""
        return not self.voices


def observe(candidates: Sequence[Candidate], at: datetime, appeal: Callable[[Paper], float]) -> list[Figures]:
    """The figures of all candidates, in their order. They are compared with each other, so give all of them at once.

    `appeal` is what a paper's text says for it (text_prior.py).
    """
    known = [signal_history(each.signals, at) for each in candidates]
    audible = burst.is_audible(known, VOTES)
    counted = [_counted(voices, audible) for voices in known]
    usual = _usual([each.paper for each in candidates], [votes.last if votes else 0.0 for votes, _ in counted])
    newest = _newest(known)
    return [
        _figures(candidate, at, voices, votes, set_aside, usual[n], _unread(voices, newest), appeal(candidate.paper))
        for n, (candidate, voices, (votes, set_aside)) in enumerate(zip(candidates, known, counted, strict=True))
    ]


def _counted(voices: burst.Voices, audible: bool) -> tuple[SignalHistory | None, float]:
    if VOTES not in voices:
        return None, 0.0
    return burst.believed(voices, VOTES) if audible else (voices[VOTES], 0.0)


def _usual(papers: Sequence[Paper], votes: Sequence[float]) -> list[float]:
    """For each paper, what is usual among those first seen on its day."""
    days = [paper.first_seen_at.date() for paper in papers]
    by_day: dict[object, list[float]] = defaultdict(list)
    for day, count in zip(days, votes, strict=True):
        by_day[day].append(math.log1p(count))
    means = {day: math.fsum(logs) / len(logs) for day, logs in by_day.items()}
    return [means[day] for day in days]


def _newest(known: Iterable[burst.Voices]) -> dict[str, float]:
    """When each source last read anybody's votes, in hours (≤ 0)."""
    newest: dict[str, float] = {}
    for voices in known:
        for each in voices[VOTES].series if VOTES in voices else ():
            newest[each.source] = max(each.hours[-1], newest.get(each.source, each.hours[-1]))
    return newest


def _unread(voices: burst.Voices, newest: Mapping[str, float]) -> float:
    """By the source that left it out last: to be read by one of them is enough."""
    series = voices[VOTES].series if VOTES in voices else ()
    return min((newest[each.source] - each.hours[-1] for each in series), default=0.0)


def _figures(
    candidate: Candidate,
    at: datetime,
    voices: burst.Voices,
    votes: SignalHistory | None,
    set_aside: float,
    usual: float,
    unread: float,
    prior: float,
) -> Figures:
    stars, comments = voices.get(STARS), voices.get(COMMENTS)
    return Figures(
        paper=candidate.paper,
        age=max(0.0, (at - candidate.paper.first_seen_at) / timedelta(hours=1)),
        voices=voices,
        votes=votes.last if votes else 0.0,
        set_aside=set_aside,
        grown=(votes.grown(12, 0.0), votes.grown(24, 0.0), votes.grown(48, 0.0)) if votes else (0.0, 0.0, 0.0),
        grown_3h=votes.grown(3, 0.0) if votes else 0.0,
        unread=unread,
        comments=comments.last if comments else 0.0,
        stars=stars.grown(24) if stars else 0.0,
        appeal=prior,
        track_record=candidate.track_record,
        topic_weight=candidate.topic_weight,
        usual=usual,
    )


def _older_than(hours: float) -> Callable[[Figures], float]:
    """How far (in logarithms) a paper is past an age: one slope of decay up to it, another one after."""
    return lambda f: max(0.0, math.log((f.age + 2.0) / (hours + 2.0)))


def formula(figures: Figures) -> float:
    """The simple formula's score, as a logarithm; a paper without votes has a little."""
    return math.log(0.02 + figures.votes / (figures.age + 6.0) ** 1.4)


_CODE = re.compile(r"https?://(?:www\.)?(?:github\.com|gitlab\.com|huggingface\.co)/\w", re.IGNORECASE)
PRIOR: dict[str, Callable[[Figures], float]] = {
    "text": lambda f: f.appeal,
    "authors": lambda f: math.log1p(f.track_record.authors),
    "likeness": lambda f: f.track_record.likeness,
    "code": lambda f: float(links_code(f.paper)),
}
"""What a paper is judged by that nobody has spoken of yet, by name."""


def links_code(paper: Paper) -> bool:
    return bool(paper.code_url or _CODE.search(paper.comment) or _CODE.search(paper.abstract))


FORMULA = "formula"
FEATURES: dict[str, Callable[[Figures], float]] = {
    "votes": lambda f: math.log1p(f.votes),
    "votes_while_young": lambda f: math.log1p(f.votes) * math.exp(-f.age / YOUNG),
    "votes_above_usual": lambda f: math.log1p(f.votes) - f.usual,
    "grown_3h_while_young": lambda f: math.log1p(f.grown_3h) * math.exp(-f.age / YOUNG),
    "grown_12h": lambda f: math.log1p(f.grown[0]),
    "grown_24h": lambda f: math.log1p(f.grown[1]),
    "grown_48h": lambda f: math.log1p(f.grown[2]),
    "unread": lambda f: min(f.unread, LONGEST_UNREAD) / LONGEST_UNREAD,
    "comments": lambda f: math.log1p(f.comments),
    "stars_24h": lambda f: math.log1p(f.stars),
    "appeal": lambda f: f.appeal,
    "appeal_while_young": lambda f: f.appeal * math.exp(-f.age / YOUNG),
    FORMULA: formula,
    "age": _older_than(0),
    "age_past_6h": _older_than(6),
    "age_past_72h": _older_than(72),
}
"""The numbers a model weighs, by name. A new one is one line here, and `digest train`."""


def vector(figures: Figures) -> tuple[float, ...]:
    """The features' values in their order."""
    return tuple(feature(figures) for feature in FEATURES.values())
