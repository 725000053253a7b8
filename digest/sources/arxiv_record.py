"""What every arXiv interface says about a paper in its own way: its id, and links from it."""

from __future__ import annotations

from digest.domain.errors import InvalidInput
from digest.domain.identifier import Identifier, Versioned, parse_identifier


def identified(written: str) -> Versioned:
    """The arXiv id of a record. Raises InvalidInput naming what stood there instead."""
    found = parse_identifier(written)
    if found.identifier.scheme != "arxiv":
        raise InvalidInput(f"id {written[:60]!r}", "is no arXiv id; should be like 2510.19278v1")
    return found


def abstract_page(identifier: Identifier) -> str:
    return f"https://arxiv.org/abs/{identifier.value}"


def pdf(identifier: Identifier) -> str:
    return f"https://arxiv.org/pdf/{identifier.value}"
