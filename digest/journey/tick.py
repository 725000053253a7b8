"""tick: what the bell rings for: editions that are due are made, deliveries that are due are created."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from digest.domain.edition import PaperList
from digest.domain.errors import EditionError
from digest.journey import dispatch, edit
from digest.journey.summarise import Summaries, nobody
from digest.ranking.trending import Ranker


class Unit(edit.Unit, dispatch.Unit, Protocol):
    @property
    def editions(self) -> edit.Editions: ...


class Store(Protocol):
    def begin(self) -> AbstractContextManager[Unit]: ...
    def read(self) -> AbstractContextManager[Unit]: ...


@dataclass(frozen=True, slots=True)
class Ticked:
    """`skipped` says why a list that was due has no new edition; `failed` why one could not be made."""

    editions: int
    deliveries: int
    skipped: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


def tick(
    lists: Sequence[PaperList],
    store: Store,
    press: edit.Press,
    at: datetime,
    rank: Ranker = edit.PLAINLY,
    summaries: Summaries = nobody,
) -> Ticked:
    """May run at any time and any number of times. One list's trouble does not hold up the others."""
    made, skipped, failed = 0, [], []
    for paper_list in lists:
        day = edit.edition_day(paper_list, at)
        if day is None:
            skipped.append(f"list {paper_list.name} is made on no weekday")
            continue
        try:
            result = edit.edit(paper_list, day, store, press, at, rank, summaries)
        except EditionError as error:
            failed.append(f"list {paper_list.name}, {day}: {error}")
            continue
        made += result.new
        if result.skipped:
            skipped.append(f"list {paper_list.name}, {day}: {result.skipped}")
    return Ticked(made, dispatch.dispatch(lists, store, at), tuple(skipped), tuple(failed))
