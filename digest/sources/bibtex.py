"""BibTeX as people and reference managers write it: a tolerant reader of entries, for imports and for what a reader cares about.

LaTeX stays as written (render/text/latex.py reads it); only the braces that protect plain words are taken off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from digest.domain.errors import InvalidInput, UnreadableAnswer
from digest.domain.identifier import Identifier
from digest.domain.paper import Sighting
from digest.sources import clean_fields
from digest.sources.port import Parsed

_ENTRY = re.compile(r"@\s*+([A-Za-z]{1,40}+)\s*+([{(])")
_NAME = re.compile(r"([A-Za-z][\w:.+/-]{0,60}+)\s*+=\s*+")
_SPACE = re.compile(r"\s*+")
_NO_NAME = re.compile(r"[\w:.+/-]++|.", re.DOTALL)
_MARK = re.compile(r'\\.|[{}"]|(?<!\s)\s++@', re.DOTALL)
_BARE = re.compile(r"[^\s,{}#\"()]{1,400}")
_PROTECTED = re.compile(r"\{([\w][\w .:/+-]*+)\}")
_KEY = re.compile(r"[^,{}\"=]{0,400}")
_JOINED = re.compile(r"\s*+#\s*+")
_MONTHS = {
    name: number
    for number, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)
}
_ARXIV = re.compile(
    r"(?:arxiv\s*[:.]\s*|arxiv\.org/(?:abs|pdf)/)((?:[a-z-]+(?:\.[a-z]{2})?/)?\d[\d.]{5,10}(?:v\d+)?)", re.IGNORECASE
)
_ELSEWHERE = ("comment", "preamble", "string")
MOST_MACROS = 10_000
LONGEST_MACRO = 2_000
MOST_EXPANDED = 4_000_000
"""Characters that the macros of a file may become in all: a few bytes can name a text over and over."""


@dataclass(slots=True)
class _Macros:
    texts: dict[str, str] = field(default_factory=dict)
    left: int = MOST_EXPANDED

    def define(self, values: dict[str, str]) -> None:
        if len(self.texts) < MOST_MACROS:
            self.texts |= {name: text[:LONGEST_MACRO] for name, text in values.items()}

    def expanded(self, name: str) -> str:
        """The macro's text; the name itself where there is no such macro, or too much was expanded already."""
        text = self.texts.get(name.lower(), name)
        self.left -= len(text)
        return text if self.left >= 0 else name


@dataclass(frozen=True, slots=True)
class Entry:
    """One `@kind{key, …}`; field names in lower case, values as written without their outer delimiters."""

    kind: str
    key: str
    fields: dict[str, str]
    line: int


def parse(data: bytes, *, source: str, seen_at: datetime) -> Parsed:
    """Every entry with a title. Raises UnreadableAnswer where there is no entry at all."""
    clean_fields.bounded(data, source)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:  # older exports are in Windows' or ISO's Latin
        text = data.decode("cp1252", errors="replace")
    read = entries(text)
    if not (first := next(read, None)):
        raise UnreadableAnswer(source, "no BibTeX: there is no @article{…} or the like")
    placed = ((f"line {line} ({(entry.key if entry else '')[:60] or 'entry'})", entry) for line, entry in chain([first], read))
    return clean_fields.collected(placed, lambda entry: _sighting(entry, source, seen_at), size=len(data))


def entries(text: str) -> Iterator[tuple[int, Entry | None]]:
    """(line, entry) in order; None where an entry begins that is never closed."""
    macros = _Macros()
    at, line, counted = 0, 1, 0
    while found := _ENTRY.search(text, at):
        line, counted = line + text.count("\n", counted, found.start()), found.start()
        kind, at = found[1].lower(), found.end()
        if kind == "comment":
            continue
        key = _KEY.match(text, at) if kind not in _ELSEWHERE else None
        values, at, closed = _values(text, key.end() if key else at, macros, "}" if found[2] == "{" else ")")
        if kind == "string":
            macros.define(values)
        elif not closed:
            yield line, None
        elif kind != "preamble":
            yield line, Entry(kind, key[0].strip() if key else "", values, line)


def _values(text: str, at: int, macros: _Macros, closer: str) -> tuple[dict[str, str], int, bool]:
    """`, name = value` until `closer`: the values, the place reached, and whether the closer was there."""
    values: dict[str, str] = {}
    while (at := _end(_SPACE, text, at)) < len(text):
        if text[at] == closer:
            return values, at + 1, True
        if named := _NAME.match(text, at):
            value, at = _value(text, named.end(), macros)
            values.setdefault(named[1].lower(), value)
        elif _ENTRY.match(text, at):  # the next entry: this one was never closed
            return values, at, False
        else:
            at = _end(_NO_NAME, text, at)
    return values, at, False


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _value(text: str, at: int, macros: _Macros) -> tuple[str, int]:
    """Pieces joined by `#`: {…}, "…", a number or a macro's name."""
    pieces: list[str] = []
    room = clean_fields.LONGEST_TEXT  # macros may be made of macros: no more than one text's worth
    while at < len(text):
        if text[at] in '{"':
            piece, at = _delimited(text, at)
        elif bare := _BARE.match(text, at):
            piece, at = macros.expanded(bare[0]) if room else "", bare.end()
        else:
            break
        pieces.append(piece[:room])
        room -= len(pieces[-1])
        if not (joined := _JOINED.match(text, at)):
            break
        at = joined.end()
    return "".join(pieces), at


def _delimited(text: str, at: int) -> tuple[str, int]:
    """What stands between the braces or quotes that open at `at`, braces inside balanced; ends before a line's new entry."""
    quoted, depth, start = text[at] == '"', 0, at + 1
    for found in _MARK.finditer(text, start):
        mark = found[0]
        if mark[-1] == "@" and "\n" in mark and _ENTRY.match(text, found.end() - 1):  # never closed: the next entry begins
            return text[start : found.start()], found.start()
        if mark == "{":
            depth += 1
        elif mark == "}" and depth:
            depth -= 1
        elif (mark == "}" and not quoted) or (mark == '"' and quoted and not depth):
            return text[start : found.start()], found.end()
        elif mark == "}":
            return text[start : found.start()], found.start()
    return text[start:], len(text)


def _sighting(entry: Entry | None, source: str, seen_at: datetime) -> Sighting:
    if entry is None:
        raise InvalidInput("entry", "is never closed; a brace is missing")
    told = entry.fields
    title = clean_fields.title(_unprotected(told.get("title", "")).strip("{} \n"))
    people = authors(told.get("author", ""))
    year, month = (
        clean_fields.whole(told.get("year", "").strip("{} ")[:4]),
        _MONTHS.get(told.get("month", "").strip("{} ").lower()[:3]),
    )
    dated = clean_fields.day(told.get("date"), seen_at)
    return Sighting(
        source=source,
        identifiers=_identifiers(entry) or clean_fields.titled(title, people),
        title=title,
        seen_at=seen_at,
        abstract=clean_fields.text(told.get("abstract", "")),
        authors=people,
        published_at=dated or (clean_fields.calendar_day([year, month or 1], seen_at) if year else None),
        categories=clean_fields.distinct([clean_fields.text(told.get("primaryclass", ""), 40)]),
        keywords=clean_fields.distinct(clean_fields.text(word, 80) for word in re.split(r"[,;]", told.get("keywords", ""))[:50]),
        url=clean_fields.address(told.get("url", "").strip("{} ").removeprefix(r"\url{")),
        venue=clean_fields.text(
            _unprotected(told.get("journal") or told.get("journaltitle") or told.get("booktitle") or ""), 300
        ),
    )


def _identifiers(entry: Entry) -> tuple[Identifier, ...]:
    """From eprint, doi, url, and the "arXiv preprint arXiv:…" that stands where a journal should."""
    told = entry.fields
    prefix = (told.get("archiveprefix") or told.get("eprinttype") or "arxiv").strip("{} ").lower()
    written = [told.get("eprint", "") if prefix == "arxiv" else "", told.get("doi", "").replace("\\_", "_")]
    for name in ("journal", "url", "note", "howpublished", "volume", "number"):
        if said := told.get(name):
            written += [found[1] for found in _ARXIV.finditer(said[: clean_fields.LONGEST_LINE])]
    return clean_fields.identifiers(*(name.strip("{} ") for name in written), told.get("url", "").strip("{} "))


def authors(written: str) -> tuple[str, ...]:
    """ "Knuth, Donald E. and {The Team} and others" → ("Donald E. Knuth", "The Team")."""
    people = " ".join(written[: clean_fields.LONGEST_TEXT].split()).split(" and ")
    return clean_fields.names(_given_first(person) for person in people if person.lower() != "others")


def _given_first(person: str) -> str:
    if person.startswith("{") and person.endswith("}"):
        return person[1:-1]
    parts = [part.strip() for part in _unprotected(person).split(",")]
    if len(parts) == 3:  # von Last, Jr, First
        return f"{parts[2]} {parts[0]} {parts[1]}"
    return f"{parts[1]} {parts[0]}" if len(parts) == 2 else parts[0]


def _unprotected(text: str) -> str:
    return _PROTECTED.sub(r"\1", text) if "{" in text else text
