"""Proofreading: a draft is rendered, shortened until it passes the lint, and the papers that cannot be shown are found."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from digest.domain.edition import Edition, PaperList, Pick, Pooled, Rendered
from digest.domain.errors import DigestError, LintFailed
from digest.domain.paper import Ranked
from digest.domain.phrase import phrases
from digest.domain.schedule import Frequency

if TYPE_CHECKING:
    from digest.services.editions.edition_renderer import EditionRenderer

MOST_BREVITY = 3


def proofed(draft: Edition, paper_list: PaperList, edition_renderer: EditionRenderer) -> tuple[Edition, Rendered]:
    """Renders until the proof passes: shorter summaries first, then as many picks as fit, and a note that says so."""

    def tried(trial: Edition, brevity: int) -> tuple[Rendered, tuple[str, ...]]:
        rendered = edition_renderer.render(trial, paper_list, brevity=brevity)
        errors = edition_renderer.proof(trial, paper_list, rendered)
        if not all(error.startswith("size") for error in errors):
            raise LintFailed(errors)
        return rendered, errors

    errors: tuple[str, ...] = ()
    for brevity in range(MOST_BREVITY + 1):
        rendered, errors = tried(draft, brevity)
        if not errors:
            return draft, rendered
    fitting: tuple[Edition, Rendered] | None = None
    few, many = 0, len(draft.picks) or min(draft.max_picks, len(draft.pool))  # that many fit, so many do not
    while many - few > 1:
        kept = (few + many) // 2
        note = phrases(
            "shortened to %(n)s paper to stay readable in a mail", "shortened to %(n)s papers to stay readable in a mail", kept
        )
        trial = replace(draft, picks=draft.picks[:kept], max_picks=kept, notes=(*draft.notes, note))
        trial = replace(trial, content_hash=content_hash(trial))
        rendered, errors = tried(trial, MOST_BREVITY)
        if errors:
            many = kept
        else:
            few, fitting = kept, (trial, rendered)
    if fitting is None:
        raise LintFailed(errors)
    return fitting


def broken_alone(draft: Edition, paper_list: PaperList, edition_renderer: EditionRenderer) -> dict[int, str]:
    """By id, the papers that an edition of theirs alone fails with."""
    found: dict[int, str] = {}
    for ranked in (each.ranked for each in draft.pool):
        alone = replace(draft, picks=(Pick(1, ranked),), pool=(Pooled(0, ranked),), notes=(), updates=())
        try:
            proofed(alone, paper_list, edition_renderer)
        except Exception as error:
            why = str(error) if isinstance(error, DigestError) else f"{type(error).__name__}: {error}"
            found[ranked.paper.id] = f"{ranked.paper.identifier} is left out, it cannot be shown: {why}"[:500]
    return found


def content_hash(edition: Edition) -> str:
    """sha256 over what readers may be shown: list, date, picks and pool with their reasons, notes, updates."""

    def record(ranked: Ranked) -> list[object]:
        paper = ranked.paper
        summary = paper.summary.text if paper.summary else ""
        return [str(paper.identifier), paper.title, paper.authors, summary, [r.text for r in ranked.reasons]]

    def pooled(each: Pooled) -> list[object]:
        return [each.position, each.featured_before, *record(each.ranked), *([each.section] if each.section else [])]

    what = [
        edition.list,
        edition.date.isoformat(),
        *([str(edition.frequency)] if edition.frequency is not Frequency.DAILY else []),
        [[pick.rank, *record(pick.ranked)] for pick in edition.picks],
        [pooled(each) for each in edition.pool],
        edition.notes,
        [[each.identifier, each.title, each.what] for each in edition.updates],
    ]
    return hashlib.sha256(json.dumps(what, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
