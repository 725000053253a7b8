"""How sending goes: counts that a watcher asks for every few seconds, so each looks at an index or at one edition only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, func, select, union

from digest.domain.delivery import DeliveryProgress, DeliveryState
from digest.store.schema import attempts, deliveries

MINUTE = timedelta(minutes=1)
NEXT = 10_000
"""An edition that has none among so many that are next in the queue is not under way yet."""


@dataclass(frozen=True, slots=True)
class Sending:
    """One edition's way to its readers."""

    replies: Counter[str] = field(default_factory=Counter)
    """Answers of relays by class: "2xx", "4xx", "5xx", and "none" where no answer came."""
    latency: tuple[tuple[float, int], ...] = ()
    """(seconds, how many were accepted at most so long after they were due), rising."""
    latency_sum: float = 0.0
    accepted: int = 0
    began_at: datetime | None = None
    ended_at: datetime | None = None
    """The first and the last acceptance so far."""


class DeliveryStats:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(self) -> dict[DeliveryState, int]:
        """How many are queued and claimed: by the indexes that hold nothing else."""
        states = (DeliveryState.QUEUED, DeliveryState.CLAIMED)
        return {state: self._count(deliveries.c.state == state.value) for state in states}

    def due(self, now: datetime, most: int = 128_000) -> int:
        """How many wait and are due, counted up to `most`."""
        some = select(deliveries.c.id).where(*_due(now)).limit(most).subquery()
        return self._connection.scalar(select(func.count()).select_from(some)) or 0

    def remaining(self, now: datetime) -> int:
        """How many are due or claimed."""
        due = self._connection.scalar(select(func.count()).select_from(deliveries).where(*_due(now))) or 0
        return due + self._count(_CLAIMED)

    def underway(self, now: datetime) -> DeliveryProgress | None:
        """How far sending has come, whichever processes send; None while nothing is due or claimed."""
        remaining = self.remaining(now)
        if not remaining:
            return None
        d = deliveries.c
        accepted, lately = d.state == DeliveryState.ACCEPTED.value, d.accepted_at > now - MINUTE
        retry = (d.state == DeliveryState.QUEUED.value) & d.attempted_at.is_not(None)
        failed = d.state == DeliveryState.FAILED.value
        counts = [func.sum(case((which, 1), else_=0)) for which in (accepted, retry, failed, lately)]
        began = func.min(case((lately, d.accepted_at)), type_=d.accepted_at.type)
        row = self._connection.execute(select(*counts, began).where(d.edition_id.in_(_at_work(now)))).one()
        took = max((now - row[4]).total_seconds(), 1.0) if row[4] else 1.0
        return DeliveryProgress(
            accepted=row[0] or 0, retry=row[1] or 0, failed=row[2] or 0, remaining=remaining, rate=round((row[3] or 0) / took, 1)
        )

    def sending(self, edition_id: int, buckets: Sequence[float]) -> Sending:
        """What happened to the deliveries of one edition; `buckets` are upper bounds in seconds, rising."""
        d = deliveries.c
        took = self._seconds()
        within = [func.sum(case((took <= bound, 1), else_=0)) for bound in buckets]
        accepted = (d.edition_id == edition_id, d.state == DeliveryState.ACCEPTED.value)
        row = self._connection.execute(
            select(func.count(), func.sum(took), func.min(d.accepted_at), func.max(d.accepted_at), *within).where(*accepted)
        ).one()
        count, total, began_at, ended_at, *counts = row
        replies = Counter({"2xx": count})
        kind = case((attempts.c.code.is_(None), 0.0), else_=func.floor(attempts.c.code / 100.0))
        others = (
            select(kind, func.count())
            .join(deliveries, d.id == attempts.c.delivery_id)
            .where(d.edition_id == edition_id)
            .group_by(kind)
        )
        for first_digit, number in self._connection.execute(others):
            replies[f"{int(first_digit)}xx" if first_digit else "none"] += number
        return Sending(
            replies=replies,
            latency=tuple(zip(buckets, (each or 0 for each in counts), strict=True)),
            latency_sum=float(total or 0),
            accepted=count,
            began_at=began_at,
            ended_at=ended_at,
        )

    def _seconds(self) -> ColumnElement[float]:
        """From due to accepted, 0 at least."""
        d = deliveries.c
        if self._connection.dialect.name == "postgresql":
            return func.greatest(func.extract("epoch", d.accepted_at - d.due_at), 0.0)
        return func.max((func.julianday(d.accepted_at) - func.julianday(d.due_at)) * 86400.0, 0.0)

    def _count(self, where: ColumnElement[bool]) -> int:
        return self._connection.scalar(select(func.count()).select_from(deliveries).where(where)) or 0


_CLAIMED = deliveries.c.state == DeliveryState.CLAIMED.value


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return deliveries.c.state == DeliveryState.QUEUED.value, deliveries.c.next_attempt_at <= now


def _at_work(now: datetime) -> Select[Any]:
    """The editions of what is claimed and of what is next in the queue."""
    order = (deliveries.c.next_attempt_at, deliveries.c.id)
    following = select(deliveries.c.edition_id).where(*_due(now)).order_by(*order).limit(NEXT).subquery()
    claimed = select(deliveries.c.edition_id).where(_CLAIMED)
    return select(union(select(following.c.edition_id), claimed).subquery().c.edition_id)
