"""From editions to inboxes: the outbox worked, and one-off mails."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from digest.domain.delivery import Tally
from digest.mail.smtp.journal import Journal, NullSendLog
from digest.services.delivery.claims import recover
from digest.services.delivery.one_off import Sent, send
from digest.services.delivery.run import DeliveryOptions, DeliveryResult, deliver

if TYPE_CHECKING:
    from digest.config.mail import Delivery as DeliverySettings
    from digest.domain.edition import PaperList
    from digest.domain.subscriber import Address
    from digest.services.delivery.relays import Relays
    from digest.services.editions.personalise import Personaliser
    from digest.services.editions.service import EditionService
    from digest.store.unit_of_work import Store


class DeliveryService:
    def __init__(
        self,
        store: Store,
        settings: DeliverySettings,
        relays: Relays,
        editions: EditionService,
        personaliser: Personaliser,
        lists: Sequence[PaperList],
    ) -> None:
        self._lists = frozenset(each.name for each in lists)
        self._store, self._settings, self._relays, self._editions, self._personaliser = (
            store,
            settings,
            relays,
            editions,
            personaliser,
        )

    def deliver(
        self,
        clock: Callable[[], datetime],
        stop: Callable[[], bool] = lambda: False,
        progress: Callable[[Counter[str]], None] = lambda counts: None,
    ) -> DeliveryResult:
        """Works the outbox until nothing is due. `progress` is given what this run did so far."""
        settings = self._settings
        terms = DeliveryOptions(
            batch=settings.claim_size,
            lease=timedelta(seconds=settings.lease),
            policy=settings.policy(),
            per_domain_per_minute=settings.per_domain_per_minute,
            lists_known=self._lists,
        )
        recover(self._store, Journal.abandoned(settings.journal), terms.policy, terms.lease)
        with self._store.read() as unit:
            unknown = unit.deliveries.waiting_for_their_list(clock(), self._lists)
            if unit.deliveries.oldest_due(clock(), self._lists) is None:
                return DeliveryResult(Tally(), lists_unknown=unknown)
        with Journal.create(settings.journal) as journal, _rarely_collected():
            pool = self._relays.pool(journal, clock, stop)
            result = deliver(self._store, self._editions.compose, self._personaliser, pool, journal, terms, clock, stop, progress)
        return replace(result, passed_over=self._relays.health.reasons, lists_unknown=unknown)

    def send(
        self, paper_list: PaperList, day: date | None, addresses: Sequence[Address], at: datetime, *, dry_run: bool
    ) -> list[Sent]:
        """A list's edition of `day` to these addresses, now, outside subscriptions."""
        edition = self._editions.edition(paper_list, day, at)
        transport = None if dry_run else self._relays.pool(NullSendLog(), lambda: at)
        return send(
            self._store, edition, self._editions.message_composer(edition), transport, addresses, at, self._personaliser.alone
        )

    def nudge(self, at: datetime) -> None:
        """Asks the workers to look at what is due and has no nudge."""
        with self._store.begin() as unit:
            if unit.deliveries.oldest_due(at, self._lists) is not None:
                unit.jobs.nudge(unit.delivery_stats.due(at))

    def remaining(self, at: datetime) -> int:
        """How many deliveries are due or claimed."""
        with self._store.read() as unit:
            return unit.delivery_stats.remaining(at)


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """While mail is sent, Python's garbage collector looks rarely: mails leave no cycles.

    Walking over modules and an edition's pieces time and again took a sixth of the time.
    """
    usual = gc.get_threshold()
    gc.set_threshold(50_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
