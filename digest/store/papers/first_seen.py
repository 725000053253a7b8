"""A paper turns out to have been known earlier than it was first shown to us: an older page or reading of it is loaded later.

Its first sightings move back to that instant, so that what was known at an instant does not hang on the order of loading.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import BindParameter, Connection, bindparam, func, select, update

from digest.store.dialect import chunks
from digest.store.schema import papers, sightings


def known_since(connection: Connection, proven: Mapping[int, datetime]) -> int:
    """`proven`: by when each paper (its id) was known. Those known no later stay as they are. Says how many moved."""
    late: list[dict[str, object]] = []
    for some in chunks(proven):
        rows = connection.execute(select(papers.c.id, papers.c.first_seen_at).where(papers.c.id.in_(some)))
        late += [{"of_paper": i, "first": first, "then": proven[i]} for i, first in rows if proven[i] < first]
    if not late:
        return 0
    of_paper: BindParameter[int] = bindparam("of_paper")
    first_ones = (sightings.c.paper_id == of_paper, sightings.c.seen_at == bindparam("first"))
    connection.execute(update(sightings).where(*first_ones).values(seen_at=bindparam("then")), late)
    latest = select(func.max(sightings.c.seen_at)).where(sightings.c.paper_id == papers.c.id).scalar_subquery()
    moved = update(papers).where(papers.c.id == of_paper).values(first_seen_at=bindparam("then"), changed_at=latest)
    connection.execute(moved, [{name: row[name] for name in ("of_paper", "then")} for row in late])
    return len(late)
