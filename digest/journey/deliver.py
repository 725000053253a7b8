"""deliver: work the outbox until nothing is due.

    claim ─▶ choose ─▶ compose ─▶ hand over ─▶ record          … until nothing is due, or asked to stop
    (lease)  (personal) (bytes)   (SMTP+journal) (batch)

Rows are the unit of progress. Claim and record are short transactions; none is open while we talk to a relay. What a killed
process left behind is recovered first: its journal is replayed into the table, then its leases go back to the queue.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from digest.domain.delivery import Attempt, Claimed, DeliveryState, Envelope, Stage, Tally
from digest.domain.edition import Pooled
from digest.domain.errors import DigestError, RelayRefusedUs, RelayUnreachable
from digest.domain.feedback import SuppressionReason
from digest.domain.paper import Reason
from digest.domain.retry import Decision, Effect, RetryPolicy
from digest.domain.subscriber import Address

Choice = tuple[int, tuple[Reason, ...] | None]
"""A position in the edition's pool, with this reader's reasons (None: the list's own)."""

REMEMBERED = timedelta(days=30)
"""How far back we look for papers a reader was already sent: longer than any list's candidates live."""


class Batch(Protocol):
    @property
    def claimed(self) -> tuple[Claimed, ...]: ...
    @property
    def withheld(self) -> int: ...
    @property
    def expired(self) -> int: ...


class Deliveries(Protocol):
    def claim(self, limit: int, owner: str, now: datetime, lease_until: datetime) -> Batch: ...
    def freeze_picks(self, picks: Mapping[int, Sequence[int]]) -> None: ...
    def record(self, results: Sequence[tuple[Attempt, Decision]]) -> None: ...
    def release(self, owner: str) -> int: ...
    def reclaim_dead_leases(self, now: datetime) -> int: ...
    def recent_picks(self, subscriber_ids: Sequence[int], since: datetime) -> Mapping[int, set[int]]: ...


class Editions(Protocol):
    def pool(self, edition_id: int) -> tuple[Pooled, ...]: ...


class Suppressions(Protocol):
    def add(self, address: Address, reason: SuppressionReason, at: datetime, detail: str = "") -> None: ...


class Unit(Protocol):
    @property
    def deliveries(self) -> Deliveries: ...
    @property
    def editions(self) -> Editions: ...
    @property
    def suppressions(self) -> Suppressions: ...


class Store(Protocol):
    def begin(self) -> AbstractContextManager[Unit]: ...
    def read(self) -> AbstractContextManager[Unit]: ...


class Compose(Protocol):
    def __call__(self, claimed: Claimed, choices: Sequence[Choice] | None) -> Envelope:
        """The bytes for one delivery (None: the list's own picks). Raises DigestError for what cannot be composed."""


class Choose(Protocol):
    def __call__(
        self, pool: Sequence[Pooled], readers: Sequence[Claimed], sent: Mapping[int, set[int]]
    ) -> Sequence[Sequence[Choice]]:
        """Each reader's own picks, best first; `sent` are the papers each subscriber already got."""


class Transport(Protocol):
    def hand_over(self, envelopes: Iterable[Envelope]) -> Iterator[Attempt]:
        """One Attempt for each envelope that was begun; what was never begun has none and costs nothing.

        Raises RelayUnreachable when no relay can be had, RelayRefusedUs when all refuse us.
        """


class Replayed(Protocol):
    @property
    def replies(self) -> tuple[Attempt, ...]: ...
    @property
    def uncertain(self) -> tuple[Attempt, ...]: ...


class Journal(Protocol):
    @property
    def owner(self) -> str:
        """The name its writer claims under."""

    def replay(self) -> Replayed:
        """What its writer knew and had not recorded."""

    def recorded(self, delivery_ids: Iterable[int]) -> None:
        """The table holds what became of these."""

    def remove(self) -> None:
        """Everything in it is in the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How the outbox is worked."""

    batch: int
    lease: timedelta
    policy: RetryPolicy


@dataclass(frozen=True, slots=True)
class Worked:
    """What was done, and why it stopped early ("" when nothing was left)."""

    tally: Tally
    stopped: str = ""


def deliver(
    store: Store,
    compose: Compose,
    choose: Choose,
    transport: Transport,
    journal: Journal,
    terms: Terms,
    clock: Callable[[], datetime],
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[Counter[str]], None] = lambda counts: None,
) -> Worked:
    """Works the outbox until nothing is due, `stop()` says so, or no relay will have us. Safe to run in several processes.

    Run `recover` first: it puts back what dead processes held.
    """
    started, counts = time.monotonic(), Counter[str]()
    stopped = ""
    while not stopped and not stop():
        now = clock()
        with store.begin() as unit:
            batch = unit.deliveries.claim(terms.batch, journal.owner, now, now + terms.lease)
        counts.update(withheld=batch.withheld, expired=batch.expired)
        if not batch.claimed:
            if batch.withheld or batch.expired:
                continue
            break
        stopped = _work(batch.claimed, store, compose, choose, transport, journal, terms, clock, counts, stop)
        progress(counts)
    tally = Tally(
        counts["accepted"],
        counts["retry"],
        counts["failed"],
        counts["withheld"],
        counts["expired"],
        counts["uncertain"],
        round(time.monotonic() - started, 3),
    )
    return Worked(tally, stopped)


def recover(store: Store, abandoned: Iterable[Journal], policy: RetryPolicy, now: datetime) -> None:
    """Brings the table up to what dead processes knew; what they had only claimed, and leases that ran out, are queued again."""
    for journal in abandoned:
        left = journal.replay()
        with store.begin() as unit:
            _record(unit, [*left.replies, *left.uncertain], {}, policy)
            unit.deliveries.release(journal.owner)
        journal.remove()
    with store.begin() as unit:
        unit.deliveries.reclaim_dead_leases(now)


def _work(
    claimed: Sequence[Claimed],
    store: Store,
    compose: Compose,
    choose: Choose,
    transport: Transport,
    journal: Journal,
    terms: Terms,
    clock: Callable[[], datetime],
    counts: Counter[str],
    stop: Callable[[], bool],
) -> str:
    """Sends one batch and records it. Returns why the run should stop, or ""."""
    choices = _chosen(claimed, store, choose, clock())
    by_id = {each.id: each for each in claimed}
    spoiled: list[Attempt] = []
    attempts: list[Attempt] = []
    stopped = ""
    try:
        attempts.extend(transport.hand_over(_composed(claimed, choices, compose, spoiled, clock, stop)))
    except (RelayUnreachable, RelayRefusedUs) as error:
        stopped = str(error)
    with store.begin() as unit:
        decisions = _record(unit, [*attempts, *spoiled], by_id, terms.policy)
        unit.deliveries.release(journal.owner)
    journal.recorded(attempt.delivery_id for attempt in attempts)
    for decision in decisions:
        counts["retry" if decision.state is DeliveryState.QUEUED else str(decision.state)] += 1
        if decision.effect is Effect.STOP_RUN:
            stopped = f"stopped: the relay refuses us: {decision.reason}"
    if not decisions and not stopped and not stop():
        stopped = "no relay took anything"
    return stopped


def _chosen(claimed: Sequence[Claimed], store: Store, choose: Choose, now: datetime) -> dict[int, Sequence[Choice] | None]:
    """Every delivery's picks. Personal ones are chosen once and frozen in the row before the first byte goes out."""
    choices: dict[int, Sequence[Choice] | None] = {
        each.id: None if each.picks is None else [(position, None) for position in each.picks] for each in claimed
    }
    personal = [each for each in claimed if each.personal]
    for edition_id in sorted({each.edition_id for each in personal}):
        readers = [each for each in personal if each.edition_id == edition_id]
        with store.read() as unit:
            pool = unit.editions.pool(edition_id)
            sent = unit.deliveries.recent_picks([each.subscriber_id for each in readers], now - REMEMBERED)
        for reader, own in zip(readers, choose(pool, readers, sent), strict=True):
            reasons = dict(own)
            frozen = reader.picks or [position for position, _ in own]
            choices[reader.id] = [(position, reasons.get(position)) for position in frozen]
    unfrozen = {each.id: [position for position, _ in choices[each.id] or ()] for each in personal if each.picks is None}
    if unfrozen:
        with store.begin() as unit:
            unit.deliveries.freeze_picks(unfrozen)
    return choices


def _composed(
    claimed: Sequence[Claimed],
    choices: Mapping[int, Sequence[Choice] | None],
    compose: Compose,
    spoiled: list[Attempt],
    clock: Callable[[], datetime],
    stop: Callable[[], bool],
) -> Iterator[Envelope]:
    """One reader whose mail cannot be composed spoils nobody else's; asked to stop, nothing more is begun."""
    for each in claimed:
        if stop():
            return
        try:
            yield compose(each, choices[each.id])
        except DigestError as error:
            spoiled.append(Attempt(each.id, clock(), "", Stage.COMPOSE, None, str(error)))


def _record(unit: Unit, attempts: Sequence[Attempt], claimed: Mapping[int, Claimed], policy: RetryPolicy) -> list[Decision]:
    results: list[tuple[Attempt, Decision]] = []
    for attempt in attempts:
        delivery = claimed.get(attempt.delivery_id)
        before, expires = (delivery.attempts, delivery.expires_at) if delivery else (0, attempt.at + timedelta(days=1))
        decision = policy.decide(attempt, before, expires)
        results.append((attempt, decision))
        if decision.effect is Effect.SUPPRESS and delivery:
            unit.suppressions.add(delivery.address, SuppressionReason.BOUNCE, attempt.at, decision.reason)
    unit.deliveries.record(results)
    return [decision for _, decision in results]
