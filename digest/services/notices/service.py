"""All mail that answers one person: confirmations, welcomes, goodbyes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from digest.mail.smtp.journal import Journal, Unwritten
from digest.services.notices import welcome
from digest.services.notices.pending import HELD, Means, Outlook, outlook, send_at_once, send_owed

if TYPE_CHECKING:
    from digest.config.mail import Delivery as DeliverySettings
    from digest.domain.delivery import Envelope
    from digest.domain.notice import Notice
    from digest.services.delivery.relays import Relays
    from digest.services.editions.edition_renderer import Press
    from digest.services.editions.personalise import Chooser
    from digest.services.notices.transactional import Notifier
    from digest.store.unit_of_work import Store


class NoticeService:
    """`notifier` and `press` are made when first needed: where there is nothing to compose, what renders is not loaded."""

    def __init__(
        self,
        store: Store,
        settings: DeliverySettings,
        relays: Relays,
        notifier: Callable[[], Notifier],
        press: Callable[[], Press],
        chooser: Chooser,
    ) -> None:
        self._store, self._settings, self._relays = store, settings, relays
        self._notifier, self._press, self._chooser = notifier, press, chooser

    def mail_notice(self, notice: Notice, at: datetime) -> None:
        """Sends a confirmation, welcome or goodbye at once. Raises RelayUnreachable when no relay took it: it is owed then."""
        with self._store.begin() as unit:
            unit.notices.owe(notice.subscription.id, notice.kind, at, at + HELD, notice.subscription.request)
        send_at_once(self._store, self._means(lambda: at), notice, at)

    def mail_owed(self, clock: Callable[[], datetime], stop: Callable[[], bool] = lambda: False) -> int:
        """Sends what is owed of these and due; says how many. Raises RelayUnreachable when no relay can be had: they wait."""
        return send_owed(self._store, self._means(clock, stop), clock, stop) if self._relays else 0

    def outlook(self, now: datetime) -> Outlook:
        """How many confirmations are owed, and who sends them. `now` by the real clock."""
        return outlook(self._store, now)

    def _means(self, clock: Callable[[], datetime], stop: Callable[[], bool] = lambda: False) -> Means:
        transport = self._relays.pool(Unwritten(), clock, stop)
        return Means(self._envelope, self._welcome, transport, self._settings.policy())

    def _envelope(self, notice: Notice, at: datetime) -> Envelope:
        return self._notifier().envelope(notice, at)

    def _welcome(self, notice: Notice, at: datetime) -> bool:
        with Journal.create(self._settings.journal) as journal:
            pool, policy = self._relays.pool(journal, lambda: at), self._settings.policy()
            means = welcome.Means(
                self._notifier(), self._press(), self._chooser.alone, pool, journal, policy, self._chooser.make_cards
            )
            return welcome.welcome(self._store, means, notice, at)
