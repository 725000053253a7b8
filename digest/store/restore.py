"""What a restored database has to learn: who left after the backup, and what was sent since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, func, or_, select, text, update

from digest.domain.delivery import DeliveryState
from digest.domain.feedback import SuppressionReason
from digest.domain.instant import isoformat, parse_instant
from digest.domain.subscriber import SubscriptionState
from digest.store.departures import Line
from digest.store.dialect import chunks, insert_into, insert_new
from digest.store.schema import (
    address_changes,
    deliveries,
    editions,
    leases,
    lists,
    papers,
    subscribers,
    subscriptions,
    suppressions,
)
from digest.store.schema_libraries import library_accounts
from digest.store.schema_review import restored, sent_before_restore

_SENT = (DeliveryState.ACCEPTED.value, DeliveryState.UNCERTAIN.value, DeliveryState.CLAIMED.value)
_OPEN = (DeliveryState.QUEUED.value, DeliveryState.CLAIMED.value, DeliveryState.UNCERTAIN.value)
_NUMBERED: tuple[Table, ...] = (editions, subscribers, subscriptions, deliveries)
_SKIPPED = 1_000_000
"""Numbers given out after the backup stand in links and bounces of mails: none of them is given to somebody else."""


def used(connection: Connection) -> bool:
    """Whether there is anything in the database that a restore would take away."""
    return any(connection.scalar(select(table.c.id).limit(1)) is not None for table in (subscribers, editions, papers))


def departed(connection: Connection, since: datetime) -> Iterator[Line]:
    """The departures of a database that is being replaced, as the log has them (store/departures.py).

    And lines that only it can have: ["address", subscriber, address, its key, its hash, instant].
    """
    for row in connection.execute(select(suppressions)):
        yield ["suppressed", row.address_hash, row.reason, isoformat(row.at)]
    people = select(subscribers.c.address_hash, subscriptions).join(subscriptions)
    for row in connection.execute(people):
        if row.state == SubscriptionState.ENDED.value and row.ended_at is not None:
            yield ["ended", row.address_hash, row.list, isoformat(row.ended_at)]
        elif row.state == SubscriptionState.ACTIVE.value and row.confirmed_at is not None:
            yield ["active", row.address_hash, row.list, isoformat(row.confirmed_at)]
    for row in connection.execute(select(lists.c.name, lists.c.paused_at, lists.c.paused_reason)):
        if row.paused_at is None:
            yield ["resumed", row.name, isoformat(since)]
        else:
            yield ["paused", row.name, row.paused_reason, isoformat(max(row.paused_at, since))]
    for row in connection.execute(select(subscribers).where(subscribers.c.address_since >= since)):
        yield ["address", row.id, row.address, row.address_key, row.address_hash, isoformat(row.address_since)]
    d = deliveries.c
    sent = select(d.subscription_id, d.due_at).where(
        or_(and_(d.state.in_(_SENT[:2]), d.attempted_at >= since), d.state == DeliveryState.CLAIMED.value)
    )
    days: dict[date, list[int]] = defaultdict(list)
    for subscription_id, due_at in connection.execute(sent):
        days[due_at.astimezone(UTC).date()].append(subscription_id)
    for day, ids in days.items():
        yield ["sent", day.isoformat(), ids, isoformat(since)]


def amend(connection: Connection, lines: Iterable[Line], backup_at: datetime, at: datetime, *, known: bool) -> dict[str, int]:
    """Makes a restored database know what happened since `backup_at`; `known`: `lines` are all of it. Says what was changed.

    Where they are not, what was due by `at` and is not known to be sent is withheld.
    """
    suppressed: dict[str, Line] = {}
    ended: dict[tuple[str, str], Line] = {}
    paused: dict[str, Line] = {}
    sent: dict[str, set[int]] = defaultdict(set)
    addresses: list[Line] = []
    moved: list[Line] = []
    for line in lines:
        if line[0] == "address":
            addresses.append(line)
        elif line[0] == "moved":
            moved.append(line)
        elif line[0] in ("suppressed", "lifted"):
            suppressed[line[1]] = max(suppressed.get(line[1], line), line, key=_when)
        elif line[0] in ("ended", "active"):
            ended[line[1], line[2]] = max(ended.get((line[1], line[2]), line), line, key=_when)
        elif line[0] in ("paused", "resumed"):
            paused[line[1]] = max(paused.get(line[1], line), line, key=_when)
        elif line[0] == "sent":
            sent[line[1]].update(line[2])
    latest = _followed(moved)
    changed = {
        "moved": _move(connection, addresses),
        **_suppress(connection, list(suppressed.values()), latest, backup_at),
        "lost": _end_moved(connection, latest, at),
        "ended": _end(connection, [line for line in ended.values() if line[0] == "ended"]),
        "paused": _pause(connection, list(paused.values())),
        "sent": _mark_sent(connection, sent, at),
        "withheld": 0 if known else _withhold(connection, at),
    }
    connection.execute(delete(leases))
    for table in _NUMBERED:
        _skip_numbers(connection, table)
    insert_new(connection, restored, [{"at": at, "backup_at": backup_at, "known": known}])
    return changed


def _when(line: Line) -> datetime:
    return parse_instant(line[-1])


def _move(connection: Connection, lines: Sequence[Line]) -> int:
    """Readers who changed their address keep the new one; whoever had only asked with it before is dropped, as in any change."""
    count = 0
    proven = select(subscriptions.c.id).where(
        subscriptions.c.subscriber_id == subscribers.c.id, subscriptions.c.state != SubscriptionState.PENDING.value
    )
    for _, subscriber_id, address, key, hashed, at in lines:
        connection.execute(
            delete(subscribers).where(subscribers.c.address_key == key, subscribers.c.id != subscriber_id, ~proven.exists())
        )
        if connection.scalar(select(subscribers.c.id).where(subscribers.c.address_key == key, subscribers.c.id != subscriber_id)):
            continue
        row = {"address": address, "address_key": key, "address_hash": hashed, "address_since": parse_instant(at)}
        count += connection.execute(update(subscribers).where(subscribers.c.id == subscriber_id).values(row)).rowcount
        of_reader = select(subscriptions.c.id).where(subscriptions.c.subscriber_id == subscriber_id)
        connection.execute(delete(address_changes).where(address_changes.c.subscription_id.in_(of_reader)))
    return count


def _followed(lines: Sequence[Line]) -> dict[str, str]:
    """From the hash of each address that somebody left to that of their latest."""
    latest: dict[str, str] = {}
    for _, old, new, _ in sorted(lines, key=_when):
        latest |= {each: new for each, then in latest.items() if then == old} | {old: new}
    return {old: new for old, new in latest.items() if old != new}


def _end_moved(connection: Connection, left: Iterable[str], at: datetime) -> int:
    """Readers of whose new address only the hash is known: the old mailbox may be somebody else's by now, and gets nothing."""
    people: list[int] = []
    for some in chunks(sorted(left)):
        people += connection.scalars(select(subscribers.c.id).where(subscribers.c.address_hash.in_(some)))
    row = {"state": SubscriptionState.ENDED.value, "ended_at": at, "end_reason": "the address changed before the restore"}
    for those in chunks(people):
        lasting = (subscriptions.c.subscriber_id.in_(those), subscriptions.c.state != SubscriptionState.ENDED.value)
        ended = select(subscriptions.c.id).where(*lasting)
        connection.execute(delete(library_accounts).where(library_accounts.c.subscription_id.in_(ended)))
        connection.execute(update(subscriptions).where(*lasting).values(row))
    return len(people)


def _suppress(connection: Connection, lines: Sequence[Line], latest: Mapping[str, str], backup_at: datetime) -> dict[str, int]:
    """`latest`: by which address a person of the backup was erased, who had changed it."""
    erased = [line[1] for line in lines if line[2] == SuppressionReason.ERASED.value and _when(line) >= backup_at]
    by_now = set(erased)
    erased += [old for old, new in latest.items() if new in by_now]
    people = sum(
        connection.execute(delete(subscribers).where(subscribers.c.address_hash.in_(some))).rowcount for some in chunks(erased)
    )
    for some in chunks([line[1] for line in lines if line[0] == "lifted"]):
        kept = suppressions.c.reason != SuppressionReason.ERASED.value
        connection.execute(delete(suppressions).where(suppressions.c.address_hash.in_(some), kept))
    rows = [
        {"address_hash": line[1], "reason": line[2], "at": _when(line), "detail": ""} for line in lines if line[0] == "suppressed"
    ]
    return {"erased": people, "suppressed": insert_new(connection, suppressions, rows)}


def _end(connection: Connection, lines: Sequence[Line]) -> int:
    count = 0
    for _, hashed, list_name, at in lines:
        person = select(subscribers.c.id).where(subscribers.c.address_hash == hashed).scalar_subquery()
        lasting = (
            subscriptions.c.subscriber_id == person,
            subscriptions.c.list == list_name,
            subscriptions.c.state != SubscriptionState.ENDED.value,
            or_(subscriptions.c.confirmed_at.is_(None), subscriptions.c.confirmed_at <= parse_instant(at)),
        )
        ended = select(subscriptions.c.id).where(*lasting)
        connection.execute(delete(library_accounts).where(library_accounts.c.subscription_id.in_(ended)))
        row = {"state": SubscriptionState.ENDED.value, "ended_at": parse_instant(at), "end_reason": "ended before the restore"}
        count += connection.execute(update(subscriptions).where(*lasting).values(row)).rowcount
    return count


def _pause(connection: Connection, lines: Sequence[Line]) -> int:
    """Lists are paused as they were. One that is newer than the backup is made here, to be paused when it is configured."""
    for line in lines:
        row = (
            {"paused_at": _when(line), "paused_reason": line[2]}
            if line[0] == "paused"
            else {"paused_at": None, "paused_reason": None}
        )
        new = {"name": line[1], "title": line[1], "settings": {}, "configured": False}
        statement = insert_into(connection, lists).values(**new, **row)
        connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=row))
    return sum(line[0] == "paused" for line in lines)


def _mark_sent(connection: Connection, sent: dict[str, set[int]], at: datetime) -> int:
    """Deliveries that are there count as accepted; those that will be made are withheld when they are claimed."""
    why = f"accepted before the database was restored at {isoformat(at)}"
    rows: list[dict[str, Any]] = []
    for day, ids in sent.items():
        for some in chunks(sorted(ids)):
            there = connection.scalars(select(subscriptions.c.id).where(subscriptions.c.id.in_(some))).all()
            rows += [{"subscription_id": each, "day": date.fromisoformat(day)} for each in there]
    known = {(row["subscription_id"], row["day"]) for row in rows}
    open_ = select(deliveries.c.id, deliveries.c.subscription_id, deliveries.c.due_at).where(deliveries.c.state.in_(_OPEN))
    again = [row.id for row in connection.execute(open_) if (row.subscription_id, row.due_at.astimezone(UTC).date()) in known]
    accepted = {"state": DeliveryState.ACCEPTED.value, "accepted_at": at, "reason": why, "lease_owner": None, "lease_until": None}
    for some in chunks(again):
        connection.execute(update(deliveries).where(deliveries.c.id.in_(some)).values(accepted))
    connection.execute(delete(sent_before_restore))
    insert_new(connection, sent_before_restore, rows)
    return len(rows)


def _withhold(connection: Connection, at: datetime) -> int:
    why = f"may have been sent before the database was restored at {isoformat(at)}"
    due = (deliveries.c.state.in_(_OPEN), deliveries.c.due_at <= at)
    row = {"state": DeliveryState.WITHHELD.value, "reason": why, "lease_owner": None, "lease_until": None}
    return connection.execute(update(deliveries).where(*due).values(row)).rowcount


def _skip_numbers(connection: Connection, table: Table) -> None:
    newest = connection.scalar(select(func.max(table.c.id))) or 0
    if connection.dialect.name == "postgresql":
        values = {"table": table.name, "skipped": _SKIPPED}
        connection.execute(text("SELECT setval(s, nextval(s) + :skipped) FROM pg_get_serial_sequence(:table, 'id') AS s"), values)
        return
    connection.execute(
        text("INSERT INTO sqlite_sequence (name, seq) SELECT :table, 0 WHERE :table NOT IN (SELECT name FROM sqlite_sequence)"),
        {"table": table.name},
    )
    connection.execute(
        text("UPDATE sqlite_sequence SET seq = max(seq, :newest) + :skipped WHERE name = :table"),
        {"table": table.name, "newest": newest, "skipped": _SKIPPED},
    )
