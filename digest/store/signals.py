"""Dated numbers about papers: appended, never changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, Select, select

from digest.domain.paper import Signal
from digest.store.schema import signals
from digest.store.statements import insert_new


def append(connection: Connection, readings: Iterable[tuple[int, Signal]]) -> int:
    """Adds (paper id, signal) pairs; one already there for the same paper, kind, source and instant stays as it was."""
    rows = {
        (paper_id, s.kind, s.source, s.observed_at): {
            "paper_id": paper_id,
            "kind": s.kind,
            "source": s.source,
            "observed_at": s.observed_at,
            "value": s.value,
        }
        for paper_id, s in readings
    }
    return insert_new(connection, signals, list(rows.values()))


def observed(connection: Connection, which: Select[tuple[int]], by: datetime) -> dict[int, list[Signal]]:
    """Signals observed at or before `by` of the papers that `which` selects, each paper's in order of time."""
    rows = connection.execute(
        select(signals.c.paper_id, signals.c.kind, signals.c.value, signals.c.observed_at, signals.c.source)
        .where(signals.c.paper_id.in_(which), signals.c.observed_at <= by)
        .order_by(signals.c.paper_id, signals.c.observed_at, signals.c.kind, signals.c.source)
    )
    by_paper: dict[int, list[Signal]] = defaultdict(list)
    for paper_id, kind, value, observed_at, source in rows:
        by_paper[paper_id].append(Signal(kind, value, observed_at, source))
    return by_paper
