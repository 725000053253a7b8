"""Refusals for good: what was carried out of late, and what is held until the operator decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, or_, select, tuple_, update

from digest.domain.circuit_breaker import SAME_WORDS_WINDOW, Refusal, SameWords
from digest.domain.delivery import DeliveryState
from digest.domain.feedback import ReturnKind, SuppressionReason
from digest.domain.instant import isoformat
from digest.store.dialect import chunks, insert_new
from digest.store.schema import deliveries, notices, returns, subscribers, subscriptions, suppressions
from digest.store.schema_review import refusals

_DONE, _HELD, _APPROVED = "done", "held", "approved"
HELD_FOR_REVIEW = "held for review"
"""How the reason of a delivery begins that waits for the operator."""


class Refusals:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, given: Iterable[Refusal], *, held: bool) -> None:
        """Remembers them. Adding one again changes nothing."""
        rows = [
            {
                "subscription_id": each.subscription_id,
                "at": each.at,
                "delivery_id": each.delivery_id,
                "words": each.words,
                "suppress": each.suppress.value if each.suppress else None,
                "state": _HELD if held else _DONE,
            }
            for each in given
        ]
        insert_new(self._connection, refusals, [row for row in rows if row["subscription_id"] in self._there(rows)])

    def _there(self, rows: Sequence[dict[str, Any]]) -> set[int]:
        """A reader may have been erased meanwhile."""
        ids = {row["subscription_id"] for row in rows}
        statement = select(subscriptions.c.id).with_for_update(read=True, key_share=True)
        return {
            found for some in chunks(ids) for found in self._connection.scalars(statement.where(subscriptions.c.id.in_(some)))
        }

    def same_words(self, words: Iterable[str], at: datetime) -> dict[str, SameWords]:
        """By words, those of the last day; held ones however old."""
        count: dict[str, dict[str, int]] = defaultdict(dict)
        lately = or_(refusals.c.at >= at - SAME_WORDS_WINDOW, refusals.c.state == _HELD)
        for some in chunks(set(words)):
            statement = select(refusals.c.words, refusals.c.state, func.count()).where(refusals.c.words.in_(some), lately)
            for each, state, number in self._connection.execute(statement.group_by(refusals.c.words, refusals.c.state)):
                count[each][state] = number
        return {each: SameWords(n.get(_DONE, 0), n.get(_HELD, 0), n.get(_APPROVED, 0)) for each, n in count.items()}

    def held(self) -> dict[str, int]:
        """By words, of how many subscriptions they are held; most first."""
        readers = func.count(refusals.c.subscription_id.distinct())
        statement = select(refusals.c.words, readers).where(refusals.c.state == _HELD).group_by(refusals.c.words)
        return dict(
            sorted(((row[0], row[1]) for row in self._connection.execute(statement)), key=lambda each: (-each[1], each[0]))
        )

    def reviewed(self) -> list[str]:
        """The words of what is held, or was held and then carried out."""
        statement = select(refusals.c.words).where(refusals.c.state != _DONE).distinct()
        return sorted(self._connection.scalars(statement))

    def addresses(self, words: str) -> dict[str, list[str]]:
        """Whom it is about, by state: "held", "done" (carried out before) or "approved" (carried out on the operator's word)."""
        found: dict[str, list[str]] = defaultdict(list)
        for row in self._of(words, _HELD, _APPROVED, _DONE):
            found[row.state].append(row.address)
        return {state: sorted(set(each)) for state, each in found.items()}

    def approve(self, words: str) -> int:
        """Carries out what is held with these words; says how many."""
        rows = self._of(words, _HELD)
        for row in rows:
            if row.suppress is not None:
                new = {"address_hash": row.address_hash, "reason": row.suppress, "at": row.at, "detail": words}
                insert_new(self._connection, suppressions, [new])
        failed = {"state": DeliveryState.FAILED.value, "reason": words}
        for some in chunks([row.delivery_id for row in rows if row.delivery_id is not None]):
            waiting = (deliveries.c.id.in_(some), *_WAITS)
            self._connection.execute(update(deliveries).where(*waiting).values(failed))
        for some in chunks([row.subscription_id for row in rows if row.delivery_id is None]):
            self._connection.execute(delete(notices).where(notices.c.subscription_id.in_(some)))
        self._connection.execute(
            update(refusals).where(refusals.c.words == words, refusals.c.state == _HELD).values(state=_APPROVED)
        )
        self.release([row.subscriber_id for row in rows], None)  # a mail of another kind may be queued for who is not suppressed
        return len(rows)

    def undo(self, words: str, at: datetime) -> tuple[int, int]:
        """Lifts what is held with these words and what was carried out on the same words; says of how many, and how many
        deliveries are queued again. Who was erased or complained meanwhile stays suppressed.
        """
        rows = self._of(words, _HELD, _APPROVED, _DONE)
        of_delivery = [row.delivery_id for row in rows if row.delivery_id is not None]
        for row in rows:
            if row.suppress is not None:
                this = (suppressions.c.address_hash == row.address_hash, suppressions.c.reason == row.suppress)
                self._connection.execute(delete(suppressions).where(*this, suppressions.c.at == row.at))
        for some in chunks(of_delivery):
            bounced = returns.c.kind.in_([ReturnKind.HARD.value, ReturnKind.SOFT.value])
            self._connection.execute(delete(returns).where(returns.c.delivery_id.in_(some), bounced))
        for some in chunks([(row.subscription_id, row.at) for row in rows]):
            self._connection.execute(delete(refusals).where(tuple_(refusals.c.subscription_id, refusals.c.at).in_(some)))
        again = {
            "state": DeliveryState.QUEUED.value,
            "next_attempt_at": at,
            "reason": f"queued again by the operator at {isoformat(at)}",
        }
        queued = 0
        for some in chunks(of_delivery):
            ended = (deliveries.c.id.in_(some), deliveries.c.state == DeliveryState.FAILED.value, deliveries.c.expires_at > at)
            queued += self._connection.execute(update(deliveries).where(*ended).values(again)).rowcount
        subscribed = [row.subscriber_id for row in rows]
        suppressed = deliveries.c.reason.in_([f"the address is suppressed: {reason.value}" for reason in SuppressionReason])
        withheld = (deliveries.c.state == DeliveryState.WITHHELD.value, suppressed, deliveries.c.expires_at > at)
        for some in chunks(subscribed):
            theirs = deliveries.c.subscription_id.in_(_subscriptions_of(some))
            queued += self._connection.execute(update(deliveries).where(theirs, *withheld).values(again)).rowcount
        queued += self.release(subscribed, at)
        for some in chunks([row.subscription_id for row in rows if row.delivery_id is None]):
            waiting = notices.c.subscription_id.in_(some)
            self._connection.execute(update(notices).where(waiting).values(next_attempt_at=at))
        return len({row.subscriber_id for row in rows}), queued

    def release(self, subscriber_ids: Iterable[int], at: datetime | None) -> int:
        """What waited for a word about these readers waits no longer, where none is held any more; says how many."""
        row = {"next_attempt_at": deliveries.c.due_at if at is None else at, "reason": "released by the operator"}
        released = 0
        for some in chunks(set(subscriber_ids)):
            free = _subscriptions_of(some).where(subscriptions.c.subscriber_id.not_in(HELD_SUBSCRIBERS))
            theirs = deliveries.c.subscription_id.in_(free)
            released += self._connection.execute(update(deliveries).where(theirs, *_WAITS).values(row)).rowcount
        return released

    def _of(self, words: str, *states: str) -> Sequence[Row[Any]]:
        """Those with these words: the held and approved ones, and what was carried out no longer than a day before the first."""
        first = select(func.min(refusals.c.at)).where(refusals.c.words == words, refusals.c.state != _DONE)
        began: datetime | None = self._connection.scalar(first)
        if began is None:
            return []
        return self._connection.execute(
            select(refusals, subscriptions.c.subscriber_id, subscribers.c.address, subscribers.c.address_hash)
            .join(subscriptions, subscriptions.c.id == refusals.c.subscription_id)
            .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
            .where(refusals.c.words == words, refusals.c.state.in_(states), refusals.c.at >= began - SAME_WORDS_WINDOW)
            .order_by(refusals.c.at, refusals.c.subscription_id)
        ).all()


_WAITS: tuple[ColumnElement[bool], ...] = (
    deliveries.c.state == DeliveryState.QUEUED.value,
    deliveries.c.reason.startswith(HELD_FOR_REVIEW),
)
HELD_SUBSCRIBERS = (
    select(subscriptions.c.subscriber_id)
    .join(refusals, refusals.c.subscription_id == subscriptions.c.id)
    .where(refusals.c.state == _HELD)
)
"""Who is not mailed until the operator has decided."""


def _subscriptions_of(subscriber_ids: Sequence[int]) -> Any:
    return select(subscriptions.c.id).where(subscriptions.c.subscriber_id.in_(subscriber_ids))
