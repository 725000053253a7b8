"""dispatch: who is due, and which edition they are owed: one delivery row each.

For every distinct (list, time zone, hour, weekdays) among the subscriptions we ask for the latest instant that was due, so what
was missed while the process was down is found at the next tick. UNIQUE(edition, subscription) makes it safe to run twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from digest.domain.edition import Edition, PaperList
from digest.domain.schedule import latest_due, next_due
from digest.domain.subscriber import Cohort


class Editions(Protocol):
    def find(self, list_name: str, day: date) -> Edition | None: ...


class Subscribers(Protocol):
    def cohorts(self, list_name: str) -> list[Cohort]: ...


class Deliveries(Protocol):
    def create_due(
        self,
        edition_id: int,
        cohort: Cohort,
        due_at: datetime,
        expires_at: datetime,
        today: date,
        confirmed_by: datetime,
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
    """Creates the deliveries that are due at `at` and not there yet; says how many. One transaction a cohort."""
    created = 0
    for paper_list in lists:
        with store.read() as unit:
            cohorts = unit.subscribers.cohorts(paper_list.name)
        for cohort in cohorts:
            owing = owed(paper_list, cohort, at)
            if owing is None:
                continue
            with store.begin() as unit:
                edition = unit.editions.find(paper_list.name, owing.edition_day)
                if edition is None or edition.state != "frozen" or (edition.is_empty and not paper_list.send_empty):
                    continue
                # whoever confirmed before the edition was made is owed it, even where their hour had passed by then
                confirmed_by = max(owing.due_at, edition.frozen_at)
                made = unit.deliveries.create_due(edition.id, cohort, owing.due_at, owing.expires_at, owing.today, confirmed_by)
                unit.jobs.nudge(made)
                created += made
    return created
