"""Papers by a query: SQLite's FTS5, PostgreSQL's text search. Both stem English and ask for every word.

The indexes are the migrations' (0001, 0004, 0006). PostgreSQL would rank every match, at some 20 µs each: it ranks the newest
that hold the words in their title and the newest that hold them anywhere. And it would fetch every match to find the newest: it
looks among the newest papers first, and further back only where they are too few. So a common word costs little more than a rare
one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time
from itertools import combinations, pairwise

from sqlalchemy import Connection, text

from digest.domain.query import Query
from digest.ranking.spelling import spellings

IN_TITLE, ANYWHERE = 400, 800
"""How many of the newest matches PostgreSQL ranks."""
NEWEST = (20_000, 200_000, None)
"""Among how many of the newest papers PostgreSQL looks for them, and where those give too few, among how many then."""
COMMON = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "for",
        "from",
        "in",
        "is",
        "it",
        "of",
        "on",
        "or",
        "that",
        "the",
        "this",
        "to",
        "with",
    ]
)
"""Words that are not looked for: every paper holds them."""
COUNTED = 2_000
"""Further a word's papers are not counted: it is common."""

_SQLITE = """
    SELECT papers_words.rowid AS id, -bm25(papers_words, 10.0, 3.0, 1.0) AS score FROM papers_words {join}
    WHERE papers_words MATCH :query {filters} ORDER BY score DESC, papers_words.rowid DESC LIMIT :limit
"""
_POSTGRESQL = """
    WITH asked AS MATERIALIZED (SELECT {anywhere} AS query, {titled} AS titled), found AS MATERIALIZED ({found})
    SELECT paper_id AS id, ts_rank_cd('{{0.1, 0.1, 0.3, 1.0}}', words, query, 1) AS score, (SELECT count(*) FROM found) AS ranked
    FROM found JOIN papers_words USING (paper_id), asked ORDER BY score DESC, paper_id DESC LIMIT :limit
"""
_FOUND = """
      (SELECT paper_id FROM papers_words {join} WHERE words @@ (SELECT {which} FROM asked) AND paper_id > :older {filters}
       ORDER BY paper_id DESC LIMIT {most})
"""
_NEWEST_ID = text("SELECT (SELECT max(paper_id) FROM papers_words), set_config('plan_cache_mode', 'force_custom_plan', true)")
"""With it goes word that the plan is made for these very words: one made for any words walks all papers, newest first, to find
a rare one (each word a quarter of a second; psycopg prepares what it meets a sixth time).
"""
_FILTERED = "SELECT papers.id, 0 AS score FROM papers WHERE true {filters} ORDER BY first_seen_at DESC, id DESC LIMIT :limit"


def search(connection: Connection, query: Query, limit: int) -> list[tuple[int, float]]:
    """(paper id, score), best first; scores compare only within one answer. Filters alone give the newest, an empty query none.

    `query.like` is not looked at: see `kin`.
    """
    filters, named = _filters(connection, query)
    values = {**named, "limit": limit}
    words = [word for word in query.words if word not in COMMON]
    if not (words or query.phrases or query.authors):
        if not filters:
            return []
        return _run(connection, _FILTERED.format(filters=filters), values)
    if connection.dialect.name == "sqlite":
        matches = [*map(_sqlite_word, words), *map(_sqlite_phrase, query.phrases), *map(_sqlite_author, query.authors)]
        return _sqlite(connection, " AND ".join(matches), filters, values)
    return _postgresql(connection, _Asking.of(words, query), filters, values)


def kin(connection: Connection, words: Iterable[str], query: Query, limit: int) -> list[int]:
    """Papers that hold at least two of the words, and answer to the query's filters."""
    filters, named = _filters(connection, query)
    values = {**named, "limit": limit}
    pairs = list(combinations(words, 2))
    if not pairs:
        return []
    if connection.dialect.name == "sqlite":
        found = _sqlite(connection, " OR ".join(f'("{one}" AND "{other}")' for one, other in pairs), filters, values)
    else:
        asking = _Asking()
        both = asking.english(" | ".join(f"('{one}' & '{other}')" for one, other in pairs))
        asking.add(both, both)
        found = _postgresql(connection, asking, filters, values)
    return [paper_id for paper_id, _ in found]


def papers_holding(connection: Connection, word: str) -> int:
    """How many papers hold a word, counted up to COUNTED."""
    if connection.dialect.name == "sqlite":
        matching, asked = "papers_words MATCH :word", f'"{word}"'
    else:
        matching, asked = "words @@ to_tsquery('english', :word)", f"'{word}'"
    statement = f"SELECT count(*) FROM (SELECT 1 FROM papers_words WHERE {matching} LIMIT {COUNTED}) AS held"  # noqa: S608 - constants
    return connection.scalar(text(statement), {"word": asked}) or 0


def _run(connection: Connection, statement: str, values: dict[str, object]) -> list[tuple[int, float]]:
    return [(row.id, float(row.score)) for row in connection.execute(text(statement), values)]


def _filters(connection: Connection, query: Query) -> tuple[str, dict[str, object]]:
    """Conditions on `papers`, each beginning with AND, and what they bind. What a person typed is always bound."""
    conditions, values = [], dict[str, object]()
    if query.categories:
        own = "lower(CAST(papers.categories AS text))"
        either = []
        for n, category in enumerate(query.categories):
            values |= {f"same{n}": f'%"{category}"%', f"below{n}": f'%"{category}.%'}
            either.append(f"{own} LIKE :same{n} OR {own} LIKE :below{n}")
        conditions.append(f"AND ({' OR '.join(either)})")
    if query.since:
        conditions.append("AND coalesce(papers.published_at, papers.first_seen_at) >= :since")
        midnight = datetime.combine(query.since, time(), UTC)
        values["since"] = f"{query.since} 00:00:00" if connection.dialect.name == "sqlite" else midnight
    return " ".join(conditions), values


# ---- SQLite: https://sqlite.org/fts5.html#full_text_query_syntax; a quoted word is never an operator --------------------------


def _sqlite(connection: Connection, query: str, filters: str, values: dict[str, object]) -> list[tuple[int, float]]:
    join = "JOIN papers ON papers.id = papers_words.rowid" if filters else ""
    return _run(connection, _SQLITE.format(join=join, filters=filters), {**values, "query": query})


def _sqlite_word(word: str) -> str:
    forms = [f'"{form}"' for form in spellings(word)]
    return f"({' OR '.join(forms)})"


def _sqlite_phrase(phrase: tuple[str, ...]) -> str:
    return f'"{" ".join(phrase)}"'


def _sqlite_author(name: tuple[str, ...]) -> str:
    """The parts of one name near each other in any order; an initial stands for names that begin with it."""
    parts = " ".join(f'"{part}" *' if len(part) == 1 else f'"{part}"' for part in name)
    return f"authors : NEAR({parts}, 2)" if len(name) > 1 else f"authors : {parts}"


# ---- PostgreSQL: https://www.postgresql.org/docs/current/textsearch-controls.html ---------------------------------------------


class _Asking:
    """A tsquery as SQL, with what it binds; one for anywhere in a paper and one for its title."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        self._anywhere: list[str] = []
        self._titled: list[str] = []

    @classmethod
    def of(cls, words: Iterable[str], query: Query) -> _Asking:
        asking = cls()
        for word in words:
            forms = spellings(word)
            stemmed = asking.english(" | ".join(f"'{form}'" for form in forms))
            named = asking.simple(f"'{_folded(word)}':B")
            titled = asking.english(" | ".join(f"'{form}':A" for form in forms))
            # a stop word of PostgreSQL's is an empty query, and asks for nothing
            asking.add(f"CASE WHEN numnode({stemmed}) = 0 THEN '' ELSE {stemmed} || {named} END", titled)
        for phrase in query.phrases:
            followed = " <-> ".join(f"'{word}'" for word in phrase)
            titled = " <-> ".join(f"'{word}':A" for word in phrase)
            asking.add(asking.english(followed), asking.english(titled))
        for name in query.authors:
            by = asking.simple(" & ".join(_postgresql_author(name)))
            asking.add(by, by)
        return asking

    def english(self, query: str) -> str:
        return self._bound("english", query)

    def simple(self, query: str) -> str:
        return self._bound("simple", query)

    def add(self, anywhere: str, titled: str) -> None:
        self._anywhere.append(f"({anywhere})")
        self._titled.append(f"({titled})")

    @property
    def sql(self) -> dict[str, str]:
        return {"anywhere": " && ".join(self._anywhere), "titled": " && ".join(self._titled)}

    def _bound(self, configuration: str, query: str) -> str:
        name = f"asked{len(self.values)}"
        self.values[name] = query
        return f"to_tsquery('{configuration}', :{name})"


def _postgresql(connection: Connection, asking: _Asking, filters: str, values: dict[str, object]) -> list[tuple[int, float]]:
    join = "JOIN papers ON papers.id = paper_id" if filters else ""
    asked = asking.sql
    most = {"query": ANYWHERE} if asked["titled"] == asked["anywhere"] else {"titled": IN_TITLE, "query": ANYWHERE}
    found = [_FOUND.format(join=join, filters=filters, which=which, most=number) for which, number in most.items()]
    statement = text(_POSTGRESQL.format(found=" UNION ".join(found), **asked))
    newest = connection.scalar(_NEWEST_ID) or 0
    for back in NEWEST:
        older = 0 if back is None else max(newest - back, 0)
        rows = connection.execute(statement, {**values, **asking.values, "older": older}).all()
        if not older or (rows and rows[0].ranked >= ANYWHERE):
            break
    return [(row.id, float(row.score)) for row in rows]


def _postgresql_author(name: tuple[str, ...]) -> Iterator[str]:
    parts = [f"'{_folded(part)}':{'*' if len(part) == 1 else ''}B" for part in name]
    if len(parts) == 1:
        yield parts[0]
    for one, other in pairwise(parts):
        yield f"({one} <-> {other} | {one} <2> {other} | {other} <-> {one})"


def _folded(word: str) -> str:
    """Without accents, as migration 0006 keeps the authors."""
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
