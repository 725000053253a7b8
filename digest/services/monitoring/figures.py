"""Numbers about lists, readers, deliveries and sources, for pages and for programs that watch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from digest.domain.delivery import DeliveryState
from digest.services.monitoring.alerts import QUIET
from digest.services.papers.collect import LAST_GOOD
from digest.services.scheduler.election import SCHEDULER
from digest.store.deliveries.delivery_stats import Sending

if TYPE_CHECKING:
    from digest.domain.edition import Edition, PaperList
    from digest.store.unit_of_work import Store, UnitOfWork


@dataclass(frozen=True, slots=True)
class ListOverview:
    """A list as its operator sees it; `paused` is the reason."""

    paused: str | None
    readers: int
    editions: tuple[tuple[Edition, Mapping[DeliveryState, int]], ...]
    """Newest first, each with its deliveries by state."""


@dataclass(frozen=True, slots=True)
class Readership:
    """How many read now, and by day how many came, left, bounced and were suppressed."""

    readers: int
    confirmed: dict[date, int]
    ended: dict[date, int]
    returned: dict[str, dict[date, int]]
    suppressed: dict[str, dict[date, int]]


@dataclass(frozen=True, slots=True)
class SourceState:
    """What the latest collect left behind."""

    name: str
    health: Mapping[str, Any]
    last_news: str
    """An instant; empty where nothing new was ever seen."""
    last_good: str = ""
    """When it was read to its end last; empty where it never was."""


@dataclass(frozen=True, slots=True)
class ListFigures:
    name: str
    paused: bool
    readers: int
    newest: Edition | None
    sending: Sending
    """Of the newest edition."""


@dataclass(frozen=True, slots=True)
class Figures:
    papers: int
    lists: tuple[ListFigures, ...]
    deliveries: Mapping[DeliveryState, int]
    """What waits is counted whole; what has ended, in the newest edition of each list."""
    oldest_due: datetime | None
    sources: tuple[SourceState, ...]
    scheduler_runs: bool
    alarms_last_day: int


def source_state(unit: UnitOfWork, name: str) -> SourceState:
    fresh, health = unit.sources.load(name, "freshness") or {}, unit.sources.load(name, "health") or {}
    good = unit.sources.load(name, LAST_GOOD) or ({} if health.get("error") else health)
    return SourceState(name, health, fresh.get("last_unseen_at") or "", good.get("at") or "")


def figures(store: Store, lists: Sequence[PaperList], sources: Sequence[str], buckets: Sequence[float], at: datetime) -> Figures:
    """Everything in one transaction. `buckets`: seconds from due to accepted."""
    with store.read() as unit:
        found = tuple(_list(unit, each.name, buckets, at) for each in lists)
        deliveries = dict.fromkeys(DeliveryState, 0)
        for each in found:
            for state, count in unit.deliveries.tally(each.newest.id).items() if each.newest else ():
                deliveries[state] += count
        return Figures(
            papers=unit.papers.count(),
            lists=found,
            deliveries=deliveries | unit.delivery_stats.open(),
            oldest_due=unit.deliveries.oldest_due(at),
            sources=tuple(source_state(unit, name) for name in sources),
            scheduler_runs=unit.leases.held(SCHEDULER),
            alarms_last_day=len(unit.alarms.since(at - QUIET)),
        )


def _list(unit: UnitOfWork, name: str, buckets: Sequence[float], at: datetime) -> ListFigures:
    newest = unit.editions.latest(name, at)
    sending = unit.delivery_stats.sending(newest.id, buckets) if newest else Sending()
    return ListFigures(name, unit.lists.paused(name) is not None, unit.subscriber_stats.active(name), newest, sending)
