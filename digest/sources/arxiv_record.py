"""What every arXiv interface says about a paper in its own way: links from the id, withdrawal from the wording."""

from __future__ import annotations

import re

from digest.domain.errors import InvalidInput
from digest.domain.identifier import Identifier, Versioned, parse_identifier

# "This paper has been withdrawn by the author", "Withdrawn due to an error in section 3", "arXiv admin note: withdrawn"
_WITHDRAWN_ABSTRACT = re.compile(
    r"\W*(?:withdrawn\b|(?:this|the) (?:\w+ ){0,3}(?:paper|article|manuscript|submission|preprint|work|note) (?:has been|is|was)"
    r" (?:\w+ )?(?:withdrawn|removed)\b)",
    re.IGNORECASE,
)
_WITHDRAWN_COMMENT = re.compile(r"\bwithdrawn\b", re.IGNORECASE)
_STILL_THERE = re.compile(r"withdrawn from|not withdrawn", re.IGNORECASE)


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


def says_withdrawn(abstract: str, comment: str) -> bool:
    """arXiv marks a withdrawal in words only."""
    if _WITHDRAWN_ABSTRACT.match(abstract):
        return True
    return bool(_WITHDRAWN_COMMENT.search(comment)) and not _STILL_THERE.search(comment)
