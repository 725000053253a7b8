"""arXiv in Atom: the API's answers (https://info.arxiv.org/help/api/user-manual.html) and the daily announcements' Atom form.

The API tells an error as a feed of one entry whose id is under /api/errors, and drops an id it does not know without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, ClassVar

from digest.domain.errors import InvalidInput, UnreadableAnswer
from digest.domain.identifier import Identifier
from digest.domain.instant import isoformat, parse_instant
from digest.domain.paper import Sighting
from digest.sources import clean_fields, xmltree
from digest.sources.arxiv_record import abstract_page, identified, pdf
from digest.sources.authors import authors
from digest.sources.dates import dated
from digest.sources.options import made
from digest.sources.port import ARXIV_PACE, Batch, Getter, Parsed, Rejection, State
from digest.sources.publishing_schedule import PublishingSchedule
from digest.sources.xmltree import Element, child, children, text_of

_FURTHEST = 30_000
"""Rows; arXiv answers no further than that."""
_MOST_EMPTY = 5
"""Pages one after the other, before a collect ends all the same."""
_TOTAL = re.compile(rb"<(?:\w+:)?totalResults\b[^<>]{0,200}>\s*(\d{1,9})\s*<")
BASE_URL = "https://export.arxiv.org"
_ERROR = "/api/errors"
_ANNOUNCED = re.compile(r"arXiv:\S{1,60} Announce Type: ?\S{1,40} ?(?:Abstract:\s*)?", re.IGNORECASE)
REPLACED = ("replace", "replace-cross")


def parse(data: bytes, *, source: str, seen_at: datetime) -> Parsed:
    """Reads an API answer or an announcement feed in Atom. Raises UnreadableAnswer where it is neither, or only an error."""
    root, repaired = xmltree.tree(data, source)
    if xmltree.name(root) != "feed":
        raise UnreadableAnswer(source, f"<{xmltree.name(root)[:40]}> where an Atom <feed> was due")
    return read_feed(root, repaired, source=source, seen_at=seen_at)


def read_feed(root: Element, repaired: tuple[Rejection, ...], *, source: str, seen_at: datetime) -> Parsed:
    refuse_error_feed(text_of(root, "title"), text_of(root, "subtitle"), source)
    entries = list(children(root, "entry"))
    if len(entries) == 1 and _ERROR in text_of(entries[0], "id"):
        raise UnreadableAnswer(source, f"arXiv says: {clean_fields.clipped(text_of(entries[0], 'summary') or 'error')}")
    placed = ((_place(entry, number), entry) for number, entry in enumerate(entries, 1))
    parsed = clean_fields.collected(placed, lambda entry: _sighting(entry, source, seen_at))
    return Parsed(parsed.sightings, repaired + parsed.rejected)


def refuse_error_feed(title: str, record: str, source: str) -> None:
    """An unknown category is answered with a feed that is titled so. Raises UnreadableAnswer."""
    if title.lower().startswith("feed error"):
        raise UnreadableAnswer(source, f"arXiv says: {clean_fields.clipped(f'{title} {record}')}")


def _place(entry: Element, number: int) -> str:
    return f"entry {number} ({text_of(entry, 'id')[:80] or 'without id'})"


def _sighting(entry: Element, source: str, seen_at: datetime) -> Sighting:
    written = text_of(entry, "id")
    if _ERROR in written:
        raise InvalidInput("arXiv", text_of(entry, "summary") or "error")
    found = identified(written)
    abstract = _ANNOUNCED.sub("", text_of(entry, "summary"), count=1)
    comment = text_of(entry, "comment")
    primary = child(entry, "primary_category")
    terms = [term.get("term") or "" for term in ([primary] if primary is not None else [])]
    terms += [term.get("term") or "" for term in children(entry, "category")]
    announced = text_of(entry, "announce_type").lower()
    published = dated(text_of(entry, "published"), seen_at)
    return Sighting(
        source=source,
        identifiers=(found.identifier, *(i for i in clean_fields.identifiers(text_of(entry, "doi")) if i != found.identifier)),
        title=clean_fields.title(text_of(entry, "title")),
        seen_at=seen_at,
        abstract=abstract,
        authors=_authors(entry),
        # An announcement's dates are those of the announcement; when the paper was submitted it does not say.
        published_at=None if announced else published,
        listed_at=published if announced and announced not in REPLACED else None,
        updated_at=published if announced in REPLACED else None if announced else dated(text_of(entry, "updated"), seen_at),
        categories=clean_fields.distinct(clean_fields.text(term, 60) for term in terms),
        url=abstract_page(found.identifier),
        pdf_url=pdf(found.identifier),
        code_url=clean_fields.code_address(comment, abstract),
        venue=text_of(entry, "journal_ref"),
        comment=comment,
        version=found.version,
    )


def _authors(entry: Element) -> tuple[str, ...]:
    named = authors(text_of(author, "name") for author in children(entry, "author"))
    return named or authors([text_of(entry, "creator")], comma="parts")


@dataclass(frozen=True, slots=True)
class ArxivApi:
    """arXiv's API: a search, newest first, back to where the last collect began; and papers by id.

    Options: `query` ("cat:cs.CL AND all:agents"; without one `collect` brings nothing), `page` (rows a request, ≤ 2000),
    `days` (how far the first collect goes back).
    """

    name: str
    base_url: str = BASE_URL
    query: str = ""
    page: int = 200
    days: int = 3
    rhythm: ClassVar[PublishingSchedule] = PublishingSchedule.ARXIV
    schemes: ClassVar[tuple[str, ...]] = ("arxiv",)

    def collect(self, getter: Getter, state: State, at: datetime) -> Iterator[Batch]:
        if not self.query:
            return
        since = parse_instant(state["since"]) if "since" in state else at - timedelta(days=self.days)
        began = state.get("began") or isoformat(at)
        start, empty = int(state.get("start", 0)), 0
        while start < _FURTHEST:
            params = {"search_query": self.query, "start": str(start), "max_results": str(self.page)}
            parsed, total = self._asked(getter, params | {"sortBy": "submittedDate", "sortOrder": "descending"}, at)
            # Empty pages in the middle are a known fault of the API: while its count says that there is more, one is asked for
            # again, then passed over. Without a count, one is.
            empty = 0 if parsed.sightings or parsed.rejected else empty + 1
            again = start < total and empty % 2 == 1
            start += 0 if again else self.page
            over = start >= total if total else empty > 1
            old = any(s.published_at and s.published_at < since for s in parsed.sightings)
            reached = over or old or empty > _MOST_EMPTY
            kept: State = {"since": began} if reached else {"since": isoformat(since), "began": began, "start": start}
            yield Batch(parsed.sightings, parsed.rejected, state=kept)
            if reached:
                return

    def look_up(self, getter: Getter, identifiers: Sequence[Identifier], at: datetime) -> Iterator[Batch]:
        """These papers as they are now; one that arXiv does not know is a Rejection. Only arXiv ids are asked for."""
        asked = iter([i for i in identifiers if i.scheme == "arxiv"])
        while some := list(islice(asked, min(self.page, 100))):
            params = {"id_list": ",".join(i.value for i in some), "max_results": str(len(some))}
            parsed, _ = self._asked(getter, params, at)
            answered = {i for sighting in parsed.sightings for i in sighting.identifiers}
            unknown = tuple(Rejection(str(i), "arXiv did not answer for it") for i in some if i not in answered)
            yield Batch(parsed.sightings, parsed.rejected + unknown)

    def _asked(self, getter: Getter, params: Mapping[str, str], at: datetime) -> tuple[Parsed, int]:
        """The page, and how many papers the API says there are in all."""
        answer = getter.get(self.name, f"{self.base_url.rstrip('/')}/api/query", params=params, pace=ARXIV_PACE)
        total = _TOTAL.search(answer.data)
        return parse(answer.data, source=self.name, seen_at=at), int(total[1]) if total else 0


def build(name: str, base_url: str, options: Mapping[str, Any]) -> ArxivApi:
    return made(ArxivApi, name, base_url or BASE_URL, options)
