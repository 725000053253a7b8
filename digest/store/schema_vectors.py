"""The tables of sentence vectors: they go with their papers and works. Empty without the extra `semantic`."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from digest.store.schema_papers import Key, metadata
from digest.store.types import Instant


def _vectors(name: str, of: str, key: str, *more: Column[int]) -> Table:
    return Table(
        name,
        metadata,
        Column(key, Key, ForeignKey(of, ondelete="CASCADE"), primary_key=True, autoincrement=False),
        Column("text_hash", String(32), primary_key=True),
        Column("model", Text, nullable=False),
        *more,
        Column("encoded_at", Instant, nullable=False),  # an edition frozen before does not know it
        Column("vector", LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )


# by its length a paper whose text changed is found without reading its vectors
paper_vectors = _vectors("paper_vectors", "papers.id", "paper_id", Column("characters", Integer, nullable=False))
work_vectors = _vectors("work_vectors", "works.id", "work_id")
