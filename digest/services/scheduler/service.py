"""The scheduled jobs, and which daemon runs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from digest.domain.instant import isoformat
from digest.services.scheduler.create_deliveries import Prepare, create_deliveries, edition_awaited
from digest.services.scheduler.election import NOTICE_SENDER, TICKED, Election
from digest.services.scheduler.tick import TickResult, tick

if TYPE_CHECKING:
    from digest.domain.edition import PaperList
    from digest.ranking.trending import Ranker
    from digest.services.editions.edition_renderer import EditionRenderer
    from digest.services.papers.summarise import Summaries
    from digest.store.unit_of_work import Store


class SchedulerService:
    def __init__(
        self,
        store: Store,
        lists: Sequence[PaperList],
        default_timezone: str,
        edition_renderer: Callable[[], EditionRenderer],
        ranker: Callable[[], Ranker],
        summaries: Callable[[], Summaries],
        prepare: Callable[[], Prepare],
    ) -> None:
        self._store, self._lists, self._zone = store, lists, ZoneInfo(default_timezone)
        self._edition_renderer, self._ranker, self._summaries = edition_renderer, ranker, summaries
        self._prepare = prepare

    def tick(self, at: datetime, lists: Sequence[PaperList] | None = None) -> TickResult:
        """Of all lists, or of these."""
        chosen = self._lists if lists is None else lists
        renderer, summaries = self._edition_renderer(), self._summaries()
        ticked = tick(chosen, self._store, renderer, at, self._ranker(), summaries, self._zone, self._prepare())
        with self._store.begin() as unit:
            now = unit.leases.now()
            unit.sources.save(*TICKED, {"at": isoformat(now)}, now)
        return ticked

    def create_deliveries(self, lists: Sequence[PaperList], at: datetime) -> TickResult:
        """Those that are due of editions that are there."""
        done = create_deliveries(lists, self._store, at, self._zone)
        return TickResult(0, done.created, cohorts_failed=tuple(done.failed))

    def awaited(self, lists: Sequence[PaperList], at: datetime) -> bool:
        """Whether a reader of these lists is due an edition that is still to be made."""
        return edition_awaited(lists, self._store, at, self._zone)

    def election(self) -> Election:
        return Election(self._store)

    def notice_sender(self) -> Election:
        """Whoever sends queued notices by itself stands for it now and then: `outlook` tells that somebody does."""
        return Election(self._store, name=NOTICE_SENDER, term=timedelta(minutes=1))
