"""What should be looked at, and telling the operator once."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from digest.domain.errors import RelayUnreachable
from digest.domain.instant import parse_instant
from digest.domain.schedule import known_zone
from digest.mail.smtp.journal import NullSendLog
from digest.services.monitoring.alerts import (
    Finding,
    Policy,
    look,
    of_key,
    of_passed_over,
    of_queue,
    of_review,
    of_silence,
    raise_alarms,
)
from digest.services.monitoring.explain import explain, status
from digest.services.monitoring.figures import (
    Figures,
    ListOverview,
    Readership,
    SourceState,
    figures,
    source_state,
)
from digest.services.scheduler.election import TICKED

if TYPE_CHECKING:
    from digest.domain.delivery import Envelope
    from digest.domain.edition import PaperList
    from digest.domain.subscriber import Address
    from digest.links import Links
    from digest.mail.message.headers import Sender
    from digest.mail.verp import VerpSigner
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
        default_timezone: str,
        overdue: timedelta,
        to: Callable[[], Address | None],
        key_problem: Callable[[], str],
        relays: Relays,
        mail_parts: Callable[[], tuple[Templates, Sender, VerpSigner, Sign]],
        links: Links,
    ) -> None:
        self._store, self._lists, self._sources, self._overdue = store, lists, sources, overdue
        self._zone = ZoneInfo(default_timezone)
        self._since = time.monotonic()
        self._to, self._key_trouble, self._relays, self._mail_parts, self._links = to, key_problem, relays, mail_parts, links

    def status(self, at: datetime) -> dict[str, Any]:
        """What is going on, as one document."""
        return status(self._store, self._lists, self._sources, at, self._relays.troubles(at))

    def explain(self, address: Address, at: datetime) -> dict[str, Any]:
        """Why an address was mailed, or not."""
        return explain(self._store, address, self._lists, at, self._zone)

    def figures(self, buckets: Sequence[float], at: datetime) -> Figures:
        """For programs that watch. `buckets`: seconds from due to accepted."""
        return figures(self._store, self._lists, self._sources, buckets, at)

    def overview(self, paper_list: PaperList, most: int) -> ListOverview:
        """With so many editions."""
        name = paper_list.name
        with self._store.read() as unit:
            editions = tuple((each, unit.deliveries.tally(each.id)) for each in unit.editions.history(name, most))
            return ListOverview(unit.lists.paused(name), unit.subscriber_stats.active(name), editions)

    def readership(self, since: datetime) -> Readership:
        with self._store.read() as unit:
            stats = unit.subscriber_stats
            readers = sum(stats.active(each.name) for each in self._lists)
            return Readership(readers, stats.confirmed(since), stats.ended(since), stats.returned(since), stats.suppressed(since))

    def sources(self) -> tuple[SourceState, ...]:
        """What the latest collect left behind; nobody is asked again for it."""
        with self._store.read() as unit:
            return tuple(source_state(unit, name) for name in self._sources)

    def unknown_zones(self) -> dict[str, int]:
        """Readers' time zones that this machine does not know, with how many have them."""
        with self._store.read() as unit:
            return {zone: count for zone, count in unit.subscribers.zones().items() if known_zone(zone) is None}

    def held(self) -> Finding | None:
        """That something is held for review; None where nothing is."""
        with self._store.read() as unit:
            return of_review(unit.refusals.held())

    def findings(self, at: datetime) -> tuple[Finding, ...]:
        """What the store shows to be wrong."""
        found = look(self._store, self._lists, self._sources, at, Policy(overdue=self._overdue))
        found = tuple(filter(None, (of_silence(self._silence()), *found)))
        trouble = self._key_trouble()
        relays = [of_passed_over(name, reason) for name, reason in self._relays.health.reasons.items()]
        return (*([of_key(trouble)] if trouble else []), *relays, *found)

    def stalled(self, at: datetime) -> tuple[Finding, ...]:
        """That nothing is scheduled, or that mail is late."""
        with self._store.read() as unit:
            queue = of_queue(
                unit.deliveries.oldest_due(at, [each.name for each in self._lists]), at, Policy(overdue=self._overdue)
            )
        return tuple(filter(None, (of_silence(self._silence()), queue)))

    def _silence(self) -> timedelta:
        """How long no tick came to its end while we looked; one that lies in the future came before the clock was set back."""
        watched = timedelta(seconds=time.monotonic() - self._since)
        with self._store.read() as unit:
            last, now = unit.sources.load(*TICKED), unit.leases.now()
        return watched if last is None else min(watched, abs(now - parse_instant(last["at"])))

    def alarm(self, findings: Iterable[Finding], at: datetime) -> tuple[Finding, ...]:
        """Mails the operator what was not told in 24 hours; returns it. Without alerts.to or relays it is only remembered."""

        def mail(finding: Finding) -> None:
            to = self._to()
            if to is not None and self._relays:
                self.send_alert(self.alert_mail(finding, to, at), at)

        return raise_alarms(self._store, findings, mail, at)

    def alert_mail(self, finding: Finding, to: Address, at: datetime) -> Envelope:
        """What `alarm` mails; the same cause on the same day has the same Message-ID. Raises TemplateError."""
        from digest.render.edition.views import SenderView, in_words
        from digest.render.transactional.messages import AlertView, render_message
        from digest.services.notices.envelope import EnvelopeBuilder

        templates, sender, verp_signer, sign = self._mail_parts()
        utc = at.astimezone(UTC)
        view = AlertView(
            headline=finding.headline,
            seen=finding.seen,
            fix=finding.fix,
            at=f"{in_words(utc.date())}, {utc:%H:%M} UTC",
            sender=SenderView(name=sender.name, home_url=self._links.home, postal_address=sender.postal_address),
        )
        message = render_message(templates, "alert", view)
        key = f"{at:%Y%m%d}-{hashlib.sha256(finding.cause.encode()).hexdigest()[:16]}"
        return EnvelopeBuilder(sender, verp_signer, sign).build(message, to, at, kind="alert", key=key)

    def send_alert(self, envelope: Envelope, at: datetime) -> None:
        """Hands it over. Raises RelayUnreachable where no relay took it."""
        transport = self._relays.pool(NullSendLog(), lambda: at)
        attempt = next(iter(list(transport.send_many([envelope]))), None)
        if attempt is None or not attempt.accepted:
            text = "no relay took it" if attempt is None else str(attempt.reply or attempt.error)
            raise RelayUnreachable(attempt.relay if attempt else "none", text)
