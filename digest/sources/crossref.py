"""Crossref works (https://api.crossref.org): what publishers deposited under a DOI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from digest.domain.errors import InvalidInput, SourceRefused, UnreadableAnswer
from digest.domain.identifier import Identifier, page_of
from digest.domain.paper import Sighting, Signal
from digest.sources import clean_fields
from digest.sources.authors import authors
from digest.sources.dates import dated
from digest.sources.options import made
from digest.sources.port import Batch, Getter, Parsed, Rejection, State
from digest.sources.publishing_schedule import PublishingSchedule
from digest.sources.record_kind import refuse_kind

BASE_URL = "https://api.crossref.org"
_DATES = ("posted", "published-online", "published-print", "published", "issued")
_SAME_WORK = ("is-preprint-of", "has-preprint", "is-version-of", "has-version", "is-identical-to")


def parse(data: bytes, *, source: str, seen_at: datetime) -> Parsed:
    """Reads one work or a page of them. Raises UnreadableAnswer for a refusal and anything else."""
    answer = clean_fields.table(clean_fields.decoded_json(data, source))
    message = answer.get("message")
    if answer.get("status") not in ("ok", None) or not isinstance(message, dict):
        record = clean_fields.table(next(iter(clean_fields.rows(message)), None)).get("message") or answer.get("status")
        raise UnreadableAnswer(
            source, f"Crossref says: {clean_fields.clipped(clean_fields.text(record) or 'nothing it documents')}"
        )
    if isinstance(message.get("items"), list):
        return clean_fields.collected(
            clean_fields.numbered(message["items"]), lambda row: work(row, source, seen_at), size=len(data), undated=True
        )
    if "DOI" not in message:
        raise UnreadableAnswer(source, "neither a work nor a page of works")
    return clean_fields.collected([("work", message)], lambda row: work(row, source, seen_at), undated=True)


def work(row: Any, source: str, seen_at: datetime) -> Sighting:
    """One work. CSL-JSON is the same with lone values for lists, so that format is read by this, too. Raises InvalidInput."""
    row = clean_fields.table(row)
    found = clean_fields.identifiers(row.get("DOI"), *_related(row))
    if not found:
        raise InvalidInput("DOI", f"{clean_fields.text(row.get('DOI'), 60)!r} should be like 10.1103/physrevd.93.016005")
    doi = found[0]
    refuse_kind(row.get("type"))
    _refuse_notice(row, doi)
    cited = clean_fields.whole(row.get("is-referenced-by-count"))
    return Sighting(
        source=source,
        identifiers=found,
        title=clean_fields.title(_first(row.get("title"))),
        seen_at=seen_at,
        abstract=clean_fields.text(row.get("abstract")),
        authors=authors(clean_fields.rows(row.get("author"))),
        published_at=published(row, seen_at),
        categories=clean_fields.distinct(clean_fields.text(word, 120) for word in clean_fields.rows(row.get("subject"))),
        url=page_of(doi),
        pdf_url=_pdf(row),
        venue=clean_fields.text(_first(row.get("container-title")), 300),
        withdrawn=_withdrawn(row, doi),
        signals=(Signal("citations", float(cited), seen_at, source),) if cited is not None else (),
    )


def published(row: Mapping[str, Any], seen_at: datetime) -> datetime | None:
    """The earliest full date given; where all are partial, the first day of the finest; else one in words, as CSL-JSON has it."""
    given = [row.get(key) for key in _DATES]
    first = [clean_fields.rows(clean_fields.table(each).get("date-parts"))[:1] for each in given]
    parts = [clean_fields.rows(date[0]) for date in first if date]
    finest = max((len(date) for date in parts), default=0)
    if days := [day for date in parts if len(date) == finest if (day := dated(date, seen_at))]:
        return min(days)
    written = (clean_fields.table(each).get("raw") or clean_fields.table(each).get("literal") or each for each in given)
    return next((day for each in written if (day := dated(each, seen_at))), None)


_GONE = frozenset({"retraction", "retracted", "withdrawal", "withdrawn", "removal", "removed"})
_NOTICES = _GONE | {
    "partial_retraction",
    "correction",
    "corrigendum",
    "erratum",
    "expression_of_concern",
    "concern",
    "clarification",
}


def _updates(row: Mapping[str, Any], key: str) -> Iterator[tuple[str, Identifier | None]]:
    """(kind of update, the work it updates or that updates it)."""
    for update in map(clean_fields.table, clean_fields.rows(row.get(key))):
        kind = clean_fields.text(update.get("type"), 60).lower().replace("-", "_").replace(" ", "_")
        yield kind, next(iter(clean_fields.identifiers(update.get("DOI"))), None)


def _related_as(row: Mapping[str, Any], *kinds: str) -> bool:
    return any(clean_fields.rows(clean_fields.table(row.get("relation")).get(kind)) for kind in kinds)


def _refuse_notice(row: Mapping[str, Any], doi: Identifier) -> None:
    """Raises InvalidInput for a work that is there to correct, retract or review another one."""
    for kind, other in _updates(row, "update-to"):
        if kind in _NOTICES and other != doi:
            raise InvalidInput("update-to", f"is a notice ({kind.replace('_', ' ')}) about {other or 'another work'}, no paper")
    if _related_as(row, "is-review-of", "is-correction-of", "is-erratum-of", "is-retraction-of", "is-withdrawal-of"):
        raise InvalidInput("relation", "is a review or correction of another work, no paper")


def _withdrawn(row: Mapping[str, Any], doi: Identifier) -> bool:
    """Crossref names the notice at the work (`updated-by`); a work that is its own notice names itself (`update-to`)."""
    own = [*_updates(row, "updated-by"), *((kind, other) for kind, other in _updates(row, "update-to") if other == doi)]
    return any(kind in _GONE for kind, _ in own) or _related_as(row, "is-retracted-by", "has-retraction", "is-withdrawn-by")


def _first(value: Any) -> Any:
    return next(iter(clean_fields.rows(value)), None)


def _related(row: Mapping[str, Any]) -> Iterator[Any]:
    relation = clean_fields.table(row.get("relation"))
    for kind in _SAME_WORK:
        for other in clean_fields.rows(relation.get(kind)):
            if clean_fields.table(other).get("id-type") == "doi":
                yield clean_fields.table(other).get("id")


def _pdf(row: Mapping[str, Any]) -> str:
    links = [clean_fields.table(link) for link in clean_fields.rows(row.get("link"))]
    return next((clean_fields.address(link.get("URL")) for link in links if link.get("content-type") == "application/pdf"), "")


@dataclass(frozen=True, slots=True)
class Crossref:
    """Papers by DOI (`look_up`), and works deposited lately that match a filter.

    Options: `filter` (theirs, "prefix:10.1101"), `query` (words), `days` (how far the first collect goes back). With neither
    filter nor query `collect` brings nothing.
    """

    name: str
    base_url: str = BASE_URL
    filter: str = ""
    query: str = ""
    days: int = 3
    rhythm: ClassVar[PublishingSchedule] = PublishingSchedule.IRREGULAR
    schemes: ClassVar[tuple[str, ...]] = ("doi",)

    def collect(self, getter: Getter, state: State, at: datetime) -> Iterator[Batch]:
        if not (self.filter or self.query):
            return
        since = state.get("since") or (at - timedelta(days=self.days)).date().isoformat()
        began = state.get("began") or at.date().isoformat()
        cursor = state.get("cursor", "*")
        narrowed = ",".join(part for part in (self.filter, f"from-created-date:{since}") if part)
        params = {"filter": narrowed, "rows": "200"} | ({"query": self.query} if self.query else {})
        while True:
            answer = getter.get(self.name, f"{self.base_url.rstrip('/')}/works", params=params | {"cursor": cursor})
            parsed = parse(answer.data, source=self.name, seen_at=at)
            message = clean_fields.table(clean_fields.table(clean_fields.decoded_json(answer.data, self.name)).get("message"))
            # Their cursor may stay the same from page to page; the end is a page without works.
            cursor = clean_fields.text(message.get("next-cursor"), clean_fields.LONGEST_LINE)
            last = not cursor or not (parsed.sightings or parsed.rejected)
            kept: State = {"since": began} if last else {"since": since, "began": began, "cursor": cursor}
            yield Batch(parsed.sightings, parsed.rejected, state=kept)
            if last:
                return

    def look_up(self, getter: Getter, identifiers: Sequence[Identifier], at: datetime) -> Iterator[Batch]:
        """What is deposited under these DOIs; one that is not there is a Rejection."""
        for identifier in identifiers:
            if identifier.scheme != "doi":
                continue
            url = f"{self.base_url.rstrip('/')}/works/{quote(identifier.value, safe='')}"
            try:
                parsed = parse(getter.get(self.name, url).data, source=self.name, seen_at=at)
            except SourceRefused as refused:
                yield Batch(rejected=(Rejection(str(identifier), clean_fields.clipped(refused.reason)),))
                continue
            yield Batch(parsed.sightings, parsed.rejected)


def build(name: str, base_url: str, options: Mapping[str, Any]) -> Crossref:
    return made(Crossref, name, base_url or BASE_URL, options)
