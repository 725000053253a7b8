"""Papers like one, among those that came to us about when it did: found in a few milliseconds, however many papers there are."""

from __future__ import annotations

import math
from collections.abc import Iterable

from sqlalchemy import Connection, text

from digest.domain.paper import Paper
from digest.domain.query import Query
from digest.ranking.similar import distinctive_words, rarest
from digest.store.dialect import scored
from digest.store.papers import search_postgresql
from digest.store.papers.search import papers_holding_remembered

AROUND = 10_000
"""Papers before it, and so many after it."""
COUNTED = 1_000
"""Further a word's papers are not counted."""
BY = 8
"""How many words they are looked for by."""

_HOLDING = "FROM papers_words WHERE papers_words MATCH :word{n} AND rowid BETWEEN :first AND :last"
_COUNT = f"(SELECT count(*) FROM (SELECT 1 {_HOLDING} LIMIT {COUNTED}))"  # noqa: S608 - constants
_HOLDERS = f"SELECT rowid AS id, CAST(:weight{{n}} AS real) AS weight {_HOLDING}"
_HOLDING_MOST = "SELECT id, sum(weight) AS score FROM ({holders}) GROUP BY id ORDER BY score DESC, id DESC LIMIT :limit"


def nearby_ids(connection: Connection, paper: Paper, limit: int) -> list[int]:
    """Those that hold the most and rarest of the paper's words first; the paper itself may be among them.

    bm25 is not asked: for each word it reads all papers that hold it, near or not.
    """
    words = distinctive_words(paper)
    if connection.dialect.name == "postgresql":
        held = papers_holding_remembered(connection, words)
        by = {word: held[word] for word in rarest(words, held, BY)}
        return search_postgresql.similar_ids(connection, by, Query(), limit, (paper.id - AROUND, paper.id + AROUND))
    near: dict[str, object] = {"first": paper.id - AROUND, "last": paper.id + AROUND}
    if not words:
        return []
    counts = ", ".join(_COUNT.format(n=n) for n in range(len(words)))
    counted = connection.execute(text(f"SELECT {counts}"), near | _quoted(words)).one()
    held = dict(zip(words, counted, strict=True))
    chosen = rarest(words, held, BY)
    if not chosen:
        return []
    values = near | _quoted(chosen) | {"limit": limit}
    values |= {f"weight{n}": math.log1p(words[word]) * math.log1p(2 * AROUND / held[word]) for n, word in enumerate(chosen)}
    holders = " UNION ALL ".join(_HOLDERS.format(n=n) for n in range(len(chosen)))
    return [paper_id for paper_id, _ in scored(connection, _HOLDING_MOST.format(holders=holders), values)]


def _quoted(words: Iterable[str]) -> dict[str, object]:
    return {f"word{n}": f'"{word}"' for n, word in enumerate(words)}
