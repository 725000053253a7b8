"""dispatch: who is due, and which edition they are owed: one delivery row each.

For every distinct (list, time zone, hour, weekdays) among the subscriptions we ask for the latest instant that was due, so what
was missed while the process was down is found at the next tick. UNIQUE(edition, subscription) makes it safe to run twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from digest.domain.delivery import Delivery
from digest.domain.edition import Edition, PaperList
from digest.domain.errors import StoreError
from digest.domain.schedule import NEVER, Had, MailDue, Timetable, due_on, known_zone, mail_due
from digest.domain.subscriber import Cohort, Subscription
from digest.store.unit_of_work import Store, Unit

UTC_ZONE = ZoneInfo("UTC")
STEP = 20_000
"""Readers for whom rows are made in one transaction: nobody who writes waits long for it, and sending begins after the first."""


def owed(paper_list: PaperList, cohort: Cohort, at: datetime, otherwise: ZoneInfo = UTC_ZONE) -> MailDue | None:
    """What a cohort is owed at `at`. `otherwise` is the zone of those whose own this machine does not know."""
    zone = known_zone(cohort.timezone) or otherwise
    return mail_due(Timetable(cohort.hour, zone, cohort.weekdays), cutoffs_of(paper_list), at)


def cutoffs_of(paper_list: PaperList) -> Timetable:
    return Timetable(paper_list.cutoff, ZoneInfo(paper_list.timezone), paper_list.weekdays)


def mailed(deliveries: Sequence[Delivery], subscription: Subscription) -> Had:
    """What a reader had, by their latest deliveries. A welcome is no scheduled mail, a correction no edition."""
    own = [each for each in deliveries if not each.correction]
    began = subscription.confirmed_at or NEVER
    return Had(
        max((each.edition_date for each in own), default=date.min),
        max((each.due_at for each in own if each.due_at > began), default=NEVER),
    )


def is_owed(subscription: Subscription, paper_list: PaperList, due: MailDue, edition: Edition) -> bool:
    """Whether a mail that is due can go: its edition is one to be sent, and the reader had confirmed by then."""
    worth = edition.state == "frozen" and (paper_list.send_empty or not edition.is_empty)
    confirmed_at = subscription.confirmed_at
    return worth and confirmed_at is not None and confirmed_at <= max(due.due_at, edition.frozen_at)


@dataclass(slots=True)
class Dispatched:
    """How many deliveries were created, and where it went wrong: one line each."""

    created: int = 0
    failed: list[str] = field(default_factory=list)


def dispatch(lists: Sequence[PaperList], store: Store, at: datetime, otherwise: ZoneInfo = UTC_ZONE) -> Dispatched:
    """Creates the deliveries that are due at `at` and not there yet. Transactions of some thousand rows.

    What goes wrong with a list or a cohort holds up no other. Raises StoreError: without the database nothing can be created.
    """
    done = Dispatched()
    for paper_list in lists:
        with _within(f"list {paper_list.name}", done.failed):
            found: dict[date, Edition | None] = {}
            for cohort in _cohorts(paper_list, store):
                place = f"list {paper_list.name}, readers of {cohort.hour:%H:%M} {cohort.timezone}"
                with _within(place, done.failed):
                    _dispatch_to(cohort, paper_list, store, at, otherwise, found, done)
    return done


@contextmanager
def _within(place: str, failed: list[str]) -> Iterator[None]:
    """A border: what goes wrong inside is told with its place, and what stands beside goes on."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        failed.append(f"{place}: {type(error).__name__}: {error}")


def _cohorts(paper_list: PaperList, store: Store) -> list[Cohort]:
    with store.read() as unit:
        return unit.subscribers.cohorts(paper_list.name)


def _dispatch_to(
    cohort: Cohort,
    paper_list: PaperList,
    store: Store,
    at: datetime,
    otherwise: ZoneInfo,
    found: dict[date, Edition | None],
    done: Dispatched,
) -> None:
    owing = owed(paper_list, cohort, at, otherwise)
    if owing is None:
        return
    if owing.edition_day not in found:
        with store.read() as unit:
            found[owing.edition_day] = unit.editions.find(paper_list.name, owing.edition_day)
    edition = found[owing.edition_day]
    if edition is None or edition.state != "frozen" or (edition.is_empty and not paper_list.send_empty):
        return
    day_began = due_on(owing.today, time(0), known_zone(cohort.timezone) or otherwise)
    after: int | None = 0
    while after is not None:
        with store.begin() as unit:
            made, after = _next_rows(unit, cohort, owing, edition, after, day_began)
            unit.jobs.nudge(made)
            done.created += made


def _next_rows(
    unit: Unit, cohort: Cohort, owing: MailDue, edition: Edition, after: int, day_began: datetime
) -> tuple[int, int | None]:
    """(rows made for the next `STEP` of a cohort, the id of the last of these); None when they were the last."""
    upto = unit.subscribers.reach(cohort, after, STEP)
    # whoever confirmed before the edition was made is owed it, even where their hour had passed by then
    confirmed_by = max(owing.due_at, edition.frozen_at)
    made = unit.deliveries.create_due(
        edition.id, cohort, owing.due_at, owing.expires_at, owing.today, confirmed_by, among=(after, upto), day_began=day_began
    )
    return made, upto
