"""CSL-JSON, what Zotero and its kin export (https://docs.citationstyles.org, csl-data.json): a list of references."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from digest.domain.errors import InvalidInput, UnreadableAnswer
from digest.domain.paper import Sighting
from digest.sources import clean_fields
from digest.sources.authors import authors
from digest.sources.crossref import published
from digest.sources.port import Parsed
from digest.sources.record_kind import refuse_kind

_ARXIV = re.compile(r"arxiv\s*[:.]\s*((?:[a-z.-]+/)?\d[\d.]{5,10}(?:v\d+)?)", re.IGNORECASE)


def parse(data: bytes, *, source: str, seen_at: datetime) -> Parsed:
    """Reads a list of items, or {"items": […]}. Raises UnreadableAnswer."""
    answer = clean_fields.decoded_json(data, source)
    items = answer if isinstance(answer, list) else clean_fields.table(answer).get("items")
    if not isinstance(items, list):
        raise UnreadableAnswer(source, "no list of CSL-JSON items")
    return clean_fields.collected(
        clean_fields.numbered(items, "item"), lambda row: _sighting(row, source, seen_at), size=len(data)
    )


def _sighting(row: Any, source: str, seen_at: datetime) -> Sighting:
    row = clean_fields.table(row)
    if not {"type", "title"} & row.keys():
        raise InvalidInput("item", "is no CSL-JSON: neither type nor title")
    refuse_kind(row.get("type"))
    title, people = clean_fields.title(row.get("title")), authors(clean_fields.rows(row.get("author")))
    return Sighting(
        source=source,
        identifiers=clean_fields.identifiers(*_arxiv(row), row.get("DOI"), row.get("URL")) or clean_fields.titled(title, people),
        title=title,
        seen_at=seen_at,
        abstract=clean_fields.text(row.get("abstract")),
        authors=people,
        published_at=published(row, seen_at),
        url=clean_fields.address(row.get("URL")),
        venue=clean_fields.text(row.get("container-title"), 300),
    )


def _arxiv(row: Mapping[str, Any]) -> list[str]:
    """Zotero writes an arXiv id into `number`, `note` or `archive_location`, as "arXiv:2103.00020"."""
    places = (
        clean_fields.text(row.get(key), clean_fields.LONGEST_LINE) for key in ("number", "note", "archive_location", "archive")
    )
    return [found[1] for text in places if (found := _ARXIV.search(text))]
