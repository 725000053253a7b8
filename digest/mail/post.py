"""The post: several connections to the best relay that will have us, going on to the next when it will not.

Which is best: as configured, but a relay in trouble (health.py) comes last. What a relay took and could not even begin (an
attempt at CONNECT without a reply) is handed to the next; everything else is that relay's answer and final. A relay that has had
as many as it may have in a while (its quota) is passed over, and waited for when there is no other. A message that a relay would
have taken later (throttled) is handed to it again, more slowly.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from digest.domain.delivery import Attempt, Envelope, Stage
from digest.domain.errors import RelayRefusedUs, RelayUnreachable
from digest.domain.rate_limit import LONGEST_WAIT
from digest.domain.throttling import throttled
from digest.mail.health import Health
from digest.mail.relay import Relay
from digest.mail.session import SendLog
from digest.mail.waiting import Pace, Telling, nothing, together

_NAP = 0.2
"""Seconds between looks at whether to stop, while waiting for a relay's quota."""
_SHORT_WAIT = 1.0
"""Seconds that a connection waits for its next message rather than leave it to another relay."""
_MOST_TRIES = 5
"""How often one message is throttled before it is put off."""
_MOST_ROUNDS = 4
"""How often in a row a relay throttles us and takes nothing before it counts as out of reach."""


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

    def hand_over(self, envelopes: Iterable[Envelope], meanwhile: Callable[[], bool] = nothing) -> Iterator[Attempt]:
        """One Attempt for each envelope taken. Raises RelayUnreachable (RelayRefusedUs) when the last relay could not be had.

        While all connections wait for answers, `meanwhile` is called: it does a little of what lies ahead and says whether there
        was any. Ended early (closed, or `stop()`), it finishes the messages in flight and hangs up.
        """
        taking = _Taking(envelopes)
        try:
            yield from self._handed_over(taking, meanwhile)
        except RelayUnreachable:
            yield from taking.throttled.values()
            raise
        finally:
            for quota in self._quotas.values():
                quota.release()

    def _handed_over(self, taking: _Taking, meanwhile: Callable[[], bool]) -> Iterator[Attempt]:
        refusal = RelayUnreachable("none", "no relay is configured; add a [[relays]] table")
        patience = LONGEST_WAIT if len(self._relays) == 1 else _SHORT_WAIT
        while True:
            full: dict[str, Quota] = {}
            for relay in self._health.in_order(self._relays):
                quota = self._quotas.get(relay.name)
                working = True
                while working:
                    if quota is not None and quota.wait() > patience:
                        full[relay.name] = quota
                        break
                    working = False
                    given_up: RelayUnreachable | None = None
                    try:
                        for attempt in self._through(relay, taking, quota, patience, meanwhile):
                            if attempt.stage is Stage.CONNECT and attempt.reply is None:
                                taking.put_back(attempt.delivery_id)
                                refusal = RelayUnreachable(relay.name, attempt.error)
                            elif quota is not None and not attempt.accepted and throttled(attempt) and taking.again(attempt):
                                self._health.attempted(attempt)
                                working = True
                                if quota.throttled() >= _MOST_ROUNDS:
                                    given_up = RelayUnreachable(relay.name, f"throttles us: {attempt.reply}")
                                    taking.held = True  # what is under way is heard out
                            else:
                                working = True
                                taking.done(attempt.delivery_id)
                                if quota is not None and attempt.accepted:
                                    quota.accepted()
                                self._health.attempted(attempt)
                                yield attempt
                        taking.held = False
                        if given_up:
                            raise given_up
                        if taking.over or self._stop():
                            return
                        # some connections were refused, others worked: what the former held goes through the latter
                        working = working or quota is not None
                    except RelayUnreachable as error:
                        self._health.unreachable(relay.name)
                        refusal, working = error, False
            if not full:
                raise refusal
            name, quota = min(full.items(), key=lambda each: each[1].wait())
            if quota.wait() > LONGEST_WAIT:
                raise RelayUnreachable(name, quota.why())
            if not self._waited(quota.wait()):
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
        self, relay: Relay, taking: _Taking, quota: Quota | None, patience: float, meanwhile: Callable[[], bool]
    ) -> Iterator[Attempt]:
        """Over as many connections as there is work for, all held by this thread: it composes, they take turns."""
        count = min(max(taking.peek(self._connections), 1), self._connections)
        failures: list[Exception] = []

        def broken(error: Exception) -> None:
            failures.append(error)
            if not isinstance(error, RelayUnreachable):
                taking.stop()

        def dialogue() -> Telling[Attempt, None]:
            if quota is None:
                return relay.sending(taking, self._log)
            return relay.sending(_Within(taking, quota), self._log, Pace(wait, patience))

        def wait() -> float:
            return 0.0 if quota is None or taking.over or taking.held or self._stop() else quota.wait()

        dialogues = [dialogue() for _ in range(count)]
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
        self._tries = Counter[int]()
        self.throttled: dict[int, Attempt] = {}
        """The last attempt of those that wait for another."""
        self.held = False
        """Whether nothing is given out for now."""

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
        if self.throttled:
            self.throttled.pop(delivery_id, None)

    def __iter__(self) -> Iterator[Envelope]:
        return self

    def __next__(self) -> Envelope:
        envelope = self._ahead.pop(0) if self._ahead else self._draw()
        if envelope is None:
            raise StopIteration
        self._taken[envelope.delivery_id] = envelope
        return envelope

    def _draw(self) -> Envelope | None:
        envelope = next(self._rest, None)
        self._ended = self._ended or envelope is None
        return envelope


class _Within(Iterator[Envelope]):
    """What of it the relay may have now. More may follow when it has ended."""

    def __init__(self, taking: _Taking, quota: Quota) -> None:
        self._taking, self._quota = taking, quota

    def __next__(self) -> Envelope:
        if self._taking.over or self._taking.held or not self._quota.take():
            raise StopIteration
        return next(self._taking)
