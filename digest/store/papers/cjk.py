"""Chinese, Japanese and Korean in search: papers by every two neighbouring characters, as neither word index can part them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sqlalchemy import Connection, delete, func, insert, select

from digest.domain.query import Query
from digest.ranking.text_match import Form, SearchTerm, cjk_grams
from digest.store.dialect import chunks
from digest.store.schema_papers import paper_grams

_HELD = "{paper} IN (SELECT paper_id FROM paper_grams WHERE gram = :{name})"
GRAM_HOLDERS = (
    "SELECT paper_id AS id, CAST(:weight{n} AS {number}) AS weight FROM paper_grams {join} WHERE gram = :gram{n} {filters}"
)


def index_grams(connection: Connection, texts: Mapping[int, str], *, replacing: bool = False) -> None:
    """Keeps what each paper (its id) holds; `replacing`: in place of what it held."""
    if replacing:
        for some in chunks(texts):
            connection.execute(delete(paper_grams).where(paper_grams.c.paper_id.in_(some)))
    rows = [{"gram": gram, "paper_id": paper_id} for paper_id, words in texts.items() for gram in cjk_grams(words)]
    if rows:
        connection.execute(insert(paper_grams), rows)


def is_cjk(words: Iterable[str]) -> bool:
    return any(cjk_grams(word) for word in words)


def without_cjk(phrases: Iterable[Form]) -> list[Form]:
    return [phrase for phrase in phrases if not is_cjk(phrase)]


def papers_with(connection: Connection, gram: str) -> int:
    return connection.scalar(select(func.count()).where(paper_grams.c.gram == gram)) or 0


def cjk_conditions(query: Query, paper: str) -> tuple[list[str], dict[str, object]]:
    """Conditions on a paper's number for the query's phrases and for what it leaves out, and what they bind."""
    wanted = [gram for phrase in query.phrases for gram in needed_grams(phrase)]
    forms = (*((word,) for word in query.unwanted.words), *query.unwanted.phrases)
    unwanted = [needed for form in forms if (needed := needed_grams(form))]
    conditions, values = _held(wanted, paper, "wanted_gram")
    for n, grams in enumerate(unwanted):
        each, more = _held(grams, paper, f"unwanted_gram{n}_")
        conditions.append(f"NOT ({' AND '.join(each)})")
        values |= more
    return conditions, values


def _held(grams: Iterable[str], paper: str, name: str) -> tuple[list[str], dict[str, object]]:
    values: dict[str, object] = {f"{name}{n}": gram for n, gram in enumerate(dict.fromkeys(grams))}
    return [_HELD.format(paper=paper, name=each) for each in values], values


def with_grams(query: Query, terms: Iterable[SearchTerm]) -> Query:
    """The same, and a paper must hold the terms' characters as it must hold a phrase."""
    return replace(query, phrases=(*query.phrases, *((term.gram,) for term in terms if term.gram)))


def needed_grams(phrase: Form) -> list[str]:
    """The grams of a phrase; none for one in other scripts."""
    return [gram for word in phrase for gram in query_grams(word)]


def query_grams(word: str) -> list[str]:
    """What to look for: pairs, and a character that stands alone."""
    return [gram for gram in cjk_grams(word) if len(gram) > 1] or cjk_grams(word)
