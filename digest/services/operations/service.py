"""What an operator does to lists and editions that are on their way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from digest.services.operations import review
from digest.services.operations.cancel import Cancelled, DeliveryCounts, cancel
from digest.services.operations.correct import Corrected, correct
from digest.services.operations.pause import pause, resume
from digest.services.operations.redeliver import Requeued, redeliver
from digest.services.operations.review import Group

if TYPE_CHECKING:
    from digest.domain.edition import Edition, PaperList, Rendered
    from digest.domain.subscriber import Address
    from digest.services.editions.edition_renderer import EditionRenderer
    from digest.services.subscriptions.service import SubscriptionService
    from digest.store.unit_of_work import Store


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
        return pause(self._store, names, reason, at)

    def resume(self, names: Sequence[str]) -> tuple[str, ...]:
        return resume(self._store, names)

    def cancel(self, edition: Edition, reason: str) -> Cancelled:
        return cancel(self._store, edition, reason)

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
        paper_list = self._paper_list(edition.list)
        return correct(
            self._store, self.render_correction, self._edition_renderer(), paper_list, edition, text, at, unsure=unsure
        )

    def render_correction(self, draft: Edition, paper_list: PaperList) -> Rendered:
        """A correction (correct.py's draft) as mail. Raises TemplateError."""
        return self._edition_renderer().correction(draft, paper_list)

    def redeliver(
        self, edition: Edition, at: datetime, *, unsure: bool = False, reinstate: bool = False, only: Address | None = None
    ) -> Requeued:
        """`only` that reader's copy, before everybody's. Raises NotFound for somebody who is not subscribed."""
        mine = self._subscriptions.subscription(only, self._paper_list(edition.list)).id if only else None
        return redeliver(self._store, edition, at, unsure=unsure, reinstate=reinstate, only=mine)
