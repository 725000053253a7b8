"""A reader moves to another mailbox: asked for, proven by a link that went there, done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from digest.domain.notice import NoticeKind
from digest.domain.subscriber import Address, AddressChange, SubscriptionState
from digest.store.departures import Departures
from digest.store.dialect import insert_into
from digest.store.schema import address_changes, notices, subscribers, subscriptions
from digest.store.subscribers.subscribers import new_public_id


class AddressChanges:
    def __init__(self, connection: Connection, hash_address: Callable[[str], str], departures: Departures) -> None:
        self._connection = connection
        self._hash_address = hash_address
        self._departures = departures

    def ask(self, subscription_id: int, address: Address, at: datetime) -> str:
        """Keeps what is asked for, in place of what was asked for before; says what its link names it by.

        A link that was not mailed yet is not mailed any more.
        """
        before = (notices.c.subscription_id == subscription_id, notices.c.kind == NoticeKind.ADDRESS.value)
        self._connection.execute(delete(notices).where(*before))
        public_id = new_public_id()
        row = {"public_id": public_id, "address": address.text, "requested_at": at}
        statement = insert_into(self._connection, address_changes).values({"subscription_id": subscription_id, **row})
        self._connection.execute(statement.on_conflict_do_update(index_elements=["subscription_id"], set_=row))
        return public_id

    def find(self, public_id: str) -> AddressChange | None:
        """What a link confirms; None where it is used, withdrawn or too old."""
        row = self._connection.execute(select(address_changes).where(address_changes.c.public_id == public_id)).first()
        return AddressChange(row.subscription_id, Address(row.address)) if row else None

    def has_subscriptions(self, address: Address) -> bool:
        """Whether somebody confirmed a subscription with this address."""
        proven = subscriptions.c.state != SubscriptionState.PENDING.value
        statement = select(subscriptions.c.id).join(subscribers).where(subscribers.c.address_key == address.key, proven)
        return self._connection.scalar(statement.limit(1)) is not None

    def move(self, subscriber_id: int, address: Address, at: datetime) -> None:
        """All subscriptions of a reader go to another address from now on; what waits there for a confirmation is dropped."""
        there = (subscribers.c.address_key == address.key, subscribers.c.id != subscriber_id)
        self._connection.execute(delete(subscribers).where(*there))
        row = {"address": address.text, "address_key": address.key, "address_hash": self._hash_address(address.key)}
        this = subscribers.c.id == subscriber_id
        before = self._connection.scalar(select(subscribers.c.address_hash).where(this))
        self._connection.execute(update(subscribers).where(this).values(**row, address_since=at))
        if before and before != row["address_hash"]:
            self._departures.moved(before, row["address_hash"], at)
        of_reader = select(subscriptions.c.id).where(subscriptions.c.subscriber_id == subscriber_id)
        self._connection.execute(delete(address_changes).where(address_changes.c.subscription_id.in_(of_reader)))
