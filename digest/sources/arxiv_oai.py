"""arXiv over OAI-PMH (https://info.arxiv.org/help/oa/index.html, protocol 2.0): catch-up and back-fill, metadataPrefix=arXiv.

The datestamp is that of the last change, not of submission, so a harvest brings old papers that were touched: `published_at` is
the day of the first version. Tokens die after a day; then the harvest starts again at its first day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from digest.domain.errors import ConfigurationError, InvalidInput, UnreadableAnswer
from digest.domain.identifier import Identifier
from digest.domain.paper import Sighting
from digest.sources import clean_fields, xmltree
from digest.sources.arxiv_record import abstract_page, identified, pdf
from digest.sources.dates import dated
from digest.sources.options import made
from digest.sources.port import ARXIV_PACE, Batch, Getter, Parsed, State
from digest.sources.publishing_schedule import PublishingSchedule
from digest.sources.xmltree import Element, child, children, each, text_of

_SLOW = 120.0
"""Seconds: a page takes arXiv 30 to 90."""
BASE_URL = "https://oaipmh.arxiv.org"


@dataclass(frozen=True, slots=True)
class Page:
    """One answer. `token` is "" on the last page."""

    parsed: Parsed
    token: str = ""
    bad_token: bool = False
    """The token sent was refused: too old. The harvest has to start again."""


def parse(data: bytes, *, source: str, seen_at: datetime) -> Parsed:
    """Reads an answer to ListRecords or GetRecord. "noRecordsMatch" is an answer, too: there was nothing.

    Raises UnreadableAnswer for any other OAI-PMH error and for what is no OAI-PMH.
    """
    page = read_page(data, source=source, seen_at=seen_at)
    if page.bad_token:
        raise UnreadableAnswer(source, "OAI-PMH error badResumptionToken")
    return page.parsed


def read_page(data: bytes, *, source: str, seen_at: datetime) -> Page:
    """`parse`, and where the next page is."""
    root, repaired = xmltree.tree(data, source)
    if xmltree.name(root) != "OAI-PMH":
        raise UnreadableAnswer(source, f"<{xmltree.name(root)[:40]}> where <OAI-PMH> was due")
    error = child(root, "error")
    code = clean_fields.text(error.get("code"), 60) if error is not None else ""
    if code in ("noRecordsMatch", "badResumptionToken"):
        return Page(Parsed(), bad_token=code == "badResumptionToken")
    if error is not None:
        raise UnreadableAnswer(source, f"OAI-PMH error {code or 'without a code'}: {clean_fields.clipped(text_of(error))}")
    if not any(child(root, verb) is not None for verb in ("ListRecords", "GetRecord")):
        raise UnreadableAnswer(source, "OAI-PMH without <ListRecords> or <GetRecord>")
    placed = ((_place(record, number), record) for number, record in enumerate(each(root, "record"), 1))
    parsed = clean_fields.collected(placed, lambda record: _sighting(record, source, seen_at), size=len(data))
    token = next((text_of(element) for element in each(root, "resumptionToken")), "")
    return Page(Parsed(parsed.sightings, repaired + parsed.rejected, gone=parsed.gone), token)


def _place(record: Element, number: int) -> str:
    return f"record {number} ({text_of(child(record, 'header'), 'identifier')[:80] or 'without identifier'})"


def _sighting(record: Element, source: str, seen_at: datetime) -> Sighting | Identifier:
    header = child(record, "header")
    if header is not None and header.get("status") == "deleted":
        return identified(text_of(header, "identifier") or "nothing").identifier
    paper = child(child(record, "metadata"), "arXiv")
    if paper is None:
        raise InvalidInput("record", "has no <arXiv> metadata; should be asked for with metadataPrefix=arXiv")
    found = identified(text_of(paper, "id") or text_of(header, "identifier") or "nothing")
    abstract, comment = text_of(paper, "abstract"), text_of(paper, "comments")
    return Sighting(
        source=source,
        identifiers=(found.identifier, *(i for i in clean_fields.identifiers(text_of(paper, "doi")) if i != found.identifier)),
        title=clean_fields.title(text_of(paper, "title")),
        seen_at=seen_at,
        abstract=abstract,
        authors=clean_fields.names(_name(author) for author in children(child(paper, "authors"), "author")),
        published_at=dated(text_of(paper, "created"), seen_at),
        updated_at=dated(text_of(paper, "updated"), seen_at),
        categories=clean_fields.distinct(text_of(paper, "categories").split()),
        url=abstract_page(found.identifier),
        pdf_url=pdf(found.identifier),
        code_url=clean_fields.code_address(comment, abstract),
        venue=text_of(paper, "journal-ref"),
        comment=comment,
    )


def _name(author: Element) -> str:
    return " ".join(part for part in (text_of(author, p) for p in ("forenames", "keyname", "suffix")) if part)


@dataclass(frozen=True, slots=True)
class ArxivOai:
    """Everything changed since the last harvest, page by page; the token is part of the state, so a crash goes on from there.

    Options: `set` ("cs", "cs:cs:CL"; one a source), `days` (how far the first harvest goes back), `since` (a date: back-fill from
    there the first time).
    """

    name: str
    base_url: str = BASE_URL
    set: str = "cs"
    days: int = 3
    since: str = ""
    rhythm: ClassVar[PublishingSchedule] = PublishingSchedule.ARXIV

    def collect(self, getter: Getter, state: State, at: datetime) -> Iterator[Batch]:
        start = state.get("from") or self.since or (at - timedelta(days=self.days)).date().isoformat()
        # The next harvest begins on the day this one began: datestamps are days, and a day is complete only when it is over.
        began = state.get("began") or at.date().isoformat()
        token = state.get("token", "")
        restarts = 0
        while True:
            page = self._page(getter, start, token, at)
            if page.bad_token:
                if (restarts := restarts + 1) > 1 or not token:
                    raise UnreadableAnswer(self.name, "arXiv refuses the resumption token it gave a moment ago")
                token = ""
                continue
            if page.token and page.token == token:
                raise UnreadableAnswer(self.name, "arXiv answers a resumption token with itself")
            token = page.token
            kept: State = {"from": start, "began": began, "token": token} if token else {"from": began}
            yield Batch(page.parsed.sightings, page.parsed.rejected, state=kept, gone=page.parsed.gone)
            if not token:
                return

    def _page(self, getter: Getter, start: str, token: str, at: datetime) -> Page:
        first = {"verb": "ListRecords", "metadataPrefix": "arXiv", "set": self.set, "from": start}
        params = {"verb": "ListRecords", "resumptionToken": token} if token else first
        answer = getter.get(self.name, f"{self.base_url.rstrip('/')}/oai", params=params, pace=ARXIV_PACE, timeout=_SLOW)
        return read_page(answer.data, source=self.name, seen_at=at)


def build(name: str, base_url: str, options: Mapping[str, Any]) -> ArxivOai:
    source = made(ArxivOai, name, base_url or BASE_URL, options)
    if not re.fullmatch(r"[a-z][a-z-]*(?::[A-Za-z-]+){0,2}", source.set):
        raise ConfigurationError(f"sources.{name}.options.set", f"{source.set!r} should be like cs or cs:cs:CL")
    try:
        if source.since:
            date.fromisoformat(source.since)
    except ValueError:
        raise ConfigurationError(f"sources.{name}.options.since", f"{source.since!r} should be a date like 2025-11-01") from None
    return source
