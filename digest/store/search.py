"""Papers by words: SQLite's FTS5, PostgreSQL's text search. Both stem English and ask for every word.

The indexes are the migrations' (0001): SQLite's is kept by store/words.py and triggers, PostgreSQL's is over an expression,
spelled here once.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection, text

WORDS_OF_A_PAPER = (
    "setweight(to_tsvector('english', title), 'A')"
    " || setweight(to_tsvector('simple', authors::text), 'B')"
    " || setweight(to_tsvector('english', abstract), 'C')"
)

_SQLITE = """
    SELECT rowid AS id, -bm25(papers_words, 10.0, 3.0, 1.0) AS score FROM papers_words
    WHERE papers_words MATCH :query ORDER BY score DESC, rowid DESC LIMIT :limit
"""
_POSTGRESQL = f"""
    SELECT id, ts_rank_cd({WORDS_OF_A_PAPER}, query) AS score
    FROM papers, (SELECT {{query}} AS query) AS asked
    WHERE ({WORDS_OF_A_PAPER}) @@ query ORDER BY score DESC, id DESC LIMIT :limit
"""  # noqa: S608 - constants only; what a person typed is bound
_WORD = re.compile(r"[^\W_]+")
_MOST_WORDS = 32


def search(connection: Connection, query: str, limit: int) -> list[tuple[int, float]]:
    """(paper id, score), best first; scores compare only within one answer. Nothing in `query` is syntax; no words, no papers."""
    words = _WORD.findall(query)[:_MOST_WORDS]
    if not words:
        return []
    if connection.dialect.name == "sqlite":
        quoted = " ".join(f'"{word}"' for word in words)  # unquoted, AND, NEAR and such would be operators
        rows = connection.execute(text(_SQLITE), {"query": quoted, "limit": limit})
    else:
        # a word is found stemmed in title and abstract, or as it stands among the authors
        each = " && ".join(f"(plainto_tsquery('english', :w{n}) || plainto_tsquery('simple', :w{n}))" for n in range(len(words)))
        named = {f"w{n}": word for n, word in enumerate(words)}
        rows = connection.execute(text(_POSTGRESQL.format(query=each)), {**named, "limit": limit})
    return [(row.id, float(row.score)) for row in rows]
