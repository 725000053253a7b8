"""The scheduled job: editions that are due are made, deliveries that are due are created."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from digest.domain.edition import Edition, PaperList
from digest.domain.errors import DigestError, StoreError
from digest.domain.schedule import Cutoff, Frequency
from digest.ranking.trending import Ranker
from digest.services.editions import build_edition
from digest.services.papers.summarise import Summaries, nobody
from digest.services.scheduler import create_deliveries
from digest.store.unit_of_work import Store

if TYPE_CHECKING:
    from digest.services.editions.edition_renderer import EditionRenderer


@dataclass(frozen=True, slots=True)
class TickResult:
    """`skipped` says why a list that was due has no new edition; `failed` why one could not be made; `cohorts_failed` which
    readers' deliveries could not be created.
    """

    editions: int
    deliveries: int
    skipped: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    cohorts_failed: tuple[str, ...] = ()


def tick(
    lists: Sequence[PaperList],
    store: Store,
    edition_renderer: EditionRenderer,
    at: datetime,
    rank: Ranker = build_edition.PLAINLY,
    summaries: Summaries = nobody,
    reader_zone: ZoneInfo = ZoneInfo("UTC"),  # noqa: B008 - one and the same always
    prepare: create_deliveries.Prepare = create_deliveries.prepare_none,
) -> TickResult:
    """May run at any time and any number of times. One list's trouble does not hold up the others, nor does one reader's.

    A list's pages have one edition a day at least; others are made where readers are due. `reader_zone` is for readers whose own
    zone this machine does not know. Raises StoreError.
    """
    maker = _Maker(store, edition_renderer, at, rank, summaries)
    for paper_list in lists:
        newest = paper_list.cutoffs.latest(at)
        if newest is None:
            maker.skipped.append(f"list {paper_list.name} is made on no weekday")
        else:
            maker.attempt(paper_list, newest.day, None)
    dispatched = create_deliveries.create_deliveries(lists, store, at, reader_zone, maker, prepare)
    return TickResult(maker.made, dispatched.created, tuple(maker.skipped), tuple(maker.failed), tuple(dispatched.failed))


@dataclass(slots=True)
class _Maker:
    """Makes editions, and does not try twice in a tick what failed."""

    store: Store
    edition_renderer: EditionRenderer
    at: datetime
    rank: Ranker
    summaries: Summaries
    made: int = 0
    skipped: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    _without: set[str] = field(default_factory=set)
    """Lists of which none could be made."""

    def __call__(self, paper_list: PaperList, frequency: Frequency, cutoff: Cutoff) -> Edition | None:
        return self.attempt(paper_list, cutoff.day, frequency)

    def attempt(self, paper_list: PaperList, day: date, frequency: Frequency | None) -> Edition | None:
        name = paper_list.name
        if name in self._without:
            return None
        try:
            result = build_edition.edit(
                paper_list, day, self.store, self.edition_renderer, self.at, self.rank, self.summaries, frequency
            )
        except StoreError:
            raise
        except Exception as error:
            why = str(error) if isinstance(error, DigestError) else f"{type(error).__name__}: {error}"
            self.failed.append(f"list {name}, {day}: {why}")
            self._without.add(name)
            return None
        self.made += result.new
        if result.skipped:
            self.skipped.append(f"list {name}, {day}: {result.skipped}")
            self._without.add(name)
        return result.edition
