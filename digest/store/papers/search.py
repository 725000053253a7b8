"""Papers by a query: SQLite's FTS5 here, PostgreSQL's text search in search_postgresql.py.

Both stem English, ask for every word, and leave out what holds an unwanted one. The indexes are the migrations' (0001, 0004,
0006, 0009).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations

from sqlalchemy import Connection, text

from digest.domain.query import Query, content_words
from digest.store.dialect import scored
from digest.store.papers import search_postgresql
from digest.store.papers.spelling import spellings

COUNTED = 5_000
"""Further a word's papers are not counted: it is common."""

_FOUND = """
    SELECT papers_words.rowid AS id, -bm25(papers_words, 10.0, 3.0, 1.0) AS score FROM papers_words {join}
    WHERE papers_words MATCH :query {filters} ORDER BY score DESC, papers_words.rowid DESC LIMIT :limit
"""
_FILTERED = "SELECT papers.id, 0 AS score FROM papers WHERE true {filters} ORDER BY first_seen_at DESC, id DESC LIMIT :limit"


def search(connection: Connection, query: Query, limit: int) -> list[tuple[int, float]]:
    """(paper id, score), best first; scores compare only within one answer. Filters alone give the newest, an empty query none.

    `query.like` is not looked at: see `kin`.
    """
    words = content_words(query.words)
    if connection.dialect.name == "postgresql":
        return search_postgresql.search(connection, words, query, limit)
    if not (words or query.phrases or query.authors):
        return _newest(connection, query, limit) if query.categories or query.since else []
    matches = [*map(_word, words), *map(_phrase, query.phrases), *map(_author, query.authors)]
    return _found(connection, " AND ".join(matches), query, limit)


def similar_ids(connection: Connection, held: Mapping[str, int], query: Query, limit: int) -> list[int]:
    """Papers that hold at least two of the words (`held`: by how many papers each is), and answer to the query's filters."""
    if connection.dialect.name == "postgresql":
        return search_postgresql.similar_ids(connection, held, query, limit)
    pairs = [f'("{one}" AND "{other}")' for one, other in combinations(held, 2)]
    return [paper_id for paper_id, _ in _found(connection, " OR ".join(pairs), query, limit)] if pairs else []


def papers_holding(connection: Connection, words: Iterable[str]) -> dict[str, int]:
    """How many papers hold each of the words, counted up to COUNTED."""
    if connection.dialect.name == "postgresql":
        return search_postgresql.papers_holding(connection, words, COUNTED)
    counted = text(f"SELECT count(*) FROM (SELECT 1 FROM papers_words WHERE papers_words MATCH :word LIMIT {COUNTED})")  # noqa: S608
    return {word: connection.scalar(counted, {"word": f'"{word}"'}) or 0 for word in words}


# ---- SQLite: https://sqlite.org/fts5.html#full_text_query_syntax; a quoted word is never an operator --------------------------


def _found(connection: Connection, matching: str, query: Query, limit: int) -> list[tuple[int, float]]:
    if unwanted := _unwanted(query):
        matching = f"({matching}) NOT ({unwanted})"
    filters, values = _filters(query)
    join = "JOIN papers ON papers.id = papers_words.rowid" if filters else ""
    return scored(connection, _FOUND.format(join=join, filters=filters), {**values, "query": matching, "limit": limit})


def _newest(connection: Connection, query: Query, limit: int) -> list[tuple[int, float]]:
    filters, values = _filters(query)
    if unwanted := _unwanted(query):
        filters += " AND papers.id NOT IN (SELECT rowid FROM papers_words WHERE papers_words MATCH :unwanted)"
        values["unwanted"] = unwanted
    return scored(connection, _FILTERED.format(filters=filters), {**values, "limit": limit})


def _filters(query: Query) -> tuple[str, dict[str, object]]:
    """Conditions on `papers`, each beginning with AND, and what they bind. What a person typed is always bound."""
    conditions, values = [], dict[str, object]()
    for holds, categories in (("AND", query.categories), ("AND NOT", query.unwanted.categories)):
        own, either = "lower(CAST(papers.categories AS text))", []
        for category in categories:
            n = len(values)
            values |= {f"same{n}": f'%"{category}"%', f"below{n}": f'%"{category}.%'}
            either.append(f"{own} LIKE :same{n} OR {own} LIKE :below{n}")
        conditions += [f"{holds} ({' OR '.join(either)})"] if either else []
    if query.since:
        conditions.append("AND coalesce(papers.published_at, papers.first_seen_at) >= :since")
        values["since"] = f"{query.since} 00:00:00"
    return " ".join(conditions), values


def _unwanted(query: Query) -> str:
    unwanted = query.unwanted
    return " OR ".join(
        [*map(_word, content_words(unwanted.words)), *map(_phrase, unwanted.phrases), *map(_author, unwanted.authors)]
    )


def _word(word: str) -> str:
    forms = [f'"{form}"' for form in spellings(word)]
    return f"({' OR '.join(forms)})"


def _phrase(phrase: tuple[str, ...]) -> str:
    return f'"{" ".join(phrase)}"'


def _author(name: tuple[str, ...]) -> str:
    """The parts of one name near each other in any order; an initial stands for names that begin with it."""
    parts = " ".join(f'"{part}" *' if len(part) == 1 else f'"{part}"' for part in name)
    return f"authors : NEAR({parts}, 2)" if len(name) > 1 else f"authors : {parts}"
