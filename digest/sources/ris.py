"""RIS, the tagged lines that reference managers exchange: "TI  - A title". Tolerant of tags that writers disagree about."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from digest.domain.errors import InvalidInput, UnreadableAnswer
from digest.domain.paper import Sighting
from digest.sources import clean_fields
from digest.sources.authors import authors
from digest.sources.dates import dated
from digest.sources.encoding import decoded
from digest.sources.port import Parsed

_TAG = re.compile(r"(?P<tag>[A-Z][A-Z0-9])  ?- ?(?P<value>.*)")
_DATED = re.compile(r"\d{4}(?:/\d{0,2}){0,2}|\d{4}-\d\d-\d\d")
_ARXIV = re.compile(r"(?:arxiv\s*[:.]\s*|arxiv\.org/(?:abs|pdf)/)([a-z-]*/?\d[\d.]{5,10}(?:v\d+)?)", re.IGNORECASE)
_TITLE = ("TI", "T1", "CT", "BT")
_AUTHORS = ("AU", "A1")
_ABSTRACT = ("AB", "N2")
_DATE = ("PY", "Y1", "DA")
_VENUE = ("JO", "JF", "T2", "JA", "PB")
_LINKS = ("UR", "L1", "L2", "LK", "AN", "M1", "C1", "N1", "SE", "VL")
"""Where writers put an arXiv id or an address that holds one."""


@dataclass(slots=True)
class _Record:
    line: int
    fields: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    ended: bool = False

    def first(self, *tags: str) -> str:
        return next((value for tag in tags for value in self.fields.get(tag, ()) if value), "")

    def all(self, *tags: str) -> list[str]:
        return [value for tag in tags for value in self.fields.get(tag, ())]


def parse(data: bytes, *, source: str, seen_at: datetime) -> Parsed:
    """Every record with a title. Raises UnreadableAnswer where there is no record at all."""
    clean_fields.bounded(data, source)
    records = list(_records(decoded(data)))
    if not records:
        raise UnreadableAnswer(source, "no RIS: there is no line like “TY  - JOUR”")
    placed = ((f"line {each.line}", each) for each in records)
    return clean_fields.collected(placed, lambda each: _sighting(each, source, seen_at), size=len(data))


def _records(text: str) -> Iterator[_Record]:
    record: _Record | None = None
    tag = ""
    for number, line in enumerate(text.splitlines(), 1):
        found = _TAG.match(line.lstrip("\ufeff "))
        if found is None:
            if record is not None and tag and line.strip():  # a value that goes on in the next line
                values = record.fields[tag]
                values[-1] = f"{values[-1]} {line.strip()}"
            continue
        tag, value = found["tag"], found["value"].strip()
        if tag == "TY":
            if record is not None:
                yield record
            record = _Record(number)
        elif tag == "ER":
            if record is not None:
                record.ended = True
                yield record
            record = None
        elif record is not None:
            record.fields[tag].append(value)
    if record is not None:
        yield record


def _sighting(record: _Record, source: str, seen_at: datetime) -> Sighting:
    if not record.ended and not record.first(*_TITLE):
        raise InvalidInput("record", "has no title and no “ER  - ” at its end")
    title, people = clean_fields.title(record.first(*_TITLE)), authors(record.all(*_AUTHORS), comma="inverts")
    links = record.all(*_LINKS)
    arxiv = [found[1] for link in links for found in _ARXIV.finditer(link[: clean_fields.LONGEST_LINE])]
    return Sighting(
        source=source,
        identifiers=clean_fields.identifiers(*arxiv, *record.all("DO"), *record.all("UR")) or clean_fields.titled(title, people),
        title=title,
        seen_at=seen_at,
        abstract=clean_fields.text(record.first(*_ABSTRACT)),
        authors=people,
        published_at=_published(record.all(*_DATE), seen_at),
        keywords=clean_fields.distinct(clean_fields.text(word, 80) for word in record.all("KW")[:50]),
        url=clean_fields.address(record.first("UR")),
        venue=clean_fields.text(record.first(*_VENUE), 300),
    )


def _published(dates: list[str], seen_at: datetime) -> datetime | None:
    """Of "2026" and "2026/08/12/Epub" the second's day; "2026/08//" names a month."""
    written = [found[0].rstrip("/") for each in dates if (found := _DATED.match(each))]
    return next((day for each in sorted(written, key=len, reverse=True) if (day := dated(each, seen_at))), None)
