"""Everything about one paper, for its own page: read in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from digest.domain.edition import Appearance
from digest.domain.paper import Paper, Signal
from digest.services.papers.find_paper import find_paper

if TYPE_CHECKING:
    from digest.store.unit_of_work import Store

SIMILAR = 5


@dataclass(frozen=True, slots=True)
class PaperPage:
    paper: Paper
    signals: tuple[Signal, ...]
    """In order of time."""
    appearances: tuple[Appearance, ...]
    """The editions that picked it, newest first."""
    similar: tuple[Paper, ...]
    """The most alike first, of those that came about when it did."""


def paper_page(store: Store, identifier: str, at: datetime) -> PaperPage:
    """By any of the paper's identifiers; with what had been observed by `at`. Raises InvalidIdentifier, NotFound."""
    with store.read() as unit:
        paper = find_paper(unit, identifier)
        return PaperPage(
            paper,
            tuple(unit.papers.readings([paper.id], at).get(paper.id, ())),
            tuple(unit.editions.appearances(paper.id)),
            tuple(unit.papers.nearby(paper, SIMILAR)),
        )
