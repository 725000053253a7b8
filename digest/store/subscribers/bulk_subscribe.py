"""Many readers at once, with consent given elsewhere: a CSV an operator brings along."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from secrets import token_urlsafe
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from digest.domain.notice import NoticeKind
from digest.domain.subscriber import AddedReaders, Consent, NewReader, SubscriptionState
from digest.store.dialect import chunks, insert_new, one_at_a_time, walk_indexes
from digest.store.row_mapping import consent_columns, interest_columns
from digest.store.schema import notices, requests, subscribers, subscriptions, suppressions
from digest.store.subscribers.suppressions import stops


def bulk_subscribe(
    connection: Connection,
    hash_address: Callable[[str], str],
    readers: Sequence[NewReader],
    consent: Consent | None,
    at: datetime,
) -> AddedReaders:
    """Makes subscriptions ACTIVE from `at` on; of two rows for one mailbox and list the first counts. Again: changes nothing.

    Without a consent they are PENDING, and a confirmation is queued for each that is new. Who must not be mailed, or asked to be
    forgotten, is not kept: a list of addresses brings nobody back.
    """
    one_at_a_time(connection, "enrol")  # or two imports at once would each find a reader new, and queue them a mail
    walk_indexes(connection)
    total = AddedReaders(0, 0)
    for chunk in chunks(readers):
        total += _bulk_subscribe(connection, hash_address, chunk, consent, at)
    return total


def _bulk_subscribe(
    connection: Connection,
    hash_address: Callable[[str], str],
    readers: Sequence[NewReader],
    consent: Consent | None,
    at: datetime,
) -> AddedReaders:
    hashes = {key: hash_address(key) for key in {reader.address.key for reader in readers}}
    folded = {
        reader.address.key: hash_address(reader.address.folded_key) for reader in readers if not reader.address.text.isascii()
    }
    there = select(suppressions.c.address_hash, suppressions.c.folded).where(stops(list(hashes.values()), list(folded.values())))
    barred = {(row.address_hash, of_folded) for row in connection.execute(there) for of_folded in {False, row.folded}}
    stopped = {key for key, hashed in hashes.items() if (hashed, False) in barred or (folded.get(key, ""), True) in barred}
    welcome = [reader for reader in readers if reader.address.key not in stopped] if stopped else readers
    ids = _people(connection, welcome, hashes, at)
    waits = {"state": SubscriptionState.PENDING.value}
    state = {"state": SubscriptionState.ACTIVE.value, "confirmed_at": at, **consent_columns(consent)} if consent else waits
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    for reader in welcome:
        pair = (ids[reader.address.key], reader.list)
        interests = interest_columns(reader.preferences, reader.interests)
        row = {"public_id": token_urlsafe(16), "subscriber_id": pair[0], "list": pair[1], "requested_at": at}
        rows.setdefault(pair, {**row, **interests, **state})
    if consent is None:
        made = _asked(connection, rows, at)
        return AddedReaders(made, len(readers) - made)
    made = insert_new(connection, subscriptions, list(rows.values()))
    confirmed = 0 if made == len(rows) else _confirm_waiting(connection, rows, state)
    return AddedReaders(made + confirmed, len(readers) - made - confirmed)


def _people(connection: Connection, readers: Sequence[NewReader], hashes: dict[str, str], at: datetime) -> dict[str, int]:
    """Ids by address key; whoever was not known is now."""
    texts = {reader.address.key: reader.address.text for reader in readers}
    people = [{"address": text, "address_key": key, "address_hash": hashes[key], "created_at": at} for key, text in texts.items()]
    insert_new(connection, subscribers, people)
    known = select(subscribers.c.address_key, subscribers.c.id).where(subscribers.c.address_key.in_(list(texts)))
    return {key: subscriber_id for key, subscriber_id in connection.execute(known)}  # noqa: C416 - dict() would not type-check


def _asked(connection: Connection, rows: dict[tuple[int, str], dict[str, Any]], at: datetime) -> int:
    """Makes those that are not there yet, and queues each a confirmation; says how many."""
    there = _pairs(connection, rows)
    new = {pair: row for pair, row in rows.items() if pair not in there}
    made = insert_new(connection, subscriptions, list(new.values()))
    due = {"kind": NoticeKind.CONFIRM.value, "owed_at": at, "next_attempt_at": at, "attempts": 0}
    found = {pair: each for pair, each in _pairs(connection, new).items() if pair in new}
    asked = [{**_asked_for(new[pair]), "public_id": token_urlsafe(16), "subscription_id": each} for pair, each in found.items()]
    insert_new(connection, requests, asked)
    queued = [{"subscription_id": each["subscription_id"], "request": each["public_id"], **due} for each in asked]
    insert_new(connection, notices, queued)
    return made


def _asked_for(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name in requests.c}


def _pairs(connection: Connection, rows: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """Ids of the subscriptions that these readers have, by subscriber and list."""
    table = subscriptions.c
    theirs = table.subscriber_id.in_({subscriber_id for subscriber_id, _ in rows})
    found = connection.execute(select(table.subscriber_id, table.list, table.id).where(theirs))
    return {(row.subscriber_id, row.list): row.id for row in found}


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
