"""Which sightings are one paper, and what the paper says when its sources differ.

One paper: sightings that share an identifier (domain/identifier.py drops versions, so v1 and v2 share one; an arXiv DOI is the
arXiv id). A sighting may join two papers known apart. For the rest there is `title_key`, used only where
`may_match_by_title` allows it.

Precedence, field by field. Empty never overwrites; between equals the later sighting wins; the order given never matters.

| field | whose word counts |
|---|---|
| title, abstract, authors, categories, comment | the newest version's; then the most authoritative source's |
| published_at | the most authoritative source's; between equals the earliest (a first publication is not moved by a revision) |
| updated_at | the latest anybody knows of |
| listed_at | the earliest: a relisting is not news |
| url, pdf_url | the most authoritative source's |
| code_url, project_url, keywords, summary | a community index's, that collects them, before a registry's; then the latest |
| venue | a registry of publications' before a preprint server's |
| version | the highest under the name the paper is shown by |
| withdrawn | as the newest version says; a source without versions takes it back by showing the paper without it |
| identifiers, sources | all of them, sorted |
| first_seen_at | the earliest |
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from digest.domain.identifier import Identifier, preferred
from digest.domain.paper import Description, MergedFields, Sighting, Summary

_PREPRINT_SERVERS = ("arxiv", "biorxiv", "medrxiv")
_REGISTRIES = ("crossref", "openalex", "semanticscholar")
_COMMUNITY = ("huggingface",)

TEXT_ORDER = (*_PREPRINT_SERVERS, *_REGISTRIES, *_COMMUNITY)
"""Sources by authority over a work's own words. One not named comes after all of these ("arxiv-cs" counts as "arxiv")."""
EXTRAS_ORDER = (*_COMMUNITY, *_REGISTRIES[::-1], *_PREPRINT_SERVERS)
"""Sources by authority over what others add to a work: code, project page, keywords, a summary."""
VENUE_ORDER = (*_REGISTRIES, *_PREPRINT_SERVERS, *_COMMUNITY)

DAILY = (*_PREPRINT_SERVERS, *_COMMUNITY, "seed", "file")
"""Sources that show papers when they appear: what they show without a date is of the day. "file" is our own exchange format."""
REFERENCE = "reference"
"""The scheme of a name made of title and authors, which a reference gets that has no other."""
STRONG_SCHEMES = frozenset({"arxiv", "doi"})
"""Schemes under which a work is registered; every other scheme is one source's own numbering."""


def merge(sightings: Sequence[Sighting]) -> MergedFields:
    """What the paper is, from all that was ever seen of it, by the precedence above. `sightings` must not be empty.

    The same for any order of `sightings` and any number of repeats; sightings are never changed by it, so what a source said
    wrongly is outweighed, not lost.
    """
    identifiers = _identifiers(sightings)
    name = preferred(identifiers)
    return MergedFields(
        identifiers=identifiers,
        first_seen_at=min(s.seen_at for s in sightings),
        version=_version(sightings, name),
        withdrawn=_withdrawn(sightings, name),
        updated_at=max((s.updated_at for s in sightings if s.updated_at), default=None),
        listed_at=min((s.listed_at for s in sightings if s.listed_at), default=None),
        published_at=_published(sightings),
        sources=tuple(sorted({s.source for s in sightings})),
        **_texts(sightings, name),
    )


def _texts(sightings: Sequence[Sighting], name: Identifier) -> dict[str, Any]:
    """Every field one sighting wins as a whole, chosen among those that say something."""
    if len(sightings) == 1:
        return {field: getattr(sightings[0], field) for fields, _ in _WON_BY for field in fields}
    won: dict[str, Any] = {}
    for fields, rank_of in _WON_BY:
        ranked = [(rank_of(s, name), s) for s in sightings]
        for field in fields:
            values = [(rank, _comparable(value), value) for rank, s in ranked if (value := getattr(s, field))]
            won[field] = max(values, key=lambda entry: entry[:2])[2] if values else getattr(sightings[0], field)
    return won


def _comparable(value: Any) -> Any:
    """Breaks a tie between two that rank equal, so that the order given never matters."""
    return (value.provenance, value.text) if isinstance(value, Summary) else value


_Rank = tuple[int, int, datetime]
"""Greater is better."""


def _by_version(sighting: Sighting, name: Identifier) -> _Rank:
    return _version_under(sighting, name) or 0, -_place(sighting.source, TEXT_ORDER), sighting.seen_at


def _by_authority(sighting: Sighting, name: Identifier) -> _Rank:
    return -_place(sighting.source, TEXT_ORDER), _version_under(sighting, name) or 0, sighting.seen_at


def _by_community(sighting: Sighting, _: Identifier) -> _Rank:
    return -_place(sighting.source, EXTRAS_ORDER), 0, sighting.seen_at


def _by_registry(sighting: Sighting, _: Identifier) -> _Rank:
    return -_place(sighting.source, VENUE_ORDER), 0, sighting.seen_at


_WON_BY: tuple[tuple[tuple[str, ...], Callable[[Sighting, Identifier], _Rank]], ...] = (
    (("title", "abstract", "authors", "categories", "comment"), _by_version),
    (("url", "pdf_url"), _by_authority),
    (("code_url", "project_url", "keywords", "summary"), _by_community),
    (("venue",), _by_registry),
)


def _place(source: str, order: tuple[str, ...]) -> int:
    """Where a source stands: 0 is the most trusted. "arxiv-cs" and "arxiv_rss" stand where "arxiv" does, "semantic-scholar" where
    "semanticscholar".
    """
    parts = re.split(r"[-_. ]", source)
    for known in (source, parts[0], "".join(parts)):
        if known in order:
            return order.index(known)
    return len(order)


def _identifiers(sightings: Iterable[Sighting]) -> tuple[Identifier, ...]:
    return tuple(sorted({identifier for s in sightings for identifier in s.identifiers}))


def _version_under(sighting: Sighting, name: Identifier) -> int | None:
    """A version counts only for the identifier it belongs to: bioRxiv's v3 is not newer than arXiv's v2."""
    return sighting.version if preferred(sighting.identifiers) == name else None


def _version(sightings: Iterable[Sighting], name: Identifier) -> int | None:
    return max((v for s in sightings if (v := _version_under(s, name)) is not None), default=None)


def _published(sightings: Iterable[Sighting]) -> datetime | None:
    dated = ((_place(s.source, TEXT_ORDER), s.published_at) for s in sightings if s.published_at)
    return min(dated, default=(0, None))[1]


def _withdrawn(sightings: Sequence[Sighting], name: Identifier) -> bool:
    newest = _version(sightings, name)
    if any(s.withdrawn and _version_under(s, name) == newest for s in sightings if newest is not None):
        return True
    unversioned = [s for s in sightings if _version_under(s, name) is None]
    last_word: dict[str, tuple[datetime, bool]] = {}
    for s in unversioned:
        values = (s.seen_at, s.withdrawn)
        last_word[s.source] = max(values, last_word.get(s.source, values))
    return any(withdrawn for _, withdrawn in last_word.values())


_MARKUP = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]{0,9}(?:\s[^<>]{0,100})?/?>|\\[a-zA-Z]+")
_GREEK = re.compile(
    r"\\(?:var)?(alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|upsilon|phi|chi|psi|omega)"
    r"(?![a-z])\s*",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")
_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv|phd|md)\.?", re.IGNORECASE)
_FEWEST_WORDS = 4
_FEWEST_LETTERS = 20


def title_key(work: Description) -> str | None:
    """What two sightings of one work share when they share no identifier: normalised title and first author's surname.

    None where that could be two works: no author, or a title of fewer than 4 words or 20 letters ("Reply to comment",
    "Introduction", "A survey of LLMs"). Case, accents, punctuation, markup and LaTeX commands do not count.
    """
    return _title_key(work.title, work.authors[0]) if work.authors else None


@lru_cache(maxsize=8192)  # asked as papers are looked for, again as they are told apart
def _title_key(title: str, first_author: str) -> str | None:
    words = _WORD.findall(_folded(_MARKUP.sub(" ", _GREEK.sub(_letter, title))))
    surname = _surname(first_author)
    if not surname or len(words) < _FEWEST_WORDS or sum(map(len, words)) < _FEWEST_LETTERS:
        return None
    return f"{' '.join(words)}|{surname}"


def may_match_by_title(one: Iterable[Identifier], other: Iterable[Identifier]) -> bool:
    """Whether equal title keys may make these one paper: exactly when no authority names both.

    Two works with registered names are told apart by those names alone: the same author does publish twice under one title. So
    are two that one source numbers differently. If several papers have the key, none of them is matched.
    """
    return not (_authorities(one) & _authorities(other))


def _authorities(identifiers: Iterable[Identifier]) -> set[str]:
    return {"registered" if i.scheme in STRONG_SCHEMES else i.scheme for i in identifiers if i.scheme != REFERENCE}


def registered(identifiers: Iterable[Identifier]) -> bool:
    """Whether a work has a name that tells it apart from every other."""
    return any(i.scheme in STRONG_SCHEMES for i in identifiers)


def is_daily(source: str) -> bool:
    return _place(source, DAILY) < len(DAILY)


def _letter(command: re.Match[str]) -> str:
    """The small letter: the $\\Sigma$-side is not the $\\Pi$-side, however it is written."""
    name = command[1].upper()
    return unicodedata.lookup(f"GREEK SMALL LETTER {'LAMDA' if name == 'LAMBDA' else name}")


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _surname(author: str) -> str:
    """The last word of the family name: "Jan van der Berg", "van der Berg, Jan" and "Jan Berg Jr." all give "berg"."""
    family, comma, _ = author.partition(",")
    words = [w for w in (family if comma else author).split() if not _SUFFIX.fullmatch(w)]
    return "".join(_WORD.findall(_folded(words[-1]))) if words else ""
