"""Dated numbers about papers: appended, never changed; only retention makes old ones fewer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, Select, func, select

from digest.domain.paper import Signal
from digest.store.dialect import chunks, insert_new, readable
from digest.store.schema import signals


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


def observed(connection: Connection, which: Select[tuple[int]], by: datetime, kind: str = "") -> dict[int, list[Signal]]:
    """Signals observed at or before `by` of the papers that `which` selects, each paper's in order of time (of one `kind`)."""
    of_kind = [signals.c.kind == kind] if kind else []
    found = readable(
        connection,
        select(signals.c.paper_id, signals.c.kind, signals.c.value, signals.c.observed_at, signals.c.source)
        .where(signals.c.paper_id.in_(which), signals.c.observed_at <= by, *of_kind)
        .order_by(signals.c.paper_id, signals.c.observed_at, signals.c.kind, signals.c.source),
        "a number about a paper",
    )
    by_paper: dict[int, list[Signal]] = defaultdict(list)
    for paper_id, kind, value, observed_at, source in found:
        by_paper[paper_id].append(Signal(kind, value, observed_at, source))
    return by_paper


def latest(connection: Connection, ids: Iterable[int], kind: str) -> dict[int, float]:
    """The last reading of one kind of each paper that has any; the greatest where sources differ."""
    found: dict[int, float] = {}
    for some in chunks(ids):
        series = (signals.c.paper_id, signals.c.source)
        newest = func.row_number().over(partition_by=series, order_by=signals.c.observed_at.desc()).label("newest")
        read = select(*series, signals.c.value, newest).where(signals.c.kind == kind, signals.c.paper_id.in_(some)).subquery()
        for paper_id, value in connection.execute(select(read.c.paper_id, read.c.value).where(read.c.newest == 1)):
            found[paper_id] = max(value, found.get(paper_id, value))
    return found
