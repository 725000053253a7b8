"""correct: a few words about an edition, to exactly those who got it. An edition of its own kind: it goes through the outbox."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from digest.domain.edition import Edition, PaperList, Rendered
from digest.domain.errors import InvalidInput, LintFailed
from digest.store.unit_of_work import Store

WORTH_SENDING = timedelta(days=3)
"""A correction that could not be sent for so long is not sent any more."""
LONGEST = 4000


class EditionRenderer(Protocol):
    """What proofreads editions proofreads corrections."""

    def proof(self, draft: Edition, paper_list: PaperList, rendered: Rendered) -> tuple[str, ...]: ...


class Render(Protocol):
    def __call__(self, draft: Edition, paper_list: PaperList) -> Rendered:
        """A correction as mail: its notes are what it says. Raises TemplateError."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """`queued` counts those who are to get it and were not before this call."""

    correction: Edition
    queued: int


def correct(
    store: Store,
    render: Render,
    edition_renderer: EditionRenderer,
    paper_list: PaperList,
    edition: Edition,
    text: str,
    at: datetime,
    *,
    unsure: bool = False,
) -> Corrected:
    """Queues the correction. The same words again reach only who got the edition since: nobody gets them twice.

    Goes out even where the list is paused: pause, correct, resume is how a bad morning ends. With `unsure` also to those who may
    have got the edition. Raises InvalidInput for words that are none, TemplateError, LintFailed.
    """
    draft = drafted(edition, text, at)
    rendered = render(draft, paper_list)
    if errors := edition_renderer.proof(draft, paper_list, rendered):
        raise LintFailed(errors)
    with store.begin() as unit:
        correction = unit.edition_operations.freeze_correction(draft, rendered)
        queued = unit.edition_operations.queue_correction(correction, at, at + WORTH_SENDING, unsure=unsure)
        unit.jobs.nudge(queued)
    return Corrected(correction, queued)


def drafted(edition: Edition, text: str, at: datetime) -> Edition:
    """Paragraphs are separated by an empty line. What a correction is follows from its edition and its words alone."""
    if edition.corrects is not None:
        raise InvalidInput("edition", "is a correction itself; correct the edition again")
    paragraphs = tuple(" ".join(part.split()) for part in text.replace("\r", "").split("\n\n") if part.strip())
    if not paragraphs or len(text) > LONGEST:
        raise InvalidInput("correction", f"should be 1 to {LONGEST} characters of text")
    words = json.dumps([edition.list, edition.slug, paragraphs], ensure_ascii=False)
    return replace(
        edition,
        id=0,
        frozen_at=at,
        picks=(),
        pool=(),
        notes=paragraphs,
        updates=(),
        content_hash=hashlib.sha256(words.encode()).hexdigest(),
        state="frozen",
        corrects=edition.id,
    )
