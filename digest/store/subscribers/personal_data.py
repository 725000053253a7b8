"""Everything the tables hold about one address, as a document: for the person it is about.

Made from the tables' own columns, so that a column added later is told too unless it is named here as saying nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from digest.domain.instant import isoformat
from digest.domain.phrase import phrase_from
from digest.domain.schedule import format_weekdays
from digest.domain.subscriber import Address
from digest.store.libraries import Libraries
from digest.store.papers.papers import Papers
from digest.store.schema import (
    address_changes,
    attempts,
    deliveries,
    editions,
    notices,
    requests,
    returns,
    subscribers,
    subscriptions,
    suppressions,
)
from digest.store.schema_libraries import library_accounts, library_items, works
from digest.store.schema_review import refusals, sent_before_restore
from digest.store.subscribers.saved_papers import SavedPapers
from digest.store.subscribers.suppressions import stops

SAYS_NOTHING = frozenset(
    {
        *(
            "id",
            "public_id",
            "request",
            "numbered_until",
            "subscriber_id",
            "edition_id",
            "subscription_id",
            "delivery_id",
            "work_id",
            "paper_id",
            "position",
        ),  # numbers that link rows
        *("address_key", "address_hash"),  # follow from the address
        "account_id",
        "encrypted_key",  # a secret: whoever finds the document must not find the key
        *(
            "lease_owner",
            "lease_until",
            "attempted_at",
            "next_attempt_at",
            "personal",
            "tripped",
            "folded",
        ),  # our own bookkeeping
    }
)


def held(connection: Connection, address: Address, hash_address: Callable[[str], str]) -> dict[str, Any]:
    """{"address", "created_at", "suppressions",
    "subscriptions": [{…, "library", "library_accounts", "saved_papers",
    "requests", "address_changes", "notices", "refusals", "sent_before_restore", "deliveries": [{…, "attempts", "returns"}]}]}.

    What is not held is an empty list. Instants are ISO 8601 in UTC; numbers that only link rows are left out.
    """
    person = connection.execute(select(subscribers).where(subscribers.c.address_key == address.key)).first()
    document: dict[str, Any] = _document(subscribers, person) if person else {"address": address.text}
    of_person = select(subscriptions).where(subscriptions.c.subscriber_id == person.id) if person else None
    rows = connection.execute(of_person.order_by(subscriptions.c.list)).all() if of_person is not None else []
    libraries = Libraries(connection)
    document["subscriptions"] = [
        {
            **_document(subscriptions, row),
            "library": libraries.of_subscriber(row.id),
            "library_accounts": _library_accounts(connection, row.id),
            "saved_papers": _saved_papers(connection, row.id),
            "requests": _documents(connection, requests, requests.c.subscription_id == row.id),
            "address_changes": _documents(connection, address_changes, address_changes.c.subscription_id == row.id),
            "notices": _documents(connection, notices, notices.c.subscription_id == row.id),
            "refusals": _documents(connection, refusals, refusals.c.subscription_id == row.id),
            "sent_before_restore": _documents(connection, sent_before_restore, sent_before_restore.c.subscription_id == row.id),
            "deliveries": _deliveries(connection, row.id),
        }
        for row in rows
    ]
    document["suppressions"] = _documents(
        connection, suppressions, stops([hash_address(address.key)], [hash_address(address.folded_key)])
    )
    return document


def _deliveries(connection: Connection, subscription_id: int) -> list[dict[str, Any]]:
    found = connection.execute(
        select(deliveries, editions.c.list, editions.c.date)
        .join(editions, editions.c.id == deliveries.c.edition_id)
        .where(deliveries.c.subscription_id == subscription_id)
        .order_by(deliveries.c.id)
    ).all()
    return [
        {
            "edition": row.date.isoformat(),
            **_document(deliveries, row),
            "reasons": [[[kind, str(phrase_from(text))] for kind, text in some] for some in row.reasons or ()],
            "attempts": _documents(connection, attempts, attempts.c.delivery_id == row.id),
            "returns": _documents(connection, returns, returns.c.delivery_id == row.id),
        }
        for row in found
    ]


def _library_accounts(connection: Connection, subscription_id: int) -> list[dict[str, Any]]:
    """Each with its items, and the name of the paper that an item is."""
    found = connection.execute(
        select(library_accounts).where(library_accounts.c.subscription_id == subscription_id).order_by(library_accounts.c.id)
    ).all()
    items = select(library_items, works.c.name).outerjoin_from(library_items, works).order_by(library_items.c.key)
    return [
        {
            **_document(library_accounts, row),
            "key": "kept encrypted" if row.encrypted_key else "",
            "items": [
                {**_document(library_items, item), "paper": item.name}
                for item in connection.execute(items.where(library_items.c.account_id == row.id))
            ],
        }
        for row in found
    ]


def _saved_papers(connection: Connection, subscription_id: int) -> list[dict[str, Any]]:
    saved = SavedPapers(connection).of(subscription_id)
    papers = Papers(connection).by_ids(saved)
    return [
        {"paper": str(papers[paper_id].identifier), "title": papers[paper_id].title, "saved_at": isoformat(at)}
        for paper_id, at in saved.items()
    ]


def _documents(connection: Connection, table: Table, where: Any) -> list[dict[str, Any]]:
    return [_document(table, row) for row in connection.execute(select(table).where(where))]


def _document(table: Table, row: Row[Any]) -> dict[str, Any]:
    return {column.name: _plain(row._mapping[column]) for column in table.c if column.name not in SAYS_NOTHING}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return isoformat(value)
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset):
        return format_weekdays(value)
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
