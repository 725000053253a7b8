"""Hugging Face's daily papers (https://huggingface.co/docs/hub/api, GET /api/daily_papers): papers and how they are received.

A row's outer `publishedAt` is not the day it was listed; `submittedOnDailyAt` in its `paper` is, and pages before 2025 lack it.
A page carries no instant of its own: its votes are those of whenever it was fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from digest.domain.errors import InvalidInput, SourceError, SourceRefused, UnreadableAnswer
from digest.domain.instant import isoformat, parse_instant
from digest.domain.paper import Sighting, Signal, Summary
from digest.sources import clean_fields
from digest.sources.authors import authors
from digest.sources.dates import dated
from digest.sources.options import made
from digest.sources.port import Batch, Getter, Pace, Parsed, State
from digest.sources.publishing_schedule import PublishingSchedule

BASE_URL = "https://huggingface.co"
PROVENANCE = "huggingface"
_PACE = Pace("huggingface", 0.6)  # anonymous: 500 requests in 5 minutes
_PER_PAGE = 100
_MOST_PAGES = 20

REREAD = (
    (timedelta(days=2), timedelta(0)),
    (timedelta(days=4), timedelta(hours=3)),
    (timedelta(days=8), timedelta(hours=12)),
    (timedelta(days=15), timedelta(days=1)),
    (timedelta(days=31), timedelta(days=3)),
)
"""(a day up to this old, is read again after so long): votes move most in the first days. Older days are left alone."""


def parse(data: bytes, *, source: str, seen_at: datetime) -> Parsed:
    """Reads a page of any year. Raises UnreadableAnswer where it is not a list of objects with a `paper` each."""
    answer = clean_fields.decoded_json(data, source)
    if isinstance(answer, dict) and "error" in answer:
        raise UnreadableAnswer(source, f"Hugging Face says: {clean_fields.clipped(str(answer['error'])[:500])}")
    if not isinstance(answer, list):
        raise UnreadableAnswer(source, "should be a list of daily papers")
    if answer and not any(isinstance(row, dict) for row in answer):
        kind = "text (a Python repr, it seems)" if str(answer[0]).startswith("{'") else type(answer[0]).__name__
        raise UnreadableAnswer(source, f"each row should be an object with a paper, these are {kind}")
    return clean_fields.collected(
        clean_fields.numbered(answer), lambda row: _sighting(row, source, seen_at), size=len(data), undated=True
    )


def _sighting(row: Any, source: str, seen_at: datetime) -> Sighting:
    outer = clean_fields.table(row)
    paper = clean_fields.table(outer.get("paper"))
    if not paper:
        raise InvalidInput("paper", "is missing; each row should be an object with a paper")
    found = clean_fields.identify(paper.get("id"))
    if found is None:
        raise InvalidInput("id", f"{clean_fields.text(paper.get('id'), 60)!r} should be an arXiv id like 2510.19278")
    name = found.identifier.value
    summary = clean_fields.text(paper.get("ai_summary"), 2_000)
    people = (clean_fields.table(author) for author in clean_fields.rows(paper.get("authors")))
    return Sighting(
        source=source,
        identifiers=(found.identifier,),
        title=clean_fields.title(paper.get("title") or outer.get("title")),
        seen_at=seen_at,
        abstract=clean_fields.text(paper.get("summary") or outer.get("summary")),
        authors=authors(author for author in people if author.get("hidden") is not True),
        published_at=dated(paper.get("publishedAt"), seen_at),
        listed_at=dated(paper.get("submittedOnDailyAt"), seen_at),
        keywords=clean_fields.distinct(clean_fields.text(word, 100) for word in clean_fields.rows(paper.get("ai_keywords"))[:50]),
        url=f"{BASE_URL}/papers/{name}",
        pdf_url=f"https://arxiv.org/pdf/{name}",
        code_url=clean_fields.address(paper.get("githubRepo")).removesuffix(".git"),
        project_url=clean_fields.address(paper.get("projectPage")),
        summary=Summary(text=summary, provenance=PROVENANCE) if summary else None,
        withdrawn=bool(paper.get("withdrawnAt")),
        signals=_signals(outer, paper, source, seen_at),
    )


def _signals(outer: Mapping[str, Any], paper: Mapping[str, Any], source: str, seen_at: datetime) -> tuple[Signal, ...]:
    record = {
        "upvotes": paper.get("upvotes"),
        "github_stars": paper.get("githubStars"),
        "comments": outer.get("numComments"),
    }
    counted = ((kind, clean_fields.whole(value)) for kind, value in record.items())
    return tuple(Signal(kind, float(value), seen_at, source) for kind, value in counted if value is not None)


@dataclass(frozen=True, slots=True)
class HuggingFace:
    """The daily papers, day by day: every day not read yet since the last collect, and recent days again for their votes.

    Options: `days` (how far the first collect, or one after a long pause, goes back; at most 31).
    State: {"taken": {"2026-03-02": instant it was last read}}.
    """

    name: str
    base_url: str = BASE_URL
    days: int = 7
    rhythm: ClassVar[PublishingSchedule] = PublishingSchedule.WORKDAYS

    def collect(self, getter: Getter, state: State, at: datetime) -> Iterator[Batch]:
        """One day that cannot be read does not keep the others back; its error is raised once they are through."""
        taken = {day: record for day, record in clean_fields.table(state.get("taken")).items() if isinstance(record, str)}
        failure: SourceError | None = None
        for day in self._due(taken, at):
            try:
                for last, parsed in self._pages(getter, day, at):
                    if last:
                        taken = _kept(taken, day, at)
                    yield Batch(parsed.sightings, parsed.rejected, state={"taken": taken})
            except (UnreadableAnswer, SourceRefused) as error:
                failure = failure or type(error)(self.name, f"{day}: {error.reason}")
        if failure is not None:
            raise failure

    def _due(self, taken: Mapping[str, str], at: datetime) -> list[date]:
        """Newest first, so that what matters most is kept when a collect is cut off."""
        days = (at.date() - timedelta(days=back) for back in range(REREAD[-1][0].days))
        return [day for day in days if self._is_due(day, taken.get(day.isoformat()), at)]

    def _is_due(self, day: date, read_at: str | None, at: datetime) -> bool:
        age = at.date() - day
        if read_at is None:
            return age < timedelta(days=self.days)
        pause = next(pause for oldest, pause in REREAD if age < oldest)
        return at - parse_instant(read_at) >= pause

    def _pages(self, getter: Getter, day: date, at: datetime) -> Iterator[tuple[bool, Parsed]]:
        """(whether it is the day's last, page). A server that gives the same page again has no more."""
        url = f"{self.base_url.rstrip('/')}/api/daily_papers"
        known: set[str] = set()
        for page in range(_MOST_PAGES):
            params = {"date": day.isoformat(), "p": str(page), "limit": str(_PER_PAGE)}
            answer = getter.get(self.name, url, params=params, pace=_PACE)
            parsed = parse(answer.data, source=self.name, seen_at=at)
            shown = {str(s.identifiers[0]) for s in parsed.sightings}
            rows = len(parsed.sightings) + len(parsed.rejected)
            last = rows < _PER_PAGE or shown <= known or page + 1 == _MOST_PAGES
            known |= shown
            yield last, parsed
            if last:
                return


def _kept(taken: Mapping[str, str], day: date, at: datetime) -> dict[str, str]:
    oldest = (at - REREAD[-1][0]).date().isoformat()
    return {known: record for known, record in taken.items() if known >= oldest} | {day.isoformat(): isoformat(at)}


def build(name: str, base_url: str, options: Mapping[str, Any]) -> HuggingFace:
    return made(HuggingFace, name, base_url or BASE_URL, options)
