"""bioRxiv and medRxiv details (https://api.biorxiv.org): rows are versions of preprints, some thirty a page.

Numbers come as ints and as strings, dates not always padded, "NA" for nothing, and now and then HTTP 200 with an empty body.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from digest.domain.errors import ConfigurationError, InvalidInput, UnreadableAnswer
from digest.domain.paper import Sighting
from digest.sources import clean_fields
from digest.sources.authors import authors
from digest.sources.dates import dated
from digest.sources.options import made
from digest.sources.port import Batch, Getter, Parsed, State
from digest.sources.publishing_schedule import PublishingSchedule

BASE_URL = "https://api.biorxiv.org"


@dataclass(frozen=True, slots=True)
class Page:
    """One answer. `rows` came, usable or not; `total` is None where they do not say."""

    parsed: Parsed
    rows: int
    total: int | None = None


def parse(data: bytes, *, source: str, seen_at: datetime) -> Parsed:
    """Reads an answer to `details` or `pubs`. "No posts found" is an answer, too. Raises UnreadableAnswer."""
    return read_page(data, source=source, seen_at=seen_at).parsed


def read_page(data: bytes, *, source: str, seen_at: datetime) -> Page:
    """`parse`, and what paging needs."""
    answer = clean_fields.decoded_json(data, source)
    record = clean_fields.table(answer)
    message = clean_fields.table(next(iter(clean_fields.rows(record.get("messages"))), None))
    status = clean_fields.text(message.get("status"), 200)
    collection = record.get("collection")
    if not isinstance(collection, list):
        raise UnreadableAnswer(source, f"no collection of preprints{': ' + status if status else ''}")
    if (
        not collection
        and status
        and status.lower() != "ok"
        and not re.search(r"no (posts|articles|papers|publications) found", status, re.I)
    ):
        raise UnreadableAnswer(source, f"bioRxiv says: {clean_fields.clipped(status)}")
    parsed = clean_fields.collected(
        clean_fields.numbered(collection), lambda row: _sighting(row, source, seen_at), size=len(data)
    )
    return Page(parsed, len(collection), clean_fields.whole(message.get("total")))


def _sighting(row: Any, source: str, seen_at: datetime) -> Sighting:
    row = _detailed(clean_fields.table(row))
    found = clean_fields.identifiers(row.get("doi"))
    if not found:
        raise InvalidInput("doi", f"{clean_fields.text(row.get('doi'), 60)!r} should be like 10.1101/2021.11.22.469359")
    version = clean_fields.whole(row.get("version"))
    posted = dated(row.get("date"), seen_at)
    server = clean_fields.text(row.get("server"), 20).lower()
    host = server if server in ("biorxiv", "medrxiv") else "biorxiv"
    page = f"https://www.{host}.org/content/{found[0].value}v{version or 1}"
    return Sighting(
        source=source,
        identifiers=tuple(dict.fromkeys((found[0], *clean_fields.identifiers(row.get("published"))))),
        title=clean_fields.title(row.get("title")),
        seen_at=seen_at,
        abstract=clean_fields.text(row.get("abstract")),
        authors=authors([row.get("authors")]),
        published_at=posted if version in (None, 1) else None,
        updated_at=posted if version not in (None, 1) else None,
        categories=clean_fields.distinct([_unless_na(row.get("category"))]),
        url=page,
        pdf_url=f"{page}.full.pdf",
        venue=_unless_na(row.get("published_journal")),
        version=version or None,
        withdrawn="withdraw" in _unless_na(row.get("type")).lower(),
    )


def _detailed(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row of `pubs` (preprints with what they were published as) under the names that `details` uses."""
    if "published_doi" not in row:
        return row
    record = {name.removeprefix("preprint_"): value for name, value in row.items()}
    doi = next((row[name] for name in ("biorxiv_doi", "medrxiv_doi", "preprint_doi") if row.get(name)), None)
    return record | {"doi": doi, "published": row["published_doi"], "server": row.get("preprint_platform")}


def _unless_na(value: Any) -> str:
    text = clean_fields.text(value, 120)
    return "" if text.upper() == "NA" else text


@dataclass(frozen=True, slots=True)
class BioRxiv:
    """What was posted since the last collect, page by page; the cursor follows the rows that came.

    Options: `server` ("biorxiv" or "medrxiv"), `days` (how far the first collect goes back).
    """

    name: str
    base_url: str = BASE_URL
    server: str = "biorxiv"
    days: int = 3
    rhythm: ClassVar[PublishingSchedule] = PublishingSchedule.WORKDAYS

    def collect(self, getter: Getter, state: State, at: datetime) -> Iterator[Batch]:
        start = state.get("from") or (at - timedelta(days=self.days)).date().isoformat()
        end = state.get("to") or at.date().isoformat()
        cursor = int(state.get("cursor", 0))
        while True:
            url = f"{self.base_url.rstrip('/')}/details/{self.server}/{start}/{end}/{cursor}/json"
            page = read_page(getter.get(self.name, url).data, source=self.name, seen_at=at)
            cursor += page.rows
            last = page.rows == 0 or (page.total is not None and cursor >= page.total)
            # Postings are dated a day back at times, so the next collect looks at this range's last day but one again.
            after = (date.fromisoformat(end) - timedelta(days=1)).isoformat()
            kept: State = {"from": after} if last else {"from": start, "to": end, "cursor": cursor}
            yield Batch(page.parsed.sightings, page.parsed.rejected, state=kept)
            if last:
                return


def build(name: str, base_url: str, options: Mapping[str, Any]) -> BioRxiv:
    source = made(BioRxiv, name, base_url or BASE_URL, options)
    if source.server not in ("biorxiv", "medrxiv"):
        raise ConfigurationError(f"sources.{name}.options.server", f"{source.server!r} should be biorxiv or medrxiv")
    return source
