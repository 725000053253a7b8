"""Many readers at once, with consent given elsewhere: a CSV an operator brings along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from digest.domain.subscriber import AddedReaders, Consent, NewReader, SubscriptionState
from digest.store.codec import consent_columns, wishes_columns
from digest.store.schema import subscribers, subscriptions
from digest.store.statements import chunks, insert_new, walk_indexes


def enrol(
    connection: Connection, hash_address: Callable[[str], str], readers: Sequence[NewReader], consent: Consent, at: datetime
) -> AddedReaders:
    """Makes subscriptions ACTIVE from `at` on; of two rows for one mailbox and list the first counts. Again: changes nothing."""
    walk_indexes(connection)
    total = AddedReaders(0, 0)
    for chunk in chunks(readers):
        total += _enrol(connection, hash_address, chunk, consent, at)
    return total


def _enrol(
    connection: Connection, hash_address: Callable[[str], str], readers: Sequence[NewReader], consent: Consent, at: datetime
) -> AddedReaders:
    people = {r.address.key: r.address.text for r in readers}
    insert_new(
        connection,
        subscribers,
        [
            {"address": text, "address_key": key, "address_hash": hash_address(key), "created_at": at}
            for key, text in people.items()
        ],
    )
    known = select(subscribers.c.address_key, subscribers.c.id).where(subscribers.c.address_key.in_(list(people)))
    ids = {key: subscriber_id for key, subscriber_id in connection.execute(known)}  # noqa: C416 - dict() would not type-check
    active = {"state": SubscriptionState.ACTIVE.value, "confirmed_at": at, **consent_columns(consent)}
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    for reader in readers:
        pair = (ids[reader.address.key], reader.list)
        wishes = wishes_columns(reader.preferences, reader.interests)
        rows.setdefault(pair, {"subscriber_id": pair[0], "list": pair[1], "requested_at": at, **wishes, **active})
    made = insert_new(connection, subscriptions, list(rows.values()))
    confirmed = 0 if made == len(rows) else _confirm_waiting(connection, rows, active)
    return AddedReaders(made + confirmed, len(readers) - made - confirmed)


def _confirm_waiting(connection: Connection, rows: dict[tuple[int, str], dict[str, Any]], active: dict[str, Any]) -> int:
    table = subscriptions.c
    found = connection.execute(
        select(table.id, table.subscriber_id, table.list).where(
            table.subscriber_id.in_({subscriber_id for subscriber_id, _ in rows}),
            table.state == SubscriptionState.PENDING.value,
        )
    ).all()
    waiting = [{"of_subscription": row.id} for row in found if (row.subscriber_id, row.list) in rows]
    if waiting:
        connection.execute(update(subscriptions).where(table.id == bindparam("of_subscription")).values(active), waiting)
    return len(waiting)
