"""From sources to editions: collecting, ranking, and making the day's edition."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from digest.config import read_secret
from digest.domain.edition import Edition, PaperList, Pooled
from digest.domain.errors import NotFound
from digest.domain.instant import isoformat, parse_instant
from digest.domain.subscriber import Address, Subscription
from digest.parts import Parts

if TYPE_CHECKING:
    from digest.domain.paper import Ranked
    from digest.services.papers.collect import CollectReport
    from digest.services.papers.summarise import Summaries
    from digest.services.scheduler.tick import Ticked
    from digest.sources.llm_summaries import Completions


class Papers(Parts):
    """Parts that know papers."""

    def collect_due(self, at: datetime) -> list[CollectReport]:
        """Collects from the sources whose time has come (`every_minutes` since the last try)."""
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
        return self.collect(due, at)

    def collect(self, names: Sequence[str], at: datetime) -> list[CollectReport]:
        """Collects from these sources (none named: all) and has them look known papers up again where that is due."""
        from digest.services.papers.collect import collect
        from digest.services.papers.refresh import refresh

        sources = self.sources(names)
        collected = collect(sources, self.getter, self.store, at)
        refreshed = {each.source: each for each in refresh(sources, self.getter, self.store, at)}
        return [each.with_refreshed(refreshed.get(each.source)) for each in collected]

    def ranking(self, paper_list: PaperList, at: datetime, address: Address | None = None) -> list[Ranked]:
        """The ranking at an instant; with an address, that reader's own. Raises NotFound for an address not subscribed."""
        with self.store.read() as unit:
            ranked = self.ranker(unit.papers.candidates(at, at - paper_list.candidates_for, paper_list), at)
        if address is None:
            return ranked
        pool = [Pooled(position, each) for position, each in enumerate(ranked[: paper_list.pool])]
        return self.chooser.ranking(pool, self.subscription(address, paper_list).interests)

    def edition(self, paper_list: PaperList, day: date | None, at: datetime) -> Edition:
        """The edition of `day` (default: the list's day at `at`), made if need be. Raises NotFound saying why there is none."""
        from digest.services.editions.build_edition import edit, instant_for

        wanted = day or at.astimezone(ZoneInfo(paper_list.timezone)).date()
        instant = instant_for(paper_list, wanted, at)
        made = edit(paper_list, wanted, self.store, self.press, instant, self.ranker, self.summaries)
        if made.edition is None:
            raise NotFound(f"edition of {paper_list.name} for {wanted}", made.skipped)
        return made.edition

    def trial(self, paper_list: PaperList, day: date | None, at: datetime) -> Edition:
        """What the edition would be if nothing had ever been featured. Nothing is kept."""
        from digest.services.editions.build_edition import drafted

        wanted = day or at.astimezone(ZoneInfo(paper_list.timezone)).date()
        return drafted(paper_list, wanted, self.store, at, self.ranker, include_featured=True)

    @cached_property
    def endpoint(self) -> Completions | None:
        """Who writes summaries, where one is configured. Raises ConfigurationError."""
        from digest import __version__
        from digest.sources.http import Manners, PoliteGetter
        from digest.sources.llm_summaries import Completions

        ours = self.settings.summaries
        if not ours.base_url:
            return None
        # asked once: an edition waits for the answer, and has another morning
        manners = Manners(contact=self.settings.http.contact, timeout=ours.timeout, deadline=ours.timeout, retries=0)
        getter = PoliteGetter(manners, version=__version__)
        self._open.callback(getter.close)
        key = read_secret(ours.api_key, ours.api_key_file, "summaries.api_key") or ""
        return Completions(base_url=ours.base_url, model=ours.model, getter=getter, api_key=key)

    @cached_property
    def summaries(self) -> Summaries:
        """Lines for papers whose sources have none: from the endpoint, else from nobody."""
        from digest.services.papers.summarise import Limits, Summariser, nobody

        if self.endpoint is None:
            return nobody
        ours = self.settings.summaries
        return Summariser(self.store, self.endpoint, Limits(batch=ours.batch, budget=ours.budget, patience=ours.patience))

    def summaries_trouble(self) -> str:
        """What went wrong when the endpoint was asked last; "" where nothing did."""
        from digest.services.papers.summarise import PLACE, TROUBLE

        with self.store.read() as unit:
            found = unit.sources.load(PLACE, TROUBLE)
        return f"{found['reason']} ({found['at']})" if found else ""

    def tick(self, at: datetime) -> Ticked:
        from digest.services.scheduler.tick import tick

        zone = ZoneInfo(self.settings.reader_timezone)
        return tick(self.lists, self.store, self.press, at, self.ranker, self.summaries, zone)

    def subscription(self, address: Address, paper_list: PaperList) -> Subscription:
        """Raises NotFound."""
        with self.store.read() as unit:
            for each in unit.subscribers.subscriptions(address):
                if each.list == paper_list.name:
                    return each
        raise NotFound(f"{address}'s subscription to {paper_list.name}")
