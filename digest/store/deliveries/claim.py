"""Taking deliveries under a lease. The one transaction that decides whether somebody is mailed.

First the next due rows, by a partial index that holds only what is queued, locked against others (PostgreSQL: SKIP LOCKED;
SQLite: the write transaction). Then, in the same transaction, everything that may forbid or need them. So a suppression or an
unsubscribe committed before this transaction's reading always counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from digest.domain.delivery import ClaimBatch, Claimed, DeliveryState
from digest.domain.instant import isoformat
from digest.domain.schedule import known_zone
from digest.domain.subscriber import Address, SubscriptionState
from digest.store.deliveries.missed import missed_before
from digest.store.dialect import among, chunks, database_now, rows, walk_indexes
from digest.store.editions.edition_rows import listed
from digest.store.feedback.refusals import HELD_FOR_REVIEW, HELD_SUBSCRIBERS
from digest.store.row_mapping import interests_from
from digest.store.schema import deliveries, editions, lists, subscribers, subscriptions, suppressions
from digest.store.schema_review import restored, sent_before_restore

_QUEUED = deliveries.c.state == DeliveryState.QUEUED.value
_URGENT = text("deliveries.urgent")
"""As the index says it (ix_deliveries_urgent): "urgent = 1" would walk over all that is queued."""

_PAUSED = select(editions.c.id).join(lists, lists.c.name == editions.c.list).where(lists.c.paused_at.is_not(None))
"""Editions whose list is paused."""

_ACTIVE = SubscriptionState.ACTIVE.value

_DETAILS: Select[Any] = (
    select(
        deliveries.c.id,
        deliveries.c.edition_id,
        deliveries.c.subscription_id,
        subscriptions.c.subscriber_id,
        subscribers.c.address,
        deliveries.c.attempts,
        deliveries.c.due_at,
        deliveries.c.expires_at,
        deliveries.c.picks,
        subscriptions.c.personal,
        subscriptions.c.picks.label("wanted"),
        subscriptions.c.interests,
        subscriptions.c.style,
        subscriptions.c.language,
        subscriptions.c.authors_words,
        subscriptions.c.public_id,
        deliveries.c.away,
        deliveries.c.day,
        deliveries.c.reason,
        deliveries.c.lease_owner,
        subscriptions.c.timezone,
        subscriptions.c.paused_until,
        subscriptions.c.state.label("subscription_state"),
        subscriptions.c.end_reason,
        suppressions.c.reason.label("suppressed"),
        editions.c.state.label("edition_state"),
    )
    .select_from(deliveries)
    .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
    .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
    .join(editions, editions.c.id == deliveries.c.edition_id)
    .outerjoin(suppressions, suppressions.c.address_hash == subscribers.c.address_hash)
)
"""Claimed's fields first, in their order, and last what may forbid to send: looked up by place, since this is for every mail."""


_CLEAR = (
    select(deliveries.c.id)
    .select_from(deliveries)
    .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
    .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
    .join(editions, editions.c.id == deliveries.c.edition_id)
    .outerjoin(lists, lists.c.name == editions.c.list)
    .outerjoin(suppressions, suppressions.c.address_hash == subscribers.c.address_hash)
    .where(
        suppressions.c.reason.is_(None),
        subscriptions.c.state == _ACTIVE,
        subscriptions.c.paused_until.is_(None),
        editions.c.state == "frozen",
        lists.c.paused_at.is_(None),
    )
)
"""Those that nothing forbids. Asked time and again while they wait to be begun, so it fetches nothing but ids."""

Stop = tuple[DeliveryState, str]
"""What becomes of a delivery that is not to be sent now, and why. QUEUED: it waits, as others of a paused list do."""


def claim(
    connection: Connection, limit: int, owner: str, now: datetime, term: timedelta, lists_known: Collection[str] | None = None
) -> ClaimBatch:
    ids = _take(connection, limit, now, lists_known)
    if not ids:
        return ClaimBatch()
    by_id, broken = _details(connection, ids)
    sendable: list[Claimed] = []
    ended: dict[tuple[DeliveryState, str], list[int]] = defaultdict(list)
    for id_, stop in broken.items():
        ended[stop].append(id_)
    held = set(connection.scalars(HELD_SUBSCRIBERS))
    sent_before = _sent_before(connection, by_id.values())
    missed = missed_before(connection, by_id.values(), now)
    waiting: list[int] = []
    for row in (by_id[id_] for id_ in ids if id_ in by_id):
        verdict = sent_before.get(row[0]) or _verdict(row, now)
        if held and row.subscriber_id in held and (verdict is None or verdict[0] is DeliveryState.EXPIRED):
            if verdict is None:
                waiting.append(row[0])
                continue
            verdict = (DeliveryState.EXPIRED, f"{HELD_FOR_REVIEW}, and {verdict[1]}")
        if verdict is None:
            try:
                sendable.append(_claimed(row, missed.get(row[0], "")))
            except Exception as error:  # whatever lies in a column that is no such value
                ended[_unreadable(error)].append(row[0])
        else:
            ended[verdict].append(row[0])
    # until somebody decides; at the latest it expires, and says so
    _set(connection, waiting, next_attempt_at=deliveries.c.expires_at, reason=HELD_FOR_REVIEW)
    if len(waiting) == len(ids):
        return claim(connection, limit, owner, now, term, lists_known)
    for (state, reason), some in ended.items():
        _set(connection, some, state=state.value, reason=reason)
    taken = [each.id for each in sendable]
    until = database_now(connection) + term
    _set(connection, taken, state=DeliveryState.CLAIMED.value, lease_owner=owner, lease_until=until)
    count = {
        state: sum(len(some) for (ended_as, _), some in ended.items() if ended_as is state)
        for state in (DeliveryState.WITHHELD, DeliveryState.EXPIRED, DeliveryState.FAILED)
    }
    return ClaimBatch(tuple(sendable), count[DeliveryState.WITHHELD], count[DeliveryState.EXPIRED], count[DeliveryState.FAILED])


def stops(connection: Connection, ids: Iterable[int], now: datetime, owner: str | None) -> dict[int, Stop]:
    """By id, those that `owner` claimed (None: nobody) and that are not to be begun any more."""
    found: dict[int, Stop] = {}
    for some in chunks(ids):
        ours = (deliveries.c.lease_owner.is_not_distinct_from(owner), among(connection, deliveries.c.id, some))
        clear = set(connection.scalars(_CLEAR.where(*ours)))
        if doubtful := [each for each in some if each not in clear]:
            paused = set(connection.scalars(_PAUSED))
            rows, broken = _details(connection, doubtful)
            found |= broken
            for each in doubtful:
                if each not in broken and (stop := _stop(rows.get(each), paused, now, owner)) is not None:
                    found[each] = stop
    return found


def _stop(row: Row[Any] | None, paused: Collection[int], now: datetime, owner: str | None) -> Stop | None:
    if row is None:
        return DeliveryState.WITHHELD, "its reader was erased"
    if row.lease_owner != owner:
        return DeliveryState.QUEUED, "another process has it"
    if row.edition_id in paused:
        return DeliveryState.QUEUED, "the list is paused"
    return _verdict(row, now)


def stop(connection: Connection, stopped: Mapping[int, Stop], owner: str) -> None:
    """Writes it down for those that `owner` still holds."""
    by_stop: dict[Stop, list[int]] = defaultdict(list)
    for delivery_id, verdict in stopped.items():
        by_stop[verdict].append(delivery_id)
    ours = (deliveries.c.state == DeliveryState.CLAIMED.value, deliveries.c.lease_owner == owner)
    for (state, reason), ids in by_stop.items():
        row = {"state": state.value, "reason": reason, "lease_owner": None, "lease_until": None}
        connection.execute(update(deliveries).where(among(connection, deliveries.c.id, ids), *ours).values(row))


def known(connection: Connection, ids: Iterable[int]) -> dict[int, Claimed]:
    """Those whose row can be read."""
    found: dict[int, Claimed] = {}
    for some in chunks(ids):
        for id_, row in _details(connection, some)[0].items():
            with suppress(Exception):  # as in `claim`, which will say why
                found[id_] = _claimed(row)
    return found


def _details(connection: Connection, ids: Sequence[int]) -> tuple[dict[int, Row[Any]], dict[int, Stop]]:
    """The rows by id, and what becomes of those that cannot be read."""
    try:
        found = rows(connection, _DETAILS.where(among(connection, deliveries.c.id, ids)))
    except SQLAlchemyError:
        raise
    except Exception as error:  # one column's text is no JSON, no instant: which row's, only each alone can tell
        if len(ids) == 1:
            return {}, {ids[0]: _unreadable(error)}
        half = len(ids) // 2
        (some, broken), (others, broken_too) = _details(connection, ids[:half]), _details(connection, ids[half:])
        return some | others, broken | broken_too
    return {row[0]: row for row in found}, {}


def _unreadable(error: Exception) -> Stop:
    return DeliveryState.FAILED, f"its row in the database cannot be read: {type(error).__name__}: {error}"[:300]


def waits_for_its_list(connection: Connection, lists_known: Collection[str] | None, now: datetime) -> ColumnElement[bool] | None:
    """That a delivery is of a list that the caller does not know, and not too late yet; None where there is no such list."""
    if lists_known is None:
        return None
    strange = [name for name in connection.scalars(select(lists.c.name)) if listed(name) not in lists_known]
    if not strange:
        return None
    return and_(
        deliveries.c.edition_id.in_(select(editions.c.id).where(editions.c.list.in_(strange))), deliveries.c.expires_at > now
    )


def _take(connection: Connection, limit: int, now: datetime, lists_known: Collection[str] | None) -> Sequence[int]:
    """The next due ids, locked: urgent ones first. Deliveries of a paused list, or one unknown here, stay where they are."""
    walk_indexes(connection)
    due = select(deliveries.c.id).where(_QUEUED, deliveries.c.next_attempt_at <= now)
    # asked first: with no list paused, the usual case, the taking looks at one index and nothing else
    paused = connection.scalars(_PAUSED).all()
    if paused:
        due = due.where(deliveries.c.edition_id.not_in(paused))
    if (waits := waits_for_its_list(connection, lists_known, now)) is not None:
        due = due.where(~waits)
    due = due.order_by(deliveries.c.next_attempt_at, deliveries.c.id).with_for_update(skip_locked=True, of=deliveries)
    urgent = connection.scalars(due.where(_URGENT).limit(limit)).all()
    if len(urgent) == limit:
        return urgent
    others = due.where(deliveries.c.id.not_in(urgent)) if urgent else due
    return [*urgent, *connection.scalars(others.limit(limit - len(urgent)))]


def _verdict(row: Row[Any], now: datetime) -> tuple[DeliveryState, str] | None:
    """Why this one is not sent; None when it is."""
    last: Sequence[Any] = row[-6:]
    timezone, paused_until, subscription, end_reason, suppressed, edition = last
    if suppressed is not None:
        return DeliveryState.WITHHELD, f"the address is suppressed: {suppressed}"
    if subscription != _ACTIVE:
        return DeliveryState.WITHHELD, f"the subscription is {subscription}{f': {end_reason}' if end_reason else ''}"
    if paused_until is not None and paused_until > row.due_at.astimezone(known_zone(timezone) or UTC).date():
        return DeliveryState.WITHHELD, f"the reader paused it until {paused_until}"
    if edition != "frozen":
        return DeliveryState.WITHHELD, f"the edition is {edition}"
    if row.expires_at <= now:
        return DeliveryState.EXPIRED, f"not sent before {isoformat(row.expires_at)}, when the next edition was due"
    return None


def _sent_before(connection: Connection, rows: Collection[Row[Any]]) -> dict[int, tuple[DeliveryState, str]]:
    """Of a database that was restored: what was sent after the backup, or may have been. Not what the operator queued again."""
    last = connection.execute(select(restored).order_by(restored.c.at.desc()).limit(1)).first()
    new = [] if last is None else [row for row in rows if not row.attempts and not row.reason and row.due_at <= last.at]
    if last is None or not new:
        return {}
    if not last.known:
        why = f"may have been sent before the database was restored at {isoformat(last.at)}"
        return {row.id: (DeliveryState.WITHHELD, why) for row in new}
    sent = sent_before_restore.c
    these = among(connection, sent.subscription_id, [row.subscription_id for row in new])
    known = {(each.subscription_id, each.day) for each in connection.execute(select(sent_before_restore).where(these))}
    why = f"was sent before the database was restored at {isoformat(last.at)}"
    return {
        row.id: (DeliveryState.WITHHELD, why) for row in new if (row.subscription_id, row.due_at.astimezone(UTC).date()) in known
    }


def _claimed(row: Sequence[Any], missed: str = "") -> Claimed:
    id_, edition, subscription, subscriber, address, tried, due, expires, picks, personal, wanted, interests, *rest = row
    style, language, authors_words, public_id, away, *_ = rest
    return Claimed(
        id_,
        edition,
        subscription,
        subscriber,
        Address(address),
        tried,
        due,
        expires,
        None if picks is None else tuple(picks),
        personal,
        wanted,
        interests_from(interests),
        style,
        language,
        authors_words,
        public_id,
        away,
        missed,
    )


def _set(connection: Connection, ids: Iterable[int], **values: object) -> None:
    some = list(ids)
    if some:
        connection.execute(update(deliveries).where(among(connection, deliveries.c.id, some)).values(**values))
