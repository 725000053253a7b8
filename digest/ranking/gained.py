"""What mattered in a week or a month: papers in order of the votes that they gained in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from digest.domain.paper import Candidate, Ranked, Reason, Signal
from digest.ranking.features import VOTES
from digest.ranking.signal_history import signal_history
from digest.ranking.trending import counted

_HOUR = timedelta(hours=1)


def rank_by_gain(
    ranked: Sequence[Ranked], candidates: Sequence[Candidate], since: datetime, at: datetime, what: str
) -> list[Ranked]:
    """Best first; of equals in the order that `ranked` has them. The score is the votes gained in [since, at).

    `what` names the window in the reason: "this week". What a paper had when it was first seen was gained then.
    """
    gained = {each.paper.id: _votes(each.signals, each.paper.first_seen_at, since, at)[0] for each in candidates}
    order = sorted(ranked, key=lambda each: -gained[each.paper.id])
    return [replace(each, score=gained[each.paper.id], reasons=_reasons(each, gained[each.paper.id], what)) for each in order]


@dataclass(frozen=True, slots=True)
class Gained:
    """Votes that a paper gained in a window, and how many it has at its end."""

    paper_id: int
    votes: int
    total: int

    def reason(self, what: str) -> Reason:
        """ "▲ 145 (+102 this week)"; `what` names the window."""
        return Reason("votes", counted("▲", self.total, self.votes, what))


def most_gained(
    seen: Mapping[int, datetime], readings: Mapping[int, Sequence[Signal]], since: datetime, at: datetime, most: int
) -> list[Gained]:
    """The papers that gained most in [since, at), best first, of equals the newest; those that gained nothing are left out.

    By paper: `seen`, when it was first seen, and `readings`, its signals.
    """
    found = []
    for paper_id, signals in readings.items():
        votes, total = map(round, _votes(signals, seen[paper_id], since, at))
        if votes >= 1:
            found.append(Gained(paper_id, votes, total))
    return sorted(found, key=lambda each: (-each.votes, -each.paper_id))[:most]


def _votes(signals: Sequence[Signal], first_seen_at: datetime, since: datetime, at: datetime) -> tuple[float, float]:
    """(gained in [since, at), all by then)."""
    votes = signal_history(signals, at).get(VOTES)
    if votes is None:
        return 0.0, 0.0
    return (votes.last if first_seen_at >= since else votes.grown((at - since) / _HOUR)), votes.last


def _reasons(ranked: Ranked, gained: float, what: str) -> tuple[Reason, ...]:
    """The gain takes the place of what moved since yesterday; what does not count, and words, stay."""
    kept = tuple(each for each in ranked.reasons if each.kind in ("burst", "words", "also"))
    count = round(gained)
    if count < 1:
        return ranked.reasons
    return (Reason("votes", counted("▲", count, count, what)), *kept)
