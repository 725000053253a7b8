"""OpenAlex works (https://docs.openalex.org/api-entities/works): CC0 metadata of nearly everything, with citation counts.

Abstracts come as an inverted index and are put together again. Keyless calls are metered by cost since 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from digest.domain.errors import InvalidInput, SourceRefused, UnreadableAnswer
from digest.domain.identifier import page_of
from digest.domain.library_account import AccountName
from digest.domain.paper import Sighting, Signal
from digest.sources import clean_fields
from digest.sources.authors import authors
from digest.sources.dates import dated
from digest.sources.options import made
from digest.sources.port import LEFT_OUT, MOST_ITEMS, Batch, Getter, LibraryPage, Parsed, Rejection, State
from digest.sources.publishing_schedule import PublishingSchedule
from digest.sources.record_kind import refuse_kind

BASE_URL = "https://api.openalex.org"
SCHEME = "openalex"
_KINDS = {
    "A": "an author",
    "S": "a source",
    "I": "an institution",
    "T": "a topic",
    "C": "a concept",
    "P": "a publisher",
    "F": "a funder",
}
_LONGEST_ABSTRACT = 20_000
"""Words: a position beyond is damage, not prose."""


def parse(data: bytes, *, source: str, seen_at: datetime) -> Parsed:
    """Reads one work, a list of works or a page of results. Raises UnreadableAnswer for other entities, errors and the rest."""
    answer = clean_fields.decoded_json(data, source)
    record = clean_fields.table(answer)
    if isinstance(answer, list) or isinstance(record.get("results"), list):
        works = answer if isinstance(answer, list) else record["results"]
        return clean_fields.collected(
            clean_fields.numbered(works), lambda row: work(row, source, seen_at), size=len(data), undated=True
        )
    if refusal := clean_fields.text(record.get("error")):
        raise UnreadableAnswer(
            source, f"OpenAlex says: {clean_fields.clipped(refusal + ' ' + clean_fields.text(record.get('message')))}"
        )
    if not record.get("id"):
        raise UnreadableAnswer(source, "neither a work nor a page of results")
    if other := _other_kind(record):
        raise UnreadableAnswer(source, f"{other}; should be works")
    return clean_fields.collected([("work", record)], lambda row: work(row, source, seen_at), undated=True)


def _key(row: Mapping[str, Any]) -> str:
    return clean_fields.text(row.get("id"), 200).rpartition("/")[2]


def _other_kind(row: Mapping[str, Any]) -> str:
    """What the entity is where it is no work; "" for a work."""
    path = clean_fields.text(row.get("id"), 200)
    if "/keywords/" in path:
        return "a keyword"
    return _KINDS.get(_key(row)[:1], "")


def work(row: Any, source: str, seen_at: datetime) -> Sighting:
    """One work. Raises InvalidInput."""
    row = clean_fields.table(row)
    if other := _other_kind(row):
        raise InvalidInput(_key(row) or "row", f"is {other}; should be a work")
    places = [clean_fields.table(place) for place in [row.get("primary_location"), *clean_fields.rows(row.get("locations"))]]
    landings = [clean_fields.text(place.get("landing_page_url"), clean_fields.LONGEST_LINE) for place in places]
    # A work's places name the preprint beside the publication: both are this work.
    found = clean_fields.identifiers(*(at for at in landings if "arxiv.org/abs/" in at), row.get("doi"))
    found = tuple(dict.fromkeys((*found, *clean_fields.own(SCHEME, _key(row)))))
    if not found:
        raise InvalidInput("work", "has no id")
    refuse_kind("paratext" if row.get("is_paratext") is True else row.get("type"))
    cited = clean_fields.whole(row.get("cited_by_count"))
    best = clean_fields.table(row.get("best_oa_location"))
    topics = [clean_fields.table(topic) for topic in [row.get("primary_topic"), *clean_fields.rows(row.get("topics"))]]
    return Sighting(
        source=source,
        identifiers=found,
        title=clean_fields.title(row.get("title") or row.get("display_name")),
        seen_at=seen_at,
        abstract=_abstract(row.get("abstract_inverted_index")),
        authors=authors(_author(authorship) for authorship in clean_fields.rows(row.get("authorships"))),
        published_at=dated(row.get("publication_date") or row.get("publication_year"), seen_at),
        categories=clean_fields.distinct(
            clean_fields.text(clean_fields.table(topic.get("field")).get("display_name"), 120) for topic in topics
        ),
        keywords=clean_fields.distinct(
            clean_fields.text(clean_fields.table(k).get("display_name"), 120) for k in clean_fields.rows(row.get("keywords"))
        ),
        url=next((page_of(name) for name in found if name.scheme == "doi"), "")
        or next((at for at in landings if clean_fields.address(at)), ""),
        pdf_url=clean_fields.address(places[0].get("pdf_url")) or clean_fields.address(best.get("pdf_url")),
        venue=_venue(places[0]),
        withdrawn=row.get("is_retracted") is True,
        signals=(Signal("citations", float(cited), seen_at, source),) if cited is not None else (),
    )


def _author(authorship: Any) -> str:
    authorship = clean_fields.table(authorship)
    return clean_fields.text(
        clean_fields.table(authorship.get("author")).get("display_name") or authorship.get("raw_author_name"), 300
    )


def _venue(place: Mapping[str, Any]) -> str:
    """Where it was published; a repository that keeps a copy is no venue."""
    where = clean_fields.table(place.get("source"))
    return "" if where.get("type") == "repository" else clean_fields.text(where.get("display_name"), 300)


def _abstract(index: Any) -> str:
    """{"The": [0, 3], "cat": [1]} → the words in order."""
    at: dict[int, str] = {}
    for word, positions in clean_fields.table(index).items():
        for position in clean_fields.rows(positions):
            if (place := clean_fields.whole(position)) is not None and place < _LONGEST_ABSTRACT:
                at[place] = word
    return clean_fields.text(" ".join(at[place] for place in sorted(at)))


@dataclass(frozen=True, slots=True)
class OpenAlex:
    """Works published lately that match a filter.

    Options: `filter` (theirs, "primary_topic.field.id:17"), `search` (words), `days` (how far each collect looks back,
    since works reach the index late), `api_key` (a secret). With neither filter nor search `collect` brings nothing.
    """

    name: str
    base_url: str = BASE_URL
    filter: str = ""
    search: str = ""
    days: int = 7
    api_key: str = field(default="", repr=False)
    rhythm: ClassVar[PublishingSchedule] = PublishingSchedule.IRREGULAR

    def collect(self, getter: Getter, state: State, at: datetime) -> Iterator[Batch]:
        if not (self.filter or self.search):
            return
        since = state.get("since") or (at - timedelta(days=self.days)).date().isoformat()
        cursor = state.get("cursor", "*")
        narrowed = ",".join(part for part in (self.filter, f"from_publication_date:{since}") if part)
        params = {"filter": narrowed, "per_page": "100", "sort": "publication_date:desc"}
        params |= ({"search": self.search} if self.search else {}) | ({"api_key": self.api_key} if self.api_key else {})
        while True:
            answer = getter.get(self.name, f"{self.base_url.rstrip('/')}/works", params=params | {"cursor": cursor})
            parsed = parse(answer.data, source=self.name, seen_at=at)
            before = cursor
            cursor = clean_fields.text(
                clean_fields.table(clean_fields.table(clean_fields.decoded_json(answer.data, self.name)).get("meta")).get(
                    "next_cursor"
                )
            )
            last = not cursor or cursor == before or not (parsed.sightings or parsed.rejected)
            yield Batch(parsed.sightings, parsed.rejected, state={} if last else {"since": since, "cursor": cursor})
            if last:
                return


def build(name: str, base_url: str, options: Mapping[str, Any]) -> OpenAlex:
    return made(OpenAlex, name, base_url or BASE_URL, options)


NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class OpenAlexAuthor:
    base_url: str = BASE_URL
    api_key: str = field(default="", repr=False)
    """The installation's own."""
    source: str = "openalex"

    def read(self, getter: Getter, name: AccountName, key: str, state: State, at: datetime) -> Iterator[LibraryPage]:
        """`state`: {"reading": {"cursor", "count"}}."""
        reading = state.get("reading") or {}
        cursor, count = reading.get("cursor", "*"), reading.get("count", 0)
        params = {"filter": f"author.id:{name.library}", "per_page": "100"} | ({"api_key": self.api_key} if self.api_key else {})
        while True:
            answer = getter.get(self.source, f"{self.base_url.rstrip('/')}/works", params=params | {"cursor": cursor})
            page = clean_fields.table(clean_fields.decoded_json(answer.data, self.source))
            rows = page.get("results")
            if not isinstance(rows, list):
                raise UnreadableAnswer(self.source, "no page of works")
            if not rows and not count:
                raise SourceRefused(self.source, f"no works of {name.library}", NOT_FOUND)
            count += len(rows)
            following = clean_fields.text(clean_fields.table(page.get("meta")).get("next_cursor"), clean_fields.LONGEST_LINE)
            full = count >= MOST_ITEMS
            last = full or not following or following == cursor or not rows
            cursor = following
            works: list[tuple[str, Sighting]] = []
            rejected: list[Rejection] = [LEFT_OUT] if full and not (following in ("", cursor) or not rows) else []
            for row in map(clean_fields.table, rows):
                own = clean_fields.text(row.get("id"), 200).rpartition("/")[2] or "a work without id"
                parsed = clean_fields.collected([(own, row)], lambda each: work(each, self.source, at))
                works += [(own, each) for each in parsed.sightings]
                rejected += parsed.rejected
            under_way: State = {} if last else {"reading": {"cursor": cursor, "count": count}}
            yield LibraryPage(tuple(works), tuple(rejected), state=under_way, last=last, whole=last and not full)
            if last:
                return
