"""The one place where parts meet: what commands, daemon and pages ask for, each a verb of the journey given its parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from digest.domain.delivery import Envelope, Tally
from digest.domain.edition import Edition, PaperList, Pooled
from digest.domain.errors import NotFound
from digest.domain.instant import isoformat, parse_instant
from digest.domain.subscriber import Address, Subscription
from digest.links import Purpose
from digest.parts import Parts

if TYPE_CHECKING:
    from fastapi import FastAPI

    from digest.domain.feedback import Feedback
    from digest.domain.interest import Understood
    from digest.domain.paper import Ranked
    from digest.journey.collect import CollectReport
    from digest.journey.deliver import Worked
    from digest.journey.heed import Heeded
    from digest.journey.roster import RosterReport
    from digest.journey.send import Sent
    from digest.journey.subscribe import Notice
    from digest.journey.tick import Ticked


class Wiring(Parts):
    """A context manager: what it opened is closed at its end."""

    def collect_due(self, at: datetime) -> list[CollectReport]:
        """Collects from the sources whose time has come (`every_minutes` since the last try)."""
        from digest.journey.collect import collect

        due = []
        with self.store.read() as unit:
            for each in self.settings.sources:
                tried = unit.sources.load(each.name, "tried")
                if tried is None or parse_instant(tried["at"]) + timedelta(minutes=each.every_minutes) <= at:
                    due.append(each.name)
        if not due:
            return []
        with self.store.begin() as unit:
            for name in due:
                unit.sources.save(name, "tried", {"at": isoformat(at)}, at)
        return collect(self.sources(due), self.getter, self.store, at)

    def ranking(self, paper_list: PaperList, at: datetime, address: Address | None = None) -> list[Ranked]:
        """The ranking at an instant; with an address, that reader's own. Raises NotFound for an address not subscribed."""
        from digest.ranking.trending import rank

        with self.store.read() as unit:
            ranked = rank(unit.papers.candidates(at, at - paper_list.candidates_for, paper_list), at)
        if address is None:
            return ranked
        pool = [Pooled(position, each) for position, each in enumerate(ranked[: paper_list.pool])]
        return self.chooser.ranking(pool, self.subscription(address, paper_list).interests)

    def edition(self, paper_list: PaperList, day: date | None, at: datetime) -> Edition:
        """The edition of `day` (default: the list's day at `at`), made if need be. Raises NotFound saying why there is none."""
        from digest.journey.edit import edit, instant_for

        wanted = day or at.astimezone(ZoneInfo(paper_list.timezone)).date()
        made = edit(paper_list, wanted, self.store, self.press, instant_for(paper_list, wanted, at))
        if made.edition is None:
            raise NotFound(f"edition of {paper_list.name} for {wanted}", made.skipped)
        return made.edition

    def trial(self, paper_list: PaperList, day: date | None, at: datetime) -> Edition:
        """What the edition would be if nothing had ever been featured. Nothing is kept."""
        from digest.journey.edit import drafted

        wanted = day or at.astimezone(ZoneInfo(paper_list.timezone)).date()
        return drafted(paper_list, wanted, self.store, at, include_featured=True)

    def deliver(
        self,
        clock: Callable[[], datetime],
        stop: Callable[[], bool] = lambda: False,
        progress: Callable[[Counter[str]], None] = lambda counts: None,
    ) -> Worked:
        """Works the outbox in this process until nothing is due."""
        from digest.journey.deliver import Terms, Worked, deliver, recover
        from digest.mail.journal import Journal

        settings = self.settings.delivery
        terms = Terms(batch=settings.batch, lease=timedelta(seconds=settings.lease), policy=settings.policy())
        abandoned = Journal.abandoned(settings.journal) if settings.journal.is_dir() else ()
        recover(self.store, abandoned, terms.policy, clock())
        with self.store.read() as unit:
            if unit.deliveries.oldest_due(clock()) is None:
                return Worked(Tally())
        with Journal.create(settings.journal) as journal:
            return deliver(
                self.store,
                self.compose,
                self.chooser,
                self.post(journal, clock),
                journal,
                terms,
                clock,
                stop,
                progress,
            )

    def send(
        self, paper_list: PaperList, day: date | None, addresses: Sequence[Address], at: datetime, *, dry_run: bool
    ) -> list[Sent]:
        from digest.journey.send import send
        from digest.mail.session import Unwritten

        edition = self.edition(paper_list, day, at)
        transport = None if dry_run else self.post(Unwritten(), lambda: at)
        return send(self.store, edition, self.mailroom(edition), transport, addresses, at)

    def one_off(self, edition: Edition, paper_list: PaperList, address: Address | None, at: datetime) -> Envelope:
        """The mail as `address` would get it (as a subscriber, with their own picks), or as a stranger would."""
        from digest.journey.press import one_off

        claimed = one_off(0, address or self.address("reader@example.org"), edition, at)
        if address is not None:
            mine = self.subscription(address, paper_list)
            wanted = mine.preferences.picks
            claimed = replace(
                claimed,
                subscription_id=mine.id,
                subscriber_id=mine.subscriber_id,
                interests=mine.interests,
                wanted=wanted,
                personal=bool(mine.interests or wanted),
            )
        choices = self.chooser.alone(claimed, at) if claimed.personal else None
        return self.mailroom(edition)(claimed, choices)

    def subscription(self, address: Address, paper_list: PaperList) -> Subscription:
        """Raises NotFound."""
        with self.store.read() as unit:
            for each in unit.subscribers.subscriptions(address):
                if each.list == paper_list.name:
                    return each
        raise NotFound(f"{address}'s subscription to {paper_list.name}")

    def mail_notice(self, notice: Notice, at: datetime) -> None:
        """Sends a confirmation, welcome or goodbye at once. Raises RelayUnreachable when no relay took it."""
        from digest.journey.notify import Notifier, notify
        from digest.mail.session import Unwritten

        notifier = Notifier(self.templates, self.links, self.sender, self.stamps, {each.name: each for each in self.lists})
        notify(notifier, self.post(Unwritten(), lambda: at), notice, at)

    def tick(self, at: datetime) -> Ticked:
        from digest.journey.tick import tick

        return tick(self.lists, self.store, self.press, at)

    # --- readers

    def import_subscribers(self, file: Path, confirmed: bool, at: datetime) -> RosterReport:
        """Raises InvalidInput for a file that is no roster, RelayUnreachable where confirmations cannot be sent."""
        from digest.journey.roster import import_roster

        return import_roster(
            file,
            self.store,
            self.address,
            [each.name for each in self.lists],
            self.preferences(None, None),
            at,
            confirmed=confirmed,
            ask=lambda notice: self.mail_notice(notice, at),
        )

    def add_interests(
        self, address: Address, files: Sequence[Path], text: str, mute: str, clear: bool, at: datetime
    ) -> Understood:
        """Adds to every subscription of an address. Raises NotFound for an unknown one."""
        from digest.journey.interest import add_interests
        from digest.journey.load import papers_in

        return add_interests(self.store, lambda file: papers_in(file, at), address, files, text, mute, clear)

    def heed(self, feedback: Feedback, at: datetime, *, trusted: bool) -> Heeded:
        """Does what a mail that came back asks for; mails the notices that follow where there is a relay."""
        from digest.journey.heed import HeedPolicy, heed

        def confirming(token: str, instant: datetime) -> int:
            return self.links.read(Purpose.CONFIRM, token, instant)

        heeded = heed(feedback, self.store, at, HeedPolicy(), self.stamps, trusted=trusted, read_confirmation=confirming)
        if self.settings.relays:
            for notice in heeded.notices:
                self.mail_notice(notice, at)
        return heeded

    # --- pages

    def web_app(self) -> FastAPI:
        from digest.web.app import create_app

        return create_app(self)
