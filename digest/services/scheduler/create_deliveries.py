"""Who is due, and which edition they get: one delivery row each.

For every distinct (list, time zone, hour, days) among the subscriptions we ask for the latest instant that was due, so what was
missed while the process was down is found at the next tick. They get the list's newest edition; where there is none of its newest
cutoff, and somebody is due, it is made. UNIQUE(subscription, local day) makes it safe to run twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from digest.domain.delivery import Delivery
from digest.domain.edition import Edition, PaperList, variant_of
from digest.domain.errors import StoreError
from digest.domain.schedule import NEVER, Cutoff, Frequency, Had, MailDue, Timetable, due_on, known_zone, mail_due
from digest.domain.subscriber import Cohort, Preferences, Subscription
from digest.store.deliveries.deliveries import Back
from digest.store.unit_of_work import Store, UnitOfWork

UTC_ZONE = ZoneInfo("UTC")
STEP = 20_000
"""Readers for whom rows are made in one transaction: nobody who writes waits long for it, and sending begins after the first."""
WEEK_AWAY = timedelta(days=8)
"""Whose last mail before a pause is less long ago gets the best of a week, others of a month."""

Prepare = Callable[[int, str], None]
"""Makes a variant of an edition (its id) before it is sent to somebody."""
Make = Callable[[PaperList, Frequency, Cutoff], Edition | None]
"""Makes the edition of a list's newest cutoff; None where it cannot be made."""


def timetable_of(preferences: Preferences | Cohort, otherwise: ZoneInfo = UTC_ZONE) -> Timetable:
    """`otherwise` is the zone of those whose own this machine does not know."""
    zone = known_zone(preferences.timezone) or otherwise
    return Timetable(preferences.hour, zone, preferences.weekdays, preferences.frequency)


def mailed(deliveries: Sequence[Delivery]) -> Had:
    """What a reader had of a list, by their latest deliveries. A correction is no edition."""
    own = [each for each in deliveries if not each.correction]
    scheduled = [each for each in own if each.day is not None]
    return Had(
        max((each.edition_cutoff for each in own), default=NEVER),
        max((each.day for each in scheduled if each.day), default=date.min),
        max((each.due_at for each in scheduled), default=NEVER),
    )


def is_due_now(unit: UnitOfWork, subscription: Subscription, paper_list: PaperList, due: MailDue, at: datetime) -> bool:
    """Whether a mail that is due can go: its edition is there, or can be made, and the reader had confirmed by then."""
    confirmed_at = subscription.confirmed_at
    if confirmed_at is None or confirmed_at > confirmed_by(unit, paper_list, due, at):
        return False
    edition = edition_for(unit, paper_list, frequency_of(paper_list, subscription.preferences), at)
    return bool(unit.papers.count()) if edition is None else _worth_sending(edition, paper_list)


def confirmed_by(unit: UnitOfWork, paper_list: PaperList, due: MailDue, at: datetime) -> datetime:
    """By when a reader must have confirmed to get a mail that is due: before the first edition of that list's day was made, even
    where their hour had passed by then. Where the list was set up in the middle of their day, that is now.
    """
    first = unit.editions.first_frozen(paper_list.name, due.cutoff.day)
    if first is None and at < due.due_at + timedelta(days=1):
        first = at
    return max(due.due_at, first or due.due_at)


def edition_for(unit: UnitOfWork, paper_list: PaperList, frequency: Frequency, at: datetime) -> Edition | None:
    """The edition that a mail made at `at` brings: the list's newest, however late the mail is. None: it is still to be made."""
    newest = paper_list.cutoffs.latest(at)
    return unit.editions.newest(paper_list.name, frequency, newest.day, newest.at) if newest else None


def frequency_of(paper_list: PaperList, reader: Preferences | Cohort) -> Frequency:
    """What a reader's mails cover: as long as the list, at least."""
    return paper_list.frequency.longer(reader.frequency)


def _worth_sending(edition: Edition, paper_list: PaperList) -> bool:
    return edition.state == "frozen" and (paper_list.send_empty or edition.has_papers)


@dataclass(slots=True)
class Dispatched:
    """How many deliveries were created, and where it went wrong: one line each."""

    created: int = 0
    failed: list[str] = field(default_factory=list)


def make_none(paper_list: PaperList, frequency: Frequency, cutoff: Cutoff) -> None:
    """For when only what is there is to be sent."""


def prepare_none(edition_id: int, variant: str) -> None:
    """Whoever sends it makes it."""


def create_deliveries(
    lists: Sequence[PaperList],
    store: Store,
    at: datetime,
    otherwise: ZoneInfo = UTC_ZONE,
    make: Make = make_none,
    prepare: Prepare = prepare_none,
) -> Dispatched:
    """Creates the deliveries that are due at `at` and not there yet. Transactions of some thousand rows.

    What goes wrong with a list or a cohort holds up no other. Raises StoreError: without the database nothing can be created.
    """
    done = Dispatched()
    for paper_list in lists:
        with _within(f"list {paper_list.name}", done.failed):
            newest = paper_list.cutoffs.latest(at)
            if newest is None:
                continue
            today, editions = at.date(), _Editions(paper_list, store, at, make, newest, prepare)
            with store.read() as unit:
                cohorts = unit.subscribers.cohorts(paper_list.name)
                back = unit.subscribers.back_from_pause(paper_list.name, today - timedelta(days=40), today + timedelta(days=2))
            for cohort in cohorts:
                place = f"list {paper_list.name}, readers of {cohort.hour:%H:%M} {cohort.timezone}"
                with _within(place, done.failed):
                    _Dispatch(paper_list, cohort, store, at, otherwise, editions, done).run(paused=cohort in back)
    return done


def edition_awaited(lists: Sequence[PaperList], store: Store, at: datetime, otherwise: ZoneInfo = UTC_ZONE) -> bool:
    """Whether an edition is still to be made that some cohort's mail, due by `at`, is to bring."""
    with store.read() as unit:
        return any(
            edition_for(unit, paper_list, frequency_of(paper_list, cohort), at) is None
            for paper_list in lists
            for cohort in unit.subscribers.cohorts(paper_list.name)
            if mail_due(timetable_of(cohort, otherwise), paper_list.cutoffs, at) is not None
        )


@contextmanager
def _within(place: str, failed: list[str]) -> Iterator[None]:
    """A border: what goes wrong inside is reported with its place, and what stands beside goes on."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        failed.append(f"{place}: {type(error).__name__}: {error}")


class _Editions:
    """A list's editions as they are at a tick, looked up and made once for all cohorts."""

    def __init__(self, paper_list: PaperList, store: Store, at: datetime, make: Make, newest: Cutoff, prepare: Prepare) -> None:
        self._list, self._store, self._at, self._make, self._newest = paper_list, store, at, make, newest
        self._found: dict[Frequency, Edition | None] = {}
        self._prepare = cache(prepare)

    def of(self, frequency: Frequency) -> Edition | None:
        """What `edition_for` says."""
        if frequency not in self._found:
            with self._store.read() as unit:
                self._found[frequency] = edition_for(unit, self._list, frequency, self._at)
        return self._found[frequency]

    def make(self, frequency: Frequency) -> Edition | None:
        made = self._make(self._list, frequency, self._newest)
        self._found.clear()
        return made

    def prepare(self, edition: Edition, cohort: Cohort) -> None:
        """What a cohort's readers get of an edition who do not get it as the list has it."""
        with self._store.read() as unit:
            variants = unit.subscribers.variants(cohort)
        for language, authors_words in variants:
            self._prepare(edition.id, variant_of(language or self._list.language, authors_words=authors_words))


@dataclass(frozen=True, slots=True)
class _Dispatch:
    """One cohort's deliveries."""

    paper_list: PaperList
    cohort: Cohort
    store: Store
    at: datetime
    otherwise: ZoneInfo
    editions: _Editions
    done: Dispatched

    def run(self, *, paused: bool) -> None:
        """`paused`: some of them have just come back from a pause."""
        reader = timetable_of(self.cohort, self.otherwise)
        mail = mail_due(reader, self.paper_list.cutoffs, self.at)
        if mail is None:
            return
        usual = frequency_of(self.paper_list, self.cohort)
        before = reader.latest(mail.due_at - timedelta(microseconds=1)) if paused else None
        if before is not None:
            for lately, frequency in ((True, Frequency.WEEKLY), (False, Frequency.MONTHLY)):
                back = Back(after=before.day, since=mail.due_at - WEEK_AWAY, lately=lately)
                self._create(mail, usual.longer(frequency), back)
        self._create(mail, usual, None)

    def _create(self, mail: MailDue, frequency: Frequency, back: Back | None) -> None:
        cohort = self.cohort
        day_began = due_on(mail.today, time(0), known_zone(cohort.timezone) or self.otherwise)
        edition = self.editions.of(frequency)
        with self.store.read() as unit:
            by = confirmed_by(unit, self.paper_list, mail, self.at)
            if edition is None and not unit.deliveries.anybody_due(cohort, mail, day_began, by, back):
                return
        if edition is None:
            edition = self.editions.make(frequency)
        if edition is None or not _worth_sending(edition, self.paper_list):
            return
        self.editions.prepare(edition, cohort)
        after: int | None = 0
        while after is not None:
            with self.store.begin() as unit:
                upto = unit.subscribers.nth_id(cohort, after, STEP)
                made = unit.deliveries.create_due(edition.id, cohort, mail, day_began, by, (after, upto), back)
                unit.jobs.nudge(made)
                self.done.created += made
            after = upto
