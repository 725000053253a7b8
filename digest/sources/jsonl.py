"""Papers and signals, a JSON object a line: this project's own exchange format.

papers  {"id":"arxiv:2510.19278","title","abstract","authors":["…"],"published_at","categories":["cs.CL"],"url","code_url",
         "doi","summary","venue"}; only id and title are required. Also read: updated_at, listed_at, seen_at, pdf_url,
         project_url, keywords, comment, version, withdrawn, identifiers (a list of further ids).
signals {"paper":"arxiv:2510.19278","kind":"upvotes","value":12,"observed_at":"2025-11-06T02:45:08Z","source":"huggingface"}

A file may hold both. Unknown keys are let be. Instants carry an offset; a paper's may also be a date, whole or in part (its
first midnight UTC).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from digest.domain.errors import InvalidInput, UnreadableAnswer
from digest.domain.identifier import Identifier, page_of, parse_identifier
from digest.domain.instant import parse_instant
from digest.domain.paper import Sighting, Signal, Summary
from digest.sources import clean_fields
from digest.sources.authors import authors
from digest.sources.dates import read_date
from digest.sources.port import Parsed, Reading

LINES_AT_ONCE = 5_000
LONGEST_LINE = 4_000_000
"""Bytes."""
_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CLOCK = re.compile(r"\d:\d")
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,39}")


def parse(data: bytes, *, source: str, seen_at: datetime) -> Parsed:
    """All of it at once. Raises UnreadableAnswer where not one line holds a JSON object."""
    clean_fields.bounded(data, source)
    parts = list(parse_lines(data.split(b"\n"), source=source, seen_at=seen_at))
    parsed = Parsed(
        tuple(s for part in parts for s in part.sightings),
        tuple(r for part in parts for r in part.rejected),
        tuple(r for part in parts for r in part.readings),
    )
    if not parsed.sightings and not parsed.readings and all("JSON object" in each.reason for each in parsed.rejected):
        raise UnreadableAnswer(source, "not one line holds a JSON object")
    return parsed


def parse_lines(lines: Iterable[bytes], *, source: str, seen_at: datetime) -> Iterator[Parsed]:
    """The same, some thousand lines at a time, for files larger than memory. A bad line is a Rejection that names it."""
    some: list[tuple[str, bytes]] = []
    for number, line in enumerate(lines, 1):
        if line.strip(b"\xef\xbb\xbf \t\r\n"):
            some.append((f"line {number}", line))
        if len(some) == LINES_AT_ONCE:
            yield clean_fields.collected(some, lambda line: _read(line, source, seen_at))
            some = []
    yield clean_fields.collected(some, lambda line: _read(line, source, seen_at))


def _read(line: bytes, source: str, seen_at: datetime) -> Sighting | Reading:
    if len(line) > LONGEST_LINE:
        raise InvalidInput("JSON object", f"longer than {LONGEST_LINE:,} bytes")
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InvalidInput("not a JSON object", clean_fields.clipped(str(error))) from None
    if not isinstance(record, dict):
        raise InvalidInput("not a JSON object", f'{type(record).__name__}; should be like {{"id": …, "title": …}}')
    return _reading(record) if "paper" in record or "observed_at" in record else _sighting(record, source, seen_at)


def _sighting(record: dict[str, Any], source: str, seen_at: datetime) -> Sighting:
    identifier, version = _identifier(record, "id")
    also = [
        clean_fields.identify(record.get("doi")),
        *map(clean_fields.identify, clean_fields.rows(record.get("identifiers"))[:20]),
    ]
    names = dict.fromkeys([identifier, *(found.identifier for found in also if found)])
    summary = record.get("summary")
    fields = clean_fields.table(summary)
    words = clean_fields.text(fields.get("text") if fields else summary, 2_000)
    provenance = clean_fields.text(fields.get("provenance"), 60) or source
    return Sighting(
        source=source,
        identifiers=tuple(names),
        title=clean_fields.title(record.get("title")),
        seen_at=min(seen_at, _when(record, "seen_at") or seen_at),
        abstract=clean_fields.text(record.get("abstract")),
        authors=authors(clean_fields.rows(record.get("authors"))),
        published_at=_when(record, "published_at"),
        updated_at=_when(record, "updated_at"),
        listed_at=_when(record, "listed_at"),
        categories=clean_fields.distinct(
            clean_fields.text(word, 60) for word in clean_fields.rows(record.get("categories"))[:50]
        ),
        keywords=clean_fields.distinct(clean_fields.text(word, 100) for word in clean_fields.rows(record.get("keywords"))[:50]),
        url=_link(record, "url") or page_of(identifier),
        pdf_url=_link(record, "pdf_url"),
        code_url=_link(record, "code_url"),
        project_url=_link(record, "project_url"),
        summary=Summary(text=words, provenance=provenance) if words else None,
        venue=clean_fields.text(record.get("venue"), 300),
        comment=clean_fields.text(record.get("comment"), 2_000),
        version=clean_fields.whole(record.get("version")) or version,
        withdrawn=record.get("withdrawn") is True,
    )


def _reading(record: dict[str, Any]) -> Reading:
    identifier, _ = _identifier(record, "paper")
    kind, source, value = record.get("kind"), record.get("source", "file"), record.get("value")
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise InvalidInput("kind", f"{kind!r:.60} should be a word like upvotes or github_stars")
    if not isinstance(source, str) or not _SOURCE.fullmatch(source):
        raise InvalidInput("source", f"{source!r:.60} should be a name like huggingface")
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e15:  # NaN is not, either
        raise InvalidInput("value", f"{value!r:.60} should be a number")
    when = record.get("observed_at")
    if not isinstance(when, str):
        raise InvalidInput("observed_at", "is missing; should be like 2025-11-06T02:45:08Z")
    return Reading(identifier, Signal(kind, float(value), parse_instant(when, "observed_at"), source))


def _identifier(record: dict[str, Any], key: str) -> tuple[Identifier, int | None]:
    text = record.get(key)
    if not isinstance(text, str):
        raise InvalidInput(key, "is missing; should be like arxiv:2510.19278, doi:10.1101/2020.01.01 or source:key")
    found = parse_identifier(text[:600])
    return found.identifier, found.version


def _when(record: dict[str, Any], key: str) -> datetime | None:
    text = record.get(key)
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        raise InvalidInput(key, f"{text!r:.40} should be like 2025-11-06T02:45:08Z")
    if not _CLOCK.search(text):
        if (day := read_date(text)) is None:
            raise InvalidInput(key, f"{text[:40]!r} should be like 2025-11-06 or 2025-11-06T02:45:08Z")
        return day
    return parse_instant(text, key)


def _link(record: dict[str, Any], key: str) -> str:
    return clean_fields.address(record.get(key))
