"""Values to columns and back: the only place that knows how a dataclass lies in a row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from digest.domain.identifier import Identifier
from digest.domain.identity import merge
from digest.domain.instant import as_utc, isoformat
from digest.domain.paper import MergedFields, Paper, Sighting, Summary
from digest.domain.subscriber import Consent, Interests, Preferences

_TEXTS = ("abstract", "url", "pdf_url", "code_url", "project_url", "venue", "comment")
_TUPLES = ("authors", "categories", "keywords")
_INSTANTS = ("published_at", "updated_at", "listed_at")
_PLAIN = (*_TEXTS, *_TUPLES)

_in_ascii = json.JSONEncoder(sort_keys=True).encode

Row = Mapping[str, Any]
"""A row, or a document, by name."""


# ---- sightings -------------------------------------------------------------------------------------------------------------


class Content(NamedTuple):
    """What was shown, without when and without signals."""

    document: dict[str, Any]
    hash: str
    """The sha256 of that: equal content, equal hash."""
    sighting: Sighting
    """As it will be read again, but for its signals."""


def sighting_content(sighting: Sighting) -> Content:
    content: dict[str, Any] = {"ids": [[i.scheme, i.value] for i in sighting.identifiers], "title": sighting.title}
    for name in _PLAIN:
        if value := getattr(sighting, name):
            content[name] = value
    for name in _INSTANTS:
        if instant := getattr(sighting, name):
            content[name] = isoformat(as_utc(instant, f"{name} of {sighting.identifiers[0]}"))
    if sighting.summary:
        content["summary"] = [sighting.summary.text, sighting.summary.provenance]
    if sighting.version is not None:
        content["version"] = sighting.version
    if sighting.withdrawn:
        content["withdrawn"] = True
    written = _in_ascii(content)
    if "\\u0000" in written or "\\ud" in written:
        content = _storable(content)
        written = _in_ascii(content)
        sighting = sighting_from(sighting.source, sighting.seen_at, content)
    return Content(content, hashlib.sha256(f"{sighting.source}\n{written}".encode()).hexdigest(), sighting)


def _storable(value: Any) -> Any:
    """Without NUL (PostgreSQL takes none) and lone surrogates (no database takes them)."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, (list, tuple)):
        return [_storable(each) for each in value]
    if isinstance(value, dict):
        return {key: _storable(each) for key, each in value.items()}
    return value


def sighting_from(source: str, seen_at: datetime, content: Row) -> Sighting:
    return Sighting(
        source=source,
        seen_at=seen_at,
        identifiers=tuple(Identifier(scheme, value) for scheme, value in content["ids"]),
        title=content["title"],
        summary=Summary(text=content["summary"][0], provenance=content["summary"][1]) if "summary" in content else None,
        version=content.get("version"),
        withdrawn=content.get("withdrawn", False),
        **_from_document(content),
    )


def _from_document(document: Row) -> dict[str, Any]:
    """The fields that a sighting and a paper write alike."""
    fields: dict[str, Any] = {name: document.get(name, "") for name in _TEXTS}
    fields |= {name: tuple(document.get(name, ())) for name in _TUPLES}
    fields |= {name: datetime.fromisoformat(document[name]) if name in document else None for name in _INSTANTS}
    return fields


# ---- papers ----------------------------------------------------------------------------------------------------------------

_MERGED = ("title", "first_seen_at", "version", "withdrawn", *_PLAIN, *_INSTANTS)


def columns_of(merged: MergedFields) -> dict[str, Any]:
    """A paper's columns; its identifiers lie in their own table."""
    columns: dict[str, Any] = {name: getattr(merged, name) for name in _MERGED}
    columns["sources"] = merged.sources
    columns["summary"] = merged.summary.text if merged.summary else None
    columns["summary_provenance"] = merged.summary.provenance if merged.summary else None
    return columns


def paper_from(row: Row, identifiers: Sequence[Identifier]) -> Paper:
    summary = row["summary"]
    return Paper(
        id=row["id"],
        identifiers=tuple(identifiers),
        title=row["title"],
        first_seen_at=row["first_seen_at"],
        summary=Summary(text=summary, provenance=row["summary_provenance"]) if summary is not None else None,
        version=row["version"],
        withdrawn=row["withdrawn"],
        sources=tuple(row["sources"]),
        **_from_row(row),
    )


def _from_row(row: Row) -> dict[str, Any]:
    """Raises TypeError where SQLite or a JSON column holds something other than text."""
    fields: dict[str, Any] = {name: row[name] for name in (*_TEXTS, *_INSTANTS)}
    fields |= {name: tuple(row[name]) for name in _TUPLES}
    for name in _TUPLES:
        if not isinstance(row[name], list) or not all(isinstance(each, str) for each in row[name]):
            raise TypeError(f"{name} is no list of texts")
    if not all(isinstance(text, str) for text in (row["title"], row["summary"] or "", *(row[name] for name in _TEXTS))):
        raise TypeError("title, summary or abstract is no text")
    return fields


def paper_from_sightings(paper_id: int, seen: Sequence[Sighting]) -> Paper:
    merged = merge(seen)
    return Paper(
        id=paper_id,
        identifiers=merged.identifiers,
        summary=merged.summary,
        sources=merged.sources,
        **{name: getattr(merged, name) for name in _MERGED},
    )


def paper_document(paper: Paper) -> dict[str, Any]:
    """A paper as an edition showed it, as JSON."""
    document: dict[str, Any] = {"id": paper.id, "ids": [[i.scheme, i.value] for i in paper.identifiers], "title": paper.title}
    document |= {name: value for name in (*_PLAIN, "sources", "version", "withdrawn") if (value := getattr(paper, name))}
    document |= {name: isoformat(at) for name in (*_INSTANTS, "first_seen_at") if (at := getattr(paper, name))}
    if paper.summary:
        own = [paper.summary.language] if paper.summary.language else []
        document["summary"] = [paper.summary.text, paper.summary.provenance, *own]
    return document


def paper_from_document(document: Row) -> Paper:
    summary = document.get("summary")
    return Paper(
        id=document["id"],
        identifiers=tuple(Identifier(scheme, value) for scheme, value in document["ids"]),
        title=document["title"],
        first_seen_at=datetime.fromisoformat(document["first_seen_at"]),
        summary=Summary(**dict(zip(("text", "provenance", "language"), summary, strict=False))) if summary else None,
        version=document.get("version"),
        withdrawn=document.get("withdrawn", False),
        sources=tuple(document.get("sources", ())),
        **_from_document(document),
    )


# ---- readers ---------------------------------------------------------------------------------------------------------------

_INTERESTS = ("words", "categories", "authors", "muted_words", "muted_authors", "liked", "disliked")
NO_INTERESTS = Interests()


def interests_document(interests: Interests) -> dict[str, list[str]] | None:
    """None for no interests: most readers have none, and a null costs nothing."""
    return {name: list(value) for name in _INTERESTS if (value := getattr(interests, name))} or None


def interests_from(document: Mapping[str, Sequence[str]] | None) -> Interests:
    if not document:
        return NO_INTERESTS
    return Interests(**{name: tuple(document.get(name, ())) for name in _INTERESTS})


def interest_columns(preferences: Preferences, interests: Interests) -> dict[str, Any]:
    """What a reader asked for, and what follows from it: whether their picks are their own."""
    return {
        "timezone": preferences.timezone,
        "hour": preferences.hour,
        "weekdays": preferences.weekdays,
        "frequency": preferences.frequency.value,
        "picks": preferences.picks,
        "style": preferences.style,
        "language": preferences.language,
        "authors_words": preferences.authors_words,
        "paused_until": preferences.paused_until,
        "interests": interests_document(interests),
        "personal": bool(interests),
    }


def consent_columns(consent: Consent) -> dict[str, Any]:
    return {
        "consent_at": consent.at,
        "consent_how": consent.how,
        "consent_wording": consent.wording,
        "consent_event": consent.event,
    }
