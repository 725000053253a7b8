"""Everything a day needs, in one run without a daemon: collect, make what is due, send, end.

Any number of times a day: what was made is found, what was sent is not sent again, and what could not be sent is tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from digest.domain.delivery import Tally
from digest.domain.edition import PaperList
from digest.domain.errors import RelayUnreachable
from digest.domain.subscriber import Address, Preferences, SubscriptionState
from digest.services.libraries.service import A_RUN
from digest.services.papers.collect import CollectReport
from digest.services.scheduler.tick import TickResult

if TYPE_CHECKING:
    from digest.services.delivery.service import DeliveryService
    from digest.services.editions.service import EditionService
    from digest.services.feedback.service import FeedbackService
    from digest.services.libraries.service import LibraryService
    from digest.services.notices.service import NoticeService
    from digest.services.papers.service import PaperService
    from digest.services.privacy.service import PrivacyService
    from digest.services.scheduler.service import SchedulerService
    from digest.services.subscriptions.service import SubscriptionService

ADDED_BY = "digest once --to"
"""How the consent of those who were named on the command line is recorded."""


@dataclass(frozen=True, slots=True)
class OnceResult:
    """What was done. `failed` are the reasons why something that was due could not be made or sent; `skipped` is why addresses
    were left out.
    """

    collected: tuple[CollectReport, ...]
    ticked: TickResult
    tally: Tally
    nothing_due: str
    failed: tuple[str, ...]
    skipped: tuple[str, ...]


class OnceService:
    def __init__(
        self,
        papers: PaperService,
        libraries: LibraryService,
        editions: EditionService,
        scheduler: SchedulerService,
        subscriptions: SubscriptionService,
        notices: NoticeService,
        delivery: DeliveryService,
        feedback: FeedbackService,
        privacy: PrivacyService,
    ) -> None:
        self._papers, self._editions, self._scheduler, self._subscriptions = papers, editions, scheduler, subscriptions
        self._libraries = libraries
        self._notices, self._delivery, self._feedback, self._privacy = notices, delivery, feedback, privacy

    def run(
        self,
        lists: Sequence[PaperList],
        addresses: Sequence[Address],
        at: datetime,
        clock: Callable[[], datetime],
        stop: Callable[[], bool] = lambda: False,
        *,
        only_if_due: bool = False,
    ) -> OnceResult:
        """`addresses` get the first of `lists` as soon as each edition is made. `only_if_due`: ask no source and make no edition
        while nobody waits for one.
        """
        skipped = tuple(filter(None, (self._add(each, lists[0], at) for each in addresses)))
        failed: list[str] = []
        try:
            self._feedback.poll(at, lambda processed: None)  # who unsubscribed by mail gets none
        except RelayUnreachable as error:
            failed.append(str(error))
        awaited = self._scheduler.awaited(lists, at)
        collected: list[CollectReport] = []
        ticked = TickResult(0, 0)
        if awaited or not only_if_due:
            collected = self._papers.collect_due(at, failed_too=True)
            self._libraries.sync(clock, stop=stop, most=A_RUN)
            self._papers.encode(lambda: at)  # by `at`, as the editions that know these vectors
        if awaited and collected and all(each.error for each in collected):
            # made from yesterday's papers, or none, it would be the edition of this day for good
            failed.append(f"no source answered, so no edition was made: {collected[0].error}")
        elif awaited or not only_if_due:
            ticked = self._scheduler.tick(at, lists)
        else:
            ticked = self._scheduler.create_deliveries(lists, at)
        return self._sent(lists, at, clock, stop, collected, ticked, failed, skipped)

    def _sent(
        self,
        lists: Sequence[PaperList],
        at: datetime,
        clock: Callable[[], datetime],
        stop: Callable[[], bool],
        collected: Sequence[CollectReport],
        ticked: TickResult,
        failed: list[str],
        skipped: tuple[str, ...],
    ) -> OnceResult:
        failed += [*ticked.failed, *ticked.cohorts_failed]
        try:
            self._notices.send_queued(clock, stop)
        except RelayUnreachable as error:
            failed.append(str(error))
        result = self._delivery.deliver(clock, stop)
        tally = result.tally
        if result.stopped and result.stopped not in failed:
            failed.append(result.stopped)
        if tally.retry:
            failed.append(f"{_emails(tally.retry)} not sent yet; the next run tries again (`digest explain EMAIL` says why)")
        if lost := tally.failed + tally.uncertain + tally.expired:
            failed.append(f"{_emails(lost)} not sent (`digest explain EMAIL` says why)")
        self._privacy.retention_due(at)
        idle = not (failed or tally.accepted or tally.withheld)
        return OnceResult(
            tuple(collected), ticked, tally, self._why_nothing(lists, ticked, at) if idle else "", tuple(failed), skipped
        )

    def _add(self, address: Address, paper_list: PaperList, at: datetime) -> str:
        """Subscribes who is not subscribed yet, at the list's own cutoff. Says why not, where somebody left or was suppressed."""
        mine = next((each for each in self._subscriptions.of(address) if each.list == paper_list.name), None)
        if mine is not None and mine.state is SubscriptionState.ENDED:
            return f"{address} unsubscribed and gets nothing; `digest subscribe {address} --confirmed` if they ask for it again"
        if mine is not None and mine.state is SubscriptionState.ACTIVE:
            return ""
        preferences = Preferences(timezone=paper_list.timezone, hour=paper_list.cutoff, weekdays=paper_list.weekdays)
        cutoff = paper_list.cutoffs.latest(at)
        added = self._subscriptions.add(
            address, paper_list.name, preferences, "", at, confirmed_by=ADDED_BY, active_from=cutoff.first if cutoff else at
        )
        return f"{address}: {added.skipped}" if added.skipped else ""

    def _why_nothing(self, lists: Sequence[PaperList], ticked: TickResult, at: datetime) -> str:
        if not any(True for _ in self._subscriptions.all(SubscriptionState.ACTIVE)):
            return "nobody is subscribed; add somebody with `digest subscribe` or --to"
        if ticked.skipped:
            return "; ".join(ticked.skipped)
        for paper_list in lists:
            newest = self._editions.newest(paper_list, at)
            if newest is not None and newest.is_empty:
                return f"the edition of {newest.date} has no papers: {'; '.join(newest.notes)}"
        return "everybody has what was due by now"


def _emails(count: int) -> str:
    return "1 email was" if count == 1 else f"{count} emails were"
