"""The post: several connections to the best relay that will have us, going on to the next when it will not.

Which is best: as configured, but a relay in trouble (relay_health.py) comes last. What a relay took and could not even begin (an
attempt at CONNECT without a reply), and what it refused because of us, is handed to the next: it never accepted it. Everything
else is that relay's answer and final. A relay that refuses us gets nothing more until its refusal may be over. One that has had
as many as it may have in a while (its quota) is passed over, and waited for when there is no other. A message that a relay would
have taken later (throttled) is handed to it again, more slowly.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from threading import Event
from typing import Protocol

from digest.domain.delivery import Attempt, Envelope, Stage
from digest.domain.errors import RelayRefusedUs, RelayUnreachable
from digest.domain.rate_limit import LONGEST_WAIT, throttled
from digest.domain.verdict import RefusalStreak, Scope
from digest.mail.smtp.journal import SendLog
from digest.mail.smtp.poll_loop import Dialogue, Pace, always, run_all
from digest.mail.smtp.relay import Relay
from digest.mail.smtp.relay_health import RelayHealth
from digest.mail.smtp.reply_classifier import verdict_of

_NAP = 0.2
"""Seconds between looks at whether to stop, while waiting for a relay's quota."""
_SHORT_WAIT = 1.0
"""Seconds that a connection waits for its next message rather than leave it to another relay."""
_MOST_ROUNDS = 4
"""How often in a row a relay throttles us and takes nothing before it counts as out of reach."""
_MOST_TRIES = 5
"""How often one message is throttled before it is put off."""


class RelayPool:
    """Hands envelopes over. `log` hears of every final dot before it goes out; `quotas` and `caps` (of connections): by relay."""

    def __init__(
        self,
        relays: Sequence[Relay],
        log: SendLog,
        connections: int = 5,
        *,
        quotas: Mapping[str, Quota] | None = None,
        caps: Mapping[str, int] | None = None,
        health: RelayHealth | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._relays = tuple(relays)
        self._log, self._stop = log, stop
        self._connections, self._caps = connections, dict(caps or {})
        self._quotas = dict(quotas or {})
        self._health = health or RelayHealth()

    def send_many(self, envelopes: Iterable[Envelope], wanted: Callable[[int], bool] = always) -> Iterator[Attempt]:
        """One Attempt for each envelope taken and still `wanted` (asked by delivery id) as it is begun.

        Raises RelayUnreachable (RelayRefusedUs) when the last relay could not be had. Ended early (closed, or `stop()`), it
        finishes the messages in flight and hangs up.
        """
        queue = EnvelopeQueue(envelopes)
        try:
            yield from self._sent_in_turn(queue, wanted)
        except RelayUnreachable:
            yield from queue.throttled.values()
            raise
        finally:
            for quota in self._quotas.values():
                quota.release()

    def _sent_in_turn(self, queue: EnvelopeQueue, wanted: Callable[[int], bool]) -> Iterator[Attempt]:
        refusal = RelayUnreachable("none", "no relay is configured; add a [[relays]] table")
        patience = LONGEST_WAIT if len(self._relays) == 1 else _SHORT_WAIT
        streak, refused = RefusalStreak(), set[str]()
        while True:
            full: dict[str, Quota] = {}
            in_order = [relay for relay in self._health.in_order(self._relays) if relay.name not in refused]
            for relay in in_order:
                if words := self._health.refusal(relay.name):
                    refusal = RelayRefusedUs(relay.name, words)
                    continue
                quota = self._quotas.get(relay.name)
                working = True
                while working:
                    if quota is not None and quota.wait() > patience:
                        full[relay.name] = quota
                        break
                    working = False
                    given_up: RelayUnreachable | None = None
                    try:
                        for attempt in self._through(relay, queue, quota, patience, wanted):
                            if attempt.stage is Stage.CONNECT and attempt.reply is None:
                                queue.put_back(attempt.delivery_id)
                                refusal = RelayUnreachable(relay.name, attempt.error)
                                continue
                            working = True
                            self._health.attempted(attempt)
                            if quota is not None and attempt.accepted:
                                quota.accepted()
                            elif quota is not None and throttled(attempt) and queue.again(attempt):
                                if quota.throttled() >= _MOST_ROUNDS:
                                    given_up = RelayUnreachable(relay.name, f"throttles us: {attempt.reply}")
                                    queue.paused = True  # what is under way is heard out
                                continue
                            verdict = streak.narrowed(attempt, verdict_of(attempt))
                            if verdict.scope is Scope.ALL and not attempt.accepted:
                                refused.add(relay.name)
                                queue.paused = True
                                refusal = verdict.refusal(attempt)
                                self._health.refused(relay.name, str(attempt.reply), refusal.reason, verdict.wait)
                            if verdict.elsewhere and relay is not in_order[-1]:
                                queue.pass_on(attempt)
                                continue
                            queue.done(attempt.delivery_id)
                            yield attempt
                        if given_up:
                            raise given_up
                        if self._stop() or (queue.over and not queue.passed_on and relay.name not in refused):
                            yield from queue.refused()
                            return
                        # some connections were refused, others worked: what the former held goes through the latter
                        working = (working or quota is not None) and relay.name not in refused and not queue.over
                    except RelayUnreachable as error:
                        self._health.unreachable(relay.name, error.reason)
                        refusal, working = error, False
                queue.resume()
            if not full:
                yield from queue.refused()
                if queue.over and not refused:
                    return
                raise refusal
            name, quota = min(full.items(), key=lambda each: each[1].wait())
            if quota.wait() > LONGEST_WAIT:
                yield from queue.refused()
                raise RelayUnreachable(name, quota.why())
            if not self._waited(quota.wait()):
                yield from queue.refused()
                return

    def _waited(self, seconds: float) -> bool:
        """Whether to go on."""
        until = time.monotonic() + seconds
        while not self._stop():
            left = until - time.monotonic()
            if left <= 0:
                return True
            Event().wait(min(left, _NAP))
        return False

    def _through(
        self,
        relay: Relay,
        queue: EnvelopeQueue,
        quota: Quota | None,
        patience: float,
        wanted: Callable[[int], bool],
    ) -> Iterator[Attempt]:
        """Over as many connections as there is work for, all held by this thread: it composes, they take turns."""
        most = min(self._connections, self._caps.get(relay.name, self._connections))
        count = min(max(queue.peek(most), 1), most)
        failures: list[Exception] = []

        def broken(error: Exception) -> None:
            failures.append(error)
            if not isinstance(error, RelayUnreachable):
                queue.stop()

        def dialogue() -> Dialogue[Attempt, None]:
            if quota is None:
                return relay.sending(queue, self._log, wanted)
            return relay.sending(WithinQuota(queue, quota), self._log, wanted, Pace(wait, patience))

        def wait() -> float:
            return 0.0 if quota is None or queue.over or queue.paused or self._stop() else quota.wait()

        dialogues = [dialogue() for _ in range(count)]
        attempts = run_all(dialogues, broken)
        try:
            for attempt in attempts:  # noqa: UP028  # `yield from` would close it with us
                yield attempt
        except GeneratorExit:  # nobody waits for the rest: still, no message is left half said
            queue.stop()
            for _ in attempts:
                pass
            raise
        if unforeseen := [error for error in failures if not isinstance(error, RelayUnreachable)]:
            raise unforeseen[0]
        # one connection refused while others worked is the relay's limit, not its refusal
        if len(failures) == count:
            raise next((error for error in failures if isinstance(error, RelayRefusedUs)), failures[0])


# ---- what the connections share ----------------------------------------------------------------------------------------------


class Quota(Protocol):
    """How many messages a relay may still have now. Shared with other processes."""

    def take(self) -> bool:
        """Counts one message; False when there is no room for it now."""

    def wait(self) -> float:
        """Seconds until there may be room again; 0 when there is some now."""

    def why(self) -> str:
        """Why there is no room for long."""

    def accepted(self) -> None:
        """The relay took a message."""

    def throttled(self) -> int:
        """Slows down; says how often in a row the relay did nothing but throttle us."""

    def release(self) -> None:
        """What was counted and not used is there for others."""


class EnvelopeQueue:
    """The envelopes that a relay's connections share: given out once, taken back, or kept for the next relay."""

    def __init__(self, envelopes: Iterable[Envelope]) -> None:
        self._rest = iter(envelopes)
        self._ahead: list[Envelope] = []
        self._taken: dict[int, Envelope] = {}
        self._ended = False
        self.paused = False
        """Whether nothing is given out until `resume`."""
        self._tries = Counter[int]()
        self.throttled: dict[int, Attempt] = {}
        """The last attempt of those that wait for another."""
        self._passed_on: list[Envelope] = []
        self._refusals: dict[int, Attempt] = {}
        """What the relay before said of those that were passed on."""

    @property
    def passed_on(self) -> bool:
        """Something waits for the next relay."""
        return bool(self._passed_on)

    @property
    def over(self) -> bool:
        """Nothing is left to take."""
        return self._ended and not self._ahead

    def stop(self) -> None:
        """Nothing more is given out."""
        self._ended, self._ahead, self._rest = True, [], iter(())

    def peek(self, most: int) -> int:
        """How many envelopes wait, counted up to `most`."""
        while len(self._ahead) < most and (envelope := self._draw()) is not None:
            self._ahead.append(envelope)
        return len(self._ahead)

    def put_back(self, delivery_id: int) -> None:
        self._ahead.append(self._taken.pop(delivery_id))

    def again(self, attempt: Attempt) -> bool:
        """Takes a throttled message back for another try; False when it had enough of them."""
        self._tries[attempt.delivery_id] += 1
        if self._tries[attempt.delivery_id] >= _MOST_TRIES:
            return False
        self.throttled[attempt.delivery_id] = attempt
        self.put_back(attempt.delivery_id)
        return True

    def done(self, delivery_id: int) -> None:
        del self._taken[delivery_id]
        self._refusals.pop(delivery_id, None)
        self.throttled.pop(delivery_id, None)

    def resume(self) -> None:
        """The next relay's turn: it gets what was passed on as well."""
        self.paused = False
        self._ahead += self._passed_on
        self._passed_on = []

    def pass_on(self, attempt: Attempt) -> None:
        """The relay refused it because of us: the next one may take it."""
        self._passed_on.append(self._taken.pop(attempt.delivery_id))
        self._refusals[attempt.delivery_id] = attempt

    def refused(self) -> list[Attempt]:
        """What was said last of those that no other relay took either. They are not given out again."""
        self.resume()
        refusals, self._refusals = self._refusals, {}
        self._ahead = [envelope for envelope in self._ahead if envelope.delivery_id not in refusals]
        return list(refusals.values())

    def __iter__(self) -> Iterator[Envelope]:
        return self

    def __next__(self) -> Envelope:
        if self.paused:
            raise StopIteration
        envelope = self._ahead.pop(0) if self._ahead else self._draw()
        if envelope is None:
            raise StopIteration
        self._taken[envelope.delivery_id] = envelope
        return envelope

    def _draw(self) -> Envelope | None:
        envelope = next(self._rest, None)
        self._ended = self._ended or envelope is None
        return envelope


class WithinQuota(Iterator[Envelope]):
    """What of it the relay may have now. More may follow when it has ended."""

    def __init__(self, taking: EnvelopeQueue, quota: Quota) -> None:
        self._taking, self._quota = taking, quota

    def __next__(self) -> Envelope:
        if self._taking.over or self._taking.paused or not self._quota.take():
            raise StopIteration
        return next(self._taking)
