"""What somebody searches for: words, "phrases", author:, cat:, since:, like:. Any text is a query, never an error."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from digest.domain.errors import InvalidIdentifier
from digest.domain.identifier import Identifier, parse_identifier

LONGEST = 200
"""Characters of a query that are read; the rest is let be."""
MOST_WORDS = 16
"""Words, phrases and filters that count, each: more are no question but a text."""

_PART = re.compile(
    r'(?:(?P<field>author|cat|category|since|like):\s*)?(?:["“”](?P<quoted>[^"“”]*)["“”]|(?P<bare>[^\s"“”]+))', re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+")
_CATEGORY = re.compile(r"[a-z]+(?:-[a-z]+)*(?:\.[a-z-]+)?", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A paper answers when it holds every word, every phrase and each author, is in one of the categories, and not older.

    Words are without punctuation, in lower case. A phrase is its words in order, an author too: given names first.
    """

    words: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    authors: tuple[tuple[str, ...], ...] = ()
    categories: tuple[str, ...] = ()
    """In lower case: "cs.cl", or "cs" for all below it."""
    since: date | None = None
    """Published (where that is unknown: first seen) on this day or later."""
    like: Identifier | None = None
    """Papers similar to this one, instead of those that hold words and phrases."""

    def __bool__(self) -> bool:
        return any((self.words, self.phrases, self.authors, self.categories, self.since, self.like))

    @property
    def plain(self) -> bool:
        """Words only."""
        return not (self.phrases or self.authors or self.categories or self.since or self.like)


def parse_query(text: str) -> Query:
    """Reads any text. What looks like a filter and is none ("since:ever") is read as words, as is everything else.

    "since:2026", "since:2026-05" and "since:2026-05-01" count from the first day of what they name.
    """
    words: list[str] = []
    phrases: list[tuple[str, ...]] = []
    authors: list[tuple[str, ...]] = []
    categories: list[str] = []
    since: date | None = None
    like: Identifier | None = None
    for part in _PART.finditer(text[:LONGEST]):
        field, value = (part["field"] or "").lower(), part["quoted"] if part["quoted"] is not None else part["bare"]
        found = tuple(_WORD.findall(value.lower()))
        if field == "author" and found:
            last, _, first = value.lower().partition(",")
            authors.append((*_WORD.findall(first), *_WORD.findall(last)))
        elif field in ("cat", "category") and _CATEGORY.fullmatch(value):
            categories.append(value.lower())
        elif field == "since" and (day := _first_day(value)):
            since = max(day, since or day)
        elif field == "like" and (named := _identifier(value)):
            like = like or named
        elif part["quoted"] is not None and not field and len(found) > 1:
            phrases.append(found)
        else:
            words += [*((field,) if field else ()), *found]
    return Query(
        words=tuple(dict.fromkeys(words))[:MOST_WORDS],
        phrases=tuple(dict.fromkeys(phrases))[:MOST_WORDS],
        authors=tuple(dict.fromkeys(authors))[:MOST_WORDS],
        categories=tuple(dict.fromkeys(categories))[:MOST_WORDS],
        since=since,
        like=like,
    )


def told(query: Query) -> str:
    """The query as it was understood: 'words: graph, “neural network”, by ho, in cs.lg, since 2026-05-01'."""
    phrases = [f"“{' '.join(phrase)}”" for phrase in query.phrases]
    parts = [*([" ".join(query.words)] if query.words else []), *phrases, *(f"by {' '.join(name)}" for name in query.authors)]
    parts += [f"in {' or '.join(query.categories)}"] if query.categories else []
    parts += [f"since {query.since}"] if query.since else []
    parts += [f"like {query.like}"] if query.like else []
    return ", ".join(parts)


def _identifier(text: str) -> Identifier | None:
    try:
        return parse_identifier(text).identifier
    except InvalidIdentifier:
        return None


def _first_day(text: str) -> date | None:
    if not (found := _DATE.fullmatch(text)):
        return None
    try:
        return date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
    except ValueError:
        return None
