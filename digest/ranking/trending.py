"""What will matter: papers in order of the votes they are expected to gain, each with the reasons in words and figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.domain.paper import Candidate, Paper, Ranked, Reason
from digest.ranking.readings import Series, main_series, series


@dataclass(frozen=True, slots=True)
class TrendingModel:
    gravity: float = 1.4
    head_start: float = 6.0
    stars_weight: float = 0.05


DEFAULT_MODEL = TrendingModel()


def rank(candidates: Sequence[Candidate], at: datetime, model: TrendingModel = DEFAULT_MODEL) -> list[Ranked]:
    """Best first, ties by identifier. Pure: only signals observed by `at` count, in whatever order candidates come."""
    scored = sorted((_ranked(c, at, model) for c in candidates), key=lambda r: (-r.score, r.paper.identifier, r.paper.id))
    silent = {c.paper.id for c in candidates if not any(s.observed_at <= at for s in c.signals)}
    heard = [r for r in scored if r.paper.id not in silent]
    return heard + _spread(
        sorted((r for r in scored if r.paper.id in silent), key=lambda r: (_age(r.paper, at), r.paper.identifier))
    )


def _ranked(candidate: Candidate, at: datetime, model: TrendingModel) -> Ranked:
    votes = main_series(series(candidate.signals, "upvotes", at))
    stars = main_series(series(candidate.signals, "github_stars", at))
    age = _age(candidate.paper, at)
    weight = (votes.last if votes else 0.0) + model.stars_weight * _grown(stars, 24)
    reasons = _reasons(votes, stars, age)
    growth = (
        tuple(
            max(0.0, votes.value_at(-24.0 * day) - votes.value_at(-24.0 * (day + 1)))
            for day in range(min(7, int(age // 24) + 1) - 1, -1, -1)
        )
        if votes
        else ()
    )
    return Ranked(candidate.paper, weight / (age + model.head_start) ** model.gravity, reasons, growth)


def _age(paper: Paper, at: datetime) -> float:
    return max(0.0, (at - paper.first_seen_at) / timedelta(hours=1))


def _grown(found: Series | None, hours: float) -> float:
    return found.last - found.value_at(-hours) if found else 0.0


def _reasons(votes: Series | None, stars: Series | None, age: float) -> tuple[Reason, ...]:
    parts = []
    for found, word, kind in ((votes, "upvotes", "votes"), (stars, "stars", "stars")):
        grown = round(found.last if found and kind == "votes" and age < 36 else _grown(found, 24))
        if grown > 0:
            parts.append((kind, f"+{grown:,} {word if grown != 1 else word[:-1]}"))
    if parts:
        return (Reason(parts[0][0], " and ".join(text for _, text in parts) + " since yesterday"),)
    if age < 36:
        return (Reason("new", "new today, no votes yet"),)
    return (Reason("quiet", f"{round(votes.last):,} upvotes, none since yesterday" if votes else "no votes yet"),)


def _spread(silent: Sequence[Ranked]) -> list[Ranked]:
    """Newest first, one topic after the other: the first of every primary category, then the second of every one …"""
    turns: Counter[str] = Counter()
    placed = []
    for place, ranked in enumerate(silent):
        topic = ranked.paper.categories[0] if ranked.paper.categories else ""
        placed.append((turns[topic], place, ranked))
        turns[topic] += 1
    return [ranked for _, _, ranked in sorted(placed, key=lambda row: row[:2])]
