"""What an operator does to lists and editions that are on their way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from digest.domain.delivery import NOT_SENT, DeliveryState
from digest.domain.errors import InvalidInput, LintFailed
from digest.domain.instant import isoformat
from digest.services.operations import review
from digest.services.operations.review import Group

if TYPE_CHECKING:
    from digest.domain.edition import Edition, PaperList, Rendered
    from digest.domain.subscriber import Address
    from digest.services.editions.edition_renderer import EditionRenderer
    from digest.services.subscriptions.service import SubscriptionService
    from digest.store.unit_of_work import Store

CORRECTION_LIFETIME = timedelta(days=3)
"""A correction that could not be sent for so long is not sent any more."""
REDELIVERY_LIFETIME = timedelta(days=1)
LONGEST_CORRECTION = 4000


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """Where the copies of an edition are."""

    went: int
    """A relay took them."""
    unsure: int
    """Their final dot was never answered: they may have gone."""
    in_flight: int
    """Being handed over at this moment."""
    waiting: int
    not_sent: int

    @classmethod
    def of(cls, tally: Mapping[DeliveryState, int]) -> DeliveryCounts:
        return cls(
            went=tally.get(DeliveryState.ACCEPTED, 0),
            unsure=tally.get(DeliveryState.UNCERTAIN, 0),
            in_flight=tally.get(DeliveryState.CLAIMED, 0),
            waiting=tally.get(DeliveryState.QUEUED, 0),
            not_sent=sum(tally.get(state, 0) for state in NOT_SENT),
        )


@dataclass(frozen=True, slots=True)
class Cancelled:
    """`withheld` is what this call held back. What is in flight is withheld if it comes back."""

    withheld: int
    delivery_counts: DeliveryCounts


@dataclass(frozen=True, slots=True)
class Requeued:
    queued: int
    delivery_counts: DeliveryCounts


@dataclass(frozen=True, slots=True)
class Corrected:
    """`queued` counts those who are to get it and were not before this call."""

    correction: Edition
    queued: int


class OperationService:
    def __init__(
        self,
        store: Store,
        paper_list: Callable[[str | None], PaperList],
        subscriptions: SubscriptionService,
        edition_renderer: Callable[[], EditionRenderer],
    ) -> None:
        self._store, self._paper_list, self._subscriptions = store, paper_list, subscriptions
        self._edition_renderer = edition_renderer

    def pause(self, names: Sequence[str], reason: str, at: datetime) -> tuple[str, ...]:
        """These lists make no edition and send nothing; what is due waits, and is not forgotten.

        Those that were not paused and now are, all at once. One that was keeps its reason. Raises NotFound.
        """
        with self._store.begin() as unit:
            running = tuple(name for name in names if unit.lists.paused(name) is None)
            for name in running:
                unit.lists.pause(name, reason, at)
        return running

    def resume(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those that were paused and are not any more. Raises NotFound."""
        with self._store.begin() as unit:
            halted = tuple(name for name in names if unit.lists.paused(name) is not None)
            for name in halted:
                unit.lists.resume(name)
        return halted

    def cancel(self, edition: Edition, reason: str) -> Cancelled:
        """No further copy of it goes out. A second time withholds nothing and tells the same. Raises NotFound."""
        why = f"the edition was cancelled: {reason}" if reason else "the edition was cancelled"
        with self._store.begin() as unit:
            unit.editions.cancel(edition.id)
            withheld = unit.edition_operations.withhold(edition.id, why)
            return Cancelled(withheld, DeliveryCounts.of(unit.deliveries.tally(edition.id)))

    def delivery_counts(self, edition: Edition) -> DeliveryCounts:
        """Where the copies of an edition are."""
        with self._store.read() as unit:
            return DeliveryCounts.of(unit.deliveries.tally(edition.id))

    def held(self, reply: str = "") -> list[Group]:
        """Refusals in the same words that wait for the operator; `reply` is part of the words."""
        return review.waiting(self._store, reply)

    def accept_held(self, reply: str = "", *, exact: bool = False) -> list[Group]:
        return review.accept(self._store, reply, exact=exact)

    def undo_held(self, at: datetime, reply: str = "", *, exact: bool = False) -> tuple[list[Group], int]:
        return review.undo(self._store, at, reply, exact=exact)

    def correct(self, edition: Edition, text: str, at: datetime, *, unsure: bool = False) -> Corrected:
        """Queues a few words about an edition to exactly those who got it: an edition of its own kind, by the outbox.

        The same words again reach only who got the edition since: nobody gets them twice. Goes out even where the list is
        paused: pause, correct, resume is how a bad morning ends. With `unsure` also to those who may have got the edition.
        Raises InvalidInput for words that are none, TemplateError, LintFailed.
        """
        paper_list = self._paper_list(edition.list)
        draft = drafted(edition, text, at)
        rendered = self.render_correction(draft, paper_list)
        if errors := self._edition_renderer().proof(draft, paper_list, rendered):
            raise LintFailed(errors)
        with self._store.begin() as unit:
            correction = unit.edition_operations.freeze_correction(draft, rendered)
            queued = unit.edition_operations.queue_correction(correction, at, at + CORRECTION_LIFETIME, unsure=unsure)
            unit.jobs.nudge(queued)
        return Corrected(correction, queued)

    def render_correction(self, draft: Edition, paper_list: PaperList) -> Rendered:
        """A correction, as `drafted`, as mail. Raises TemplateError."""
        return self._edition_renderer().correction(draft, paper_list)

    def redeliver(
        self, edition: Edition, at: datetime, *, unsure: bool = False, reinstate: bool = False, only: Address | None = None
    ) -> Requeued:
        """Queues again what failed, expired or was withheld: to exactly those who did not get it. Twice queues nothing twice.

        Left out: who may have it (no answer to the final dot), but with `unsure`. Still forbidden: suppressed addresses and
        ended subscriptions. `only` that reader: their copy goes before everybody's, also where it was never due. Raises
        NotFound for somebody who is not subscribed, and InvalidInput for a cancelled edition, but with `reinstate`, which makes
        it stand again.
        """
        mine = self._subscriptions.subscription(only, self._paper_list(edition.list)).id if only else None
        with self._store.begin() as unit:
            if edition.state != "frozen":
                if not reinstate:
                    raise InvalidInput(
                        f"edition {edition.list}/{edition.slug}", f"is {edition.state}; --reinstate makes it stand again"
                    )
                unit.edition_operations.reinstate(edition.id)
            again, until = f"queued again by the operator at {isoformat(at)}", at + REDELIVERY_LIFETIME
            if mine is not None:
                queued = unit.edition_operations.enqueue_urgent(edition.id, mine, at, until, again)
            else:
                queued = unit.edition_operations.requeue(edition.id, at, until, again, unsure=unsure)
            unit.jobs.nudge(queued, urgent=mine is not None)
            return Requeued(queued, DeliveryCounts.of(unit.deliveries.tally(edition.id)))


def drafted(edition: Edition, text: str, at: datetime) -> Edition:
    """Paragraphs are separated by an empty line. What a correction is follows from its edition and its words alone."""
    if edition.corrects is not None:
        raise InvalidInput("edition", "is a correction itself; correct the edition again")
    paragraphs = tuple(" ".join(part.split()) for part in text.replace("\r", "").split("\n\n") if part.strip())
    if not paragraphs or len(text) > LONGEST_CORRECTION:
        raise InvalidInput("correction", f"should be 1 to {LONGEST_CORRECTION} characters of text")
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
