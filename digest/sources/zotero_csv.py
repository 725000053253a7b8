"""Zotero's CSV export: a row an item, columns named in the first line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime

from digest.domain.errors import InvalidInput, UnreadableAnswer
from digest.domain.paper import Sighting
from digest.sources import clean_fields
from digest.sources.dates import dated
from digest.sources.encoding import decoded
from digest.sources.port import Parsed

_ARXIV = re.compile(r"(?:arxiv\s*[:.]\s*|arxiv\.org/(?:abs|pdf)/)([a-z-]*/?\d[\d.]{5,10}(?:v\d+)?)", re.IGNORECASE)
_OTHERS = {"key", "item type", "author", "doi", "url", "abstract note", "publication year", "publication title", "date"}
_NO_WORK = ("attachment", "note", "annotation")


def looks_so(head: bytes) -> bool:
    """The first line names columns: the title's and another that only a reference has."""
    first = head.split(b"\n", 1)[0][:4000].decode("utf-8", "replace")
    columns = {part.strip(' "\r').lower() for part in first.split(",")}
    return "title" in columns and bool(columns & _OTHERS)


def parse(data: bytes, *, source: str, seen_at: datetime) -> Parsed:
    """Every row with a title. Raises UnreadableAnswer where the first line does not name the columns."""
    clean_fields.bounded(data, source)
    text = decoded(data)
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = {(name or "").strip().lower() for name in reader.fieldnames or ()}
    if "title" not in columns:
        raise UnreadableAnswer(source, "no Zotero CSV: the first line names no column Title")
    try:
        return clean_fields.collected(_rows(reader), lambda row: work(row, source, seen_at), size=len(data))
    except csv.Error as error:
        raise UnreadableAnswer(source, f"line {reader.line_num}: is not CSV: {clean_fields.clipped(str(error))}") from None


def _rows(reader: csv.DictReader[str]) -> Iterator[tuple[str, dict[str, str]]]:
    line = 2
    for row in reader:
        yield f"line {line}", {(name or "").strip().lower(): value or "" for name, value in row.items() if isinstance(value, str)}
        line = reader.line_num + 1


def work(row: dict[str, str], source: str, seen_at: datetime) -> Sighting | None:
    """An item by its columns, named in lower case; None for a note or an attachment. Raises InvalidInput."""
    if row.get("item type", "").strip().lower() in _NO_WORK:
        return None
    if not any(row.values()):
        raise InvalidInput("row", "is empty")
    title, people = clean_fields.title(row.get("title")), clean_fields.names(_authors(row.get("author", "")))
    places = (
        row.get(name, "")[: clean_fields.LONGEST_LINE] for name in ("archive location", "extra", "number", "url", "archive")
    )
    arxiv = [found[1] for place in places for found in _ARXIV.finditer(place)]
    return Sighting(
        source=source,
        identifiers=clean_fields.identifiers(*arxiv, row.get("doi"), row.get("url")) or clean_fields.titled(title, people),
        title=title,
        seen_at=seen_at,
        abstract=clean_fields.text(row.get("abstract note") or row.get("abstract")),
        authors=people,
        published_at=dated(row.get("date"), seen_at) or dated(row.get("publication year", "").strip(), seen_at),
        keywords=clean_fields.distinct(clean_fields.text(word, 80) for word in row.get("manual tags", "").split(";")[:50]),
        url=clean_fields.address(row.get("url")),
        venue=clean_fields.text(row.get("publication title"), 300),
    )


def _authors(joined: str) -> Iterator[str]:
    """ "Knuth, Donald E.; Lovelace, Ada" → given names first."""
    for person in joined[: clean_fields.LONGEST_TEXT].split(";"):
        family, comma, given = person.partition(",")
        yield f"{given.strip()} {family.strip()}" if comma else person
