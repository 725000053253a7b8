"""Papers, how sources show them, and the dated numbers about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from digest.domain.identifier import Identifier, preferred


@dataclass(frozen=True, slots=True)
class Signal:
    """A dated number about a paper. Unique per (paper, kind, source, observed_at); history is append-only."""

    kind: str
    """"upvotes", "github_stars", "comments", "citations" …"""
    value: float
    observed_at: datetime
    source: str


MODELS = {"huggingface": "Hugging Face", "semantic scholar": "Semantic Scholar"}
"""Whose models sum papers up, by what a summary says of where it is from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One line on what a paper contributes, with where the words come from."""

    text: str
    provenance: str
    """"huggingface", "semantic scholar" (the source's own), "abstract" (extracted) or "model:<name>" (an endpoint)."""
    language: str = ""
    """BCP 47; empty: English where a model wrote it, else the abstract's."""

    @property
    def is_by_model(self) -> bool:
        return self.provenance.startswith("model:") or self.provenance in MODELS


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a paper is, by what one source says of it or all of them together. Text has its whitespace folded; LaTeX is kept."""

    identifiers: tuple[Identifier, ...]
    """At least one."""
    title: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    published_at: datetime | None = None
    updated_at: datetime | None = None
    listed_at: datetime | None = None
    """When the source featured or announced it (Hugging Face: submittedOnDailyAt; arXiv: the announcement)."""
    categories: tuple[str, ...] = ()
    """The first one is the primary category."""
    keywords: tuple[str, ...] = ()
    url: str = ""
    pdf_url: str = ""
    code_url: str = ""
    project_url: str = ""
    summary: Summary | None = None
    venue: str = ""
    comment: str = ""
    version: int | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting(Description):
    """A paper as one source showed it at one instant, in the source's own words.

    Instants are aware, in UTC. A sighting may carry only what the source knows: empty text and empty tuples mean "this source
    says nothing about it" and never overwrite what another source said.
    """

    source: str
    seen_at: datetime
    signals: tuple[Signal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedFields(Description):
    """The fields of a Paper but its id."""

    first_seen_at: datetime
    """The earliest sighting's instant."""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper(MergedFields):
    """A work, whatever its versions and sources: the merge of its sightings by precedence (domain/identity.py).

    Two papers never share an identifier.
    """

    id: int
    """The store's key. Not shown to people: they see `identifier`."""

    @property
    def identifier(self) -> Identifier:
        return preferred(self.identifiers)


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """What speaks for a paper before anyone votes on it, by what was known at the instant of ranking."""

    authors: int = 0
    """Earlier papers by its authors that an edition featured or that were voted up."""
    likeness: float = 0.0
    """To what was voted up lately: 0 nothing in common, 1 the same words."""


NO_TRACK_RECORD = TrackRecord()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A paper with what had been observed about it by the instant of ranking. `signals` are in order of `observed_at`."""

    paper: Paper
    signals: tuple[Signal, ...] = ()
    track_record: TrackRecord = NO_TRACK_RECORD
    """Looked up for papers without signals only."""
    topic_weight: float = 1.0
    """What its list lets its topic count."""


BURST, LATELY, UNVOTED = "burst", "lately", "new"
"""Kinds of reasons for operators: votes that do not count, earlier picks on a topic, a paper so new that nobody has voted.
Readers see none that speaks against a paper, or for every paper."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a paper was chosen (or left out), in words a reader understands."""

    kind: str
    """"votes", "stars", "interest", "author", "category", "similar", "serendipity", "muted", "featured" …"""
    text: str
    """Such as "▲ 145 (+102 today)"; may be a `Phrase`."""


def for_readers(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    return tuple(reason for reason in reasons if reason.kind not in (BURST, LATELY, UNVOTED))


@dataclass(frozen=True, slots=True)
class Ranked:
    """A paper with its score and why. Higher is better; scores are comparable only within one ranking."""

    paper: Paper
    score: float
    reasons: tuple[Reason, ...] = ()
    growth: tuple[float, ...] = field(default=())
    """How its main signal grew, a value per day, oldest first: for a small plot. Empty when unknown."""


@dataclass(frozen=True, slots=True)
class MergeCounts:
    """What merging sightings did. Each sighting counts once: it made a paper, told something new of one, or nothing new."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0
    signals: int = 0
    """Readings that were not there before."""

    def __add__(self, other: MergeCounts) -> MergeCounts:
        return MergeCounts(
            self.new + other.new,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.signals + other.signals,
        )


@dataclass(frozen=True, slots=True)
class AddedSignals:
    """`added` counts readings that were not there before; `unknown` names the papers nobody has shown us, each once."""

    added: int
    unknown: tuple[Identifier, ...] = ()
