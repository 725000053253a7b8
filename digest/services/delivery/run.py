"""deliver: work the outbox until nothing is due.

    claim ─▶ choose ─▶ compose ─▶ hand over ─▶ record          … until nothing is due, or asked to stop
    (lease)  (personal) (bytes)   (SMTP+journal) (batch)

Rows are the unit of progress. Claim and record are short transactions; none is open while we talk to a relay. Batches follow each
other as one stream, so that a relay's connections outlive them. What killed processes left is put right by `recover`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Protocol

from digest.domain.delivery import Attempt, Claimed, DeliveryState, Envelope, Stage, Tally
from digest.domain.errors import DigestError, MailError, RelayRefusedUs, RelayUnreachable, StoreError
from digest.domain.retry import Decision, Effect, RetryPolicy
from digest.domain.verdict import RefusalStreak
from digest.mail.smtp.journal import Journal
from digest.mail.smtp.reply_classifier import verdict_of
from digest.services.delivery.choose_papers import Choice, Choices, Choose, choose_personal, choose_shared
from digest.services.delivery.claims import Lease, Recheck, settle
from digest.services.delivery.rate_limits import within_domain_limits
from digest.store.unit_of_work import Store, UnitOfWork

DELIVERIES_PER_RUN = 5000
"""Deliveries handed over as one stream. At its end nothing is open: the journal starts empty again."""

_PACED = timedelta(minutes=1)  # who must wait because of a limit waits no longer than this for the next span
_NAP = 0.2  # seconds between looks at whether to stop
_STOPPED = "stopped: the relay refuses us: "


class Compose(Protocol):
    def __call__(self, claimed: Claimed, choices: Sequence[Choice] | None) -> Envelope:
        """The bytes for one delivery (None: the list's own picks). Raises DigestError for what cannot be composed."""


class Transport(Protocol):
    def send_many(self, envelopes: Iterable[Envelope], wanted: Callable[[int], bool] = ...) -> Iterator[Attempt]:
        """One Attempt for each envelope that was begun; what was never begun has none and costs nothing.

        `wanted` is asked (by delivery id) as a message is begun: where it says no, the message is left out. Raises
        RelayUnreachable when no relay can be had, RelayRefusedUs when all refuse us.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOptions:
    """How the outbox is worked."""

    batch: int
    lease: timedelta
    policy: RetryPolicy
    per_domain_per_minute: int | None = None
    lists_known: Collection[str] | None = None
    """The deliveries of other lists wait for a process that knows them; None: all are known."""


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What was done, and why it stopped early ("" when nothing was left)."""

    tally: Tally
    stopped: str = ""
    passed_over: Mapping[str, str] = field(default_factory=dict)
    """By relay, why its mail went to the next one."""
    lists_unknown: Mapping[str, int] = field(default_factory=dict)
    """By list that this process does not know, how many deliveries wait for one that does."""


def deliver(
    store: Store,
    compose: Compose,
    choose: Choose,
    transport: Transport,
    journal: Journal,
    options: DeliveryOptions,
    clock: Callable[[], datetime],
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[Counter[str]], None] = lambda counts: None,
) -> DeliveryResult:
    """Works the outbox until nothing is due, `stop()` says so, or no relay will have us. Safe to run in several processes.

    Run `recover` first: it puts back what dead processes held.
    """
    started, counts = time.monotonic(), Counter[str]()
    stopped, paced, streak = "", False, RefusalStreak()
    while not stopped and not stop():
        run = _DeliveryRun(store, compose, choose, journal, options, clock, stop, counts, progress, streak)
        stopped = run.work(transport)
        paced = paced or run.paced
        if not run.claimed and not (paced and _soon(store, clock, stop)):
            break
    if not stopped and streak.nothing_taken is not None:
        stopped = f"{_STOPPED}{streak.nothing_taken}"
    tally = Tally(
        counts["accepted"],
        counts["retry"],
        counts["failed"],
        counts["withheld"],
        counts["expired"],
        counts["uncertain"],
        round(time.monotonic() - started, 3),
    )
    return DeliveryResult(tally, stopped)


def _soon(store: Store, clock: Callable[[], datetime], stop: Callable[[], bool]) -> bool:
    """Waits for the next delivery that falls due, if that is soon; False when it is not, or when the clock stands still."""
    now = clock()
    with store.read() as unit:
        following = unit.deliveries.next_due(now)
    if following is None or following > now + _PACED:
        return False
    while not stop() and (before := clock()) < following:
        Event().wait(min((following - before).total_seconds(), _NAP))
        if clock() <= before:
            return False
    return True


class _DeliveryRun:
    """Some thousand deliveries from claim to record. `work` runs in our thread, the stream of envelopes in the transport's."""

    def __init__(
        self,
        store: Store,
        compose: Compose,
        choose: Choose,
        journal: Journal,
        options: DeliveryOptions,
        clock: Callable[[], datetime],
        stop: Callable[[], bool],
        counts: Counter[str],
        progress: Callable[[Counter[str]], None],
        streak: RefusalStreak,
    ) -> None:
        self.claimed = 0
        self.paced = False
        """Whether some who were due must wait because their domain has had its share."""
        self._store, self._compose, self._choose, self._journal = store, compose, choose, journal
        self._options, self._clock, self._stop, self._counts, self._progress = options, clock, stop, counts, progress
        self._streak = streak
        self._held: dict[int, Claimed] = {}
        """Claimed, and nothing recorded of them yet."""
        self._choices: Choices = {}
        self._recheck = Recheck(store, self._held.keys(), journal.owner, clock)
        self._not_composed: list[Attempt] = []
        """Attempts that ended before a relay was asked."""
        self._results: list[tuple[Attempt, Decision]] = []
        self._stopped = ""
        self._failure: DigestError | None = None
        """Why outcomes could not be recorded."""
        self._lease = Lease(self._renew, options.lease)
        journal.lease_over = lambda: self._lease.over

    def work(self, transport: Transport) -> str:
        """Sends and records. Returns why the run should stop, or "". What is learnt is recorded whatever breaks."""
        begun = False
        try:
            with self._lease:
                for attempt in transport.send_many(self._envelopes(), self._wanted):
                    begun = True
                    self._decide(attempt)
                    if len(self._results) >= self._options.batch and self._failure is None:
                        self._try_to_record()
        except RelayUnreachable as error:
            self._stopped = self._stopped or f"{_STOPPED if isinstance(error, RelayRefusedUs) else ''}{error}"
        finally:
            begun = begun or bool(self._not_composed or self._recheck.stopped)
            self._record()  # also what could not be recorded before: it may be possible now
            # where the database went away in between, the journal knows more than the table: `recover` replays it first
            if self._journal.settled:
                with self._store.begin() as unit:
                    unit.deliveries.release(self._journal.owner)
        if self._failure is not None:
            raise self._failure
        if self.claimed and not begun and not self._halted():
            self._stopped = "the relays neither took nor refused a message: nothing was sent"
        return self._stopped

    def _envelopes(self) -> Iterator[Envelope]:
        """One reader whose mail cannot be composed spoils nobody else's."""
        while self.claimed < DELIVERIES_PER_RUN and not self._halted() and (batch := self._claim()):
            self._choose_for([each for each in batch if each.id not in self._choices and each.id in self._held])
            for each in (one for one in batch if one.id in self._choices and one.id in self._held):
                if self._halted():
                    return
                with self._alone(each):
                    yield self._compose(each, self._choices.pop(each.id))

    def _choose_for(self, readers: Sequence[Claimed]) -> None:
        """Where choosing for all breaks, it is done for each alone, so that only those are spoiled who break it."""
        if not readers:
            return
        try:
            self._take(choose_personal(readers, self._store, self._choose, self._journal.owner))
        except Exception:
            for each in readers:
                with self._alone(each):
                    self._take(choose_personal([each], self._store, self._choose, self._journal.owner))

    @contextmanager
    def _alone(self, each: Claimed) -> Iterator[None]:
        """What breaks in here spoils this delivery; the database's trouble is no fault of it."""
        try:
            yield
        except StoreError:
            raise
        except Exception as error:
            why = str(error) if isinstance(error, DigestError) else f"{type(error).__name__}: {error}"
            self._not_composed.append(Attempt(each.id, self._clock(), "", Stage.COMPOSE, None, why))

    def _halted(self) -> bool:
        """Whether to begin nothing more. Without a lease a row may be somebody else's by now."""
        return bool(self._stopped or self._failure) or self._stop() or self._lease.over

    def _wanted(self, delivery_id: int) -> bool:
        """Asked as a message is begun. Raises MailError where there is no room to write down what becomes of it."""
        if self._failure or self._lease.over:
            return False
        self._journal.make_room()
        return self._recheck.wanted(delivery_id)

    def _try_to_record(self) -> None:
        """Where that fails nothing more is begun, and what is under way is still heard: the relay's answers must not be lost."""
        try:
            self._record()
        except (StoreError, MailError) as error:
            self._failure = error

    def _claim(self) -> Sequence[Claimed]:
        """The next deliveries to send; none when nothing is due."""
        while True:
            with self._store.begin() as unit:
                now, options = self._clock(), self._options
                batch = unit.deliveries.claim(options.batch, self._journal.owner, now, options.lease, options.lists_known)
                ready, later = within_domain_limits(batch.claimed, self._options.per_domain_per_minute, unit.rate_limits, now)
                unit.deliveries.postpone(later, self._journal.owner, "waits: its domain has had as many as it may have a minute")
                shared = self._choose_shared(unit, [each for each in ready if not each.personal])
            self._counts.update(withheld=batch.withheld, expired=batch.expired, failed=batch.failed)
            self.paced = self.paced or bool(later)
            if ready or not (batch.withheld or batch.expired or batch.failed or later):
                self._held.update((each.id, each) for each in ready)
                self.claimed += len(ready)
                self._take(shared)
                return ready

    def _choose_shared(self, unit: UnitOfWork, readers: Sequence[Claimed]) -> tuple[Choices, frozenset[int]]:
        """In the transaction of the claim, since it is little work. What breaks is left to `_choose_for`."""
        try:
            return choose_shared(unit, readers, self._choose, self._journal.owner)
        except (DigestError, LookupError, TypeError, ValueError, AssertionError):
            return {}, frozenset()

    def _take(self, chosen: tuple[Choices, frozenset[int]]) -> None:
        choices, nothing = chosen
        self._choices |= choices
        self._counts["withheld"] += len(nothing)
        for delivery_id in nothing:
            del self._held[delivery_id]

    def _renew(self) -> None:
        with self._store.begin() as unit:
            unit.deliveries.renew(self._journal.owner, self._options.lease)

    def _decide(self, attempt: Attempt) -> None:
        delivery = self._held[attempt.delivery_id]
        verdict = self._streak.narrowed(attempt, verdict_of(attempt), delivery.attempts)
        decision = self._options.policy.decide(attempt, delivery.attempts, delivery.expires_at, verdict)
        self._results.append((attempt, decision))
        self._counts["retry" if decision.state is DeliveryState.QUEUED else str(decision.state)] += 1
        if decision.effect is Effect.STOP_RUN:
            self._stopped = f"{_STOPPED}{verdict.refusal(attempt)}"

    def _record(self) -> None:
        while self._not_composed:
            self._decide(self._not_composed.pop())
        results = self._results
        stopped = dict(self._recheck.stopped)
        if not (results or stopped):
            return
        with self._store.begin() as unit:
            waiting = settle(unit, results, self._held, self._journal.owner, self._counts["accepted"])
            unit.deliveries.stop(stopped, self._journal.owner)
        for delivery_id, (state, _) in stopped.items():
            self._counts[str(state)] += state is not DeliveryState.QUEUED
            self._held.pop(delivery_id, None)
        self._results = []
        self._recheck.stopped.clear()
        self._counts.update(failed=-waiting, retry=waiting)
        for attempt, _ in results:
            self._held.pop(attempt.delivery_id, None)
        self._journal.recorded(attempt.delivery_id for attempt, _ in results if attempt.stage is not Stage.COMPOSE)
        self._progress(self._counts)
