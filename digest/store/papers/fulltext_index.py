"""The word index learns new papers. SQLite's; PostgreSQL's index keeps itself.

By the batch: FTS5 writes out what it gathered whenever a statement may have to be undone, so that a trigger for each row costs
twice the time. What changes or goes afterwards is followed by triggers (migration 0001).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

_LEARN = text(
    "INSERT INTO papers_words (rowid, title, authors, abstract)"
    " SELECT id, title, authors, abstract FROM papers WHERE id BETWEEN :first AND :last"
)


def learn(connection: Connection, ids: Sequence[int]) -> None:
    """`ids`: of papers just made, one after the other. Each may be learned once."""
    if ids and connection.dialect.name == "sqlite":
        assert ids[-1] - ids[0] + 1 == len(ids), "numbers in a row, with no other paper between them"
        connection.execute(_LEARN, {"first": ids[0], "last": ids[-1]})
