"""What somebody searches for: words, "phrases", author:, cat:, since:, until:, source:, like:, and -what to leave out.

Any text is a query.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from typing import Any

from digest.domain.errors import InvalidIdentifier
from digest.domain.identifier import Identifier, parse_identifier
from digest.domain.phrase import joined, phrase

LONGEST = 500
"""Characters of a query that are read; the rest is let be."""
MOST_WORDS = 40
"""Words that count."""
MOST_PARTS = 16
"""Phrases and filters that count, each: more are no question but a text."""

_COMMON = """
    a about above after again against all am an and any are as at be because been before being below between both but by
    can did do does doing don down during each few for from further had has have having he her here hers herself him
    himself his how i if in into is it its itself just me more most my myself no nor not now of off on once only or
    other our ours ourselves out over own s same she should so some such t than that the their theirs them themselves
    then there these they this those through to too under until up very was we were what when where which while who whom
    why will with you your yours yourself yourselves
    """
COMMON = frozenset(_COMMON.split())
"""Words that are not looked for: they say nothing, and PostgreSQL's index leaves them out (its english.stop)."""
ASK_FOR_SOMETHING = phrase("this search only leaves papers out: add a word to look for, as in: diffusion -video")

TYPED = str.maketrans({**dict.fromkeys("“”„‟«»「」『』〝〞＂", '"'), "，": ",", "、": ",", "；": ";", "：": ":"})
"""Quotation marks, commas and colons of other keyboards → ours."""
_PART = re.compile(
    r"(?P<minus>(?<!\S)[-‐–−]+(?=[^\s>]))?"  # in front of a part, never inside one: "X-ray" and "GPT-4" are words
    r'(?:(?P<field>author|cat|category|since|until|source|like):\s*)?(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"]+))',
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")
_CATEGORY = re.compile(r"[a-z]+(?:-[a-z]+)*(?:\.[a-z-]+)?", re.IGNORECASE)
_SOURCE = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwanted:
    """A paper that holds any of the words or phrases, is by any of the authors or in any of the categories, does not answer."""

    words: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    authors: tuple[tuple[str, ...], ...] = ()
    categories: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any((self.words, self.phrases, self.authors, self.categories))


NOTHING = Unwanted()


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A paper answers when it holds every word, every phrase and each author, is in one of the categories, not older, and not
    unwanted.

    Words are without punctuation, in lower case. A phrase is its words in order, an author too: given names first.
    """

    words: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    authors: tuple[tuple[str, ...], ...] = ()
    categories: tuple[str, ...] = ()
    """In lower case: "cs.cl", or "cs" for all below it."""
    since: date | None = None
    """Published (where that is unknown: first seen) on this day or later."""
    until: date | None = None
    """On this day or earlier."""
    sources: tuple[str, ...] = ()
    """Seen by one of these sources, in lower case."""
    like: Identifier | None = None
    """Papers similar to this one, instead of those that hold words and phrases."""

    unwanted: Unwanted = NOTHING

    def __bool__(self) -> bool:
        return self.asks or bool(self.unwanted)

    @property
    def asks(self) -> bool:
        """For something, rather than only leaving papers out: then nothing answers."""
        return not self.wordy or bool(self.words)

    @property
    def filters(self) -> bool:
        """Whether it asks for a category, a time or a source: what the newest papers can answer to without any word."""
        return bool(self.categories or self.since or self.until or self.sources)

    @property
    def missing_hint(self) -> str:
        """What to add to a query that only leaves papers out; empty for others."""
        return ASK_FOR_SOMETHING if self.unwanted and not self.asks else ""

    @property
    def wordy(self) -> bool:
        """Asks for words only."""
        return not (self.phrases or self.authors or self.filters or self.like)

    @property
    def plain(self) -> bool:
        """Words only, and leaves nothing out."""
        return self.wordy and not self.unwanted


_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a character: no database takes it."""


def parse_query(text: str) -> Query:
    """Reads any text. What looks like a filter and is none ("since:ever") is read as words, as is everything else.

    "since:2026", "since:2026-05" and "since:2026-05-01" count from the first day of what they name, "until:" to its last.
    A minus in front of a word, a phrase, author: or cat: leaves out; a word of several parts ("-x-ray") as the phrase that it is.
    """
    wanted, unwanted = _Gathered(), _Gathered()
    since: date | None = None
    until: date | None = None
    like: Identifier | None = None
    for part in _PART.finditer(_LONE_SURROGATE.sub(" ", text[:LONGEST]).translate(TYPED)):
        field, value = (part["field"] or "").lower(), part["quoted"] if part["quoted"] is not None else part["bare"]
        if part["minus"]:
            if field == "source" or not unwanted.filtered(field, value):
                unwanted.exactly(_words(f"{field} {value}"))
        elif field == "since" and (day := _first_day(value)):
            since = max(day, since or day)
        elif field == "until" and (day := _last_day(value)):
            until = min(day, until or day)
        elif field == "like" and (named := _identifier(value)):
            like = like or named
        elif wanted.filtered(field, value):
            pass
        elif part["quoted"] is not None and not field:
            wanted.exactly(_words(value))
        else:
            wanted.words += _words(f"{field} {value}")
    return Query(**wanted.bounded(), since=since, until=until, like=like, unwanted=_unwanted(unwanted))


def _unwanted(gathered: _Gathered) -> Unwanted:
    parts = gathered.bounded()
    return Unwanted(**{name: parts[name] for name in Unwanted.__slots__})


@dataclass(slots=True)
class _Gathered:
    """Parts of a query as they are read."""

    words: list[str] = field(default_factory=list)
    phrases: list[tuple[str, ...]] = field(default_factory=list)
    authors: list[tuple[str, ...]] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)

    def filtered(self, field: str, value: str) -> bool:
        """Whether it was an author, a category or a source."""
        if field == "author" and _words(value):
            last, _, first = value.partition(",")
            self.authors.append((*_words(first), *_words(last)))
        elif field in ("cat", "category") and _CATEGORY.fullmatch(value):
            self.categories.append(value.lower())
        elif field == "source" and _SOURCE.fullmatch(value):
            self.sources.append(value.lower())
        else:
            return False
        return True

    def exactly(self, words: list[str]) -> None:
        """As a phrase; one word is one."""
        if len(words) > 1:
            self.phrases.append(tuple(words))
        else:
            self.words += words

    def bounded(self) -> dict[str, Any]:
        parts = {name: tuple(dict.fromkeys(getattr(self, name))) for name in self.__slots__}
        return {name: found[: MOST_WORDS if name == "words" else MOST_PARTS] for name, found in parts.items()}


def describe(query: Query) -> str:
    """The query as it was understood: 'graph, “neural network”, by ho, in cs.lg, since 2026-05-01, without video or by li'."""
    parts = _descriptions(query)
    parts += [phrase("in %(categories)s", categories=_either(query.categories))] if query.categories else []
    parts += [phrase("since %(day)s", day=str(query.since))] if query.since else []
    parts += [phrase("until %(day)s", day=str(query.until))] if query.until else []
    parts += [phrase("from %(sources)s", sources=_either(query.sources))] if query.sources else []
    parts += [phrase("like %(paper)s", paper=str(query.like))] if query.like else []
    if unwanted := query.unwanted:
        each = [*unwanted.words, *_descriptions(Unwanted(phrases=unwanted.phrases, authors=unwanted.authors))]
        each += [phrase("in %(categories)s", categories=category) for category in unwanted.categories]
        parts.append(phrase("without %(parts)s", parts=_either(each)))
    return joined(parts)


def _either(parts: Sequence[str]) -> str:
    """ "a or b or c"."""
    return reduce(lambda some, last: phrase("%(some)s or %(last)s", some=some, last=last), parts)


def _descriptions(query: Query | Unwanted) -> list[str]:
    phrases = [f"“{' '.join(phrase)}”" for phrase in query.phrases]
    return [
        *([" ".join(query.words)] if query.words else []),
        *phrases,
        *(phrase("by %(name)s", name=" ".join(name)) for name in query.authors),
    ]


def content_words(words: Iterable[str]) -> list[str]:
    """Those that are looked for."""
    return [word for word in words if word not in COMMON]


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


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


def _last_day(text: str) -> date | None:
    """Of the year, month or day that is named."""
    found, first = _DATE.fullmatch(text), _first_day(text)
    if not (found and first):
        return None
    if found[3]:
        return first
    month = int(found[2] or 12)
    return first.replace(month=month, day=monthrange(first.year, month)[1])
