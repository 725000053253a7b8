"""Writing down what became of deliveries, by the batch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, or_, select, text, update

from digest.domain.delivery import Attempt, DeliveryState, Reply
from digest.domain.instant import as_utc
from digest.domain.retry import Decision
from digest.store.dialect import chunks, insert_new, walk_indexes
from digest.store.schema import attempts, deliveries
from digest.store.types import Instant

_THIS = deliveries.c.id == bindparam("of_delivery")
_IS_OPEN = or_(
    deliveries.c.state == DeliveryState.QUEUED.value,
    deliveries.c.state == DeliveryState.UNCERTAIN.value,
)
_NEWER = or_(deliveries.c.attempted_at.is_(None), deliveries.c.attempted_at < bindparam("attempted_at"))
_ENDED_LEASE = {"lease_owner": None, "lease_until": None}


def record(connection: Connection, results: Sequence[tuple[Attempt, Decision]], owner: str | None = None) -> None:
    accepted = [(a, d) for a, d in results if d.state is DeliveryState.ACCEPTED]
    others = [(a, d) for a, d in results if d.state is not DeliveryState.ACCEPTED]
    if accepted:
        _accept(connection, accepted)
    if others:
        there = _still_there(connection, {a.delivery_id for a, _ in others})
        insert_new(connection, attempts, [_attempt_row(a, d) for a, d in others if a.delivery_id in there])
        connection.execute(_settle(owner), [_other_row(a, d) for a, d in others])


def _still_there(connection: Connection, ids: set[int]) -> set[int]:
    """A reader may have been erased between the claim and now; those that are there stay until this transaction ends."""
    there: set[int] = set()
    for some in chunks(ids):
        lasting = select(deliveries.c.id).where(deliveries.c.id.in_(some)).with_for_update(read=True, key_share=True)
        there.update(connection.scalars(lasting))
    return there


def _accept(connection: Connection, accepted: Sequence[tuple[Attempt, Decision]]) -> None:
    """All in one go, past what SQLAlchemy does for each row, which costs more than the row."""
    postgresql = connection.dialect.name == "postgresql"
    rows = []
    for attempt, decision in accepted:
        at, reply = as_utc(attempt.at, "instant of an attempt"), attempt.reply or Reply(0)
        spelled = (at if postgresql else at.replace(tzinfo=None)).isoformat(" ", "microseconds")
        rows.append((spelled, attempt.relay, decision.reason, reply.code, reply.enhanced, reply.text, attempt.delivery_id))
    if postgresql:
        walk_indexes(connection)
        connection.execute(_ACCEPT_POSTGRESQL, {"rows": json.dumps(rows)})
    else:
        connection.exec_driver_sql(_ACCEPT_SQLITE, rows)


# What a relay has taken is taken, whoever holds the row now; only one that is accepted already keeps its first reply.
_ACCEPT = """
    UPDATE deliveries SET
        state = 'accepted', attempts = deliveries.attempts + 1, accepted_at = {at}, attempted_at = {at}, relay = {relay},
        reason = {reason}, reply_code = {code}, reply_enhanced = {enhanced}, reply_text = {answer},
        lease_owner = NULL, lease_until = NULL
    {rows} WHERE deliveries.id = {id} AND deliveries.state <> 'accepted'"""
_COLUMNS = {
    "at": "timestamptz", "relay": "text", "reason": "text", "code": "int", "enhanced": "text", "answer": "text", "id": "bigint",
}  # fmt: skip
_RECORDS = "FROM (SELECT {columns} FROM json_array_elements(CAST(:rows AS json)) AS each(value)) AS rows"
_ACCEPT_SQLITE = _ACCEPT.format(rows="", **{name: f"?{place}" for place, name in enumerate(_COLUMNS, start=1)})
_ACCEPT_POSTGRESQL = text(
    _ACCEPT.format(
        rows=_RECORDS.format(
            columns=", ".join(f"CAST(each.value ->> {n} AS {kind}) AS {name}" for n, (name, kind) in enumerate(_COLUMNS.items()))
        ),
        **{name: f"rows.{name}" for name in _COLUMNS},
    )
)


def _settle(owner: str | None) -> Any:
    # what we hold is settled whatever the clock says: it may stand still (--at) or have been set back. What nobody holds may have
    # been tried again since, so there only a later attempt counts, and recording one twice changes nothing.
    claimed = deliveries.c.state == DeliveryState.CLAIMED.value
    ours = and_(claimed, _NEWER) if owner is None else and_(claimed, deliveries.c.lease_owner == owner)
    names = ("state", "attempted_at", "relay", "reason", "reply_code", "reply_enhanced", "reply_text")
    return (
        update(deliveries)
        .where(_THIS, or_(ours, and_(_IS_OPEN, _NEWER)))
        .values(
            attempts=deliveries.c.attempts + bindparam("counted"),
            next_attempt_at=func.coalesce(bindparam("again_at", type_=Instant()), deliveries.c.next_attempt_at),
            **_ENDED_LEASE,
            **{name: bindparam(name) for name in names},
        )
    )


def _other_row(attempt: Attempt, decision: Decision) -> dict[str, Any]:
    reply = attempt.reply
    return {
        "of_delivery": attempt.delivery_id,
        "attempted_at": attempt.at,
        "relay": attempt.relay,
        "reason": decision.reason,
        "reply_code": reply.code if reply else None,
        "reply_enhanced": reply.enhanced if reply else None,
        "reply_text": reply.text if reply else None,
        "state": decision.state.value,
        "counted": int(decision.counts),
        "again_at": decision.next_attempt_at,
    }


def _attempt_row(attempt: Attempt, decision: Decision) -> dict[str, Any]:
    reply = attempt.reply
    return {
        "delivery_id": attempt.delivery_id,
        "at": attempt.at,
        "relay": attempt.relay,
        "stage": attempt.stage.value,
        "code": reply.code if reply else None,
        "enhanced": reply.enhanced if reply else "",
        "text": reply.text if reply else "",
        "error": attempt.error,
        "outcome": decision.state.value,
    }
