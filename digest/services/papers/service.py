"""Papers in: collected from the sources whose time has come, and ranked at an instant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from digest.domain.edition import PaperList, Pooled
from digest.domain.instant import isoformat, parse_instant
from digest.services.papers.collect import CollectReport, collect
from digest.services.papers.refresh import refresh
from digest.services.papers.summarise import PLACE, TROUBLE

if TYPE_CHECKING:
    from digest.config.papers import SourceSettings
    from digest.domain.paper import Ranked
    from digest.domain.subscriber import Address
    from digest.ranking.trending import Ranker
    from digest.services.editions.personalise import Chooser
    from digest.services.subscriptions.service import SubscriptionService
    from digest.sources.http import PoliteGetter
    from digest.sources.port import Source
    from digest.store.unit_of_work import Store


class PaperService:
    """`make_sources` gives the configured sources, or those named; `getter` and `ranker` are made when first needed."""

    def __init__(
        self,
        store: Store,
        tables: Sequence[SourceSettings],
        make_sources: Callable[[Sequence[str]], list[Source]],
        getter: Callable[[], PoliteGetter],
        ranker: Callable[[], Ranker],
        chooser: Chooser,
        subscriptions: SubscriptionService,
    ) -> None:
        self._store, self._tables, self._make_sources = store, tables, make_sources
        self._getter, self._ranker, self._chooser, self._subscriptions = getter, ranker, chooser, subscriptions

    def collect_due(self, at: datetime) -> list[CollectReport]:
        """Collects from the sources whose time has come (`every_minutes` since the last try)."""
        due = []
        with self._store.read() as unit:
            for each in self._tables:
                tried = unit.sources.load(each.name, "tried")
                if tried is None or parse_instant(tried["at"]) + timedelta(minutes=each.every_minutes) <= at:
                    due.append(each.name)
        if not due:
            return []
        with self._store.begin() as unit:
            for name in due:
                unit.sources.save(name, "tried", {"at": isoformat(at)}, at)
        return self.collect(due, at)

    def collect(self, names: Sequence[str], at: datetime) -> list[CollectReport]:
        """Collects from these sources (none named: all) and has them look known papers up again where that is due."""
        sources = self._make_sources(names)
        collected = collect(sources, self._getter(), self._store, at)
        refreshed = {each.source: each for each in refresh(sources, self._getter(), self._store, at)}
        return [each.with_refreshed(refreshed.get(each.source)) for each in collected]

    def ranking(self, paper_list: PaperList, at: datetime, address: Address | None = None) -> list[Ranked]:
        """The ranking at an instant; with an address, that reader's own. Raises NotFound for an address not subscribed."""
        with self._store.read() as unit:
            ranked = self._ranker()(unit.papers.candidates(at, at - paper_list.candidates_for, paper_list), at)
        if address is None:
            return ranked
        pool = [Pooled(position, each) for position, each in enumerate(ranked[: paper_list.pool])]
        return self._chooser.ranking(pool, self._subscriptions.subscription(address, paper_list).interests)

    def summaries_trouble(self) -> str:
        """What went wrong when the summaries' endpoint was asked last; "" where nothing did."""
        with self._store.read() as unit:
            found = unit.sources.load(PLACE, TROUBLE)
        return f"{found['reason']} ({found['at']})" if found else ""
