"""Names of authors, however they are written."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")


def name_words(author: str) -> tuple[str, ...]:
    """Given names first, without accents, dots or case: "LeCun, Yann", "Yann LeCun" and "yann lecun" are one name."""
    last, comma, first = author.partition(",")
    text = unicodedata.normalize("NFKD", (f"{first} {last}" if comma else author).casefold())
    return tuple(_WORD.findall("".join(c for c in text if not unicodedata.combining(c))))


def answers_to(name: tuple[str, ...], asked: tuple[str, ...]) -> bool:
    """Whether the author `name` is meant by `asked`: a surname alone, initials for given names, middle names left out."""
    if not name or not asked or name[-1] != asked[-1]:
        return name == asked
    rest = iter(name[:-1])
    return all(any(given == part or (len(part) == 1 and given.startswith(part)) for given in rest) for part in asked[:-1])
