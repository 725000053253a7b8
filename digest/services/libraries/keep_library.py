"""Works kept with their texts; what they lack is taken from papers we know, and looked up for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from digest.domain.library import KeptLibrary, Rejected, Work
from digest.domain.paper import Paper, Sighting
from digest.store.unit_of_work import UnitOfWork

MOST_HELD = 10_000
"""Works of one library; the newest stay."""


def keep_library(unit: UnitOfWork, shown: Sequence[Sighting], rejected: Sequence[Rejected], at: datetime) -> KeptLibrary:
    """Keeps the works; link them to their reader in the same transaction (`unit.subscribers.change`)."""
    shown = shown[-MOST_HELD:]
    names = unit.libraries.keep(shown, at)
    found = unit.libraries.named(names)
    found = {**found, **fill_from_papers(unit, [work for work in found.values() if not work.abstract], at)}
    return KeptLibrary(
        tuple((name, found[name].title) for name in dict.fromkeys(names)),
        tuple(name for name in dict.fromkeys(names) if not found[name].abstract),
        tuple(rejected),
    )


def fill_from_papers(unit: UnitOfWork, missing: Sequence[Work], at: datetime) -> dict[str, Work]:
    """What our own papers say of works without abstract; those that they told something of, by name."""
    by_identifier = unit.papers.named({identifier for work in missing for identifier in work.identifiers})
    met = {work.name: paper for work in missing for i in work.identifiers if (paper := by_identifier.get(i))}
    titled = unit.libraries.papers_titled(work for work in missing if work.name not in met)
    papers = unit.papers.by_ids(titled.values())
    met |= {name: papers[paper_id] for name, paper_id in titled.items() if paper_id in papers}
    unit.libraries.keep([_as_shown(work, met[work.name], at) for work in missing if work.name in met], at)
    return unit.libraries.named(list(met))


def _as_shown(work: Work, paper: Paper, at: datetime) -> Sighting:
    return Sighting(
        source="papers",
        identifiers=work.identifiers,
        title=paper.title,
        seen_at=at,
        abstract=paper.abstract,
        authors=paper.authors,
        keywords=paper.keywords,
        published_at=paper.published_at,
    )


def answers_about(answers: Iterable[Sighting], asked: Sequence[Work]) -> list[Sighting]:
    """Of what a source answered, what is about works that were asked for, under their own names."""
    by_identifier = {identifier: work for work in asked for identifier in work.identifiers}
    meant = ((each, next((by_identifier[i] for i in each.identifiers if i in by_identifier), None)) for each in answers)
    return [replace(each, identifiers=work.identifiers) for each, work in meant if work]
