"""What an edition says besides its papers: which sources were silent, and what became of papers it sent before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from digest.domain.edition import PaperList, Update
from digest.domain.instant import parse_instant
from digest.domain.updates import chosen, update
from digest.services.papers.collect import FRESHNESS, HEALTH
from digest.sources.publishing_schedule import PublishingSchedule, SourceHealth, silence_note
from digest.store.sources import Sources
from digest.store.unit_of_work import UnitOfWork

LOOKED_BACK = timedelta(days=180)
"""What becomes of a paper later than this after it was sent is not told."""


@dataclass(frozen=True, slots=True)
class EditionNotes:
    """`notes` are lines for the head of the edition; `updates` at most three for its end."""

    notes: tuple[str, ...] = ()
    updates: tuple[Update, ...] = ()


def edition_notes(paper_list: PaperList, unit: UnitOfWork, at: datetime, day: date) -> EditionNotes:
    """What an edition of `day` says at `at`, as it was known then: the same as the others of that day."""
    relevant = [each for each in healths(unit.sources) if not paper_list.sources or each.source in paper_list.sources]
    note = silence_note(relevant, at)
    return EditionNotes((note,) if note else (), _updates(paper_list, unit, at, day))


def healths(sources: Sources) -> list[SourceHealth]:
    """Every source that was ever collected from, as the latest collect left it."""
    last_unseen = {name: state.get("last_unseen_at") for name, state in sources.all(FRESHNESS).items()}
    return [_health(name, state, last_unseen.get(name)) for name, state in sources.all(HEALTH).items()]


def _health(name: str, state: Mapping[str, Any], last_unseen_at: str | None) -> SourceHealth:
    failing = state.get("failing_since")
    return SourceHealth(
        source=name,
        asked_at=parse_instant(state["at"]),
        rhythm=PublishingSchedule(state.get("rhythm", PublishingSchedule.IRREGULAR)),
        last_unseen_at=parse_instant(last_unseen_at) if last_unseen_at else None,
        failing_since=parse_instant(failing) if failing else None,
    )


def _updates(paper_list: PaperList, unit: UnitOfWork, at: datetime, day: date) -> tuple[Update, ...]:
    shown = unit.editions.past_picks(paper_list.name, at - LOOKED_BACK, at, day)
    now = unit.papers.as_known([paper.id for paper in shown], at)
    state: dict[str, set[str]] = defaultdict(set)
    for each in unit.editions.past_updates(paper_list.name, at - 2 * LOOKED_BACK, at, day):
        state[each.identifier].add(each.kind)
    found = []
    for then in shown:
        if paper := now.get(then.id):
            # two papers found to be one since were told of under either name
            kinds = set().union(*(state[str(name)] for name in paper.identifiers))
            found.append(update(then, paper, kinds))
    return chosen(each for each in found if each)
