"""What a reader typed → interests, shown back as what the system understood."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from digest.domain.errors import InvalidIdentifier, InvalidInput
from digest.domain.identifier import parse_identifier
from digest.domain.phrase import joined, phrase
from digest.domain.query import TYPED, describe, parse_query
from digest.domain.subscriber import Interests

_CATEGORY = re.compile(
    r"(?:cs|stat|math|eess|econ|physics|q-bio|q-fin|astro-ph|cond-mat|nlin|hep-(?:th|ph|ex|lat)|gr-qc|quant-ph|nucl-(?:th|ex))"
    r"(?:\.[A-Za-z]{2,4}(?:-[a-z]{2,4})?)?",
    re.IGNORECASE,
)
_FIELD = re.compile(r"(?P<field>author|cat|category|mute|not|word|search|like):\s*(?P<value>.+)", re.IGNORECASE)
_JOINERS = "\u200c\u200d"
"""Not printable by themselves, and needed to spell words in many scripts."""
_BETWEEN = re.compile(r"""((?<![^\s,;:-])"[^"]*")|,|(?<!>\d\.\d\.[a-zA-Z]{2});""")
"""A comma or semicolon parts interests; inside quotation marks it parts nothing: author:"LeCun, Yann", and so does
the one in a DOI that ends with …>2.0.CO;2."""
_QUOTED = re.compile(r'"\s*([^"]*[^"\s])\s*"')
_FURTHER = re.compile(r"(?:\s|^)(?:author|cat|category|since|until|source|like):|\"", re.IGNORECASE)
"""What makes the rest of an interest a search (domain/query.py)."""
LONGEST = 100
MOST = 200
"""An interest longer than LONGEST characters is not one, and nobody has more than MOST."""
LONGEST_TEXT = 50_000
"""Characters that are read of all interests together: more than MOST of the longest with what stands between them."""
_LONGEST_WRITTEN = 3 * LONGEST
"""One with its field, signs and quotation marks."""


@dataclass(frozen=True, slots=True)
class Understood:
    """`descriptions` has a line for each interest, as understood; `rejected` those that were not."""

    interests: Interests
    descriptions: tuple[str, ...]
    rejected: tuple[str, ...] = ()


def understand(text: str, mute: str = "") -> Understood:
    """Reads interests separated by commas, semicolons or lines: words, "cs.CL", "author: Name", "mute: word", arXiv ids.
    Words may be any search: “test-time scaling” author:lovelace cat:cs.CL since:2026 -benchmark.

    A leading minus mutes the whole interest: "-quantum", "-author: Name", "-cs.CV". Order and case carry nothing.
    """
    if len(text) + len(mute) > LONGEST_TEXT:
        return Understood(
            Interests(),
            (),
            (phrase("%(given)s…: should be at most %(most)s characters in all", given=repr(text[:40]), most=LONGEST_TEXT),),
        )
    topics = _interests(text)
    topics += ["-" + interest.removeprefix("-") for interest in _interests(mute)]
    found: dict[str, list[str]] = {
        name: [] for name in ("words", "categories", "authors", "muted_words", "muted_authors", "liked")
    }
    lines: list[str] = []
    rejected: list[str] = []
    for interest in dict.fromkeys(topics):
        if len(interest) > _LONGEST_WRITTEN:
            rejected.append(_too_long(interest))
            continue
        name, value, line = _understood(interest)
        if len(value) > LONGEST or len(lines) >= MOST or not any(c.isalnum() for c in value):
            rejected.append(_too_long(interest))
            continue
        if name in ("words", "muted_words") and (missing_hint := parse_query(value).missing_hint):
            rejected.append(joined((repr(interest[:40]), missing_hint), ": "))
            continue
        found[name].append(value)
        lines.append(line)
    interests = Interests(**{name: tuple(dict.fromkeys(values)) for name, values in found.items()})
    return Understood(interests, tuple(lines), tuple(rejected))


def _too_long(interest: str) -> str:
    return phrase(
        "%(given)s: should be at most %(longest)s characters of words, and %(most)s interests in all",
        given=repr(interest[:40]),
        longest=LONGEST,
        most=MOST,
    )


def _interests(text: str) -> list[str]:
    """Cut apart; without what nobody types: controls, and marks that turn round what follows them."""
    found: list[str] = []
    for line in text.translate(TYPED).split("\n"):
        kept = "".join(c if c.isprintable() or c in _JOINERS else " " if c.isspace() else "" for c in line)
        found += _BETWEEN.sub(lambda part: part[1] or "\n", kept).split("\n")
    return [interest.strip() for interest in found if interest.strip()]


def one_interest(text: str) -> str:
    """A line as one interest that is no mute: a search as somebody typed it."""
    interest = " ".join(" ".join(_interests(" ".join(text.split()))).split())
    found = understand(interest).interests
    return f"search: {interest}" if found.muted_words or found.muted_authors else interest


def _understood(interest: str) -> tuple[str, str, str]:
    """(which interest, its value, how it is told)."""
    muted, bare, name, value = _parted(interest)
    if name == "author" and (quoted := _QUOTED.fullmatch(value)):
        value = quoted[1]
    elif name in ("author", "cat", "category", "like") and _FURTHER.search(value):
        name, value = "search", bare
    if name == "author":
        if muted:
            return "muted_authors", value, phrase("mute author %(name)s", name=value)
        return "authors", value, phrase("follow author %(name)s", name=value)
    category = name in ("cat", "category") or (not name and _CATEGORY.fullmatch(bare) and "." in bare)
    shown = _category(value)
    if category and muted and parse_query(f"cat:{value}").categories == (value,):
        return "muted_words", f"cat:{value}", phrase("mute category %(category)s", category=shown)
    if muted:
        return "muted_words", value, phrase("mute %(search)s", search=_search(value) or value)
    if category:
        return "categories", shown, phrase("category %(category)s", category=shown)
    if name in ("", "like"):
        try:
            identifier = str(parse_identifier(value).identifier)
        except InvalidIdentifier:
            pass
        else:
            if identifier.startswith(("arxiv:", "doi:")):
                return "liked", identifier, phrase("like %(paper)s", paper=identifier)
    search = _search(value)
    return "words", value, phrase("search: %(search)s", search=search) if search else phrase("words: %(words)s", words=value)


def _parted(interest: str) -> tuple[bool, str, str, str]:
    """(whether it mutes, the interest without what says so, the name of its field, its value); in lower case, one space each."""
    muted, bare = False, " ".join(interest.split()).lower()
    while True:
        if (rest := bare.lstrip("- ")) != bare and rest:
            muted, bare = True, rest
        field = _FIELD.fullmatch(bare)
        if not field or field["field"] not in ("mute", "not"):
            return muted, bare, field["field"] if field else "", field["value"] if field else bare
        muted, bare = True, field["value"]


def _search(value: str) -> str:
    """How an interest that is more than words is told; empty for words."""
    query = parse_query(value)
    return "" if query.plain else describe(query)


def _category(value: str) -> str:
    archive, dot, subject = value.partition(".")
    return f"{archive}.{subject.upper() if len(subject) == 2 and subject.isascii() else subject}" if dot else archive


def merged(before: Interests, more: Interests) -> Interests:
    """Both, without repeats; what is newly wanted is no longer muted and the other way round."""
    both = {
        name: tuple(dict.fromkeys((*getattr(before, name), *getattr(more, name))))
        for name in ("words", "categories", "authors", "muted_words", "muted_authors", "liked", "disliked")
    }
    for wanted, unwanted in (("words", "muted_words"), ("authors", "muted_authors"), ("liked", "disliked")):
        for name, other in ((wanted, unwanted), (unwanted, wanted)):
            newly = set(getattr(more, name))
            both[other] = tuple(value for value in both[other] if value not in newly)
    return replace(before, **both)


def written(interests: Interests) -> str:
    """An interest a line, such that `understand` reads them as the same interests; papers liked and disliked are not among them,
    nor is what no interest is read as, or more than a form can hold (kept before clicks had the form's limits).
    """
    lines: list[str] = []
    for name, spellings in _SPELT.items():
        for value in getattr(interests, name):
            shown = (spelling.format(value) for spelling in spellings)
            lines += [each for each in shown if _is_read_as(each, name, value)][:1]
    return "\n".join(lines[:MOST])


def author_interest(name: str) -> str:
    """An author as an interest: whatever is in the name, inside quotation marks it is read as a name. "" for no name."""
    bare = " ".join(name.translate(TYPED).replace('"', " ").split())
    return f'author: "{bare}"' if any(c.isalnum() for c in bare) else ""


def limited(interests: Interests) -> Interests:
    """The same. Raises InvalidInput for more than a form can hold, so that nothing is kept that no form can save."""
    typed = sum(len(getattr(interests, name)) for name in _SPELT)
    if typed > MOST:
        raise InvalidInput(
            phrase("interests"), phrase("should be at most %(most)s; take some off on your preferences page first", most=MOST)
        )
    return interests


_SPELT = {
    "words": ("{}", "word: {}"),
    "categories": ("{}", "category: {}"),
    "authors": ("author: {}", 'author: "{}"'),
    "muted_words": ("-{}", "-word: {}"),
    "muted_authors": ("-author: {}", '-author: "{}"'),
}
"""How an interest of each kind is written: the first that is read as it."""


def _is_read_as(interest: str, name: str, value: str) -> bool:
    understood = understand(interest)
    return not understood.rejected and understood.interests == Interests(**{name: (value,)})
