"""tick: what the bell rings for: editions that are due are made, deliveries that are due are created."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from digest.domain.edition import PaperList
from digest.domain.errors import DigestError, StoreError
from digest.ranking.trending import Ranker
from digest.services.editions import build_edition
from digest.services.papers.summarise import Summaries, nobody
from digest.services.scheduler import create_deliveries
from digest.store.unit_of_work import Store


@dataclass(frozen=True, slots=True)
class Ticked:
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
    press: build_edition.Press,
    at: datetime,
    rank: Ranker = build_edition.PLAINLY,
    summaries: Summaries = nobody,
    reader_zone: ZoneInfo = ZoneInfo("UTC"),  # noqa: B008 - one and the same always
) -> Ticked:
    """May run at any time and any number of times. One list's trouble does not hold up the others, nor does one reader's.

    `reader_zone` is for readers whose own zone this machine does not know. Raises StoreError.
    """
    made, skipped, failed = 0, [], []
    for paper_list in lists:
        day: date | None = None
        try:
            day = build_edition.edition_day(paper_list, at)
            if day is None:
                skipped.append(f"list {paper_list.name} is made on no weekday")
                continue
            result = build_edition.edit(paper_list, day, store, press, at, rank, summaries)
        except StoreError:
            raise
        except Exception as error:
            why = str(error) if isinstance(error, DigestError) else f"{type(error).__name__}: {error}"
            failed.append(f"list {paper_list.name}, {day}: {why}")
            continue
        made += result.new
        if result.skipped:
            skipped.append(f"list {paper_list.name}, {day}: {result.skipped}")
    dispatched = create_deliveries.dispatch(lists, store, at, reader_zone)
    return Ticked(made, dispatched.created, tuple(skipped), tuple(failed), tuple(dispatched.failed))
