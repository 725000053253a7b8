"""The works of an author at OpenAlex (https://docs.openalex.org/api-entities/works), a page after the other by cursor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from digest.domain.errors import SourceRefused, UnreadableAnswer
from digest.domain.library_account import AccountName
from digest.domain.paper import Sighting
from digest.sources import clean_fields
from digest.sources.openalex import BASE_URL, work
from digest.sources.port import LEFT_OUT, MOST_ITEMS, Getter, LibraryPage, Rejection, State

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
