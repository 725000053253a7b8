"""The outbox: one row for each edition owed to a subscription, from due to done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, literal, or_, select, update

from digest.domain.delivery import Attempt, ClaimBatch, Claimed, Delivery, DeliveryState, Reply, Stage
from digest.domain.retry import Decision
from digest.domain.subscriber import Cohort, SubscriptionState
from digest.store.deliveries.claim import Stop, claim, known, stop, stops
from digest.store.deliveries.record_outcomes import record
from digest.store.dialect import chunks, insert_into, inserted, walk_indexes
from digest.store.editions.editions import listed
from digest.store.schema import attempts, deliveries, edition_pool, editions, lists, subscribers, subscriptions, suppressions
from digest.store.types import Instant

_QUEUED = deliveries.c.state == DeliveryState.QUEUED.value
_CLAIMED = deliveries.c.state == DeliveryState.CLAIMED.value
_SENT = (DeliveryState.ACCEPTED.value, DeliveryState.UNCERTAIN.value)
_OF_PAUSED = select(editions.c.id).join(lists, lists.c.name == editions.c.list).where(lists.c.paused_at.is_not(None))
_OWED = ("edition_id", "subscription_id", "due_at", "expires_at", "next_attempt_at", "state")
_BACK = {"state": DeliveryState.QUEUED.value, "lease_owner": None, "lease_until": None}


class Deliveries:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # ---- what is owed ----

    def create_due(
        self,
        edition_id: int,
        cohort: Cohort,
        due_at: datetime,
        expires_at: datetime,
        today: date,
        confirmed_by: datetime | None = None,
        among: tuple[int, int | None] = (0, None),
        day_began: datetime | None = None,
    ) -> int:
        """One row for each reader of the cohort to whom it comes (schedule.comes); says how many. One INSERT … SELECT.

        Left out is who has a row for this edition or a newer one of its list, and who was mailed (but for a welcome) since their
        local day began, at `day_began` (default: nobody is).

        Readers: ACTIVE, confirmed by `confirmed_by` (default: `due_at`), not paused on their local day `today`, not suppressed;
        of them those `among` whose subscription's id is above the first of the two and, if it is a number, at most the second.
        """
        walk_indexes(self._connection)
        s = subscriptions.c
        # scalar subqueries, not NOT EXISTS: PostgreSQL makes a join of that, and where it knows nothing of the tables yet it has
        # compared every reader with every row just made
        d = deliveries.c
        this, others = self._editions_around(edition_id)
        lately = and_(d.due_at >= (day_began or expires_at), d.due_at > s.confirmed_at)
        # a look-up for each edition: asked for several at once, PostgreSQL goes through all that a reader ever had
        there = [select(d.id).where(d.edition_id == each, d.subscription_id == s.id) for each in this]
        there += [select(d.id).where(d.edition_id == each, d.subscription_id == s.id, lately) for each in others]
        suppressed = select(suppressions.c.reason).where(suppressions.c.address_hash == subscribers.c.address_hash)
        owed = (
            select(literal(edition_id), s.id, *self._owed(due_at, expires_at))
            .join(subscribers, subscribers.c.id == s.subscriber_id)
            .where(
                s.state == SubscriptionState.ACTIVE.value,
                s.list == cohort.list,
                s.timezone == cohort.timezone,
                s.hour == cohort.hour,
                s.weekdays == cohort.weekdays,
                s.id > among[0],
                s.confirmed_at <= (confirmed_by or due_at),
                or_(s.paused_until.is_(None), s.paused_until <= today),
                *(each.scalar_subquery().is_(None) for each in there),
                suppressed.scalar_subquery().is_(None),
            )
        )
        if among[1] is not None:
            owed = owed.where(s.id <= among[1])
        statement = insert_into(self._connection, deliveries).from_select(_OWED, owed).on_conflict_do_nothing()
        return inserted(self._connection, statement)

    def _editions_around(self, edition_id: int) -> tuple[Sequence[int], Sequence[int]]:
        """(this and the newer ones of its list, the two before it: an older one can not have been mailed on the same day)."""
        e = editions.c
        name, day = self._connection.execute(select(e.list, e.date).where(e.id == edition_id)).one()
        newer = self._connection.scalars(select(e.id).where(e.list == name, e.date >= day)).all()
        before = select(e.id).where(e.list == name, e.date < day).order_by(e.date.desc()).limit(2)
        return newer, self._connection.scalars(before).all()

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
        statement = insert_into(self._connection, deliveries).values(dict(zip(_OWED, values, strict=True)))
        made: int | None = self._connection.scalar(statement.on_conflict_do_nothing().returning(deliveries.c.id))
        return made

    @staticmethod
    def _owed(due_at: datetime, expires_at: datetime) -> list[Any]:
        instants = [literal(at, Instant()) for at in (due_at, expires_at, due_at)]
        return [*instants, literal(DeliveryState.QUEUED.value)]

    # ---- taking and giving back ----

    def claim(self, limit: int, owner: str, now: datetime, lease_until: datetime) -> ClaimBatch:
        """Takes up to `limit` due deliveries for `owner` until `lease_until`, oldest first.

        In this same transaction: suppressed address, ended or paused subscription, cancelled edition → withheld, too late →
        expired, each with its reason; a paused list's stay queued. An empty batch (false) means nothing is due. Commit first.
        """
        return claim(self._connection, limit, owner, now, lease_until)

    def stops(self, ids: Iterable[int], now: datetime) -> dict[int, Stop]:
        """Of what was claimed, by id, what is not to be begun any more: as `claim` would find it now."""
        return stops(self._connection, ids, now)

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

    def renew(self, owner: str, lease_until: datetime) -> int:
        """Holds what `owner` has claimed until `lease_until`; says how many."""
        statement = update(deliveries).where(_CLAIMED, deliveries.c.lease_owner == owner).values(lease_until=lease_until)
        return self._connection.execute(statement).rowcount

    def freeze_picks(self, picks: Mapping[int, Sequence[int]]) -> None:
        """Keeps, by delivery id, the positions in the pool it shows: once, before its first byte goes out."""
        if picks:
            unset = (deliveries.c.id == bindparam("of_delivery"), deliveries.c.picks.is_(None))
            statement = update(deliveries).where(*unset).values(picks=bindparam("chosen", type_=deliveries.c.picks.type))
            self._connection.execute(statement, [{"of_delivery": d, "chosen": list(p)} for d, p in picks.items()])

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

    def reclaim_dead_leases(self, now: datetime) -> int:
        """Gives back what was claimed by somebody whose lease ran out before `now`; says how many."""
        row = {**_BACK, "reason": "the lease ran out: whoever had claimed it stopped"}
        statement = update(deliveries).where(_CLAIMED, deliveries.c.lease_until < now).values(row)
        return self._connection.execute(statement).rowcount

    # ---- looking ----

    def tally(self, edition_id: int | None = None) -> dict[DeliveryState, int]:
        """How many deliveries are in each state, of one edition or of all; states without any are left out."""
        statement = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
        if edition_id is not None:
            statement = statement.where(deliveries.c.edition_id == edition_id)
        return {DeliveryState(state): count for state, count in self._connection.execute(statement)}

    def oldest_due(self, now: datetime) -> datetime | None:
        """Since when the delivery that waits longest has been due; None when nothing waits. A paused list's wait for a word."""
        waiting = select(func.min(deliveries.c.next_attempt_at)).where(_QUEUED, deliveries.c.next_attempt_at <= now)
        if paused := self._connection.scalars(_OF_PAUSED).all():
            waiting = waiting.where(deliveries.c.edition_id.not_in(paused))
        oldest: datetime | None = self._connection.scalar(waiting)
        return oldest

    def due(self, now: datetime, most: int) -> int:
        """How many wait and are due, counted up to `most`."""
        some = select(deliveries.c.id).where(_QUEUED, deliveries.c.next_attempt_at <= now).limit(most).subquery()
        return self._connection.scalar(select(func.count()).select_from(some)) or 0

    def next_due(self, now: datetime) -> datetime | None:
        """When the next delivery falls due after `now`; None when none is queued for later."""
        later = select(func.min(deliveries.c.next_attempt_at)).where(_QUEUED, deliveries.c.next_attempt_at > now)
        following: datetime | None = self._connection.scalar(later)
        return following

    def recent_picks(self, subscriber_ids: Iterable[int], since: datetime) -> dict[int, set[int]]:
        """Paper ids sent to each subscriber, by any list, in deliveries due since `since`. Those sent nothing are left out."""
        sent: dict[int, set[int]] = defaultdict(set)
        for some in chunks(subscriber_ids):
            rows = self._connection.execute(
                select(subscriptions.c.subscriber_id, deliveries.c.edition_id, deliveries.c.picks)
                .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
                .where(subscriptions.c.subscriber_id.in_(some), deliveries.c.due_at >= since, deliveries.c.state.in_(_SENT))
            ).all()
            pools = self._pools({row.edition_id for row in rows})
            for subscriber_id, edition_id, picks in rows:
                papers, own = pools[edition_id]
                sent[subscriber_id] |= {papers[position] for position in (own if picks is None else picks) if position in papers}
        return dict(sent)

    def _pools(self, edition_ids: Iterable[int]) -> dict[int, tuple[dict[int, int], list[int]]]:
        """By edition: position → paper id, and the positions of the list's own picks."""
        pools: dict[int, tuple[dict[int, int], list[int]]] = {edition_id: ({}, []) for edition_id in edition_ids}
        p = edition_pool.c
        statement = select(p.edition_id, p.position, p.paper_id, p.pick_rank).where(p.edition_id.in_(list(pools)))
        for edition_id, position, paper_id, pick_rank in self._connection.execute(statement):
            pools[edition_id][0][position] = paper_id
            if pick_rank is not None:
                pools[edition_id][1].append(position)
        return pools

    def has(self, edition_id: int, subscription_id: int) -> bool:
        """Whether the edition is, or was, owed to that reader."""
        these = (deliveries.c.edition_id == edition_id, deliveries.c.subscription_id == subscription_id)
        return self._connection.scalar(select(deliveries.c.id).where(*these)) is not None

    def of_subscription(self, subscription_id: int, limit: int = 10) -> list[Delivery]:
        """Its latest deliveries, newest first, with their attempts."""
        rows = self._connection.execute(
            select(deliveries, editions.c.list, editions.c.date, editions.c.corrects)
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
