"""Papers by a query: SQLite's FTS5 here, PostgreSQL's text search in search_postgresql.py.

Either database finds candidates by what its index knows: the newest papers that hold every word, in the title and anywhere; where
these are few, the papers that hold the most of the rarer words. Their texts are weighed in one place (ranking/text_match.py), so
that both databases answer alike. The indexes are the migrations' (0001, 0004, 0006, 0009).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import combinations
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, func, select, text

from digest.domain.query import Query, content_words
from digest.ranking.text_match import Form, SearchTerm, Text, TextMatcher
from digest.store.dialect import chunks, scored
from digest.store.papers import search_postgresql
from digest.store.papers.cjk import GRAM_HOLDERS, cjk_conditions, is_cjk, papers_with, with_grams, without_cjk
from digest.store.papers.search_terms import corrected, search_terms
from digest.store.papers.spelling import spellings
from digest.store.schema import papers

COUNTED, COUNTED_PHRASE = 5_000, 200
"""Further a word's or phrase's papers are not counted at once."""
IN_TITLE, ANYWHERE, PARTLY = 200, 200, 300
"""How many candidates are weighed: the newest of those that hold every word, and the best of those that hold some."""
MOST_HOLDERS = 30_000
"""Partial matches are sought among the holders of the rarer words, so many in all; commoner words only weigh."""
TITLE_BONUS = 0.3
EXAMPLES = 100
"""Papers in which words near a misspelled one are sought."""

_NEWEST_WITH = """
    SELECT papers_words.rowid AS id, 0 AS score FROM papers_words {join}
    WHERE papers_words MATCH :query {filters} ORDER BY papers_words.rowid DESC LIMIT :limit
"""
_FOUND = """
    SELECT papers_words.rowid AS id, -bm25(papers_words, 10.0, 3.0, 1.0) AS score FROM papers_words {join}
    WHERE papers_words MATCH :query {filters} ORDER BY score DESC, papers_words.rowid DESC LIMIT :limit
"""
_HOLDERS = """
    SELECT papers_words.rowid AS id, CAST(:weight{n} AS real) AS weight FROM papers_words {join}
    WHERE papers_words MATCH :query{n} {filters}
"""
_HOLDING_MOST = "SELECT id, sum(weight) AS score FROM ({holders}) GROUP BY id ORDER BY score DESC, id DESC LIMIT :limit"
_FILTERED = "SELECT papers.id, 0 AS score FROM papers WHERE true {filters} ORDER BY first_seen_at DESC, id DESC LIMIT :limit"
_COUNT = "SELECT count(*) FROM (SELECT 1 FROM papers_words WHERE papers_words MATCH :query LIMIT :most)"


@dataclass(frozen=True, slots=True)
class FoundPaper:
    """As domain/search_result.py's Match, by the paper's id."""

    id: int
    score: float
    missing: tuple[str, ...] = ()
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    matches: tuple[FoundPaper, ...] = ()
    corrected: tuple[tuple[str, str], ...] = ()
    known: frozenset[str] = frozenset()


def search(connection: Connection, query: Query, limit: int) -> Found:
    """Papers that hold all that is asked for, then those that hold some of the words; filters alone give the newest.

    Phrases, authors, categories and what is left out hold for every paper. `query.like` is not looked at: see `similar_ids`.
    """
    if not (content_words(query.words) or query.phrases or query.authors):
        newest = _newest(connection, query, limit) if query.filters else []
        return Found(tuple(FoundPaper(paper_id, score) for paper_id, score in newest))
    holding = partial(papers_holding_remembered, connection)
    terms = search_terms(query.words, holding, partial(papers_with, connection))
    found = _Weighing(connection, query, limit)
    found.whole(terms)
    used: dict[str, str] = {}
    if len(found.matches) < limit:
        better, used = corrected(terms, partial(papers_holding, connection), partial(_examples, connection))
        if used:
            found.whole(better)
        found.partly(better)
    return Found(found.matches, tuple(used.items()), frozenset(term.word for term in terms if term.papers and term.word in used))


class _Weighing:
    """Matches as they are gathered: what was found first stays first."""

    def __init__(self, connection: Connection, query: Query, limit: int) -> None:
        self._connection, self._query, self._limit = connection, query, limit
        self._last = _last(connection)
        self._found: dict[int, FoundPaper] = {}

    @property
    def matches(self) -> tuple[FoundPaper, ...]:
        return tuple(self._found.values())[: self._limit]

    def whole(self, terms: Sequence[SearchTerm]) -> None:
        """Papers that hold every term."""
        if all(term.papers for term in terms):
            ids = _with_all(self._connection, terms, self._query, max(self._limit, IN_TITLE), max(self._limit, ANYWHERE))
            self._add(self._matcher(terms), ids, whole=True)

    def partly(self, terms: Sequence[SearchTerm]) -> None:
        """Papers that hold some of the terms."""
        if len(terms) > 1 and (known := _rarer(terms)):
            matcher = self._matcher(terms)
            self._add(matcher, _with_some(self._connection, known, matcher, self._query, max(self._limit, PARTLY)), whole=False)

    def _matcher(self, terms: Sequence[SearchTerm]) -> TextMatcher:
        return TextMatcher([*terms, *(SearchTerm(" ".join(each), (each,), 0) for each in self._query.phrases)], self._last)

    def _add(self, matcher: TextMatcher, ids: Iterable[int], *, whole: bool) -> None:
        texts = {each.id: each for each in _texts(self._connection, (each for each in ids if each not in self._found))}
        weighed = matcher.best(texts.values())
        if not whole:  # what the database's stemmer takes for another word is whole where ours does not
            weighed = sorted((each for each in weighed if any(each.held)), key=lambda each: not all(each.held))
        for match in weighed[: self._limit - len(self._found)]:
            missing = () if whole else matcher.missing(match)
            self._found[match.id] = FoundPaper(match.id, match.score, missing, matcher.sentence(texts[match.id].abstract))


def similar_ids(connection: Connection, held: Mapping[str, int], query: Query, limit: int) -> list[int]:
    """Papers that hold at least two of the words (`held`: by how many papers each is), and answer to the query's filters."""
    if connection.dialect.name == "postgresql":
        return search_postgresql.similar_ids(connection, held, query, limit)
    pairs = [f'("{one}" AND "{other}")' for one, other in combinations(held, 2)]
    return [paper_id for paper_id, _ in _found(connection, _FOUND, " OR ".join(pairs), query, limit)] if pairs else []


def papers_holding(connection: Connection, words: Iterable[str]) -> dict[str, int]:
    """How many papers hold each of the words or phrases, counted up to COUNTED or COUNTED_PHRASE."""
    asked = {word: COUNTED_PHRASE if " " in word else COUNTED for word in words}
    if connection.dialect.name == "postgresql":
        return search_postgresql.papers_holding(connection, asked)
    count = text(_COUNT)
    return {word: connection.scalar(count, {"query": f'"{word}"', "most": most}) or 0 for word, most in asked.items()}


def papers_holding_remembered(connection: Connection, words: Iterable[str]) -> dict[str, int]:
    """The same; and words beyond COUNTED are counted out, once for all searches: it takes long, and hardly changes."""
    common = _COMMON.setdefault(connection.engine, {})
    asked = list(words)
    counts = papers_holding(connection, (word for word in asked if word not in common))
    if beyond := [word for word, held in counts.items() if held == COUNTED]:
        if len(common) > MOST_COMMON:
            common.clear()
        common |= _counted_out(connection, beyond)
    return counts | {word: common[word] for word in asked if word in common}


_COMMON: WeakKeyDictionary[Engine, dict[str, int]] = WeakKeyDictionary()
MOST_COMMON = 5_000


def _counted_out(connection: Connection, words: Iterable[str]) -> dict[str, int]:
    asked = dict.fromkeys(words, _last(connection) + 1)
    if connection.dialect.name == "postgresql":
        return search_postgresql.papers_holding(connection, asked)
    count = text(_COUNT)
    return {word: connection.scalar(count, {"query": f'"{word}"', "most": most}) or 0 for word, most in asked.items()}


# ---- candidates ---------------------------------------------------------------------------------------------------------------


def _rarer(terms: Sequence[SearchTerm]) -> list[SearchTerm]:
    """The rarest of the terms that some paper holds, as long as few enough papers hold any of them."""
    chosen: list[SearchTerm] = []
    holders = 0
    for term in sorted(terms, key=lambda term: term.papers):
        holders += term.papers
        if term.papers and (not chosen or holders <= MOST_HOLDERS):
            chosen.append(term)
    return chosen


def _with_all(connection: Connection, terms: Sequence[SearchTerm], query: Query, in_title: int, anywhere: int) -> list[int]:
    if connection.dialect.name == "postgresql":
        return search_postgresql.with_all(connection, terms, query, in_title, anywhere)
    query = with_grams(query, terms)
    words = [_any_form(term.forms) for term in terms if not term.gram]
    phrases, authors = [*map(_phrase, without_cjk(query.phrases))], [*map(_author, query.authors)]
    if not (words or phrases or authors):
        return [paper_id for paper_id, _ in _newest(connection, query, anywhere)]
    found = _found(connection, _NEWEST_WITH, " AND ".join([*words, *phrases, *authors]), query, anywhere)
    if words or phrases:
        titled = [f"title : ({part})" for part in (*words, *phrases)]
        found += _found(connection, _NEWEST_WITH, " AND ".join([*titled, *authors]), query, in_title)
    return list(dict.fromkeys(paper_id for paper_id, _ in found))


def _with_some(connection: Connection, terms: Sequence[SearchTerm], matcher: TextMatcher, query: Query, limit: int) -> list[int]:
    """Those that hold the most of the terms by rarity."""
    weights = [(term, matcher.rarity(term)) for term in terms]
    if connection.dialect.name == "postgresql":
        return search_postgresql.with_some(connection, weights, query, limit)
    filters, values = _filters(query)
    always = [*map(_phrase, without_cjk(query.phrases)), *map(_author, query.authors)]
    others = filters
    for within, matching in (("IN", " AND ".join(always)), ("NOT IN", _unwanted(query))):
        if matching:
            name = f"rest{len(values)}"
            others += f" AND papers.id {within} (SELECT rowid FROM papers_words WHERE papers_words MATCH :{name})"  # noqa: S608 - the name is ours
            values[name] = matching
    join, holders = _join(filters), list[str]()
    for term, weight in weights:
        n, title, form = len(holders), len(holders) + 1, _any_form(term.forms)
        if term.gram:
            holders.append(GRAM_HOLDERS.format(n=n, number="real", join="JOIN papers ON papers.id = paper_id", filters=others))
            values |= {f"weight{n}": weight, f"gram{n}": term.gram}
            continue
        holders += [_HOLDERS.format(n=each, join=join, filters=filters) for each in (n, title)]
        values |= {f"weight{n}": weight, f"query{n}": _without(" AND ".join([form, *always]), query)}
        in_title = " AND ".join([f"title : ({form})", *always])
        values |= {f"weight{title}": TITLE_BONUS * weight, f"query{title}": _without(in_title, query)}
    statement = _HOLDING_MOST.format(holders=" UNION ALL ".join(holders))
    return [paper_id for paper_id, _ in scored(connection, statement, {**values, "limit": limit})]


def _examples(connection: Connection, words: Sequence[str]) -> list[Text]:
    if connection.dialect.name == "postgresql":
        found = search_postgresql.newest_with_any(connection, words, EXAMPLES)
    else:
        found = _found(connection, _NEWEST_WITH, " OR ".join(f'"{word}"' for word in words), Query(), EXAMPLES)
    return list(_texts(connection, [paper_id for paper_id, _ in found]))


def _texts(connection: Connection, ids: Iterable[int]) -> Iterator[Text]:
    for some in chunks(ids):
        columns = (papers.c.id, papers.c.title, papers.c.abstract, papers.c.authors)
        for paper_id, title, abstract, authors in connection.execute(select(*columns).where(papers.c.id.in_(some))):
            yield Text(paper_id, title, abstract, ", ".join(authors))


def _last(connection: Connection) -> int:
    """The newest paper's number: about how many there are."""
    return connection.scalar(select(func.max(papers.c.id))) or 0


# ---- SQLite: https://sqlite.org/fts5.html#full_text_query_syntax; a quoted word is never an operator --------------------------


def _found(connection: Connection, statement: str, matching: str, query: Query, limit: int) -> list[tuple[int, float]]:
    filters, values = _filters(query)
    values |= {"query": _without(matching, query), "limit": limit}
    return scored(connection, statement.format(join=_join(filters), filters=filters), values)


def _join(filters: str) -> str:
    return "JOIN papers ON papers.id = papers_words.rowid" if filters else ""


def _without(matching: str, query: Query) -> str:
    unwanted = _unwanted(query)
    return f"({matching}) NOT ({unwanted})" if unwanted else matching


def _newest(connection: Connection, query: Query, limit: int) -> list[tuple[int, float]]:
    if connection.dialect.name == "postgresql":
        return search_postgresql.newest(connection, query, limit)
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
    wanted, grams = cjk_conditions(query, "papers.id")
    conditions += [f"AND {each}" for each in wanted]
    values |= grams
    if query.since:
        conditions.append("AND coalesce(papers.published_at, papers.first_seen_at) >= :since")
        values["since"] = f"{query.since} 00:00:00"
    if query.until:
        conditions.append("AND coalesce(papers.published_at, papers.first_seen_at) < :after")
        values["after"] = f"{query.until + timedelta(days=1)} 00:00:00"
    if query.sources:
        seen = [f"papers.sources LIKE :source{n}" for n in range(len(query.sources))]
        conditions.append(f"AND ({' OR '.join(seen)})")
        values |= {f"source{n}": f'%"{source}"%' for n, source in enumerate(query.sources)}
    return " ".join(conditions), values


def _unwanted(query: Query) -> str:
    unwanted = query.unwanted
    words = [_any_form((form,) for form in spellings(word)) for word in content_words(unwanted.words) if not is_cjk((word,))]
    return " OR ".join([*words, *map(_phrase, without_cjk(unwanted.phrases)), *map(_author, unwanted.authors)])


def _any_form(forms: Iterable[Form]) -> str:
    return f"({' OR '.join(map(_phrase, forms))})"


def _phrase(phrase: Form) -> str:
    return f'"{" ".join(phrase)}"'


def _author(name: tuple[str, ...]) -> str:
    """The parts of one name near each other in any order; an initial stands for names that begin with it."""
    parts = " ".join(f'"{part}" *' if len(part) == 1 else f'"{part}"' for part in name)
    return f"authors : NEAR({parts}, {2 * len(name) - 3})" if len(name) > 1 else f"authors : {parts}"
