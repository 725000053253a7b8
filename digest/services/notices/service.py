"""All mail that answers one person: confirmations, welcomes, goodbyes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from digest.domain.notice import NoticeKind
from digest.mail.smtp.journal import Journal, NullSendLog
from digest.services.notices import welcome
from digest.services.notices.pending import HELD, NoticeTools, PendingNotices, send_at_once, send_queued
from digest.services.scheduler.election import NOTICE_SENDER

if TYPE_CHECKING:
    from digest.config.mail import Delivery as DeliverySettings
    from digest.domain.delivery import Envelope
    from digest.domain.notice import Notice
    from digest.services.delivery.relays import Relays
    from digest.services.editions.edition_renderer import EditionRenderer
    from digest.services.editions.personalise import Personaliser
    from digest.services.notices.transactional import NoticeComposer
    from digest.store.unit_of_work import Store


class NoticeService:
    """The composer and the renderer are made when first needed: where there is nothing to compose, what renders is not loaded."""

    def __init__(
        self,
        store: Store,
        settings: DeliverySettings,
        relays: Relays,
        notice_composer: Callable[[], NoticeComposer],
        edition_renderer: Callable[[], EditionRenderer],
        personaliser: Personaliser,
    ) -> None:
        self._store, self._settings, self._relays = store, settings, relays
        self._notice_composer, self._edition_renderer, self._personaliser = notice_composer, edition_renderer, personaliser

    def mail_notice(self, notice: Notice, at: datetime) -> None:
        """Sends a confirmation, welcome or goodbye at once. Raises RelayUnreachable when no relay took it: it is queued then."""
        with self._store.begin() as unit:
            unit.notices.queue(notice.subscription.id, notice.kind, at, at, notice.subscription.request, lease=HELD)
        send_at_once(self._store, self._means(lambda: at), notice, at)

    def send_queued(self, clock: Callable[[], datetime], stop: Callable[[], bool] = lambda: False) -> int:
        """Sends what is queued of these and due; says how many. Raises RelayUnreachable when no relay can be had: they wait."""
        return send_queued(self._store, self._means(clock, stop), clock, stop) if self._relays else 0

    def pending_notices(self) -> PendingNotices:
        """How many confirmations are queued, and who sends them."""
        with self._store.read() as unit:
            held = unit.leases.holder(NOTICE_SENDER)
            sender = held[0] if held and unit.leases.held(NOTICE_SENDER) else None
            return PendingNotices(unit.notices.count(NoticeKind.CONFIRM), sender)

    def _means(self, clock: Callable[[], datetime], stop: Callable[[], bool] = lambda: False) -> NoticeTools:
        transport = self._relays.pool(NullSendLog(), clock, stop)
        return NoticeTools(self._envelope, self._welcome, transport, self._settings.policy())

    def _envelope(self, notice: Notice, at: datetime) -> Envelope:
        return self._notice_composer().envelope(notice, at)

    def _welcome(self, notice: Notice, at: datetime) -> bool:
        with Journal.create(self._settings.journal) as journal:
            pool, policy = self._relays.pool(journal, lambda: at), self._settings.policy()
            means = welcome.WelcomeTools(
                self._notice_composer(),
                self._edition_renderer(),
                self._personaliser.alone,
                pool,
                journal,
                policy,
                self._personaliser.make_cards,
            )
            return welcome.welcome(self._store, means, notice, at)
