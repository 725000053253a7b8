"""A reader's own papers: pasted or uploaded, read, and told back by their titles."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from digest.child_process import Overrun, run_apart
from digest.domain.errors import InvalidIdentifier, InvalidInput
from digest.domain.identifier import parse_identifier
from digest.render.text.latex import readable
from digest.services.papers.import_files import known_papers, papers_or_reason
from digest.services.subscriptions.paper_feedback import MOST_REMEMBERED
from digest.store.unit_of_work import Store
from digest.web.site import Site

MOST_TOLD = 100
LONGEST_TITLE = 200
SMALL = 64 * 1024
"""Bytes that are read in the thread that asks; more are read in a process of their own."""
PACKED = (b"\x1f\x8b", b"\xfd7zXZ\x00")


@dataclass(frozen=True, slots=True)
class Bibliography:
    """(identifier, title) of the papers a reader named, and what could not be read, a line each."""

    papers: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()

    def __add__(self, other: Bibliography) -> Bibliography:
        papers = tuple(dict((*self.papers, *other.papers)).items())
        return Bibliography(papers[:MOST_REMEMBERED], (*self.problems, *other.problems))

    @classmethod
    def read(cls, given: bytes, at: datetime, store: Store) -> Bibliography:
        """BibTeX, a Zotero export, or bare arXiv ids and DOIs. Raises InvalidInput where it names no paper."""
        if given.startswith(PACKED):  # a little file can hold gigabytes
            raise InvalidInput("file", "is compressed; unpack it first")
        try:
            read = papers_or_reason(given, at) if len(given) <= SMALL else run_apart(papers_or_reason, given, at)
        except Overrun as error:
            raise InvalidInput("file", str(error)) from None
        if isinstance(read, str):
            raise InvalidInput("file", read)
        named, problems = read
        found, unknown = known_papers(named, store)
        papers = tuple((identifier, shown(title)) for identifier, title in list(found.items())[:MOST_REMEMBERED])
        return cls(papers, tuple(shown(each) for each in (problems + unknown)[:MOST_TOLD]))


def shown(text: str) -> str:
    """A title or a complaint as one line that is safe to show."""
    line = readable(text)
    return line if len(line) <= LONGEST_TITLE else line[: LONGEST_TITLE - 1] + "…"


def titles(site: Site, identifiers: Iterable[str]) -> list[tuple[str, str]]:
    """(identifier, title) of the newest some; the title is empty for a paper we never saw."""
    told: list[tuple[str, str]] = []
    with site.wiring.store.read() as unit:
        for identifier in list(identifiers)[: -MOST_TOLD - 1 : -1]:
            paper = None
            with suppress(InvalidIdentifier):
                paper = unit.papers.find(parse_identifier(identifier).identifier)
            told.append((identifier, shown(paper.title) if paper else ""))
    return told
