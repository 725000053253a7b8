"""The composition root: settings in, services out. Each service is made when it is first asked for, from what it needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from digest.adapters import Adapters

if TYPE_CHECKING:
    from digest.config import Settings
    from digest.services.delivery.relays import Relays
    from digest.services.delivery.service import DeliveryService
    from digest.services.editions.service import EditionService
    from digest.services.feedback.service import FeedbackService
    from digest.services.libraries.service import LibraryService
    from digest.services.monitoring.service import MonitoringService
    from digest.services.notices.service import NoticeService
    from digest.services.notices.transactional import NoticeComposer
    from digest.services.once import OnceService
    from digest.services.operations.service import OperationService
    from digest.services.papers.service import PaperService
    from digest.services.privacy.backups import BackupService
    from digest.services.privacy.service import PrivacyService
    from digest.services.scheduler.service import SchedulerService
    from digest.services.subscriptions.service import SubscriptionService


def _now() -> datetime:
    return datetime.now(UTC)


class Container:
    """A context manager: what it opened is closed at its end."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.adapters = Adapters(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.adapters.close()

    def check_settings(self) -> None:
        """Raises ConfigurationError for what no single setting shows: sources' options, and the names of sources in lists."""
        from digest.services.papers.check_settings import check_sources

        check_sources(self.settings.sources, self.settings.lists, _now())

    def database_is_there(self) -> bool:
        """False where the first command that needs the database will make it."""
        from digest.store.first_use import is_there

        return is_there(self.settings.database.url)

    @cached_property
    def relays(self) -> Relays:
        from digest.services.delivery.relays import Relays

        connections, hash_text = self.settings.delivery.connections, self.adapters.hash_address
        getter = lambda: self.adapters.getter  # noqa: E731 - made when a token is asked for
        return Relays(self.settings.relays, lambda: self.adapters.store, connections, hash_text, _now, getter)

    @cached_property
    def papers(self) -> PaperService:
        from digest.sentence_encoder import SentenceEncoder, is_installed
        from digest.services.papers.service import PaperService

        return PaperService(
            self.adapters.store,
            self.settings.sources,
            self.settings.look_ups,
            self.adapters.sources,
            lambda: self.adapters.getter,
            lambda: self.adapters.ranker,
            self.adapters.personaliser,
            self.subscriptions,
            SentenceEncoder if self.settings.ranking.sentence_encoder and is_installed() else None,
            max(each.candidates_for for each in self.adapters.lists),
        )

    @cached_property
    def libraries(self) -> LibraryService:
        from digest.encryption import Encryption
        from digest.links import derive_key
        from digest.services.libraries.service import LibraryService

        return LibraryService(
            self.adapters.store,
            self.settings.look_ups,
            self.adapters.sources,
            lambda: self.adapters.getter,
            lambda: Encryption(derive_key(self.adapters.secret, "library keys")),
        )

    @cached_property
    def editions(self) -> EditionService:
        from digest.services.editions.service import EditionService

        return EditionService(
            self.adapters.store,
            self.adapters.paper_list,
            lambda: self.adapters.edition_renderer,
            self.adapters.composer_of,
            lambda: self.adapters.ranker,
            lambda: self.adapters.summaries,
            self.adapters.personaliser,
            self.subscriptions,
        )

    @cached_property
    def delivery(self) -> DeliveryService:
        from digest.services.delivery.service import DeliveryService

        return DeliveryService(
            self.adapters.store,
            self.settings.delivery,
            self.relays,
            self.editions,
            self.adapters.personaliser,
            self.adapters.lists,
        )

    @cached_property
    def notice_composer(self) -> NoticeComposer:
        from digest.services.notices.transactional import NoticeComposer

        lists = {each.name: each for each in self.adapters.lists}
        return NoticeComposer(
            self.adapters.templates,
            self.adapters.links,
            self.adapters.sender,
            self.adapters.verp_signer,
            lists,
            self.adapters.sign,
        )

    @cached_property
    def notices(self) -> NoticeService:
        from digest.services.notices.service import NoticeService

        return NoticeService(
            self.adapters.store,
            self.settings.delivery,
            self.relays,
            lambda: self.notice_composer,
            lambda: self.adapters.edition_renderer,
            self.adapters.personaliser,
        )

    @cached_property
    def subscriptions(self) -> SubscriptionService:
        from digest.services.subscriptions.service import SubscriptionService

        return SubscriptionService(
            self.adapters.store,
            self.adapters.lists,
            lambda: self.adapters.preferences(None, None),
            self.settings.default_timezone,
            pages=self.settings.web.enabled,
        )

    @cached_property
    def feedback(self) -> FeedbackService:
        from digest.services.feedback.service import FeedbackService

        return FeedbackService(
            self.adapters.store,
            self.settings.inbound,
            self.adapters.verp_signer,
            self.adapters.links,
            lambda: self.mailboxes,
            lambda: self.adapters.getter,
            self.relays,
            self.notices,
        )

    @cached_property
    def mailboxes(self) -> frozenset[str]:
        """The addresses that our mails name."""
        mail, sender = self.settings.mail, self.adapters.sender
        made_up = (f"bounces@{sender.bounce_domain}", f"unsubscribe@{sender.bounce_domain}") if sender.makes_addresses else ()
        named = (mail.from_address, mail.reply_to, mail.inbound_address, *made_up)
        return frozenset(address.casefold() for address in named if address)

    @cached_property
    def operations(self) -> OperationService:
        from digest.services.operations.service import OperationService

        return OperationService(
            self.adapters.store,
            self.adapters.paper_list,
            self.subscriptions,
            lambda: self.adapters.edition_renderer,
        )

    @cached_property
    def monitoring(self) -> MonitoringService:
        from digest.services.monitoring.service import MonitoringService

        alerts = self.settings.alerts
        return MonitoringService(
            self.adapters.store,
            self.adapters.lists,
            [each.name for each in self.settings.sources],
            self.settings.default_timezone,
            timedelta(seconds=alerts.late_after),
            lambda: self.adapters.address(alerts.to) if alerts.to else None,
            lambda: self.adapters.key_problem,
            self.relays,
            lambda: (self.adapters.templates, self.adapters.sender, self.adapters.verp_signer, self.adapters.sign),
            self.adapters.links,
        )

    @cached_property
    def privacy(self) -> PrivacyService:
        from digest.services.privacy.service import PrivacyService

        return PrivacyService(self.adapters.store, self.settings.retention)

    @cached_property
    def scheduler(self) -> SchedulerService:
        from digest.services.scheduler.service import SchedulerService

        return SchedulerService(
            self.adapters.store,
            self.adapters.lists,
            self.settings.default_timezone,
            lambda: self.adapters.edition_renderer,
            lambda: self.adapters.ranker,
            lambda: self.adapters.summaries,
            lambda: self.adapters.personaliser.make_cards.prepare,
        )

    @cached_property
    def once(self) -> OnceService:
        from digest.services.once import OnceService

        return OnceService(
            self.papers,
            self.libraries,
            self.editions,
            self.scheduler,
            self.subscriptions,
            self.notices,
            self.delivery,
            self.feedback,
            self.privacy,
        )

    @cached_property
    def backups(self) -> BackupService:
        from digest.services.privacy.backups import BackupService

        return BackupService(
            self.settings,
            self.adapters.departure_log,
            lambda: self.adapters.store,
            self.adapters.migrated_store,
            lambda: self.adapters.secret,
        )
