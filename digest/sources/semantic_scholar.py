"""Semantic Scholar's Academic Graph (https://api.semanticscholar.org/api-docs/graph): citations, a TL;DR, other names of a paper.

Without a key most requests are answered 429; with one, one a second is allowed (header x-api-key).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, ClassVar

from digest.domain.errors import InvalidInput, UnreadableAnswer
from digest.domain.identifier import Identifier
from digest.domain.paper import Sighting, Signal, Summary
from digest.sources import clean_fields
from digest.sources.authors import authors
from digest.sources.dates import dated
from digest.sources.options import made
from digest.sources.port import Batch, Getter, Pace, Parsed, Reading, Rejection, State
from digest.sources.publishing_schedule import PublishingSchedule

BASE_URL = "https://api.semanticscholar.org"
SCHEME = "semanticscholar"
_PACE = Pace("semanticscholar", 1.1)
_MOST = 500
"""Ids a batch, by their documentation."""
_FIELDS = (
    "title,externalIds,abstract,tldr,authors.name,citationCount,influentialCitationCount,publicationDate,venue,journal,"
    "fieldsOfStudy,openAccessPdf,url"
)


def parse(data: bytes, *, source: str, seen_at: datetime) -> Parsed:
    """Reads a paper, a batch (null: unknown to them), a page of a search, of citations or of references, or recommendations.

    A row without a title but with a citation count becomes a Reading. Raises UnreadableAnswer for their errors, for authors,
    data sets and anything else.
    """
    rows = _rows(clean_fields.decoded_json(data, source), source)
    return clean_fields.collected(
        clean_fields.numbered(rows), lambda row: _record(row, source, seen_at), size=len(data), undated=True
    )


def _rows(answer: Any, source: str) -> list[Any]:
    if isinstance(answer, list):
        return answer
    record = clean_fields.table(answer)
    for key in ("data", "recommendedPapers"):
        if isinstance(record.get(key), list):
            return [_linked(row) for row in record[key]]
    if "paperId" in record:
        return [record]
    if refusal := clean_fields.text(record.get("error") or record.get("message")):
        raise UnreadableAnswer(source, f"Semantic Scholar says: {clean_fields.clipped(refusal)}")
    kinds = {"authorId": "an author", "release_id": "a release", "diffs": "a data set's changes", "files": "a data set"}
    what = next((text for key, text in kinds.items() if key in record), "neither a paper nor a list of papers")
    raise UnreadableAnswer(source, f"{what}; should be papers")


def _linked(row: Any) -> Any:
    """The paper itself in a row of citations or references, which says more about the link."""
    record = clean_fields.table(row)
    return next((record[key] for key in ("citingPaper", "citedPaper") if key in record), row)


def _record(row: Any, source: str, seen_at: datetime) -> Sighting | Reading:
    if row is None:
        raise InvalidInput("paper", "not known to Semantic Scholar")
    row = clean_fields.table(row)
    external = clean_fields.table(row.get("externalIds"))
    arxiv = external.get("ArXiv")
    found = clean_fields.identifiers(f"arXiv:{arxiv}" if arxiv else None, external.get("DOI"))
    found += clean_fields.own(SCHEME, row.get("paperId"))
    if not found:
        raise InvalidInput("paper", "has no id" if "authorId" not in row else "is an author")
    signals = tuple(_signals(row, source, seen_at))
    if not row.get("title") and signals:
        return Reading(found[0], signals[0])
    tldr = clean_fields.text(clean_fields.table(row.get("tldr")).get("text"), clean_fields.LONGEST_LINE)
    journal = clean_fields.table(row.get("journal"))
    return Sighting(
        source=source,
        identifiers=found,
        title=clean_fields.title(row.get("title")),
        seen_at=seen_at,
        abstract=clean_fields.text(row.get("abstract")),
        authors=authors(clean_fields.rows(row.get("authors"))),
        published_at=dated(row.get("publicationDate") or row.get("year"), seen_at),
        categories=clean_fields.distinct(clean_fields.text(word, 80) for word in clean_fields.rows(row.get("fieldsOfStudy"))),
        url=clean_fields.address(row.get("url")),
        pdf_url=clean_fields.address(clean_fields.table(row.get("openAccessPdf")).get("url")),
        summary=Summary(text=tldr, provenance="semantic scholar") if tldr else None,
        venue=clean_fields.text(journal.get("name") or row.get("venue"), 300),
        signals=signals,
    )


def _signals(row: Mapping[str, Any], source: str, seen_at: datetime) -> Iterator[Signal]:
    for key, kind in (("citationCount", "citations"), ("influentialCitationCount", "influential_citations")):
        if (count := clean_fields.whole(row.get(key))) is not None:
            yield Signal(kind, float(count), seen_at, source)


@dataclass(frozen=True, slots=True)
class SemanticScholar:
    """Citations and TL;DRs of papers already known (`look_up`), and a search where `query` is set.

    Options: `query` ("retrieval augmented generation"; without one `collect` brings nothing), `days` (how far the first collect
    goes back), `api_key` (a secret).
    """

    name: str
    base_url: str = BASE_URL
    query: str = ""
    days: int = 7
    api_key: str = field(default="", repr=False)
    rhythm: ClassVar[PublishingSchedule] = PublishingSchedule.IRREGULAR
    schemes: ClassVar[tuple[str, ...]] = ("arxiv", "doi", SCHEME)

    def collect(self, getter: Getter, state: State, at: datetime) -> Iterator[Batch]:
        if not self.query:
            return
        since = state.get("since") or (at - timedelta(days=self.days)).date().isoformat()
        began = state.get("began") or at.date().isoformat()
        token = state.get("token", "")
        while True:
            # The bulk search knows neither tldr nor nested fields; look_up brings them later.
            asked = {"query": self.query, "publicationDateOrYear": f"{since}:", "fields": _FIELDS.replace("tldr,", "")}
            answer = getter.get(
                self.name,
                f"{self.base_url.rstrip('/')}/graph/v1/paper/search/bulk",
                params=asked | ({"token": token} if token else {}),
                headers=self._headers(),
                pace=_PACE,
            )
            parsed = parse(answer.data, source=self.name, seen_at=at)
            before, token = (
                token,
                clean_fields.text(clean_fields.table(clean_fields.decoded_json(answer.data, self.name)).get("token"), 400),
            )
            if token and token == before:
                raise UnreadableAnswer(self.name, "answers a continuation token with itself")
            kept: State = {"since": since, "began": began, "token": token} if token else {"since": began}
            yield Batch(parsed.sightings, parsed.rejected, parsed.readings, kept)
            if not token:
                return

    def look_up(self, getter: Getter, identifiers: Sequence[Identifier], at: datetime) -> Iterator[Batch]:
        """What they say of these papers now. Papers they do not know yet are counted in one Rejection a request."""
        asked = iter(_asked(identifiers))
        while some := list(islice(asked, _MOST)):
            answer = getter.post(
                self.name,
                f"{self.base_url.rstrip('/')}/graph/v1/paper/batch",
                json={"ids": some},
                params={"fields": _FIELDS},
                headers=self._headers(),
                pace=_PACE,
            )
            parsed = parse(answer.data, source=self.name, seen_at=at)
            unknown = [r for r in parsed.rejected if "not known to" in r.reason]
            rejected = tuple(r for r in parsed.rejected if r not in unknown)
            if unknown:
                rejected += (Rejection("batch", f"{len(unknown)} of {len(some)} papers are not known to Semantic Scholar yet"),)
            yield Batch(parsed.sightings, rejected, parsed.readings)

    def _headers(self) -> dict[str, str]:
        return {"x-api-key": self.api_key} if self.api_key else {}


def _asked(identifiers: Iterable[Identifier]) -> Iterator[str]:
    prefixes = {"arxiv": "ARXIV:", "doi": "DOI:", SCHEME: ""}
    return (prefixes[i.scheme] + i.value for i in identifiers if i.scheme in prefixes)


def build(name: str, base_url: str, options: Mapping[str, Any]) -> SemanticScholar:
    return made(SemanticScholar, name, base_url or BASE_URL, options)
