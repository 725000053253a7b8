"""Sentence vectors: which texts have none yet, and those of papers and works as they were known at an instant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, exists, func, select, text, update
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from digest.domain.library import Work
from digest.domain.paper import Paper
from digest.domain.sentence_vector import MODEL, Unencoded, text_hash
from digest.store.dialect import among, chunks, insert_into
from digest.store.schema import papers
from digest.store.schema_libraries import works
from digest.store.schema_papers import paper_vectors, work_vectors


class Vectors:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # ---- to encode ---------------------------------------------------------------------------------------------------------

    def unencoded_papers(self, since: datetime, at: datetime, limit: int) -> list[Unencoded]:
        """Papers first seen in [since, at] whose text has no vector, newest first."""
        p, v = papers.c, paper_vectors.c
        count = _characters()
        known = exists().where(v.paper_id == p.id, v.model == MODEL, v.characters == count)
        recent = (p.first_seen_at.between(since, at), p.withdrawn.is_(False), count > 0, ~known)
        found = select(p.id, p.title, p.abstract).where(*recent).order_by(p.first_seen_at.desc(), p.id).limit(limit)
        return [Unencoded(*row) for row in self._connection.execute(found)]

    def unencoded_works(self, limit: int) -> list[Unencoded]:
        w = works.c
        found = select(w.id, w.title, w.abstract).where(text("NOT encoded AND title <> ''")).order_by(w.id).limit(limit)
        return [Unencoded(*row) for row in self._connection.execute(found)]

    def keep_of_papers(self, encoded: Sequence[tuple[Unencoded, bytes]], at: datetime) -> None:
        """But for what went or was changed while it was encoded. That of an earlier text stays: editions have shown it."""
        p = papers.c
        there = among(self._connection, p.id, [each.id for each, _ in encoded])
        known = self._connection.execute(select(p.id, p.title, p.abstract, _characters().label("characters")).where(there))
        characters = {Unencoded(*row[:3]): row.characters for row in known}
        kept = [(each, vector) for each, vector in encoded if each in characters]
        self._keep(paper_vectors, kept, at, [{"characters": characters[each]} for each, _ in kept])

    def keep_of_works(self, encoded: Sequence[tuple[Unencoded, bytes]], at: datetime) -> None:
        w = works.c
        there = among(self._connection, w.id, [each.id for each, _ in encoded])
        known = {Unencoded(*row) for row in self._connection.execute(select(w.id, w.title, w.abstract).where(there))}
        kept = [(each, vector) for each, vector in encoded if each in known]
        self._keep(work_vectors, kept, at, [{}] * len(kept))
        ids = among(self._connection, w.id, [each.id for each, _ in kept])
        self._connection.execute(update(works).where(ids).values(encoded=True))

    def _keep(
        self, table: Table, kept: Sequence[tuple[Unencoded, bytes]], at: datetime, more: Sequence[Mapping[str, object]]
    ) -> None:
        key = next(iter(table.c)).name
        rows = [
            {
                key: each.id,
                "text_hash": text_hash(each.title, each.abstract),
                "model": MODEL,
                "encoded_at": at,
                "vector": vector,
                **own,
            }
            for (each, vector), own in zip(kept, more, strict=True)
        ]
        if rows:
            new = insert_into(self._connection, table)
            replaced = {name: new.excluded[name] for name in rows[0] if name not in (key, "text_hash")}
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


def _characters() -> ColumnElement[int]:
    return func.length(papers.c.title) + func.length(papers.c.abstract)


def _known(v: ReadOnlyColumnCollection[str, Column[Any]], by: datetime | None) -> list[ColumnElement[bool]]:
    return [v.model == MODEL, *([v.encoded_at <= by] if by else [])]


def _hash(shown: Paper | Work) -> str:
    return text_hash(shown.title, shown.abstract)


_TABLES = (paper_vectors, work_vectors)
