"""Sentence vectors: which texts have none yet, and those of papers and works as they were known at an instant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, exists, func, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from digest.domain.library import Work
from digest.domain.paper import Paper
from digest.domain.sentence_vector import MODEL, Unencoded, text_hash
from digest.store.dialect import among, chunks, insert_into
from digest.store.schema import papers
from digest.store.schema_libraries import works
from digest.store.schema_vectors import paper_vectors, work_vectors

_REPLACED = ("model", "characters", "encoded_at", "vector")


class Vectors:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # ---- to encode ---------------------------------------------------------------------------------------------------------

    def unencoded_papers(self, since: datetime, at: datetime, limit: int) -> list[Unencoded]:
        """Papers first seen in [since, at] whose text has no vector, newest first."""
        recent = select(papers).where(papers.c.first_seen_at.between(since, at), papers.c.withdrawn.is_(False))
        return self._unencoded(recent.order_by(papers.c.first_seen_at.desc(), papers.c.id), papers, paper_vectors, limit)

    def unencoded_works(self, limit: int) -> list[Unencoded]:
        return self._unencoded(select(works).order_by(works.c.id), works, work_vectors, limit)

    def _unencoded(self, wanted: Select[tuple[object, ...]], of: Table, vectors: Table, limit: int) -> list[Unencoded]:
        count = func.length(of.c.title) + func.length(of.c.abstract)
        v = vectors.c
        known = exists().where(next(iter(v)) == of.c.id, v.model == MODEL, v.characters == count)
        found = wanted.with_only_columns(of.c.id, of.c.title, of.c.abstract, count.label("characters"))
        rows = self._connection.execute(found.where(~known, count > 0).limit(limit))
        return [Unencoded(*row) for row in rows]

    def keep_of_papers(self, encoded: Sequence[tuple[Unencoded, bytes]], at: datetime) -> None:
        self._keep(encoded, papers, paper_vectors, at)

    def keep_of_works(self, encoded: Sequence[tuple[Unencoded, bytes]], at: datetime) -> None:
        self._keep(encoded, works, work_vectors, at)

    def _keep(self, encoded: Sequence[tuple[Unencoded, bytes]], of: Table, vectors: Table, at: datetime) -> None:
        """But for what went while it was encoded. The vector of an earlier text stays: editions have shown that."""
        there = among(self._connection, of.c.id, [text.id for text, _ in encoded])
        ids = set(self._connection.scalars(select(of.c.id).where(there)))
        key = next(iter(vectors.c)).name
        rows = [
            {
                key: text.id,
                "text_hash": text_hash(text.title, text.abstract),
                "model": MODEL,
                "characters": text.characters,
                "encoded_at": at,
                "vector": vector,
            }
            for text, vector in encoded
            if text.id in ids
        ]
        if rows:
            new = insert_into(self._connection, vectors)
            replaced = {name: new.excluded[name] for name in _REPLACED}
            self._connection.execute(new.on_conflict_do_update(index_elements=[key, "text_hash"], set_=replaced), rows)

    # ---- encoded -----------------------------------------------------------------------------------------------------------

    def of_papers(self, shown: Iterable[Paper], by: datetime | None = None) -> dict[int, bytes]:
        """The vectors of these texts that were known `by` an instant, by paper id."""
        by_id = {paper.id: paper for paper in shown}
        v = paper_vectors.c
        found: dict[int, bytes] = {}
        for some in chunks(by_id):
            rows = select(v.paper_id, v.text_hash, v.vector).where(among(self._connection, v.paper_id, some), *_known(v, by))
            found |= {key: vector for key, hashed, vector in self._connection.execute(rows) if hashed == _hash(by_id[key])}
        return found

    def of_works(self, held: Mapping[str, Work], by: datetime | None = None) -> dict[str, bytes]:
        """The same of works, by their names."""
        v = work_vectors.c
        found: dict[str, bytes] = {}
        for some in chunks(held):
            rows = select(works.c.name, v.text_hash, v.vector).join(works, works.c.id == v.work_id)
            rows = rows.where(works.c.name.in_(some), *_known(v, by))
            found |= {name: vector for name, hashed, vector in self._connection.execute(rows) if hashed == _hash(held[name])}
        return found

    def count(self) -> tuple[int, int]:
        """(papers, works) with a vector."""
        counted = [select(func.count(next(iter(each.c)).distinct())).where(each.c.model == MODEL) for each in _TABLES]
        return tuple(self._connection.scalar(each) or 0 for each in counted)  # type: ignore[return-value]  # two tables


def _known(v: ReadOnlyColumnCollection[str, Column[Any]], by: datetime | None) -> list[ColumnElement[bool]]:
    return [v.model == MODEL, *([v.encoded_at <= by] if by else [])]


def _hash(shown: Paper | Work) -> str:
    return text_hash(shown.title, shown.abstract)


_TABLES = (paper_vectors, work_vectors)
