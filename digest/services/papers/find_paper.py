"""A paper by what it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.domain.errors import NotFound
from digest.domain.identifier import parse_identifier
from digest.domain.phrase import phrase

if TYPE_CHECKING:
    from digest.domain.paper import Paper
    from digest.store.unit_of_work import UnitOfWork


def find_paper(unit: UnitOfWork, identifier: str, hint: str = "") -> Paper:
    """By an arXiv id, a DOI or `source:key`. Raises InvalidIdentifier, and NotFound, which says `hint`."""
    named = parse_identifier(identifier).identifier
    found = unit.papers.find(named)
    if found is None:
        raise NotFound(phrase("paper %(name)s", name=str(named)), hint)
    return found
