"""What came back, delivery by delivery: the memory behind soft scores and the circuit breaker."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, func, or_, select, update

from digest.domain.circuit_breaker import ReturnCounts as Counted
from digest.domain.delivery import DeliveryState
from digest.domain.feedback import DeliveryRecipient, ReturnKind
from digest.domain.subscriber import Address
from digest.store.dialect import insert_new
from digest.store.schema import deliveries, editions, returns, subscribers, subscriptions

_LOOK_BACK = 100
"""How many of a reader's latest mails a score looks at."""

_ACCEPTED = deliveries.c.state == DeliveryState.ACCEPTED.value
_THEIRS = or_(subscribers.c.address_since.is_(None), deliveries.c.accepted_at >= subscribers.c.address_since)
"""It went to the address that the reader has now."""


class FeedbackEvents:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def mailed(self, delivery_id: int) -> DeliveryRecipient | None:
        """Whom a delivery was for; None when it is not known or its reader was forgotten."""
        return self._mailed(_MAILED.where(deliveries.c.id == delivery_id))

    def latest(self, address: Address, before: datetime) -> DeliveryRecipient | None:
        """The last mail that a relay had taken for the address by then."""
        of_reader = (subscribers.c.address_key == address.key, _ACCEPTED, deliveries.c.accepted_at <= before, _THEIRS)
        return self._mailed(_MAILED.where(*of_reader).order_by(deliveries.c.accepted_at.desc(), deliveries.c.id.desc()).limit(1))

    def add(self, delivery_id: int, kind: ReturnKind, at: datetime, detail: str = "") -> bool:
        """Remembers that this came back. False when it was known: reading a mail twice counts once."""
        row = {"delivery_id": delivery_id, "kind": kind.value, "at": at, "detail": detail[:500], "tripped": False}
        return insert_new(self._connection, returns, [row]) > 0

    def soft_days(self, subscriber_id: int, settled_by: datetime) -> int:
        """On how many days (UTC) the reader's latest mails bounced softly, since the last that did not.

        Only mails accepted by `settled_by` count as arrived: the bounce of a younger one may still be on its way.
        """
        soft = and_(returns.c.delivery_id == deliveries.c.id, returns.c.kind == ReturnKind.SOFT.value)
        rows = self._connection.execute(
            select(deliveries.c.accepted_at, returns.c.at)
            .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
            .outerjoin(returns, soft)
            .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
            .where(subscriptions.c.subscriber_id == subscriber_id, _ACCEPTED, _THEIRS)
            .order_by(deliveries.c.accepted_at.desc(), deliveries.c.id.desc())
            .limit(_LOOK_BACK)
        )
        days = set()
        for accepted_at, bounced_at in rows:
            if bounced_at is not None:
                days.add(bounced_at.date())
            elif accepted_at <= settled_by:
                break
        return len(days)

    def count(self, list_name: str, since: datetime) -> Counted:
        """The accepted mails of a list's editions since then, and what came back of them that has not paused it before."""
        of_list = (editions.c.list == list_name, editions.c.frozen_at >= since, _ACCEPTED)
        accepted = (
            select(func.count()).select_from(deliveries).join(editions, editions.c.id == deliveries.c.edition_id).where(*of_list)
        )
        came_back = (
            select(returns.c.kind, func.count())
            .join(deliveries, deliveries.c.id == returns.c.delivery_id)
            .join(editions, editions.c.id == deliveries.c.edition_id)
            .where(*of_list, returns.c.tripped.is_(False))
            .group_by(returns.c.kind)
        )
        by_kind = {ReturnKind(kind): number for kind, number in self._connection.execute(came_back)}
        total = self._connection.scalar(accepted) or 0
        return Counted(total, by_kind.get(ReturnKind.COMPLAINT, 0), by_kind.get(ReturnKind.HARD, 0))

    def acknowledge(self, list_name: str) -> None:
        """What has paused a list must not pause it again once the operator has resumed it."""
        of_list = exists().where(
            deliveries.c.id == returns.c.delivery_id, editions.c.id == deliveries.c.edition_id, editions.c.list == list_name
        )
        self._connection.execute(update(returns).where(returns.c.tripped.is_(False), of_list).values(tripped=True))

    def _mailed(self, statement: Select[Any]) -> DeliveryRecipient | None:
        row = self._connection.execute(statement).first()
        if row is None:
            return None
        former = row.address_since is not None and (row.accepted_at or row.due_at) < row.address_since
        return DeliveryRecipient(row.id, row.subscription_id, row.subscriber_id, Address(row.address), row.list, former)


_MAILED = (
    select(
        deliveries.c.id,
        deliveries.c.subscription_id,
        deliveries.c.accepted_at,
        deliveries.c.due_at,
        subscriptions.c.subscriber_id,
        subscribers.c.address,
        subscribers.c.address_since,
        editions.c.list,
    )
    .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
    .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
    .join(editions, editions.c.id == deliveries.c.edition_id)
)
