"""What the configured sources have that we have not. Doing it twice changes nothing.

    source ─batch by batch─▶ merge sightings, add readings, save the source's state: one unit of work (store)

A source that fails does not stop the others, and what it gave before it failed is kept. A source that shows nothing unseen where
its calendar promised something is stale: an outage dressed as a quiet day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from digest.domain.errors import SourceError, StoreError
from digest.domain.instant import isoformat, parse_instant
from digest.domain.paper import MergeCounts
from digest.services.papers.refresh import Refreshed
from digest.sources.port import Batch, Getter, Source
from digest.sources.publishing_schedule import is_stale
from digest.store.unit_of_work import Store

STATE = "state"
"""Key in the store: what the source itself remembers."""
FRESHNESS = "freshness"
"""Key: {"last_unseen_at", "ids": the latest it showed, oldest first}."""
HEALTH = "health"
"""Key: {"at", "stale", "error", "failing_since", "rhythm"} as the latest collect left them, for whoever tells of it: edition,
status, metrics, alarm."""
LAST_GOOD = "last_good"
"""Key: {"at"} of the latest collect that read the source to its end."""
IDS_REMEMBERED = 6_000
"""Ids a source is judged by: some days' worth of the largest."""


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A record that could not be used. `file` is the source's address."""

    file: str
    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class CollectReport:
    """What one source brought. `error` is None, or why it could not be read to its end; `stale` is about all it ever showed."""

    source: str
    papers_new: int = 0
    papers_updated: int = 0
    papers_unchanged: int = 0
    signals: int = 0
    rejected: tuple[RejectedRecord, ...] = ()
    stale: bool = False
    error: str | None = None

    def with_refreshed(self, refreshed: Refreshed | None) -> CollectReport:
        """Together with what the source said of papers it was asked for by name."""
        if refreshed is None:
            return self
        return replace(
            self,
            papers_updated=self.papers_updated + refreshed.papers_updated,
            papers_unchanged=self.papers_unchanged + refreshed.papers_unchanged,
            signals=self.signals + refreshed.signals,
            error=self.error or refreshed.error,
        )


@dataclass(slots=True)
class _Freshness:
    """Which ids a source has shown lately, and when it last showed one that it had not."""

    last_unseen_at: datetime | None
    ids: dict[str, None] = field(default_factory=dict)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> _Freshness:
        last = state.get("last_unseen_at")
        return cls(parse_instant(last) if last else None, dict.fromkeys(state.get("ids", ())))

    def saw(self, batch: Batch, at: datetime) -> bool:
        """Whether the batch held something unseen. Readings count: some sources show nothing else."""
        shown = [str(i) for s in batch.sightings for i in s.identifiers] + [str(r.identifier) for r in batch.readings]
        unseen = [name for name in shown if name not in self.ids]
        for name in shown:
            self.ids.pop(name, None)
            self.ids[name] = None
        for name in list(self.ids)[: max(0, len(self.ids) - IDS_REMEMBERED)]:
            del self.ids[name]
        if unseen:
            self.last_unseen_at = at
        return bool(unseen)

    def to_state(self) -> dict[str, Any]:
        return {"last_unseen_at": isoformat(self.last_unseen_at) if self.last_unseen_at else None, "ids": list(self.ids)}


def collect(sources: Iterable[Source], getter: Getter, store: Store, at: datetime) -> list[CollectReport]:
    """One report per source, in their order. Raises StoreError only: no source's failure comes out as an exception."""
    return [_collect_one(source, getter, store, at) for source in sources]


def _collect_one(source: Source, getter: Getter, store: Store, at: datetime) -> CollectReport:
    with store.read() as unit:
        state = unit.sources.load(source.name, STATE) or {}
        freshness = _Freshness.from_state(unit.sources.load(source.name, FRESHNESS) or {})
        before = unit.sources.load(source.name, HEALTH) or {}
    counts, rejected, error = MergeCounts(), list[RejectedRecord](), None
    try:
        for batch in source.collect(getter, state, at):
            counts += _keep(source.name, batch, freshness, store, at)
            rejected += [RejectedRecord(source.base_url, each.where, each.reason) for each in batch.rejected]
    except StoreError:
        raise
    except SourceError as failure:
        error = str(failure)
    except Exception as fault:  # a fault in one source's code must not cost the readers the others
        error = f"source {source.name}: a fault in this program: {type(fault).__name__}: {fault}"
    stale = is_stale(source.rhythm, freshness.last_unseen_at, at)
    failing = (before.get("failing_since") or isoformat(at)) if error else None
    health = {"at": isoformat(at), "stale": stale, "error": error, "failing_since": failing, "rhythm": source.rhythm.value}
    with store.begin() as unit:
        unit.sources.save(source.name, HEALTH, health, at)
        if error is None:
            unit.sources.save(source.name, LAST_GOOD, {"at": isoformat(at)}, at)
    return CollectReport(source.name, counts.new, counts.updated, counts.unchanged, counts.signals, tuple(rejected), stale, error)


def _keep(name: str, batch: Batch, freshness: _Freshness, store: Store, at: datetime) -> MergeCounts:
    """Stores a batch with the state that follows it, so that neither can be there without the other."""
    unseen = freshness.saw(batch, at)
    with store.begin() as unit:
        counts = unit.papers.merge(batch.sightings)
        if batch.gone:
            counts += unit.papers.withdraw(batch.gone, name, at)
        added = unit.papers.add_signals([(reading.identifier, reading.signal) for reading in batch.readings])
        unit.sources.save(name, STATE, dict(batch.state), at)
        if unseen:
            unit.sources.save(name, FRESHNESS, freshness.to_state(), at)
    return counts + MergeCounts(signals=added.added)
