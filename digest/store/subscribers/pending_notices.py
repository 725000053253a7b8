"""Mails to one person that are queued: one a subscription and address, the last step's.

Whoever sends one has it under a lease. The database's own clock judges leases: hosts' clocks differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, literal, or_, select, tuple_, update

from digest.domain.feedback import SuppressionReason
from digest.domain.notice import Notice, NoticeKind, QueuedNotice
from digest.domain.subscriber import Address
from digest.store.dialect import chunks, database_now, from_now, insert_into, readable
from digest.store.feedback.refusals import HELD_SUBSCRIBERS
from digest.store.schema import notices, requests, subscribers, subscriptions, suppressions
from digest.store.subscribers.subscribers import SUBSCRIPTION, subscription_of

_WHICH = tuple_(notices.c.subscription_id, notices.c.kind, notices.c.request)
"""A confirmation of a later request is another one."""


class Notices:
    def __init__(self, connection: Connection, hash_address: Callable[[str], str]) -> None:
        self._connection = connection
        self._hash_address = hash_address

    def queue(
        self,
        subscription_id: int,
        kind: NoticeKind,
        at: datetime,
        next_attempt_at: datetime,
        request: str = "",
        address: Address | None = None,
        *,
        lease: timedelta | None = None,
    ) -> None:
        """From the commit on it is queued, in place of what was queued to that address before: the reader's own, or another one.
        For `lease` it is the caller's to send.

        Nothing happens where the subscription is gone.
        """
        until = database_now(self._connection) + lease if lease else None
        row = (
            literal(address.text if address else ""),
            literal(kind.value),
            literal(request),
            literal(at, notices.c.owed_at.type),
            literal(next_attempt_at, notices.c.next_attempt_at.type),
            literal(until, notices.c.lease_until.type),
        )
        there = select(subscriptions.c.id, *row, literal(0)).where(subscriptions.c.id == subscription_id)
        names = ["subscription_id", "address", "kind", "request", "owed_at", "next_attempt_at", "lease_until", "attempts"]
        statement = insert_into(self._connection, notices).from_select(names, there)
        fresh = dict(zip(names[2:], (kind.value, request, at, next_attempt_at, until, 0), strict=True))
        self._connection.execute(statement.on_conflict_do_update(index_elements=["subscription_id", "address"], set_=fresh))

    def take(self, at: datetime, limit: int, lease: timedelta) -> list[QueuedNotice]:
        """Some that are due, oldest first, of a subscription only one; nobody else takes them before `lease` is over. Who is held
        for review waits, and so does one whose row cannot be read. A lease that ends later than `lease` from now is of a clock
        that stood ahead.
        """
        now, until = from_now(self._connection), from_now(self._connection, lease)
        free = or_(notices.c.lease_until.is_(None), notices.c.lease_until <= now, notices.c.lease_until > until)
        held = select(subscriptions.c.id).where(subscriptions.c.subscriber_id.in_(HELD_SUBSCRIBERS))
        key = notices.c.subscription_id, notices.c.address
        due = select(*key).where(notices.c.next_attempt_at <= at, free, notices.c.subscription_id.not_in(held))
        due = due.order_by(notices.c.next_attempt_at, *key).limit(limit)
        found = self._connection.execute(due.with_for_update(skip_locked=True)).all()
        if not found:
            return []
        first = {row.subscription_id: row for row in reversed(found)}
        these = tuple_(*key).in_([tuple(row) for row in first.values()])
        self._connection.execute(update(notices).where(these).values(lease_until=until))
        return self._read(these)

    def current(self, subscription_ids: Sequence[int]) -> list[QueuedNotice]:
        """What is queued for these and due."""
        return [each for some in chunks(subscription_ids) for each in self._read(notices.c.subscription_id.in_(some))]

    def _read(self, these: ColumnElement[bool]) -> list[QueuedNotice]:
        details = (
            SUBSCRIPTION.add_columns(
                notices.c.kind,
                notices.c.address.label("to"),
                notices.c.request,
                notices.c.owed_at,
                notices.c.attempts,
                suppressions.c.reason,
                requests.c.language.label("asked_in"),
            )
            .join(notices, notices.c.subscription_id == subscriptions.c.id)
            .outerjoin(suppressions, suppressions.c.address_hash == subscribers.c.address_hash)
            .outerjoin(requests, requests.c.public_id == notices.c.request)
            .where(these)
            .order_by(notices.c.owed_at, notices.c.subscription_id)
        )
        return [self._queued(row) for row in readable(self._connection, details, "a mail that answers a reader")]

    def _queued(self, row: Row[Any]) -> QueuedNotice:
        subscription, reason = replace(subscription_of(row), request=row.request), row.reason
        if row.asked_in:
            preferences = replace(subscription.preferences, language=row.asked_in)
            subscription = replace(subscription, preferences=preferences)
        if row.to:
            subscription = replace(subscription, address=Address(row.to))
            hashed = self._hash_address(subscription.address.key)
            reason = self._connection.scalar(select(suppressions.c.reason).where(suppressions.c.address_hash == hashed))
        notice = Notice(NoticeKind(row.kind), subscription)
        return QueuedNotice(notice, row.owed_at, row.attempts, SuppressionReason(reason) if reason else None)

    def settle(self, given: Iterable[Notice]) -> None:
        """They are queued no longer; what was queued in their place since is."""
        for some in chunks(list(given)):
            these = [(each.subscription.id, each.kind.value, each.subscription.request) for each in some]
            self._connection.execute(delete(notices).where(_WHICH.in_(these)))

    def put_off(self, notice: Notice, next_attempt_at: datetime, attempts: int) -> None:
        this = tuple_(notice.subscription.id, notice.kind.value, notice.subscription.request) == _WHICH
        row = {"next_attempt_at": next_attempt_at, "attempts": attempts, "lease_until": None}
        self._connection.execute(update(notices).where(this).values(row))

    def count(self, kind: NoticeKind | None = None) -> int:
        """How many are queued."""
        these = [notices.c.kind == kind.value] if kind else []
        return self._connection.scalar(select(func.count()).select_from(notices).where(*these)) or 0
