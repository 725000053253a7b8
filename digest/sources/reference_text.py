"""Text that people paste to name their papers: identifiers, titles a line, reference lists, an abstract."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from digest.domain.errors import InvalidInput
from digest.domain.paper import Sighting
from digest.domain.phrase import phrase
from digest.sources import clean_fields
from digest.sources.encoding import decoded
from digest.sources.port import Parsed

_NAME = re.compile(
    r"(?:https?://\S{1,300}|(?:[a-z]{2,8}\.)?(?:arxiv|doi)\.org/\S{1,300}|(?:arxiv|doi)\s*:\s*\S{1,200}|10\.\d{4,9}/\S{1,200}"
    r"|(?<![\w.])\d{4}\.\d{4,5}(?:v\d+)?(?![\w.]?\d)|(?<!\w)[a-z-]{2,12}(?:\.[A-Z]{2})?/\d{7}(?:v\d+)?)",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^\s*(?:[-*•–]|\[\d{1,4}\]|\(?\d{1,4}[.)])\s+")
_QUOTED = re.compile(r"[“\"]([^”\"]{12,400})[”\"]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
FEWEST_WORDS = 2
FEWEST_LETTERS = 15
LONGEST_TITLE = 40
"""Words; a line of more is text of its own, such as an abstract."""


def parse(data: bytes, *, source: str, seen_at: datetime) -> Parsed:
    """A work for each identifier, and for each line of words without one. Raises UnreadableAnswer for what is no text."""
    clean_fields.bounded(data, source)
    text = decoded(data)
    return clean_fields.collected(_works(text), lambda found: _sighting(found, source, seen_at), size=len(data))


def _works(text: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """("line 3", (identifier, words)): one of the two may be empty."""
    for number, line in _joined(text):
        names = [(found[0].rstrip(".,;)]}"), found) for found in _NAME.finditer(line)]
        names = [each for each in names if clean_fields.identifiers(_bare(each[0]))]
        words = _NAME.sub(" ", line) if names else line
        if len(names) == 1:
            yield phrase("line %(number)s", number=str(number)), (_bare(names[0][0]), words)
        elif names:
            yield from ((phrase("line %(number)s", number=str(number)), (_bare(name), "")) for name, _ in names)
        else:
            yield phrase("line %(number)s", number=str(number)), ("", words)


def _bare(name: str) -> str:
    return re.sub(r"^(arxiv|doi)\s*:\s*", r"\1:", name, flags=re.IGNORECASE)


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Lines that are not empty; one that begins with a small letter goes on what stands before it, where that does not end."""
    begun, whole = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        words = " ".join(line.split())
        if (
            words
            and whole
            and words[0].islower()
            and not _NAME.match(words)
            and len(whole.split()) > 5
            and whole[-1] not in ".!?;"
        ):
            whole = f"{whole} {words}"
            continue
        if whole:
            yield begun, whole
        begun, whole = number, words
    if whole:
        yield begun, whole


def _sighting(found: tuple[str, str], source: str, seen_at: datetime) -> Sighting | None:
    name, words = found
    words = clean_fields.text(_BULLET.sub("", words), clean_fields.LONGEST_TEXT).strip(" ,;|\t")
    title, abstract = _title_and_rest(words)
    if not _is_title(title):
        if not name:
            raise InvalidInput(f"{words[:40]!r}", phrase("is neither an identifier nor a title"))
        title = abstract = ""
    return Sighting(
        source=source,
        identifiers=clean_fields.identifiers(name) if name else clean_fields.titled(title, ()),
        title=title,
        seen_at=seen_at,
        abstract=abstract,
    )


def _title_and_rest(words: str) -> tuple[str, str]:
    """A quoted title of a reference; a line of words; or the first sentence of a text, and the whole of it."""
    if quoted := _QUOTED.search(words):
        return quoted[1].rstrip(" .,"), ""
    if len(words.split()) <= LONGEST_TITLE:
        return words[: clean_fields.LONGEST_LINE].rstrip(" ."), ""
    return _SENTENCE.split(words, maxsplit=1)[0][:300], words


def _is_title(words: str) -> bool:
    found = _WORD.findall(words)
    return len(found) >= FEWEST_WORDS and sum(map(len, found)) >= FEWEST_LETTERS
