"""Papers in: collected from the sources whose time has come, and ranked at an instant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from digest.domain.edition import PaperList
from digest.domain.errors import InvalidIdentifier, InvalidInput
from digest.domain.identifier import Identifier, parse_identifier
from digest.domain.instant import isoformat, parse_instant
from digest.domain.paper import Ranked
from digest.domain.query import parse_query
from digest.ranking.gained import most_gained
from digest.services.libraries.look_up import LookedUp, look_up
from digest.services.papers.collect import HEALTH, CollectReport, collect
from digest.services.papers.encode_texts import EncodedTexts, encode_texts
from digest.services.papers.fill_categories import fill_categories
from digest.services.papers.find_paper import find_paper
from digest.services.papers.import_files import LoadReport, load
from digest.services.papers.refresh import refresh
from digest.services.papers.summarise import PLACE, TROUBLE
from digest.sources.arxiv_atom import ArxivApi
from digest.sources.port import SupportsLookup

if TYPE_CHECKING:
    from digest.config.papers import LookUps, SourceSettings
    from digest.domain.edition import Appearance
    from digest.domain.paper import Paper, Signal
    from digest.domain.search_result import SearchResult
    from digest.domain.subscriber import Address
    from digest.ranking.model import Model
    from digest.ranking.trending import Ranker
    from digest.sentence_encoder import SentenceEncoder
    from digest.services.editions.personalise import Personaliser
    from digest.services.ranking.backtest import Backtest
    from digest.services.subscriptions.service import SubscriptionService
    from digest.sources.http import PoliteGetter
    from digest.sources.port import Source
    from digest.store.unit_of_work import Store

ENCODE_FOR = 60.0
"""Seconds that a run which somebody waits for encodes at most; the next goes on."""
SIMILAR = 5
STILL_VOTED = timedelta(days=14)
"""How long after it was first seen, before a window began, a paper is looked at: older ones gain hardly anything."""


@dataclass(frozen=True, slots=True)
class PaperPage:
    paper: Paper
    signals: tuple[Signal, ...]
    """In order of time."""
    appearances: tuple[Appearance, ...]
    """The editions that picked it, newest first."""
    similar: tuple[Paper, ...]
    """The most alike first, of those that came about when it did."""


@dataclass(frozen=True, slots=True)
class Voted:
    ranked: Ranked
    """The score is the votes gained."""
    readings: Sequence[Signal]
    """Its votes as they were read, in order of time."""


class PaperService:
    """`make_sources` gives the configured sources, or those named; `getter` and `ranker` are made when first needed."""

    def __init__(
        self,
        store: Store,
        tables: Sequence[SourceSettings],
        look_ups: LookUps,
        make_sources: Callable[[Sequence[str]], list[Source]],
        getter: Callable[[], PoliteGetter],
        ranker: Callable[[], Ranker],
        personaliser: Personaliser,
        subscriptions: SubscriptionService,
        encoder: Callable[[], SentenceEncoder] | None = None,
        encodes_within: timedelta = timedelta(0),
    ) -> None:
        """`encoder` of the papers first seen `encodes_within`; None without the extra `semantic`."""
        self._store, self._tables, self._look_ups, self._make_sources = store, tables, look_ups, make_sources
        self._getter, self._ranker, self._personaliser, self._subscriptions = getter, ranker, personaliser, subscriptions
        self._encoder, self._encodes_within = encoder, encodes_within

    def collect_due(self, at: datetime, *, failed_too: bool = False) -> list[CollectReport]:
        """Collects from the sources whose time has come (`every_minutes` since the last try).

        `failed_too`: and from those whose last try failed, however recently.
        """
        due = []
        with self._store.read() as unit:
            for each in self._tables:
                tried = unit.sources.load(each.name, "tried")
                failed = failed_too and (unit.sources.load(each.name, HEALTH) or {}).get("error")
                if tried is None or failed or abs(at - parse_instant(tried["at"])) >= timedelta(minutes=each.every_minutes):
                    due.append(each.name)
        if not due:
            return []
        with self._store.begin() as unit:
            for name in due:
                unit.sources.save(name, "tried", {"at": isoformat(at)}, at)
        return self.collect(due, at)

    def next_collects(self) -> dict[str, datetime]:
        """When each source that was tried before is asked next by a daemon that runs."""
        with self._store.read() as unit:
            tried = {each.name: unit.sources.load(each.name, "tried") for each in self._tables}
        minutes = {each.name: timedelta(minutes=each.every_minutes) for each in self._tables}
        return {name: parse_instant(found["at"]) + minutes[name] for name, found in tried.items() if found}

    def collect(self, names: Sequence[str], at: datetime) -> list[CollectReport]:
        """Collects from these sources (none named: all) and has them look known papers up again where that is due."""
        sources = self._make_sources(names)
        collected = collect(sources, self._getter(), self._store, at)
        refreshed = {each.source: each for each in refresh(sources, self._getter(), self._store, at)}
        return [each.with_refreshed(refreshed.get(each.source)) for each in collected]

    def look_up(self, at: datetime) -> tuple[int, LookedUp]:
        """Asks for what no source told: (how many papers have categories now, readers' works that were looked up)."""
        sources: list[SupportsLookup] = [each for each in self._make_sources(()) if isinstance(each, SupportsLookup)]
        arxiv: ArxivApi | None = next((each for each in sources if isinstance(each, ArxivApi)), None)
        if arxiv is None and self._look_ups.arxiv_url:
            arxiv = ArxivApi("arxiv", self._look_ups.arxiv_url)
            sources.insert(0, arxiv)
        filled, error = fill_categories(arxiv, self._getter(), self._store, at) if arxiv else (0, None)
        looked_up = look_up(sources, self._getter(), self._store, at, self._look_ups.works_per_day)
        return filled, replace(looked_up, error=looked_up.error or error)

    @property
    def encodes(self) -> bool:
        return self._encoder is not None

    def encode(self, clock: Callable[[], datetime], stop: Callable[[], bool] | None = None) -> EncodedTexts:
        """Sentence vectors for recent papers and readers' works that have none, until `stop` (default: for ENCODE_FOR)."""
        if self._encoder is None:
            return EncodedTexts()
        until = monotonic() + ENCODE_FOR
        return encode_texts(self._encoder, self._store, self._encodes_within, clock, stop or (lambda: monotonic() > until))

    def encoded(self) -> tuple[int, int]:
        """(papers, readers' works) with a sentence vector."""
        with self._store.read() as unit:
            return unit.vectors.count()

    def ranking(self, paper_list: PaperList, at: datetime, address: Address | None = None) -> list[Ranked]:
        """The ranking at an instant; with an address, that reader's own. Raises NotFound for an address not subscribed."""
        with self._store.read() as unit:
            ranked = self._ranker()(unit.papers.candidates(at, at - paper_list.candidates_for, paper_list), at)
        if address is None:
            return ranked
        return self._personaliser.ranking(ranked, self._subscriptions.subscription(address, paper_list).interests, at)

    def paper(self, identifier: str) -> Paper:
        """By an arXiv id, a DOI or `source:key`. Raises InvalidIdentifier, NotFound."""
        with self._store.read() as unit:
            return find_paper(unit, identifier)

    def page(self, identifier: str, at: datetime) -> PaperPage:
        """Everything about one paper, with what had been observed by `at`. Raises InvalidIdentifier, NotFound."""
        with self._store.read() as unit:
            paper = find_paper(unit, identifier)
            return PaperPage(
                paper,
                tuple(unit.papers.readings([paper.id], at).get(paper.id, ())),
                tuple(unit.editions.appearances(paper.id)),
                tuple(unit.papers.nearby(paper, SIMILAR)),
            )

    def most_voted(self, window: timedelta, what: str, at: datetime, most: int) -> list[Voted]:
        """The papers that gained most votes in the last `window`, best first, whatever lists picked.

        `what` names it: "this week".
        """
        since = at - window
        with self._store.read() as unit:
            seen, readings = unit.papers.voted(since - STILL_VOTED, at)
            gained = most_gained(seen, readings, since, at, most)
            papers = unit.papers.by_ids(each.paper_id for each in gained)
        return [
            Voted(Ranked(papers[each.paper_id], each.votes, (each.reason(what),)), readings[each.paper_id])
            for each in gained
            if each.paper_id in papers
        ]

    def known(self, identifiers: Iterable[str]) -> dict[str, Paper]:
        """Those of them that we have ever seen."""
        named: dict[str, Identifier] = {}
        for identifier in identifiers:
            with suppress(InvalidIdentifier):
                named[identifier] = parse_identifier(identifier).identifier
        with self._store.read() as unit:
            found = unit.papers.named(set(named.values()))
        return {identifier: found[name] for identifier, name in named.items() if name in found}

    def search(self, query: str, limit: int) -> SearchResult:
        """Papers that hold all that is asked for, best first, then those that come nearest."""
        with self._store.read() as unit:
            return unit.papers.search(query, limit)

    def similar(self, identifier: str, limit: int, query: str = "") -> Sequence[tuple[Paper, float]]:
        """(paper, likeness), best first; a query's filters hold. Raises InvalidIdentifier, NotFound."""
        paper = self.paper(identifier)
        with self._store.read() as unit:
            return unit.papers.similar(paper, limit, parse_query(query))

    def count(self) -> int:
        with self._store.read() as unit:
            return unit.papers.count()

    def load(self, paths: Iterable[Path], observed_at: datetime | None, at: datetime) -> LoadReport:
        """Papers and signals from files."""
        return load(paths, self._store, observed_at, at)

    def history_end(self) -> datetime:
        """When the last votes were read. Raises InvalidInput where none ever were."""
        with self._store.read() as unit:
            end = unit.papers.last_reading()
        if end is None:
            raise InvalidInput("history", "is empty: no votes were ever read; `digest collect` or `digest import` brings some")
        return end

    def train(self, paper_list: PaperList, until: datetime | None) -> Model:
        """The ranking's coefficients, fitted to what was read by `until` (default: all there is). Raises InvalidInput."""
        from digest.services.ranking.train import train

        end = self.history_end()
        return train(self._store, paper_list, min(until, end) if until else end)

    def backtest(self, paper_list: PaperList, rankers: Mapping[str, Ranker], since: date, until: date) -> Backtest:
        """The stored history replayed, every morning from `since` to `until` (both included). Raises InvalidInput."""
        from digest.services.ranking.backtest import backtest

        return backtest(self._store, paper_list, rankers, since, until, self.history_end())

    def summaries_problem(self) -> str:
        """What went wrong when the summaries' endpoint was asked last; "" where nothing did."""
        with self._store.read() as unit:
            found = unit.sources.load(PLACE, TROUBLE)
        return f"{found['reason']} ({found['at']})" if found else ""
