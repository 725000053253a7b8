"""What became of a paper since it was shown, where a reader of it would want to know. Pure: the paper then, the paper now."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from digest.domain.edition import Update
from digest.domain.paper import Paper
from digest.domain.phrase import phrase

MOST = 3
KINDS = ("withdrawn", "venue", "code", "version")
"""What matters most comes first."""
SUBSTANTIAL = 0.25
"""A version counts when so much of the abstract's words is new, or the title is another."""
_LONGEST_VENUE = 90

_WORD = re.compile(r"[^\W_]+")
_NO_VENUE = re.compile(r"arxiv|corr\b|biorxiv|medrxiv|preprint|ssrn|research square|zenodo|techrxiv|openreview", re.IGNORECASE)
_ACCEPTED = re.compile(
    r"\b(?:accepted|to appear|published|camera[- ]ready)\b\s*(?:version\s+)?(?:as an? [\w -]{1,40}?\s+)?"
    r"(?:for (?:publication|presentation) (?:at|in|by)|at|to|in|by|for)\s+(?:the\s+)?"
    r"(?P<venue>(?=\w*[\s-]?[^\W\d_]{2})\w[^;(\n]*)",
    re.IGNORECASE,
)
_ENDS = re.compile(r"\.(?:\s|$)|,\s*(?:\d+\s+(?:pages|figures|tables)|code|https?:)|\s+https?:|\s+\d+\s+pages", re.IGNORECASE)


def update(then: Paper, now: Paper, reported: Collection[str] = ()) -> Update | None:
    """What to tell of a paper, the most important of what was not `reported` (kinds); None where nothing is worth a line."""
    for kind in KINDS:
        if kind not in reported and (change := _CHANGES[kind](then, now)):
            url = now.code_url if kind == "code" else now.url
            return Update(identifier=str(now.identifier), kind=kind, title=now.title, what=change, url=url)
    return None


def chosen(updates: Iterable[Update]) -> tuple[Update, ...]:
    """The few an edition tells; the others wait for the next one. By importance, then in the order given."""
    return tuple(sorted(updates, key=lambda each: KINDS.index(each.kind))[:MOST])


def _withdrawn(then: Paper, now: Paper) -> str:
    return phrase("withdrawn") if now.withdrawn and not then.withdrawn else ""


def _venue(then: Paper, now: Paper) -> str:
    if published(then) or accepted(then):
        return ""
    if venue := accepted(now):
        return phrase("accepted at %(venue)s", venue=venue)
    return phrase("published in %(venue)s", venue=venue) if (venue := published(now)) else ""


def _code(then: Paper, now: Paper) -> str:
    return phrase("code released") if now.code_url and not then.code_url else ""


def _version(then: Paper, now: Paper) -> str:
    if then.version is None or now.version is None or now.version <= then.version:
        return ""
    before, after = _words(then.abstract), _words(now.abstract)
    revised = bool(after) and len(after - before) > SUBSTANTIAL * len(after)
    if _words(then.title) != _words(now.title):
        return phrase("version %(version)s has a new title", version=str(now.version))
    return phrase("version %(version)s is substantially revised", version=str(now.version)) if revised else ""


_CHANGES = {"withdrawn": _withdrawn, "venue": _venue, "code": _code, "version": _version}


def published(paper: Paper) -> str:
    """Where it was published, by a registry or its authors' reference; "" for a preprint server."""
    return "" if _NO_VENUE.search(paper.venue) else _short(paper.venue)


def accepted(paper: Paper) -> str:
    """The venue that the authors' comment names: "Accepted to NeurIPS 2026 (spotlight), 12 pages" → "NeurIPS 2026"."""
    found = _ACCEPTED.search(paper.comment)
    return "" if found is None or _NO_VENUE.search(found["venue"]) else _short(_ENDS.split(found["venue"], maxsplit=1)[0])


def _short(venue: str) -> str:
    change = venue.strip(" .,;:")
    return change if len(change) <= _LONGEST_VENUE else ""


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))
