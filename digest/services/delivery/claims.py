"""What a process claimed of the outbox: kept while it works, asked about again before it is sent, recorded, and queued again when
the process died.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from digest.domain.delivery import Attempt, Claimed, DeliveryState
from digest.domain.errors import StoreError
from digest.domain.feedback import SuppressionReason
from digest.domain.retry import Decision, Effect, RetryPolicy
from digest.mail.smtp.journal import Journal
from digest.mail.smtp.reply_classifier import verdict_of
from digest.services.operations.review import hold, put_on_hold, refusal
from digest.store.unit_of_work import Store, UnitOfWork

_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def _since_boot() -> float:
    """Seconds by a clock that nobody sets; on Linux it goes on while the machine sleeps."""
    return time.clock_gettime(_BOOT_CLOCK)


class Lease:
    """Is renewed for as long as its holder works, so that a slow relay does not cost it.

    Within its `with`, a thread renews what is held, three times in each term.

    Where the database does not let it, or this machine slept, the lease may run out: then it is `over`, and what was held may be
    somebody else's. `since_boot` counts seconds; it began to count before the database's clock did.
    """

    def __init__(self, renew: Callable[[], None], term: timedelta, since_boot: Callable[[], float] = _since_boot) -> None:
        self._renew = renew
        self._term = term.total_seconds()
        self._since_boot = since_boot
        self._until = since_boot() + self._term
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    @property
    def over(self) -> bool:
        return self._since_boot() >= self._until

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._ended.wait(self._term / 3):
            until = self._since_boot() + self._term
            if self.over:  # whoever found it so may have taken what we held: it is not ours to renew
                return
            try:
                self._renew()
            except StoreError:
                continue  # the database may be back before the lease is over
            self._until = until


RECHECK_EVERY = 0.5
"""Seconds that an answer of the database counts for: nobody is mailed on an older one."""


class Recheck:
    """Asks again about what was claimed a while ago, as each is begun: what readers stopped meanwhile is not sent.

    A relay may be slow, and up to some thousand deliveries wait for their turn. Meanwhile readers unsubscribe, pause or are
    erased, addresses are suppressed, editions cancelled and lists paused, in this process or another. `wanted` looks into the
    table at most once in `RECHECK_EVERY`, for all that wait.
    """

    def __init__(self, store: Store, waiting: Collection[int], owner: str | None, clock: Callable[[], datetime]) -> None:
        self.stopped: dict[int, tuple[DeliveryState, str]] = {}
        """Those that were kept from being begun, with what becomes of them and why, until whoever records them empties it."""
        self._store, self._waiting, self._owner, self._clock = store, waiting, owner, clock
        self._found: dict[int, tuple[DeliveryState, str]] = {}
        self._look_at = 0.0

    def wanted(self, delivery_id: int) -> bool:
        """Raises StoreError where the table cannot be asked: then nothing is begun."""
        now = time.monotonic()
        if now >= self._look_at:
            with self._store.read() as unit:
                self._found = dict(unit.deliveries.stops(self._waiting, self._clock(), self._owner))
            self._look_at = now + RECHECK_EVERY
        stop = self._found.get(delivery_id)
        if stop is not None:
            self.stopped[delivery_id] = stop
        return stop is None


def settle(
    unit: UnitOfWork, results: Sequence[tuple[Attempt, Decision]], held: Mapping[int, Claimed], owner: str, accepted: int = 0
) -> int:
    """Writes outcomes down in one transaction; a mailbox that does not exist is not mailed again.

    Many refusals in the same words are not carried out (services/operations/review.py): those deliveries wait. Says how
    many wait.
    `accepted` are the mails that this run's relays have taken so far.
    """
    refused = [
        refusal(attempt, decision, held[attempt.delivery_id])
        for attempt, decision in results
        if decision.state is DeliveryState.FAILED and not attempt.uncertain
    ]
    now_accepted = sum(decision.state is DeliveryState.ACCEPTED for _, decision in results)
    waiting = {each.delivery_id for each in hold(unit.refusals, refused, max(accepted, now_accepted))}
    for attempt, decision in results:
        if decision.effect is Effect.SUPPRESS and attempt.delivery_id not in waiting:
            address = held[attempt.delivery_id].address
            unit.suppressions.add(address, SuppressionReason.BOUNCE, attempt.at, decision.reason)
    outcomes = [
        (attempt, put_on_hold(decision, held[attempt.delivery_id].expires_at) if attempt.delivery_id in waiting else decision)
        for attempt, decision in results
    ]
    unit.deliveries.record(outcomes, owner)
    at = max((attempt.at for attempt, _ in results), default=None)
    for attempt, _ in results:
        if at and (attempt.accepted or attempt.uncertain):
            delivery = held[attempt.delivery_id]
            unit.departures.sent([delivery.subscription_id], delivery.due_at, at)
    return len(waiting)


_LONGEST_LEASE = timedelta(hours=1)
"""Hosts may have leases of different lengths; no other is expected to be longer than this, or than two of ours."""


def recover(store: Store, abandoned: Iterable[Journal], policy: RetryPolicy, lease: timedelta) -> None:
    """Brings the table up to what dead processes knew, and queues again what they had only claimed. Twice is as good as once.

    Each journal is replayed before its writer's claims are given back. `lease` is the term of a claim.
    """
    for journal in abandoned:
        try:
            _replay(store, journal, policy)
            journal.remove()
        finally:  # the database may go away meanwhile: what we kept locked nobody could replay, and it would be sent twice
            journal.close()
    with store.begin() as unit:
        unit.deliveries.reclaim_dead_leases(max(2 * lease, _LONGEST_LEASE))


def _replay(store: Store, journal: Journal, policy: RetryPolicy) -> None:
    left = journal.replay()
    attempts = (*left.replies, *left.uncertain)
    with store.begin() as unit:
        # a delivery that is not known any more was its reader's, who has been erased
        known = unit.deliveries.known(attempt.delivery_id for attempt in attempts)
        of = [(attempt, known[attempt.delivery_id]) for attempt in attempts if attempt.delivery_id in known]
        results = [(attempt, policy.decide(attempt, each.attempts, each.expires_at, verdict_of(attempt))) for attempt, each in of]
        settle(unit, results, known, journal.owner)
        unit.deliveries.release(journal.owner)
