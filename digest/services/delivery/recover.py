"""recover: bring the table up to what dead processes knew, and queue again what they had only claimed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from digest.domain.delivery import Attempt
from digest.domain.retry import RetryPolicy
from digest.mail.smtp.reply_classifier import verdict_of
from digest.services.delivery.settle import settle
from digest.store.unit_of_work import Store


class Replayed(Protocol):
    @property
    def replies(self) -> tuple[Attempt, ...]: ...
    @property
    def uncertain(self) -> tuple[Attempt, ...]: ...


class Abandoned(Protocol):
    """The journal of a process that is no more."""

    @property
    def owner(self) -> str:
        """The name its writer claimed under."""

    def replay(self) -> Replayed:
        """What its writer knew and may not have recorded."""

    def remove(self) -> None:
        """Everything in it is in the table."""

    def close(self) -> None:
        """Leaves it, unless it was removed, to whoever recovers next."""


def recover(store: Store, abandoned: Iterable[Abandoned], policy: RetryPolicy, now: datetime) -> None:
    """Replays each journal before its writer's claims, and leases that ran out, are given back. Twice is as good as once."""
    for journal in abandoned:
        try:
            _replay(store, journal, policy)
            journal.remove()
        finally:  # the database may go away meanwhile: what we kept locked nobody could replay, and it would be sent twice
            journal.close()
    with store.begin() as unit:
        unit.deliveries.reclaim_dead_leases(now)


def _replay(store: Store, journal: Abandoned, policy: RetryPolicy) -> None:
    left = journal.replay()
    attempts = (*left.replies, *left.uncertain)
    with store.begin() as unit:
        # a delivery that is not known any more was its reader's, who has been erased
        known = unit.deliveries.known(attempt.delivery_id for attempt in attempts)
        of = [(attempt, known[attempt.delivery_id]) for attempt in attempts if attempt.delivery_id in known]
        results = [(attempt, policy.decide(attempt, each.attempts, each.expires_at, verdict_of(attempt))) for attempt, each in of]
        settle(unit, results, known, journal.owner)
        unit.deliveries.release(journal.owner)
