"""From editions to inboxes: the outbox worked, one-off mails, and notices."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from digest.domain.delivery import Envelope, Tally
from digest.domain.edition import Edition, PaperList, Rendered
from digest.domain.subscriber import Address
from digest.wiring.relaying import Relaying

if TYPE_CHECKING:
    from digest.domain.notice import Notice
    from digest.services.delivery.one_off import Sent
    from digest.services.delivery.run import Worked
    from digest.services.notices.pending import Means
    from digest.services.notices.transactional import Notifier


class Sending(Relaying):
    """Parts that send."""

    def deliver(
        self,
        clock: Callable[[], datetime],
        stop: Callable[[], bool] = lambda: False,
        progress: Callable[[Counter[str]], None] = lambda counts: None,
    ) -> Worked:
        """Works the outbox in this process until nothing is due. `progress` is given what this run did so far."""
        from digest.mail.smtp.journal import Journal
        from digest.services.delivery.claims import recover
        from digest.services.delivery.run import Terms, Worked, deliver
        from digest.wiring.courtesy import give_way
        from digest.wiring.heap import rarely_collected

        settings = self.settings.delivery
        give_way(settings.niceness)
        terms = Terms(
            batch=settings.batch,
            lease=timedelta(seconds=settings.lease),
            policy=settings.policy(),
            per_domain_per_minute=settings.per_domain_per_minute,
        )
        abandoned = Journal.abandoned(settings.journal) if settings.journal.is_dir() else ()
        recover(self.store, abandoned, terms.policy, clock())
        with self.store.read() as unit:
            if unit.deliveries.oldest_due(clock()) is None:
                return Worked(Tally())
        with Journal.create(settings.journal) as journal, rarely_collected():
            worked = deliver(
                self.store,
                self.compose,
                self.chooser,
                self.post(journal, clock, stop),
                journal,
                terms,
                clock,
                stop,
                progress,
            )
        return replace(worked, passed_over=self.health.reasons)

    def work_outbox(
        self,
        at: datetime | None = None,
        stop: Callable[[], bool] = lambda: False,
        progress: Callable[[Counter[str]], None] = lambda counts: None,
    ) -> Worked:
        """`deliver` in as many processes as are configured (and as have a batch to do), by the clock or as if it were `at`.

        What a process leaves behind that dies is done by the others.
        """
        from digest.wiring.crew import Crew, clock_of, cores, together

        started, clock, delivery = time.monotonic(), clock_of(at), self.settings.delivery
        most = delivery.processes or cores()
        with self.store.read() as unit:
            due = unit.deliveries.due(clock(), most * delivery.batch)
        others = min(most, -(-due // delivery.batch)) - 1
        if others < 1:
            return self.deliver(clock, stop, progress)
        self.store.close()  # it opens again when asked
        with Crew(self.settings, others, at, stop, progress) as crew:
            parts = [self.deliver(clock, stop, crew.counted)]
            theirs, died = crew.finish()
        parts += theirs
        for relay, reason in together(theirs, 0).passed_over.items():
            self.health.unreachable(relay, reason)
        if died and not stop():
            parts.append(self.deliver(clock, stop, progress))
        return together(parts, time.monotonic() - started)

    def send(
        self, paper_list: PaperList, day: date | None, addresses: Sequence[Address], at: datetime, *, dry_run: bool
    ) -> list[Sent]:
        from digest.mail.smtp.journal import Unwritten
        from digest.services.delivery.one_off import send

        edition = self.edition(paper_list, day, at)
        transport = None if dry_run else self.post(Unwritten(), lambda: at)
        return send(self.store, edition, self.mailroom(edition), transport, addresses, at)

    def one_off(
        self,
        edition: Edition,
        paper_list: PaperList,
        address: Address | None,
        at: datetime,
        *,
        style: str | None = None,
        anew: bool = False,
    ) -> Envelope:
        """The mail as `address` would get it (as a subscriber, with their own picks), or as some subscriber would.

        `anew`: with the templates as they are now, not as they were when the edition was frozen. Raises TemplateError.
        """
        from digest.services.editions.message_composer import SAMPLE, one_off

        claimed = one_off(address or self.address("reader@example.org"), edition, at, SAMPLE)
        if address is not None:
            mine = self.subscription(address, paper_list)
            wanted = mine.preferences.picks
            claimed = replace(
                claimed,
                subscription_id=mine.id,
                public_id=mine.public_id,
                subscriber_id=mine.subscriber_id,
                interests=mine.interests,
                wanted=wanted,
                style=mine.preferences.style,
                personal=bool(mine.interests or wanted),
            )
        choices = self.chooser.alone(claimed, at) if claimed.personal else None
        room = (
            self.press.mailroom(edition, paper_list, self.rendered_anew(edition, paper_list)) if anew else self.mailroom(edition)
        )
        return room(replace(claimed, style=style or claimed.style), choices)

    def rendered_anew(self, edition: Edition, paper_list: PaperList) -> Rendered:
        """A frozen edition with the templates as they are now; nothing is kept. Raises TemplateError."""
        with self.store.read() as unit:
            pool = unit.editions.pool(edition.id)
        return self.press.render(replace(edition, pool=tuple(pool)), paper_list)

    def mail_notice(self, notice: Notice, at: datetime) -> None:
        """Sends a confirmation, welcome or goodbye at once. Raises RelayUnreachable when no relay took it: it is owed then."""
        from digest.services.notices.pending import HELD, send_at_once

        with self.store.begin() as unit:
            unit.notices.owe(notice.subscription.id, notice.kind, at, at + HELD, notice.subscription.request)
        send_at_once(self.store, self._means(lambda: at), notice, at)

    def mail_owed(self, clock: Callable[[], datetime], stop: Callable[[], bool] = lambda: False) -> int:
        """Sends what is owed of these and due; says how many. Raises RelayUnreachable when no relay can be had: they wait."""
        from digest.services.notices.pending import send_owed

        return send_owed(self.store, self._means(clock, stop), clock, stop) if self.settings.relays else 0

    def _means(self, clock: Callable[[], datetime], stop: Callable[[], bool] = lambda: False) -> Means:
        from digest.mail.smtp.journal import Unwritten
        from digest.services.notices.pending import Means

        transport = self.post(Unwritten(), clock, stop)
        return Means(self._notice, self._welcome, transport, self.settings.delivery.policy())

    def _notice(self, notice: Notice, at: datetime) -> Envelope:
        """Here and not the notifier's own method: where there is nothing to compose, what renders is not loaded."""
        return self.notifier.envelope(notice, at)

    def _welcome(self, notice: Notice, at: datetime) -> bool:
        from digest.mail.smtp.journal import Journal
        from digest.services.notices.welcome import Means, welcome

        with Journal.create(self.settings.delivery.journal) as journal:
            post, policy = self.post(journal, lambda: at), self.settings.delivery.policy()
            means = Means(self.notifier, self.press, self.chooser.alone, post, journal, policy)
            return welcome(self.store, means, notice, at)

    @cached_property
    def notifier(self) -> Notifier:
        """Composes confirmations, welcomes and goodbyes."""
        from digest.services.notices.transactional import Notifier

        lists = {each.name: each for each in self.lists}
        return Notifier(self.templates, self.links, self.sender, self.stamps, lists, self.sign)
