"""Two papers that turn out to be one: everything that referred to the second refers to the first."""

from __future__ import annotations

from sqlalchemy import Connection, Table, delete, literal, select, update

from digest.store.dialect import insert_into
from digest.store.schema import edition_pool, featured, identifiers, papers, sightings, signals
from digest.store.schema_libraries import saved_papers
from digest.store.schema_papers import paper_vectors

_MOVED = (identifiers, edition_pool)
_MOVED_WHERE_ABSENT = (sightings, signals, featured, saved_papers, paper_vectors)
"""Tables where the first may already have the same row: its own stays."""


def join(connection: Connection, *, into: int, away: int) -> None:
    """Moves what belongs to paper `away` to paper `into` and removes `away`. The caller refolds `into`."""
    for table in _MOVED:
        connection.execute(update(table).where(table.c.paper_id == away).values(paper_id=into))
    for table in _MOVED_WHERE_ABSENT:
        _move_where_absent(connection, table, into, away)
    connection.execute(delete(papers).where(papers.c.id == away))


def _move_where_absent(connection: Connection, table: Table, into: int, away: int) -> None:
    names = [c.name for c in table.c if c.name != "id"]
    moved = select(*(literal(into) if name == "paper_id" else table.c[name] for name in names)).where(table.c.paper_id == away)
    connection.execute(insert_into(connection, table).from_select(names, moved).on_conflict_do_nothing())
    connection.execute(delete(table).where(table.c.paper_id == away))
