"""Papers by a query in PostgreSQL's text search, over a table that is small where it is looked through (migration 0009).

Each step is over fewer papers. Which hold all that is asked for, in whatever order and place, the index says, and in which
category they are. The words of those are opened, newest first, until enough hold them as they are asked for: once in titles, once
anywhere. Which are best, ranking/text_match.py says. So a common word costs little more than a rare one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

from sqlalchemy import Connection, text

from digest.domain.query import Query
from digest.ranking.text_match import Form, SearchTerm
from digest.store.dialect import scored
from digest.store.papers.cjk import GRAM_HOLDERS, cjk_conditions, is_cjk, with_grams, without_cjk
from digest.store.papers.spelling import spellings

_FOUND = """
      (SELECT paper_id AS id, 0 AS score FROM (
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
_COUNT = """
    SELECT word, papers
    FROM unnest(CAST(:words AS text[]), CAST(:forms AS text[]), CAST(:most AS int[])) AS asked (word, form, most)
    CROSS JOIN LATERAL (SELECT count(*) AS papers FROM (
      SELECT 1 FROM papers_words
      WHERE words @@ (to_tsquery('english', form) || to_tsquery('simple', form)) LIMIT most) AS held) AS counted
"""
_HOLDERS = "SELECT paper_id AS id, CAST(:{weight} AS float8) AS weight FROM papers_words WHERE {held} {filters}"
_HOLDING_MOST = """
    WITH held AS MATERIALIZED (
      SELECT id, sum(weight) AS score FROM ({holders}) AS holders GROUP BY id ORDER BY score DESC, id DESC LIMIT :most)
    SELECT id, score FROM held {checked} ORDER BY score DESC, id DESC LIMIT :limit
"""
_CHECKED = "WHERE (SELECT true {as_asked} {unwanted} FROM papers_words WHERE paper_id = held.id)"
CHECKED = 2_000
"""Of how many that may match partly the words are opened."""
_NEWEST_WITH_ANY = """
    SELECT paper_id AS id, 0 AS score FROM (SELECT paper_id, paper_id + 0 AS newest FROM papers_words
      WHERE words @@ (to_tsquery('english', :any) || to_tsquery('simple', :any))) AS held ORDER BY newest DESC LIMIT :limit
"""
_SIMILAR = """
    SELECT paper_id AS id, sum(1 / ln(1 + known)) AS score
    FROM unnest(CAST(:words AS text[]), CAST(:known AS int[])) AS said (word, known)
    CROSS JOIN LATERAL (SELECT paper_id FROM papers_words WHERE words @@ ({held}) {filters} OFFSET 0) AS held
    GROUP BY paper_id HAVING count(*) > 1 ORDER BY score DESC, paper_id DESC LIMIT :limit
"""
_BY_INDEX = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true),"
    " set_config('max_parallel_workers_per_gather', '0', true)"
)

TITLE_BONUS = 0.3


def with_all(connection: Connection, terms: Sequence[SearchTerm], query: Query, in_title: int, anywhere: int) -> list[int]:
    """The newest papers that hold all that is asked for: so many with the words in the title, so many with them anywhere."""
    query = with_grams(query, terms)
    filters, values = _filters(query)
    asking = _Asking.of([term for term in terms if not term.gram], query)
    if "anywhere" not in asking.parts:
        return [paper_id for paper_id, _ in newest(connection, query, anywhere)]
    more = {"filters": filters, "unwanted": "AND NOT words @@ (SELECT unwanted FROM asked)" if "unwanted" in asking.parts else ""}
    found = [_FOUND.format(held=_HELD, as_asked="anywhere", most=anywhere, **more)]
    if "in_title" in asking.parts:
        held = f"{_HELD_IN_TITLE} AND {_HELD}" if query.authors or query.unwanted.words else _HELD_IN_TITLE
        found.append(_FOUND.format(held=held, as_asked="in_title", most=in_title, **more))
    statement = f"WITH asked AS MATERIALIZED (SELECT {asking.sql}) {' UNION '.join(found)}"
    with _by_index(connection):
        return [paper_id for paper_id, _ in scored(connection, statement, values | asking.values)]


def with_some(connection: Connection, weights: Sequence[tuple[SearchTerm, float]], query: Query, limit: int) -> list[int]:
    """Those that hold the most of the terms by weight, a title's words a little more, among those that answer to the rest."""
    filters, values = _filters(query)
    required = _Asking.of((), query)
    held = [f"AND words @@ ({each})" for each in (" && ".join(required.parts.get("held", ())),) if each]
    holders = []
    for n, (term, weight) in enumerate(weights):
        if term.gram:
            more = " ".join([*held, filters])
            holders.append(GRAM_HOLDERS.format(n=n, number="float8", join="JOIN papers_words USING (paper_id)", filters=more))
            values |= {f"weight{n}": weight, f"gram{n}": term.gram}
            continue
        spelled = required.spelled(term.forms)
        values |= {f"weight{n}": weight, f"title_weight{n}": TITLE_BONUS * weight}
        where = {"weight": f"words @@ ({spelled.held})", "title_weight": f"ts_filter(words, '{{a}}') @@ ({spelled.titled})"}
        for name, each in where.items():
            holders.append(_HOLDERS.format(weight=f"{name}{n}", held=" ".join([each, *held]), filters=filters))
    unwanted = f"AND NOT words @@ ({each})" if (each := " || ".join(required.parts.get("unwanted", ()))) else ""
    as_asked = f"AND words @@ ({each})" if (each := " && ".join(required.parts.get("anywhere", ()))) else ""
    checked = _CHECKED.format(as_asked=as_asked, unwanted=unwanted) if as_asked or unwanted else ""
    values |= {"limit": limit, "most": CHECKED if checked else limit}
    statement = _HOLDING_MOST.format(holders=" UNION ALL ".join(holders), checked=checked)
    with _by_index(connection):
        return [paper_id for paper_id, _ in scored(connection, statement, values | required.values)]


def newest_with_any(connection: Connection, words: Sequence[str], limit: int) -> list[tuple[int, float]]:
    with _by_index(connection):
        return scored(connection, _NEWEST_WITH_ANY, {"any": " | ".join(f"'{word}'" for word in words), "limit": limit})


def similar_ids(
    connection: Connection, held: Mapping[str, int], query: Query, limit: int, near: tuple[int, int] | None = None
) -> list[int]:
    """Those with the most and rarest of the words first; with `near`, of the papers from one number to another."""
    filters, values = _filters(query)
    if near:
        filters += " AND paper_id BETWEEN :first AND :last"
        values |= dict(zip(("first", "last"), near, strict=True))
    values |= {"words": [f"'{word}'" for word in held], "known": list(held.values()), "limit": limit}
    asking = _Asking()
    unwanted = asking.without(query)
    each = "to_tsquery('english', word)" + (f" && !!({unwanted})" if unwanted else "")
    with _by_index(connection):
        found = scored(connection, _SIMILAR.format(held=each, filters=filters), values | asking.values)
    return [paper_id for paper_id, _ in found]


def papers_holding(connection: Connection, asked: Mapping[str, int]) -> dict[str, int]:
    """How many papers hold each word or phrase, counted up to so many."""
    forms = [tuple(word.split()) for word in asked]
    values = {
        "words": list(asked),
        "forms": [_form(form, "<->") for form in forms],
        "most": list(asked.values()),
    }
    with _by_index(connection):
        return {row.word: row.papers for row in connection.execute(text(_COUNT), values)}


@contextmanager
def _by_index(connection: Connection) -> Iterator[None]:
    """PostgreSQL counts a table without its words cheap to read through, and does not count that it would open them all.

    To compile a statement, or start processes for it, takes longer than the statement.
    """
    connection.execute(_BY_INDEX)
    yield
    connection.execute(text("SET LOCAL enable_seqscan TO DEFAULT"))


def newest(connection: Connection, query: Query, limit: int) -> list[tuple[int, float]]:
    filters, values = _filters(query)
    values["limit"] = limit
    asking = _Asking()
    if not (unwanted := asking.without(query)):
        return scored(connection, _FILTERED.format(filters=filters), values)
    return scored(connection, _FILTERED_WITHOUT.format(filters=filters, unwanted=unwanted), values | asking.values)


def _filters(query: Query) -> tuple[str, dict[str, object]]:
    conditions, values = [], dict[str, object]()
    if query.categories:
        conditions.append("AND categories && CAST(:categories AS text[])")
        values["categories"] = list(query.categories)
    wanted, grams = cjk_conditions(query, "papers_words.paper_id")
    conditions += [f"AND {each}" for each in wanted]
    values |= grams
    if query.unwanted.categories:
        conditions.append("AND NOT categories && CAST(:unwanted_categories AS text[])")
        values["unwanted_categories"] = list(query.unwanted.categories)
    if query.since:
        conditions.append("AND shown_at >= :since")
        values["since"] = datetime.combine(query.since, time(), UTC)
    if query.until:
        conditions.append("AND shown_at < :after")
        values["after"] = datetime.combine(query.until + timedelta(days=1), time(), UTC)
    if query.sources:
        seen = [f"CAST(papers.sources AS text) LIKE :source{n}" for n in range(len(query.sources))]
        own = "SELECT 1 FROM papers WHERE papers.id = papers_words.paper_id"
        conditions.append(f"AND EXISTS ({own} AND ({' OR '.join(seen)}))")
        values |= {f"source{n}": f'%"{source}"%' for n, source in enumerate(query.sources)}
    return " ".join(conditions), values


# ---- https://www.postgresql.org/docs/current/textsearch-controls.html ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Spelled:
    """A word in its forms, as tsqueries in SQL: as asked for, anywhere and in titles; and what the index can tell of either."""

    anywhere: str
    in_title: str
    held: str
    titled: str


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is asked for, as four tsqueries in SQL with what they bind.

    As it is asked for, anywhere and in titles; and what a paper must hold for that, which is all that the index can tell.
    """

    values: dict[str, object] = field(default_factory=dict)
    parts: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, terms: Iterable[SearchTerm], query: Query) -> _Asking:
        asking = cls()
        for term in terms:
            spelled = asking.spelled(term.forms)
            asking._add(anywhere=spelled.anywhere, in_title=spelled.in_title, held=spelled.held, held_in_title=spelled.titled)
        for phrase in without_cjk(query.phrases):
            followed = asking._phrase(phrase)
            titled = asking._english(_form(phrase, "<->", ":A"))
            held = asking._english(_form(phrase, "&"))
            asking._add(anywhere=followed, in_title=titled, held=held, held_in_title=held)
        for author in query.authors:
            by = asking._by(author)
            whole = [f"'{_folded(part)}'" for part in author if len(part) > 1] or [f"'{_folded(part)}':*" for part in author]
            asking._add(anywhere=by, in_title=by, held=asking._simple(" & ".join(whole)), held_in_title="''::tsquery")
        if unwanted := asking.without(query):
            asking._add(unwanted=unwanted)
        if words := _plain(query.unwanted.words):  # the index can tell, so that they need not be opened
            asking._add(held=f"!!({' || '.join(asking._word(word) for word in words)})")
        return asking

    def without(self, query: Query) -> str:
        """What a paper must not hold, as one tsquery; empty for nothing."""
        unwanted = query.unwanted
        words = [self._word(word) for word in _plain(unwanted.words)]
        return " || ".join([*words, *map(self._phrase, without_cjk(unwanted.phrases)), *map(self._by, unwanted.authors)])

    @property
    def sql(self) -> str:
        return ", ".join(f"{' && '.join(parts)} AS {name}" for name, parts in self.parts.items())

    def _add(self, **parts: str) -> None:
        for name, part in parts.items():
            self.parts.setdefault(name, []).append(f"({part})")

    def spelled(self, forms: Sequence[Form]) -> _Spelled:
        """A word that is one is looked for stemmed, and so or as a name, which is not stemmed. A stop word of PostgreSQL's is
        empty, and asks for nothing."""
        held, followed = self._english(_any_form(forms, "&")), self._english(_any_form(forms, "<->"))
        names = [form[0] for form in forms if len(form) == 1]
        name = self._simple(" | ".join(f"'{_folded(word)}'" for word in names)) if names else "''::tsquery"
        named = "CASE WHEN numnode({0}) = 0 THEN '' ELSE {0} || {1} END"
        return _Spelled(
            named.format(followed, name), self._english(_any_form(forms, "<->", ":A")), named.format(held, name), held
        )

    def _word(self, word: str) -> str:
        return self.spelled([(form,) for form in spellings(word)]).held

    def _phrase(self, phrase: Iterable[str]) -> str:
        return self._english(_form(tuple(phrase), "<->"))

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


def _plain(words: Iterable[str]) -> list[str]:
    return [word for word in words if not is_cjk((word,))]


def _any_form(forms: Iterable[Form], joined: str, label: str = "") -> str:
    return " | ".join(_form(form, joined, label) for form in forms)


def _form(form: Form, joined: str, label: str = "") -> str:
    words = f" {joined} ".join(f"'{_folded(word)}'{label}" for word in form)
    return f"({words})"


def _author(name: tuple[str, ...]) -> Iterator[str]:
    parts = [f"'{_folded(part)}':{'*' if len(part) == 1 else ''}B" for part in name]
    if len(parts) == 1:
        yield parts[0]
    for one, other in pairwise(parts):
        yield f"({one} <-> {other} | {one} <2> {other} | {other} <-> {one})"


def _folded(word: str) -> str:
    """Without accents, as migration 0006 keeps the authors."""
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
