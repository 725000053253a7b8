"""dispatch: who is due, and which edition they are owed: one delivery row each.

For every distinct (list, time zone, hour, weekdays) among the subscriptions we ask for the latest instant that was due, so what
was missed while the process was down is found at the next tick. UNIQUE(edition, subscription) makes it safe to run twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from digest.domain.edition import Edition, PaperList
from digest.domain.schedule import latest_due, next_due
from digest.domain.subscriber import Cohort

STEP = 20_000
"""Readers for whom rows are made in one transaction: nobody who writes waits long for it, and sending begins after the first."""


class Editions(Protocol):
    def find(self, list_name: str, day: date) -> Edition | None: ...


class Subscribers(Protocol):
    def cohorts(self, list_name: str) -> list[Cohort]: ...
    def reach(self, cohort: Cohort, after: int, count: int) -> int | None: ...


class Deliveries(Protocol):
    def create_due(
        self,
        edition_id: int,
        cohort: Cohort,
        due_at: datetime,
        expires_at: datetime,
        today: date,
        confirmed_by: datetime,
        among: tuple[int, int | None],
    ) -> int: ...


class Jobs(Protocol):
    def nudge(self, deliveries: int, *, urgent: bool = False) -> None:
        """Has workers look at the outbox, once this transaction is over."""


class Unit(Protocol):
    @property
    def jobs(self) -> Jobs: ...
    @property
    def editions(self) -> Editions: ...
    @property
    def subscribers(self) -> Subscribers: ...
    @property
    def deliveries(self) -> Deliveries: ...


class Store(Protocol):
    def begin(self) -> AbstractContextManager[Unit]: ...
    def read(self) -> AbstractContextManager[Unit]: ...


@dataclass(frozen=True, slots=True)
class Owed:
    """A cohort's latest due instant, the day it is for there, the day of the edition owed, and when it is too late."""

    due_at: datetime
    today: date
    edition_day: date
    expires_at: datetime


def owed(paper_list: PaperList, cohort: Cohort, at: datetime) -> Owed | None:
    """What a cohort is owed at `at`: the edition whose cutoff was the last before the cohort's latest due instant."""
    zone = ZoneInfo(cohort.timezone)
    due = latest_due(at, cohort.hour, zone, cohort.weekdays)
    if due is None:
        return None
    cutoff = latest_due(due.at, paper_list.cutoff, ZoneInfo(paper_list.timezone), paper_list.weekdays)
    if cutoff is None:
        return None
    following = next_due(due.at, cohort.hour, zone, cohort.weekdays)
    return Owed(due.at, due.day, cutoff.day, following.at if following else due.at + timedelta(days=1))


def dispatch(lists: Sequence[PaperList], store: Store, at: datetime) -> int:
    """Creates the deliveries that are due at `at` and not there yet; says how many. Transactions of some thousand rows."""
    created = 0
    for paper_list in lists:
        for cohort, owing, edition in _owing(paper_list, store, at):
            after: int | None = 0
            while after is not None:
                with store.begin() as unit:
                    made, after = _next_rows(unit, cohort, owing, edition, after)
                    unit.jobs.nudge(made)
                    created += made
    return created


def _owing(paper_list: PaperList, store: Store, at: datetime) -> Iterator[tuple[Cohort, Owed, Edition]]:
    """Each cohort that is owed an edition which is there."""
    found: dict[date, Edition | None] = {}
    with store.read() as unit:
        due = [(cohort, owing) for cohort in unit.subscribers.cohorts(paper_list.name) if (owing := owed(paper_list, cohort, at))]
        for day in {owing.edition_day for _, owing in due}:
            found[day] = unit.editions.find(paper_list.name, day)
    for cohort, owing in due:
        edition = found[owing.edition_day]
        if edition is not None and edition.state == "frozen" and (paper_list.send_empty or not edition.is_empty):
            yield cohort, owing, edition


def _next_rows(unit: Unit, cohort: Cohort, owing: Owed, edition: Edition, after: int) -> tuple[int, int | None]:
    """(rows made for the next `STEP` of a cohort, the id of the last of these); None when they were the last."""
    upto = unit.subscribers.reach(cohort, after, STEP)
    # whoever confirmed before the edition was made is owed it, even where their hour had passed by then
    confirmed_by = max(owing.due_at, edition.frozen_at)
    made = unit.deliveries.create_due(
        edition.id, cohort, owing.due_at, owing.expires_at, owing.today, confirmed_by, among=(after, upto)
    )
    return made, upto
