"""What is trending in a day, a week or a month: the papers that gained most votes in it, whatever lists picked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from digest.domain.paper import Ranked, Signal
from digest.ranking.gained import most_gained

if TYPE_CHECKING:
    from digest.store.unit_of_work import Store

STILL_VOTED = timedelta(days=14)
"""How long after it was first seen, before a window began, a paper is looked at: older ones gain hardly anything."""


@dataclass(frozen=True, slots=True)
class Voted:
    ranked: Ranked
    """The score is the votes gained."""
    readings: Sequence[Signal]
    """Its votes as they were read, in order of time."""


def most_voted(store: Store, window: timedelta, what: str, at: datetime, most: int) -> list[Voted]:
    since = at - window
    with store.read() as unit:
        seen, readings = unit.papers.voted(since - STILL_VOTED, at)
        gained = most_gained(seen, readings, since, at, most)
        papers = unit.papers.by_ids(each.paper_id for each in gained)
    return [
        Voted(Ranked(papers[each.paper_id], each.votes, (each.reason(what),)), readings[each.paper_id])
        for each in gained
        if each.paper_id in papers
    ]
