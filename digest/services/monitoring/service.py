"""What should be looked at, and telling the operator once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from digest.mail.smtp.send_log import Unwritten
from digest.services.monitoring.alert_mail import alert, tell
from digest.services.monitoring.alerts import Finding, Policy, look, of_key, of_passed_over, raise_alarms

if TYPE_CHECKING:
    from digest.domain.delivery import Envelope
    from digest.domain.edition import PaperList
    from digest.domain.subscriber import Address
    from digest.links import Links
    from digest.mail.message.headers import Sender
    from digest.mail.verp import Stamps
    from digest.render.environment import Templates
    from digest.services.delivery.relays import Relays
    from digest.services.editions.message_composer import Sign
    from digest.store.unit_of_work import Store


class MonitoringService:
    """`to` is the operator's address, None where alarms are only remembered; `key_trouble` says what is wrong with our key."""

    def __init__(
        self,
        store: Store,
        lists: Sequence[PaperList],
        sources: Sequence[str],
        overdue: timedelta,
        to: Callable[[], Address | None],
        key_trouble: Callable[[], str],
        relays: Relays,
        mail_parts: Callable[[], tuple[Templates, Sender, Stamps, Sign]],
        links: Links,
    ) -> None:
        self._store, self._lists, self._sources, self._overdue = store, lists, sources, overdue
        self._to, self._key_trouble, self._relays, self._mail_parts, self._links = to, key_trouble, relays, mail_parts, links

    def findings(self, at: datetime) -> tuple[Finding, ...]:
        """What the store shows to be wrong."""
        found = look(self._store, self._lists, self._sources, at, Policy(overdue=self._overdue))
        trouble = self._key_trouble()
        relays = [of_passed_over(name, reason) for name, reason in self._relays.health.reasons.items()]
        return (*([of_key(trouble)] if trouble else []), *relays, *found)

    def alarm(self, findings: Iterable[Finding], at: datetime) -> tuple[Finding, ...]:
        """Mails the operator what was not told in 24 hours; returns it. Without alerts.to or relays it is only remembered."""

        def mail(finding: Finding) -> None:
            to = self._to()
            if to is not None and self._relays:
                tell(self._relays.pool(Unwritten(), lambda: at), self.alert_mail(finding, to, at))

        return raise_alarms(self._store, findings, mail, at)

    def alert_mail(self, finding: Finding, to: Address, at: datetime) -> Envelope:
        """What `alarm` mails."""
        templates, sender, stamps, sign = self._mail_parts()
        return alert(templates, sender, stamps, self._links.base_url, to, finding, at, sign)
