"""The envelopes that a relay's connections share: given out once, taken back, or kept for the next relay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Protocol

from digest.domain.delivery import Attempt, Envelope

_MOST_TRIES = 5
"""How often one message is throttled before it is put off."""


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
    """An iterator that connections share, that remembers what was taken from it and takes it back."""

    def __init__(self, envelopes: Iterable[Envelope]) -> None:
        self._rest = iter(envelopes)
        self._ahead: list[Envelope] = []
        self._taken: dict[int, Envelope] = {}
        self._ended = False
        self.paused = False
        """Whether nothing is given out for now."""
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

    def pause(self) -> None:
        """Nothing more is given out until `resume`."""
        self.paused = True

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
