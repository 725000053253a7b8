"""ORCID public API v3.0 (https://info.orcid.org/documentation/api-tutorials/api-tutorial-read-data-on-a-record/): an iD's works.

A summary has title, identifiers and date, no abstract: that is looked up with those of other works.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from digest.domain.errors import InvalidInput, UnreadableAnswer
from digest.domain.library_account import AccountName
from digest.domain.paper import Sighting
from digest.sources import clean_fields
from digest.sources.dates import dated
from digest.sources.port import LEFT_OUT, MOST_ITEMS, Getter, LibraryPage, State
from digest.sources.record_kind import refuse_kind

BASE_URL = "https://pub.orcid.org"


@dataclass(frozen=True, slots=True)
class Orcid:
    base_url: str = BASE_URL
    source: str = "orcid"

    def read(self, getter: Getter, name: AccountName, key: str, state: State, at: datetime) -> Iterator[LibraryPage]:
        """All works in one answer: the API knows no pages."""
        url = f"{self.base_url.rstrip('/')}/v3.0/{name.library}/works"
        answer = getter.get(self.source, url, headers={"Accept": "application/json"})
        yield parse(answer.data, source=self.source, seen_at=at)


def parse(data: bytes, *, source: str, seen_at: datetime) -> LibraryPage:
    """Raises UnreadableAnswer."""
    groups = clean_fields.table(clean_fields.decoded_json(data, source)).get("group")
    if not isinstance(groups, list):
        raise UnreadableAnswer(source, "no works of an ORCID iD: there is no list “group”")
    works: list[tuple[str, Sighting]] = []
    rejected = [LEFT_OUT] if len(groups) > MOST_ITEMS else []
    for number, group in enumerate(groups[:MOST_ITEMS], 1):
        summaries = [clean_fields.table(each) for each in clean_fields.rows(clean_fields.table(group).get("work-summary"))]
        first = summaries[0] if summaries else {}
        code = clean_fields.whole(first.get("put-code"))
        key = f"work {code if code is not None else f'number {number}'}"
        parsed = clean_fields.collected([(key, summaries)], lambda each: _work(each, source, seen_at))
        works += [(key, each) for each in parsed.sightings]
        rejected += parsed.rejected
    return LibraryPage(tuple(works), tuple(rejected), whole=True)


def _work(summaries: list[dict[str, Any]], source: str, seen_at: datetime) -> Sighting:
    """A work as several may have told it to ORCID: the preferred one comes first, identifiers are taken from all."""
    if not summaries:
        raise InvalidInput("group", "has no work-summary")
    first = summaries[0]
    refuse_kind(first.get("type"))
    title = clean_fields.title(_value(clean_fields.table(first.get("title")).get("title")))
    day = clean_fields.table(first.get("publication-date"))
    parts = [part for name in ("year", "month", "day") if (part := clean_fields.whole(_value(day.get(name)))) is not None]
    found = clean_fields.identifiers(*(value for each in summaries for value in _identifiers(each)))
    return Sighting(
        source=source,
        identifiers=found or clean_fields.titled(title, ()),
        title=title,
        seen_at=seen_at,
        published_at=dated(list(parts), seen_at) if parts else None,
        url=clean_fields.address(_value(first.get("url"))),
        venue=clean_fields.text(_value(first.get("journal-title")), 300),
    )


def _identifiers(summary: dict[str, Any]) -> Iterator[object]:
    """The work's own; those of the whole it is part of are not."""
    for each in clean_fields.rows(clean_fields.table(summary.get("external-ids")).get("external-id")):
        named = clean_fields.table(each)
        if named.get("external-id-relationship", "self") == "self" and named.get("external-id-type") in ("doi", "arxiv"):
            yield _value(named.get("external-id-normalized")) or named.get("external-id-value")


def _value(field: object) -> object:
    """ORCID wraps most values: {"value": …}."""
    return field.get("value") if isinstance(field, dict) else field
