"""Papers by a query in PostgreSQL's text search, over a table that is small where it is looked through (migration 0009).

Each step is over fewer papers. Which hold all that is asked for, in whatever order and place, the index says, and in which
category they are. The words of those are opened, newest first, until enough hold them as they are asked for: once in titles, once
anywhere. Only these are ranked, at some 20 µs each. So a common word costs little more than a rare one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from itertools import pairwise

from sqlalchemy import Connection, text

from digest.domain.query import Query
from digest.store.dialect import scored
from digest.store.papers.spelling import spellings

IN_TITLE, ANYWHERE = 400, 800
"""How many of the newest matches are ranked."""

_SEARCH = """
    WITH asked AS MATERIALIZED (SELECT {asked}), found AS MATERIALIZED ({found})
    SELECT paper_id AS id, ts_rank_cd('{{0.1, 0.1, 0.3, 1.0}}', words, (SELECT anywhere FROM asked), 1) AS score
    FROM found JOIN papers_words USING (paper_id) ORDER BY score DESC, paper_id DESC LIMIT :limit
"""
_FOUND = """
      (SELECT paper_id FROM (
         SELECT paper_id, paper_id + 0 AS newest FROM papers_words WHERE {held} {filters} ORDER BY newest DESC OFFSET 0) AS held
       WHERE (SELECT words @@ (SELECT {as_asked} FROM asked) {unwanted} FROM papers_words AS opened
              WHERE opened.paper_id = held.paper_id)
       ORDER BY newest DESC LIMIT {most})
"""
"""The sum has PostgreSQL ask the index: it would walk all papers, newest first. The OFFSET has it open words last."""
_HELD = "words @@ (SELECT held FROM asked)"
_HELD_IN_TITLE = "ts_filter(words, '{a}') @@ (SELECT held_in_title FROM asked)"
_FILTERED = """
    SELECT paper_id AS id, 0 AS score FROM papers_words WHERE true {filters}
    ORDER BY first_seen_at DESC, paper_id DESC LIMIT :limit
"""
_FILTERED_WITHOUT = """
    SELECT paper_id AS id, 0 AS score FROM (
      SELECT paper_id, first_seen_at FROM papers_words WHERE true {filters}
      ORDER BY first_seen_at DESC, paper_id DESC OFFSET 0) AS newest
    WHERE (SELECT NOT words @@ ({unwanted}) FROM papers_words AS opened WHERE opened.paper_id = newest.paper_id)
    ORDER BY first_seen_at DESC, paper_id DESC LIMIT :limit
"""
"""Opens words newest first, until enough are found."""
_HOLDING = """
    SELECT word, (SELECT count(*) FROM (
      SELECT 1 FROM papers_words WHERE words @@ to_tsquery('english', word) LIMIT :most) AS held)
    FROM unnest(CAST(:words AS text[])) AS said (word)
"""
_SIMILAR = """
    SELECT paper_id AS id, sum(1 / ln(1 + known)) AS score
    FROM unnest(CAST(:words AS text[]), CAST(:known AS int[])) AS said (word, known)
    CROSS JOIN LATERAL (SELECT paper_id FROM papers_words WHERE words @@ ({held}) {filters} OFFSET 0) AS held
    GROUP BY paper_id HAVING count(*) > 1 ORDER BY score DESC, paper_id DESC LIMIT :limit
"""


def search(connection: Connection, words: Sequence[str], query: Query, limit: int) -> list[tuple[int, float]]:
    """`words`: those of the query that are looked for."""
    filters, values = _filters(query)
    values["limit"] = limit
    if not (words or query.phrases or query.authors):
        return _newest(connection, query, filters, values) if query.categories or query.since else []
    asking = _Asking.of(words, query)
    more = {"filters": filters, "unwanted": "AND NOT words @@ (SELECT unwanted FROM asked)" if "unwanted" in asking.parts else ""}
    found = [_FOUND.format(held=_HELD, as_asked="anywhere", most=ANYWHERE, **more)]
    if words or query.phrases:
        held = f"{_HELD_IN_TITLE} AND {_HELD}" if query.authors or query.unwanted.words else _HELD_IN_TITLE
        found.append(_FOUND.format(held=held, as_asked="in_title", most=IN_TITLE, **more))
    statement = _SEARCH.format(asked=asking.sql, found=" UNION ".join(found))
    with _by_index(connection):
        return scored(connection, statement, values | asking.values)


def similar_ids(connection: Connection, held: Mapping[str, int], query: Query, limit: int) -> list[int]:
    """Those with the most and rarest of the words first."""
    filters, values = _filters(query)
    values |= {"words": [f"'{word}'" for word in held], "known": list(held.values()), "limit": limit}
    asking = _Asking()
    unwanted = asking.without(query)
    each = "to_tsquery('english', word)" + (f" && !!({unwanted})" if unwanted else "")
    with _by_index(connection):
        found = scored(connection, _SIMILAR.format(held=each, filters=filters), values | asking.values)
    return [paper_id for paper_id, _ in found]


def papers_holding(connection: Connection, words: Iterable[str], most: int) -> dict[str, int]:
    """How many papers hold each of the words, counted up to `most`."""
    quoted = {f"'{word}'": word for word in words}
    with _by_index(connection):
        rows = connection.execute(text(_HOLDING), {"words": list(quoted), "most": most}).all()
    return {quoted[word]: held for word, held in rows}


@contextmanager
def _by_index(connection: Connection) -> Iterator[None]:
    """PostgreSQL counts a table without its words cheap to read through, and does not count that it would open them all."""
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    yield
    connection.execute(text("SET LOCAL enable_seqscan TO DEFAULT"))


def _newest(connection: Connection, query: Query, filters: str, values: dict[str, object]) -> list[tuple[int, float]]:
    asking = _Asking()
    if not (unwanted := asking.without(query)):
        return scored(connection, _FILTERED.format(filters=filters), values)
    return scored(connection, _FILTERED_WITHOUT.format(filters=filters, unwanted=unwanted), values | asking.values)


def _filters(query: Query) -> tuple[str, dict[str, object]]:
    conditions, values = [], dict[str, object]()
    if query.categories:
        conditions.append("AND categories && CAST(:categories AS text[])")
        values["categories"] = list(query.categories)
    if query.unwanted.categories:
        conditions.append("AND NOT categories && CAST(:unwanted_categories AS text[])")
        values["unwanted_categories"] = list(query.unwanted.categories)
    if query.since:
        conditions.append("AND shown_at >= :since")
        values["since"] = datetime.combine(query.since, time(), UTC)
    return " ".join(conditions), values


# ---- https://www.postgresql.org/docs/current/textsearch-controls.html ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is asked for, as four tsqueries in SQL with what they bind.

    As it is asked for, anywhere and in titles; and what a paper must hold for that, which is all that the index can tell.
    """

    values: dict[str, object] = field(default_factory=dict)
    parts: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, words: Iterable[str], query: Query) -> _Asking:
        asking = cls()
        for word in words:
            stemmed, held = asking._word(word)
            titled = asking._english(" | ".join(f"'{form}':A" for form in spellings(word)))
            asking._add(anywhere=held, in_title=titled, held=held, held_in_title=stemmed)
        for phrase in query.phrases:
            followed = asking._phrase(phrase)
            titled = asking._english(" <-> ".join(f"'{word}':A" for word in phrase))
            held = asking._english(" & ".join(f"'{word}'" for word in phrase))
            asking._add(anywhere=followed, in_title=titled, held=held, held_in_title=held)
        for author in query.authors:
            by = asking._by(author)
            whole = [f"'{_folded(part)}'" for part in author if len(part) > 1] or [f"'{_folded(part)}':*" for part in author]
            asking._add(anywhere=by, in_title=by, held=asking._simple(" & ".join(whole)), held_in_title="''::tsquery")
        if unwanted := asking.without(query):
            asking._add(unwanted=unwanted)
        if query.unwanted.words:  # the index can tell, so that they need not be opened
            asking._add(held=f"!!({' || '.join(asking._word(word)[1] for word in query.unwanted.words)})")
        return asking

    def without(self, query: Query) -> str:
        """What a paper must not hold, as one tsquery; empty for nothing."""
        unwanted = query.unwanted
        words = [self._word(word)[1] for word in unwanted.words]
        return " || ".join([*words, *map(self._phrase, unwanted.phrases), *map(self._by, unwanted.authors)])

    @property
    def sql(self) -> str:
        return ", ".join(f"{' && '.join(parts)} AS {name}" for name, parts in self.parts.items())

    def _add(self, **parts: str) -> None:
        for name, part in parts.items():
            self.parts.setdefault(name, []).append(f"({part})")

    def _word(self, word: str) -> tuple[str, str]:
        """Stemmed; and so or as a name, which is not stemmed. A stop word of PostgreSQL's is empty, and asks for nothing."""
        stemmed = self._english(" | ".join(f"'{form}'" for form in spellings(word)))
        name = self._simple(f"'{_folded(word)}'")
        return stemmed, f"CASE WHEN numnode({stemmed}) = 0 THEN '' ELSE {stemmed} || {name} END"

    def _phrase(self, phrase: Iterable[str]) -> str:
        return self._english(" <-> ".join(f"'{word}'" for word in phrase))

    def _by(self, author: tuple[str, ...]) -> str:
        return self._simple(" & ".join(_author(author)))

    def _english(self, query: str) -> str:
        return self._bound("english", query)

    def _simple(self, query: str) -> str:
        return self._bound("simple", query)

    def _bound(self, configuration: str, query: str) -> str:
        name = f"asked{len(self.values)}"
        self.values[name] = query
        return f"to_tsquery('{configuration}', :{name})"


def _author(name: tuple[str, ...]) -> Iterator[str]:
    parts = [f"'{_folded(part)}':{'*' if len(part) == 1 else ''}B" for part in name]
    if len(parts) == 1:
        yield parts[0]
    for one, other in pairwise(parts):
        yield f"({one} <-> {other} | {one} <2> {other} | {other} <-> {one})"


def _folded(word: str) -> str:
    """Without accents, as migration 0006 keeps the authors."""
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
