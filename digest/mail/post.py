"""The post: several connections to the best relay that will have us, going on to the next when it will not.

Which is best: as configured, but a relay in trouble (health.py) comes last. What a relay took and could not even begin (an
attempt at CONNECT without a reply), and what it refused because of us, is handed to the next: it never accepted it. Everything
else is that relay's answer and final. A relay that refuses us gets nothing more until its refusal may be over. One that has had
as many as it may have in a while (its quota) is passed over, and waited for when there is no other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from digest.domain.delivery import Attempt, Envelope, Stage
from digest.domain.errors import RelayRefusedUs, RelayUnreachable
from digest.domain.verdict import RefusalStreak, Scope
from digest.mail.health import Health
from digest.mail.relay import Relay
from digest.mail.reply_classifier import verdict_of
from digest.mail.send_log import SendLog
from digest.mail.waiting import always, nothing, together

_NAP = 0.2
"""Seconds between looks at whether to stop, while waiting for a relay's quota."""


class Quota(Protocol):
    """How many messages a relay may still have now. Shared with other processes."""

    def take(self) -> bool:
        """Counts one message; False when there is no room for it now."""

    def wait(self) -> float:
        """Seconds until there may be room again; 0 when there is some now."""


class Post:
    """Hands envelopes over. `log` is told of every final dot before it goes out; `quotas` are by the relay's name."""

    def __init__(
        self,
        relays: Sequence[Relay],
        log: SendLog,
        connections: int = 5,
        *,
        quotas: Mapping[str, Quota] | None = None,
        health: Health | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._relays = tuple(relays)
        self._log = log
        self._connections = connections
        self._quotas = dict(quotas or {})
        self._health = health or Health()
        self._stop = stop

    def hand_over(
        self,
        envelopes: Iterable[Envelope],
        meanwhile: Callable[[], bool] = nothing,
        wanted: Callable[[int], bool] = always,
    ) -> Iterator[Attempt]:
        """One Attempt for each envelope taken and still `wanted` (asked by delivery id) as it is begun.

        Raises RelayUnreachable (RelayRefusedUs) when the last relay could not be had.

        While all connections wait for answers, `meanwhile` is called: it does a little of what lies ahead and says whether there
        was any. Ended early (closed, or `stop()`), it finishes the messages in flight and hangs up.
        """
        taking, streak = _Taking(envelopes), RefusalStreak()
        refusal = RelayUnreachable("none", "no relay is configured; add a [[relays]] table")
        refused: set[str] = set()
        while True:
            full: list[Quota] = []
            in_order = [relay for relay in self._health.in_order(self._relays) if relay.name not in refused]
            for relay in in_order:
                if words := self._health.refusal(relay.name):
                    refusal = RelayRefusedUs(relay.name, words)
                    continue
                quota = self._quotas.get(relay.name)
                working = True
                while working:
                    if quota is not None and quota.wait() > 0:
                        full.append(quota)
                        break
                    working = False
                    try:
                        for attempt in self._through(relay, taking, quota, meanwhile, wanted):
                            if attempt.stage is Stage.CONNECT and attempt.reply is None:
                                taking.put_back(attempt.delivery_id)
                                refusal = RelayUnreachable(relay.name, attempt.error)
                                continue
                            working = True
                            self._health.attempted(attempt)
                            verdict = streak.narrowed(attempt, verdict_of(attempt))
                            if verdict.scope is Scope.ALL and not attempt.accepted:
                                refused.add(relay.name)
                                taking.pause()
                                refusal = verdict.refusal(attempt)
                                self._health.refused(relay.name, refusal.reason, verdict.wait)
                            if verdict.elsewhere and relay is not in_order[-1]:
                                taking.pass_on(attempt)
                                continue
                            taking.done(attempt.delivery_id)
                            yield attempt
                        if taking.over and not taking.passed_on and relay.name not in refused:
                            return
                        # some connections were refused, others worked: what the former held goes through the latter
                        working = (working or quota is not None) and relay.name not in refused and not taking.over
                    except RelayUnreachable as error:
                        self._health.unreachable(relay.name)
                        refusal, working = error, False
                taking.resume()
            if not full:
                yield from taking.refused()
                if taking.over and not refused:
                    return
                raise refusal
            if not self._waited(min(quota.wait() for quota in full)):
                yield from taking.refused()
                return

    def _waited(self, seconds: float) -> bool:
        """Whether to go on."""
        until = time.monotonic() + seconds
        while not self._stop():
            left = until - time.monotonic()
            if left <= 0:
                return True
            time.sleep(min(left, _NAP))
        return False

    def _through(
        self,
        relay: Relay,
        taking: _Taking,
        quota: Quota | None,
        meanwhile: Callable[[], bool],
        wanted: Callable[[int], bool],
    ) -> Iterator[Attempt]:
        """Over as many connections as there is work for, all held by this thread: it composes, they take turns."""
        count = min(max(taking.peek(self._connections), 1), self._connections)
        failures: list[Exception] = []

        def broken(error: Exception) -> None:
            failures.append(error)
            if not isinstance(error, RelayUnreachable):
                taking.stop()

        dialogues = [relay.sending(taking if quota is None else _within(taking, quota), self._log, wanted) for _ in range(count)]
        told = together(dialogues, broken, lambda: not taking.over and meanwhile())
        try:
            for attempt in told:  # noqa: UP028  # `yield from` would close it with us
                yield attempt
        except GeneratorExit:  # nobody waits for the rest: still, no message is left half said
            taking.stop()
            for _ in told:
                pass
            raise
        if unforeseen := [error for error in failures if not isinstance(error, RelayUnreachable)]:
            raise unforeseen[0]
        # one connection refused while others worked is the relay's limit, not its refusal
        if len(failures) == count:
            raise next((error for error in failures if isinstance(error, RelayRefusedUs)), failures[0])


class _Taking:
    """An iterator that connections share, that remembers what was taken from it and takes it back."""

    def __init__(self, envelopes: Iterable[Envelope]) -> None:
        self._rest = iter(envelopes)
        self._ahead: list[Envelope] = []
        self._taken: dict[int, Envelope] = {}
        self._ended = False
        self._paused = False
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

    def done(self, delivery_id: int) -> None:
        del self._taken[delivery_id]
        self._refusals.pop(delivery_id, None)

    def pause(self) -> None:
        """Nothing more is given out until `resume`."""
        self._paused = True

    def resume(self) -> None:
        """The next relay's turn: it gets what was passed on as well."""
        self._paused = False
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
        if self._paused:
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


def _within(taking: _Taking, quota: Quota) -> Iterator[Envelope]:
    """What of it the relay may have now."""
    while not taking.over and quota.take():
        envelope = next(taking, None)
        if envelope is None:
            return
        yield envelope
