"""Which papers are due for another look, and by what names they can be asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from digest.domain.identifier import Identifier
from digest.domain.refresh_schedule import Span
from digest.store.dialect import chunks
from digest.store.schema import featured, identifiers, papers

Names = dict[int, tuple[Identifier, ...]]
"""By paper id."""


def names_of_new(connection: Connection, spans: Sequence[Span], recent_since: datetime) -> Names:
    """Papers first seen in one of the spans, without the withdrawn and those dated before `recent_since`."""
    dated = func.coalesce(papers.c.listed_at, papers.c.published_at, type_=papers.c.listed_at.type)
    recent = or_(dated.is_(None), dated >= recent_since)
    return _names(connection, _first_seen(spans).where(recent))


def names_of_sent(connection: Connection, spans: Sequence[Span]) -> Names:
    """Those of them that an edition of any list featured."""
    return _names(connection, _first_seen(spans).where(papers.c.id.in_(select(featured.c.paper_id))))


def _first_seen(spans: Sequence[Span]) -> Select[tuple[int]]:
    inside: list[ColumnElement[bool]] = [
        and_(papers.c.first_seen_at > span.after, papers.c.first_seen_at <= span.until) for span in spans
    ]
    return select(papers.c.id).where(or_(*inside), papers.c.withdrawn.is_(False))


def _names(connection: Connection, which: Select[tuple[int]]) -> Names:
    found = identifiers_of(connection, list(connection.scalars(which)))
    return {paper_id: tuple(names) for paper_id, names in found.items()}


def identifiers_of(connection: Connection, ids: Iterable[int]) -> dict[int, list[Identifier]]:
    """Each paper's identifiers, sorted."""
    table = identifiers.c
    names: dict[int, list[Identifier]] = defaultdict(list)
    for some in chunks(ids):
        statement = select(table.paper_id, table.scheme, table.value).where(table.paper_id.in_(some))
        for paper_id, scheme, value in connection.execute(statement.order_by(table.scheme, table.value)):
            names[paper_id].append(Identifier(scheme, value))
    return names
