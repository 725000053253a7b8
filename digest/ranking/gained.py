"""What mattered in a week or a month: papers in order of the votes that they gained in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from digest.domain.paper import Candidate, Ranked, Reason
from digest.ranking.features import VOTES
from digest.ranking.signal_history import signal_history

_HOUR = timedelta(hours=1)


def rank_by_gain(
    ranked: Sequence[Ranked], candidates: Sequence[Candidate], since: datetime, at: datetime, what: str
) -> list[Ranked]:
    """Best first; of equals in the order that `ranked` has them. The score is the votes gained in [since, at).

    `what` names the window in the reason: "this week". What a paper had when it was first seen was gained then.
    """
    gained = {each.paper.id: _gained(each, since, at) for each in candidates}
    order = sorted(ranked, key=lambda each: -gained[each.paper.id])
    return [replace(each, score=gained[each.paper.id], reasons=_reasons(each, gained[each.paper.id], what)) for each in order]


def _gained(candidate: Candidate, since: datetime, at: datetime) -> float:
    votes = signal_history(candidate.signals, at).get(VOTES)
    if votes is None:
        return 0.0
    if candidate.paper.first_seen_at >= since:
        return votes.last
    return votes.grown((at - since) / _HOUR)


def _reasons(ranked: Ranked, gained: float, what: str) -> tuple[Reason, ...]:
    """The gain takes the place of what moved since yesterday; what does not count, and words, stay."""
    kept = tuple(each for each in ranked.reasons if each.kind in ("burst", "words", "also"))
    count = round(gained)
    if count < 1:
        return ranked.reasons
    return (Reason("votes", f"▲ {count:,} {what}"), *kept)
