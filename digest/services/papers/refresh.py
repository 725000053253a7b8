"""Papers we know, looked up again where a source can be asked by name: signals, versions, venues, withdrawals.

    due (domain/refresh_schedule.py) ─▶ names ─▶ look_up, some hundred at a time (sources) ─▶ merge, append (store)

How far it came is kept with each part, so a crash or an outage goes on from there. Doing it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from digest.domain.errors import SourceError, StoreError
from digest.domain.instant import isoformat, parse_instant
from digest.domain.paper import MergeCounts
from digest.domain.refresh_schedule import EVERY, FIRST_LOOK_BACK, ONCE_SENT, RECENT, WHILE_NEW, spans
from digest.sources.port import Batch, Getter, SupportsLookup, best_name
from digest.store.unit_of_work import Store

KEY = "refresh"
"""In the store: {"at": until when all are looked at} and, while under way, {"until", "after": the last paper's id}."""
AT_ONCE = 500
"""Papers a part: what a source takes in one request at most."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What looking papers up again brought. `error`: why the source was not asked for all of them; the rest follows next time."""

    source: str
    asked: int = 0
    papers_updated: int = 0
    papers_unchanged: int = 0
    signals: int = 0
    error: str | None = None


def refresh(sources: Iterable[object], getter: Getter, store: Store, at: datetime) -> list[Refreshed]:
    """One report per source that can be asked by name and whose time has come. Raises StoreError only."""
    reports = (_refresh_one(source, getter, store, at) for source in sources if isinstance(source, SupportsLookup))
    return [report for report in reports if report is not None]


def _refresh_one(source: SupportsLookup, getter: Getter, store: Store, at: datetime) -> Refreshed | None:
    with store.read() as unit:
        state = unit.sources.load(source.name, KEY) or {}
        done = parse_instant(state["at"]) if "at" in state else at - FIRST_LOOK_BACK
        if "at" in state and "until" not in state and at - done < EVERY:
            return None
        until = parse_instant(state["until"]) if "until" in state else at
        due = unit.papers.names_of_new(spans(WHILE_NEW, done, until), done - WHILE_NEW[-1] - RECENT)
        due |= unit.papers.names_of_sent(spans(ONCE_SENT, done, until))
    left = [paper_id for paper_id in sorted(due) if paper_id > state.get("after", 0)]
    counts, asked, error = MergeCounts(), 0, None
    try:
        for start in range(0, len(left), AT_ONCE):
            some = left[start : start + AT_ONCE]
            names = [name for paper_id in some for name in best_name(due[paper_id], source)]
            for batch in source.look_up(getter, names, at) if names else ():
                counts += _keep(batch, store)
            asked += len(names)
            _remember(store, source.name, {"at": isoformat(done), "until": isoformat(until), "after": some[-1]}, at)
        _remember(store, source.name, {"at": isoformat(until)}, at)
    except SourceError as failure:
        error = str(failure)
    except StoreError:
        raise
    except Exception as fault:  # as in collect: a fault in one source's code must not cost the readers the others
        error = f"source {source.name}: a fault in this program: {type(fault).__name__}: {fault}"
    # a source may answer with a paper that is not ours yet (another's name for it): told as new by merge, and kept
    return Refreshed(source.name, asked, counts.updated + counts.new, counts.unchanged, counts.signals, error)


def _keep(batch: Batch, store: Store) -> MergeCounts:
    with store.begin() as unit:
        counts = unit.papers.merge(batch.sightings)
        added = unit.papers.add_signals([(reading.identifier, reading.signal) for reading in batch.readings])
    return counts + MergeCounts(signals=added.added)


def _remember(store: Store, name: str, value: dict[str, Any], at: datetime) -> None:
    with store.begin() as unit:
        unit.sources.save(name, KEY, value, at)
