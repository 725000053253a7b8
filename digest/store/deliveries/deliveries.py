"""The outbox: one row for each edition due to a subscription, from due to done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Date, Row, Select, and_, bindparam, func, literal, or_, select, update

from digest.domain.delivery import Attempt, ClaimBatch, Claimed, Delivery, DeliveryState, Reply, Stage
from digest.domain.retry import Decision
from digest.domain.schedule import MailDue
from digest.domain.subscriber import Cohort, SubscriptionState
from digest.store.deliveries.claim import Stop, claim, known, stop, stops, waits_for_its_list
from digest.store.deliveries.record_outcomes import record
from digest.store.dialect import among, database_now, from_now, insert_into, inserted, walk_indexes
from digest.store.editions.edition_rows import listed
from digest.store.schema import attempts, deliveries, editions, lists, subscribers, subscriptions, suppressions
from digest.store.types import Instant

_QUEUED = deliveries.c.state == DeliveryState.QUEUED.value
_CLAIMED = deliveries.c.state == DeliveryState.CLAIMED.value
_OF_PAUSED = select(editions.c.id).join(lists, lists.c.name == editions.c.list).where(lists.c.paused_at.is_not(None))
_UNSENT = ("edition_id", "subscription_id", "due_at", "expires_at", "next_attempt_at", "state", "day", "away")
_BACK = {"state": DeliveryState.QUEUED.value, "lease_owner": None, "lease_until": None}


_ZONES = timedelta(hours=27)
"""How long after a day begins in one zone it begins in the last one: UTC+14 and UTC-12, and an hour for summer time."""


@dataclass(frozen=True, slots=True)
class Back:
    """Readers whose pause ended after the day `after`, and who `lately` (or not) had a scheduled mail due since `since`."""

    after: date
    since: datetime
    lately: bool


class Deliveries:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # ---- what is due ----

    def create_due(
        self,
        edition_id: int,
        cohort: Cohort,
        mail: MailDue,
        day_began: datetime,
        confirmed_by: datetime | None = None,
        ids: tuple[int, int | None] = (0, None),
        back: Back | None = None,
    ) -> int:
        """One row for each reader of the cohort to whom the mail comes (schedule.comes); says how many. One INSERT … SELECT.

        Readers: ACTIVE, confirmed by `confirmed_by` (default: when it is due), not paused on their local day, not suppressed, who
        were sent no edition of this issue of their list or a later one, and no scheduled mail on that day, which began at
        `day_began`; of them those whose subscription's id is above the first of `ids` and, if it is a number, at most the second.
        `back`: of them those whom a pause has just given back.
        """
        columns = [literal(edition_id), subscriptions.c.id, *self._queued(mail, back is not None)]
        queued = self._comes(select(*columns), cohort, mail, day_began, confirmed_by, ids, back)
        statement = insert_into(self._connection, deliveries).from_select(_UNSENT, queued).on_conflict_do_nothing()
        return inserted(self._connection, statement)

    def anybody_due(
        self,
        cohort: Cohort,
        mail: MailDue,
        day_began: datetime,
        confirmed_by: datetime | None = None,
        back: Back | None = None,
    ) -> bool:
        """Whether `create_due` would find anybody."""
        queued = self._comes(select(subscriptions.c.id), cohort, mail, day_began, confirmed_by, (0, None), back)
        return self._connection.scalar(queued.limit(1)) is not None

    def _comes(
        self,
        statement: Select[Any],
        cohort: Cohort,
        mail: MailDue,
        day_began: datetime,
        confirmed_by: datetime | None,
        ids: tuple[int, int | None],
        back: Back | None,
    ) -> Select[Any]:
        walk_indexes(self._connection)
        s, d, e = subscriptions.c, deliveries.c, editions.c
        # scalar subqueries, not NOT EXISTS: PostgreSQL makes a join of that, and where it knows nothing of the tables yet it has
        # compared every reader with every row just made; and a look-up for each edition: asked for several at once, PostgreSQL
        # goes through all that a reader ever had
        issue = self._connection.scalars(select(e.id).where(e.list == cohort.list, e.cutoff >= mail.issue)).all()
        there = [select(d.id).where(d.edition_id == each, d.subscription_id == s.id) for each in issue]
        scheduled = or_(d.day >= mail.today, and_(d.due_at >= day_began, d.day.is_not(None)))
        # wherever a reader was, a mail of that day was due in its earliest zone at the earliest
        recent = (d.subscription_id == s.id, d.expires_at >= day_began - _ZONES)
        there.append(select(d.id).where(*recent, scheduled).limit(1))
        there.append(select(suppressions.c.reason).where(suppressions.c.address_hash == subscribers.c.address_hash))
        statement = statement.join(subscribers, subscribers.c.id == s.subscriber_id).where(
            s.state == SubscriptionState.ACTIVE.value,
            s.list == cohort.list,
            s.timezone == cohort.timezone,
            s.hour == cohort.hour,
            s.weekdays == cohort.weekdays,
            s.frequency == cohort.frequency.value,
            s.id > ids[0],
            s.confirmed_at <= (confirmed_by or mail.due_at),
            or_(s.paused_until.is_(None), s.paused_until <= mail.today),
            *(each.scalar_subquery().is_(None) for each in there),
        )
        if ids[1] is not None:
            statement = statement.where(s.id <= ids[1])
        if back is not None:
            last = (d.subscription_id == s.id, d.expires_at >= back.since, d.due_at >= back.since, d.day.is_not(None))
            since = select(d.id).where(*last).limit(1)
            lately = since.scalar_subquery().is_not(None) if back.lately else since.scalar_subquery().is_(None)
            statement = statement.where(s.paused_until > back.after, lately)
        return statement

    def create_one(
        self,
        edition_id: int,
        subscription_id: int,
        due_at: datetime,
        expires_at: datetime,
        next_attempt_at: datetime | None = None,
    ) -> int | None:
        """A single delivery (a welcome with the current edition); None where that reader has one already."""
        values = (edition_id, subscription_id, due_at, expires_at, next_attempt_at or due_at, DeliveryState.QUEUED.value)
        statement = insert_into(self._connection, deliveries).values(dict(zip(_UNSENT, values, strict=False)))
        made: int | None = self._connection.scalar(statement.on_conflict_do_nothing().returning(deliveries.c.id))
        return made

    @staticmethod
    def _queued(mail: MailDue, away: bool) -> list[Any]:
        instants = [literal(at, Instant()) for at in (mail.due_at, mail.expires_at, mail.due_at)]
        return [*instants, literal(DeliveryState.QUEUED.value), literal(mail.today, Date()), literal(away)]

    # ---- taking and giving back ----

    def claim(
        self, limit: int, owner: str, now: datetime, term: timedelta, lists_known: Collection[str] | None = None
    ) -> ClaimBatch:
        """Takes up to `limit` due deliveries for `owner`, for `term` by the database's clock, oldest first.

        In this same transaction: suppressed address, ended or paused subscription, cancelled edition → withheld, too late →
        expired, each with its reason; a paused list's stay queued, and those of lists not among `lists_known`. An empty batch
        (false) means nothing is due. Commit first.
        """
        return claim(self._connection, limit, owner, now, term, lists_known)

    def stops(self, ids: Iterable[int], now: datetime, owner: str | None) -> dict[int, Stop]:
        """Of what `owner` claimed, by id, what is not to be begun any more: as `claim` would find it now, or another's."""
        return stops(self._connection, ids, now, owner)

    def stop(self, stopped: Mapping[int, Stop], owner: str) -> None:
        """Ends (or gives back) what `owner` has claimed and is not to begin."""
        stop(self._connection, stopped, owner)

    def known(self, ids: Iterable[int]) -> dict[int, Claimed]:
        """By id, deliveries as a claim gives them, whatever their state; those that are no more are left out."""
        return known(self._connection, ids)

    def postpone(self, until: Mapping[int, datetime], owner: str, reason: str) -> None:
        """Gives back what `owner` has claimed, to be claimed from an instant on (by delivery id)."""
        if until:
            mine = (deliveries.c.id == bindparam("of_delivery"), _CLAIMED, deliveries.c.lease_owner == owner)
            row = {**_BACK, "reason": reason, "next_attempt_at": bindparam("again_at", type_=Instant())}
            rows = [{"of_delivery": delivery_id, "again_at": at} for delivery_id, at in until.items()]
            self._connection.execute(update(deliveries).where(*mine).values(row), rows)

    def renew(self, owner: str, term: timedelta) -> int:
        """Holds what `owner` has claimed for another `term` from now; says how many."""
        until = database_now(self._connection) + term
        statement = update(deliveries).where(_CLAIMED, deliveries.c.lease_owner == owner).values(lease_until=until)
        return self._connection.execute(statement).rowcount

    def freeze_picks(self, chosen: Mapping[tuple[int, ...], Sequence[int]], reasons: Mapping[int, Any] | None = None) -> None:
        """Keeps which positions in the pool deliveries show (their ids, by these): once, before their first byte goes out.
        `reasons`: by delivery, of each pick the [kind, text] of those that are its reader's own.
        """
        if reasons:
            unset = (deliveries.c.id == bindparam("of_delivery"), deliveries.c.picks.is_(None))
            rows = [{"of_delivery": delivery_id, "own": own} for delivery_id, own in reasons.items()]
            own = bindparam("own", type_=deliveries.c.reasons.type)
            self._connection.execute(update(deliveries).where(*unset).values(reasons=own), rows)
        for picks, ids in chosen.items():
            unset = (among(self._connection, deliveries.c.id, ids), deliveries.c.picks.is_(None))
            self._connection.execute(update(deliveries).where(*unset).values(picks=list(picks)))

    def record(self, results: Sequence[tuple[Attempt, Decision]], owner: str | None = None) -> None:
        """Writes a batch of outcomes; recording one again (a journal replayed) changes nothing.

        Accepted is final and counts whoever holds the row now. Anything else applies only while the row is open and, with
        `owner`, not leased by somebody else. Accepted attempts are kept in the delivery itself, all others as `attempts` too.
        """
        record(self._connection, results, owner)

    def release(self, owner: str) -> int:
        """Gives back what `owner` claimed and has no outcome; says how many. Replay its journal first."""
        statement = update(deliveries).where(_CLAIMED, deliveries.c.lease_owner == owner).values(_BACK)
        return self._connection.execute(statement).rowcount

    def reclaim_dead_leases(self, longest: timedelta) -> int:
        """Gives back what was claimed by somebody whose lease ran out, by the database's clock; says how many.

        A lease that ends later than `longest` from now was taken while the clock stood ahead: it has run out, too.
        """
        row = {**_BACK, "reason": "the lease ran out: whoever had claimed it stopped"}
        over = deliveries.c.lease_until < from_now(self._connection)
        ahead = deliveries.c.lease_until > from_now(self._connection, longest)
        statement = update(deliveries).where(_CLAIMED, or_(over, ahead)).values(row)
        return self._connection.execute(statement).rowcount

    # ---- looking ----

    def tally(self, edition_id: int | None = None) -> dict[DeliveryState, int]:
        """How many deliveries are in each state, of one edition or of all; states without any are left out."""
        statement = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
        if edition_id is not None:
            statement = statement.where(deliveries.c.edition_id == edition_id)
        return {DeliveryState(state): count for state, count in self._connection.execute(statement)}

    def oldest_due(self, now: datetime, lists_known: Collection[str] | None = None) -> datetime | None:
        """Since when the delivery that waits longest has been due; None when nothing waits.

        A paused list's wait for a word, and those of lists not among `lists_known` for somebody who knows them.
        """
        waiting = select(func.min(deliveries.c.next_attempt_at)).where(_QUEUED, deliveries.c.next_attempt_at <= now)
        if paused := self._connection.scalars(_OF_PAUSED).all():
            waiting = waiting.where(deliveries.c.edition_id.not_in(paused))
        if (strange := waits_for_its_list(self._connection, lists_known, now)) is not None:
            waiting = waiting.where(~strange)
        oldest: datetime | None = self._connection.scalar(waiting)
        return oldest

    def waiting_for_their_list(self, now: datetime, lists_known: Collection[str]) -> dict[str, int]:
        """How many are due and wait since their list is not among `lists_known`, by list."""
        if (strange := waits_for_its_list(self._connection, lists_known, now)) is None:
            return {}
        statement = select(editions.c.list, func.count()).join(editions, editions.c.id == deliveries.c.edition_id)
        statement = statement.where(_QUEUED, deliveries.c.next_attempt_at <= now, strange).group_by(editions.c.list)
        return {row[0]: row[1] for row in self._connection.execute(statement)}

    def next_due(self, now: datetime) -> datetime | None:
        """When the next delivery falls due after `now`; None when none is queued for later."""
        later = select(func.min(deliveries.c.next_attempt_at)).where(_QUEUED, deliveries.c.next_attempt_at > now)
        following: datetime | None = self._connection.scalar(later)
        return following

    def of_subscription(self, subscription_id: int, limit: int = 10) -> list[Delivery]:
        """Its latest deliveries, newest first, with their attempts."""
        rows = self._connection.execute(
            select(deliveries, editions.c.list, editions.c.date, editions.c.corrects, editions.c.cutoff)
            .join(editions, editions.c.id == deliveries.c.edition_id)
            .where(deliveries.c.subscription_id == subscription_id)
            .order_by(deliveries.c.id.desc())
            .limit(limit)
        ).all()
        tries: dict[int, list[Attempt]] = defaultdict(list)
        of_these = select(attempts).where(attempts.c.delivery_id.in_([row.id for row in rows]))
        for each in self._connection.execute(of_these.order_by(attempts.c.at)):
            reply = None if each.code is None else Reply(each.code, each.text, each.enhanced)
            tries[each.delivery_id].append(Attempt(each.delivery_id, each.at, each.relay, Stage(each.stage), reply, each.error))
        return [_delivery(row, tuple(tries[row.id])) for row in rows]


def _delivery(row: Row[Any], tries: tuple[Attempt, ...]) -> Delivery:
    return Delivery(
        id=row.id,
        list=listed(row.list),
        edition_id=row.edition_id,
        edition_date=row.date,
        edition_cutoff=row.cutoff,
        day=row.day,
        subscription_id=row.subscription_id,
        state=DeliveryState(row.state),
        due_at=row.due_at,
        expires_at=row.expires_at,
        next_attempt_at=row.next_attempt_at,
        attempts=row.attempts,
        reason=row.reason,
        accepted_at=row.accepted_at,
        relay=row.relay or "",
        reply=None if row.reply_code is None else Reply(row.reply_code, row.reply_text, row.reply_enhanced),
        tries=tries,
        correction=row.corrects is not None,
    )
