"""Papers a reader saved: kept to come back to and to take along; what is sent does not depend on them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from digest.domain.errors import InvalidInput, NotFound
from digest.domain.paper import Paper
from digest.domain.phrase import phrase
from digest.services.papers.find_paper import find_paper
from digest.store.unit_of_work import Store

MOST_SAVED = 5000
"""Papers of one subscription: what a page of them and an export can hold."""

Saved = Sequence[tuple[Paper, datetime]]
"""Each with when it was saved, the newest first."""


def save_paper(store: Store, subscription_id: int, identifier: str, at: datetime) -> Paper:
    """Saving it again changes nothing. Raises InvalidIdentifier, NotFound, and InvalidInput for one too many."""
    with store.begin() as unit:
        paper = find_paper(unit, identifier)
        if unit.subscribers.get(subscription_id) is None:
            raise NotFound(phrase("this subscription"), phrase("it was erased; subscribe again"))
        unit.saved_papers.save(subscription_id, paper.id, at)
        if unit.saved_papers.count(subscription_id) > MOST_SAVED:
            raise InvalidInput(
                phrase("saved papers"), phrase("are %(n)s already, and no more fit; remove some first", n=MOST_SAVED)
            )
    return paper


def remove_saved(store: Store, subscription_id: int, identifiers: Collection[str]) -> None:
    """Those that are not saved are no error. Raises InvalidIdentifier, NotFound."""
    with store.begin() as unit:
        unit.saved_papers.remove(subscription_id, {find_paper(unit, each).id for each in identifiers})


def saved_papers(store: Store, subscription_id: int, limit: int | None = None, offset: int = 0) -> tuple[Saved, int]:
    """(some of them, or all; how many there are)."""
    with store.read() as unit:
        found = unit.saved_papers.of(subscription_id, limit, offset)
        papers, count = unit.papers.by_ids(found), unit.saved_papers.count(subscription_id)
    return [(papers[paper_id], at) for paper_id, at in found.items()], count
