"""What a paper is called: arXiv ids, DOIs and `source:key`, each in one canonical spelling.

Rules: arXiv identifiers <https://info.arxiv.org/help/arxiv_identifier.html>; arXiv DOIs are 10.48550/arXiv.<id>;
bioRxiv and medRxiv DOIs (10.1101/…, 10.64898/…) carry a version only as a suffix `vN` that is not part of the DOI.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from html import unescape
from urllib.parse import quote, unquote

from digest.domain.errors import InvalidIdentifier
from digest.domain.phrase import Phrase, phrase

_NEW_ARXIV = r"\d{2}(?:0[1-9]|1[0-2])\.\d{4,5}"
_OLD_ARXIV = r"(?!(?:abs|pdf|html|ps|src|papers|format)/)[a-z]+(?:-[a-z]+)*(?:\.[a-z]{2,5}(?:-[a-z]{2,5})?)?/\d{7}"
_ID = rf"(?P<id>{_NEW_ARXIV}|{_OLD_ARXIV})(?:v(?P<version>[1-9]\d{{0,2}}))?"
_ARXIV = re.compile(rf"{_ID}(?:\s*\[[a-z.-]{{2,20}}\].*|\s+\([^()]{{2,20}}\))?", re.IGNORECASE)
"""With the subject and date that arXiv prints behind the id on a paper's first page, or a citation's year."""
_ARXIV_PAGE = re.compile(rf"(?:^|/)(?:arxiv[:.])?{_ID}(?:\.pdf|\.ps|\.html?)?(?:/abstract)?/*$", re.IGNORECASE)
_FTP_PAGE = re.compile(r"(?:^|/)ftp/(?P<archive>[a-z-]+)/papers/\d{4}/(?P<number>[\d.]+?)(?:v\d+)?(?:\.pdf)?$", re.IGNORECASE)
_BIBCODE = re.compile(r"(?:\S+/abs/)?\d{4}arXiv(?P<month>\d{4})\.?(?P<number>\d{4,5})[A-Z](?:/\S*)?")
"""ADS's name of an arXiv paper: 2024arXiv240112345L."""
_DOI = re.compile(r"10\.\d{4,9}/(?:[^\s\"<>]|<(?!/)[^\s\"<>]*>)+")
"""Angle brackets come in pairs: 10.1175/1520-0477(1996)077<0935:WOTWSM>2.0.CO;2."""
_ARXIV_DOI = re.compile(r"10\.48550/arxiv\.(?P<rest>.+)", re.IGNORECASE)
_PREPRINT_DOI = re.compile(r"(?P<doi>10\.(?:1101|64898)/.+?)v(?P<version>[1-9]\d{0,2})(?:\.[a-z][\w.+-]*)?")
_KEY = re.compile(r"(?P<scheme>[a-z][a-z0-9_-]{0,31}):(?P<value>[^\s\x00-\x1f\x7f]{1,400})")
_PREFIX = re.compile(
    r"(?:oai:arxiv\.org:|(?:info:|urn:)?(?:arxiv|doi)[:/.]\s*|doi\s+(?=10\.)|arxiv\s+(?=\d{4}\.\d|[a-z.-]+/\d)"
    r"|arxiv (?:preprint|e-?prints?)[:,]?\s+)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"(?P<scheme>https?:)?(?://)?(?:[\w-]{1,63}\.){0,6}?"
    r"(?:(?P<arxiv>arxiv\.org|xxx\.lanl\.gov|ar5iv\.org|alphaxiv\.org|arxiv-vanity\.com|huggingface\.co|hf\.co|emergentmind\.com)"
    r"|(?P<doi>doi\.org|doi\.acm\.org|biorxiv\.org|medrxiv\.org|doi-org\.[\w.-]{1,200})|[\w-]{1,63}\.[a-z]{2,18})"
    r"(?::\d+)?/\s*(?P<path>\S*)",
    re.IGNORECASE,
)
"""Where arXiv's papers are shown, where DOIs are resolved, any other place: a scheme and "www." may be missing."""
_IN_PATH = re.compile(
    r"(?:^|/)[\w-]*article[\w-]*/doi/(?P<numbered>10\.\d{4,9}/\S+?)/\d{5,9}(?:/|$)"  # OUP, AIP and others number their articles
    rf"|(?:^|/)(?:doi:)?(?P<doi>{_DOI.pattern})|(?:^|/)(?P<arxiv>arxiv[:/]{_ID})/*(?:abstract)?$",
    re.IGNORECASE,
)
"""A publisher's, a library's or a search engine's page, whose address holds the name."""
_IN_QUERY = re.compile(r"[?&](?:id|doi|url|q|u|target)=((?:https?(?::|%3a)|10\.\d{4})[^&#\s]+)", re.IGNORECASE)
_WITHIN = re.compile(r"(?<=/)https?://?\S+", re.IGNORECASE)
_NATURE = re.compile(r"https?://(?:www\.)?nature\.com/articles/(s\d{5}-\d{3}-\d{4,5}-\w)\b", re.IGNORECASE)
"""Nature's pages are named by the DOI's end."""
_PART = re.compile(
    r"(?:/(?:full|pdf|epdf|html|abstract|abs|meta|references|figures)/?|\.(?:pdf|html|short|full)|/suppl_file/.*)+$"
)
_QUERY = re.compile(r"\?|#(?!$)")
"""Some DOIs end with a "#"."""
_LOOK_ALIKES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2212"), "-") | dict.fromkeys(map(ord, "\u2044\u2215"), "/")
_OPENING = {")": "(", "]": "[", "}": "{", ">": "<"}
_PUNCTUATION = "/.,;:!?'\"’”»"

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
        raise InvalidIdentifier(f"{_named(given)}…", phrase("should be at most %(most)s characters", most=str(LONGEST)))
    bare = _bare(given)
    if arxiv_doi := _ARXIV_DOI.fullmatch(bare):
        bare = arxiv_doi["rest"]
    if arxiv := _ARXIV.fullmatch(bare):
        return Versioned(Identifier("arxiv", _canonical_arxiv(arxiv["id"])), int(arxiv["version"]) if arxiv["version"] else None)
    if preprint := _PREPRINT_DOI.fullmatch(bare):
        return Versioned(Identifier("doi", preprint["doi"].lower()), int(preprint["version"]))
    if _DOI.fullmatch(bare):
        return Versioned(Identifier("doi", bare.lower()))
    if (key := _KEY.fullmatch(given)) and key["scheme"] not in (*PRECEDENCE, "http", "https"):
        return Versioned(Identifier(key["scheme"], key["value"]))
    raise InvalidIdentifier(_named(given), phrase("should be like arxiv:2510.19278, doi:10.1101/2020.01.01 or source:key"))


def _named(given: str) -> Phrase:
    return phrase("identifier %(given)s", given=repr(given[:80]))


def _bare(given: str) -> str:
    """The id or DOI without what was written around it: an address, a prefix, escapes, invisible characters, punctuation."""
    if not given.isascii():
        given = "".join(c for c in unicodedata.normalize("NFKC", given) if unicodedata.category(c) != "Cf").translate(
            _LOOK_ALIKES
        )
    given = given.strip()
    if given.startswith("<") and given.endswith(">"):
        given = given[1:-1]
    given = given.lstrip("([{'\"‘“«")
    for _ in range(3):  # "doi:https://doi.org/10.…", "https://doi.org/doi:10.…"
        if (address := _ADDRESS.match(given)) and (within := _in_address(address)):
            given = within
        elif bibcode := _BIBCODE.fullmatch(given):
            given = f"{bibcode['month']}.{bibcode['number']}"
        elif prefix := _PREFIX.match(given):
            given = given[prefix.end() :]
        else:
            break
    while (once := unescape(unquote(given))) != given:
        given = once
    return _unpunctuated(given.strip())


def _in_address(address: re.Match[str]) -> str:
    """The id, DOI or further address that an address holds; "" for none."""
    path = unquote(_QUERY.split(address["path"], maxsplit=1)[0])
    if address["arxiv"]:
        return _arxiv_of(path)
    if address["doi"]:
        found = _DOI.search(path)
        return found[0] if found else path
    if found := _IN_PATH.search(path):
        return found["numbered"] or found["arxiv"] or _PART.sub("", found["doi"])
    if nature := _NATURE.match(address[0]):
        return f"10.1038/{nature[1]}"
    further = _WITHIN.search(address["path"]) or _IN_QUERY.search(address["path"]) if address["scheme"] else None
    return unquote(further[further.lastindex or 0]) if further else ""


def _arxiv_of(path: str) -> str:
    """The id at the end of an address's path; the path where there is none."""
    path = _unpunctuated(path.partition("&")[0])
    if ftp := _FTP_PAGE.search(path):
        return ftp["number"] if ftp["archive"].lower() == "arxiv" else f"{ftp['archive']}/{ftp['number']}"
    found = _ARXIV_PAGE.search(path)
    return found[0].strip("/").removesuffix("/abstract") if found else path


def _unpunctuated(text: str) -> str:
    """Without what a sentence put behind it: punctuation, a slash, brackets that close nothing."""
    while text:
        last = text[-1]
        if last in _PUNCTUATION or (last in _OPENING and text.count(last) > text.count(_OPENING[last])):
            text = text[:-1]
        elif text.endswith(".pdf"):
            text = text[:-4]
        else:
            break
    return text


def _canonical_arxiv(value: str) -> str:
    """Old ids name a subject class only for display: math.GT/0309136 and math/0309136 are one paper."""
    archive, slash, number = value.lower().partition("/")
    return f"{archive.partition('.')[0]}/{number}" if slash else value


def preferred(identifiers: tuple[Identifier, ...]) -> Identifier:
    """The one a paper is shown and linked by: arXiv, then DOI, then the rest. `identifiers` must not be empty."""
    return min(identifiers, key=lambda i: (PRECEDENCE.index(i.scheme) if i.scheme in PRECEDENCE else len(PRECEDENCE), i))


def page_of(identifier: Identifier) -> str:
    """Where a registered work can be read; "" for any other scheme."""
    pages = {"arxiv": "https://arxiv.org/abs/", "doi": "https://doi.org/"}
    return pages[identifier.scheme] + quote(identifier.value, safe="/:;().") if identifier.scheme in pages else ""
