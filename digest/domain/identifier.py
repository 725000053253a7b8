"""What a paper is called: arXiv ids, DOIs and `source:key`, each in one canonical spelling.

Rules: arXiv identifiers <https://info.arxiv.org/help/arxiv_identifier.html>; arXiv DOIs are 10.48550/arXiv.<id>;
bioRxiv and medRxiv DOIs (10.1101/…, 10.64898/…) carry a version only as a suffix `vN` that is not part of the DOI.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from digest.domain.errors import InvalidIdentifier

_NEW_ARXIV = r"\d{2}(?:0[1-9]|1[0-2])\.\d{4,5}"
_OLD_ARXIV = r"[a-z]+(?:-[a-z]+)*(?:\.[a-z]{2})?/\d{7}"
_ARXIV = re.compile(rf"(?P<id>{_NEW_ARXIV}|{_OLD_ARXIV})(?:v(?P<version>[1-9]\d{{0,2}}))?", re.IGNORECASE)
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>]+")
_ARXIV_DOI = re.compile(r"10\.48550/arxiv\.(?P<rest>.+)", re.IGNORECASE)
_PREPRINT_DOI = re.compile(r"(?P<doi>10\.(?:1101|64898)/.+?)v(?P<version>[1-9]\d{0,2})(?:\.full(?:\.pdf|-text)?|\.abstract)?")
_KEY = re.compile(r"(?P<scheme>[a-z][a-z0-9_-]{0,31}):(?P<value>[^\s\x00-\x1f\x7f]{1,400})")
_PREFIX = re.compile(
    r"(?:oai:arxiv\.org:|arxiv:\s*|doi:\s*|https?://(?:[a-z.]+\.)?arxiv\.org/(?:abs|pdf|html|src|e-print)/"
    r"|https?://(?:dx\.)?doi\.org/|https?://huggingface\.co/papers/|https?://(?:www\.)?(?:biorxiv|medrxiv)\.org/content/)",
    re.IGNORECASE,
)

LONGEST = 2_000
"""Characters, with the address around it."""
PRECEDENCE = ("arxiv", "doi")
"""Which scheme names a paper when it has several; every other scheme comes after, alphabetically."""


@dataclass(frozen=True, slots=True, order=True)
class Identifier:
    """`scheme` is "arxiv", "doi" or a source's name; `value` is canonical: no version, DOIs and old archives in lower case."""

    scheme: str
    value: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}"


@dataclass(frozen=True, slots=True)
class Versioned:
    """An identifier as it was written, with the version it carried, if any."""

    identifier: Identifier
    version: int | None = None


def parse_identifier(text: str) -> Versioned:
    """Reads "2510.19278v2", "arXiv:hep-th/9901001", "10.48550/arXiv.2510.19278", an abs or PDF address, a DOI or "source:key".

    Raises InvalidIdentifier, naming what was given.
    """
    given = text[: LONGEST + 1].strip()
    if len(given) > LONGEST:
        raise InvalidIdentifier(f"identifier {given[:80]!r}…", f"should be at most {LONGEST} characters")
    bare = unquote(_PREFIX.sub("", given, count=1)).strip().removesuffix(".pdf")
    if arxiv_doi := _ARXIV_DOI.fullmatch(bare):
        bare = arxiv_doi["rest"]
    if arxiv := _ARXIV.fullmatch(bare):
        return Versioned(Identifier("arxiv", _canonical_arxiv(arxiv["id"])), int(arxiv["version"]) if arxiv["version"] else None)
    if preprint := _PREPRINT_DOI.fullmatch(bare):
        return Versioned(Identifier("doi", preprint["doi"].lower()), int(preprint["version"]))
    if _DOI.fullmatch(bare):
        return Versioned(Identifier("doi", bare.rstrip(".,;").lower()))
    if (key := _KEY.fullmatch(given)) and key["scheme"] not in (*PRECEDENCE, "http", "https"):
        return Versioned(Identifier(key["scheme"], key["value"]))
    raise InvalidIdentifier(f"identifier {given[:80]!r}", "should be like arxiv:2510.19278, doi:10.1101/2020.01.01 or source:key")


def _canonical_arxiv(value: str) -> str:
    """Old ids name a subject class only for display: math.GT/0309136 and math/0309136 are one paper."""
    archive, slash, number = value.lower().partition("/")
    return f"{archive.partition('.')[0]}/{number}" if slash else value


def preferred(identifiers: tuple[Identifier, ...]) -> Identifier:
    """The one a paper is shown and linked by: arXiv, then DOI, then the rest. `identifiers` must not be empty."""
    return min(identifiers, key=lambda i: (PRECEDENCE.index(i.scheme) if i.scheme in PRECEDENCE else len(PRECEDENCE), i))
