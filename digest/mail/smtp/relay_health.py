"""How the relays have been doing lately, and in which order to try them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol, TypeVar

from digest.domain.delivery import Attempt

HALF_LIFE = 300.0
"""Seconds in which trouble is half forgotten: a relay that could not be reached is tried first again five minutes later."""
_UNREACHABLE = 1.0
_BUSY = 0.25
_NOTICEABLE = 0.5
_LONGEST_REST = 3600.0
_BUSY_CODES = (421, 454)


class Named(Protocol):
    @property
    def name(self) -> str: ...


R = TypeVar("R", bound=Named)


class RelayHealth:
    """Trouble by relay. Lives as long as the process, so that the next run knows what this one met."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._trouble: dict[str, tuple[float, float]] = {}
        self._resting: dict[str, tuple[float, str]] = {}
        self._reasons: dict[str, str] = {}

    def trouble(self, relay: str) -> float:
        """0 where all is well; 1 right after it could not be reached."""
        amount, since = self._trouble.get(relay, (0.0, 0.0))
        return float(amount * 0.5 ** ((self._monotonic() - since) / HALF_LIFE))

    def unreachable(self, relay: str, reason: str = "") -> None:
        self._add(relay, _UNREACHABLE)
        if reason:
            self._reasons[relay] = reason

    @property
    def reasons(self) -> dict[str, str]:
        """By relay, why it was passed over, until it takes a message again."""
        return self._reasons.copy()

    def refused(self, relay: str, reply: str, words: str, wait: timedelta | None) -> None:
        """It refuses us; `words` are its reply and what to do.

        Where a quota is used up it is left alone for `wait`, an hour at most: quotas come back bit by bit.
        """
        self.unreachable(relay, reply)
        if wait is not None:
            self._resting[relay] = (self._monotonic() + min(wait.total_seconds(), _LONGEST_REST), words)

    def refusal(self, relay: str) -> str:
        """What it refused us with, while it is left alone; or ""."""
        until, words = self._resting.get(relay, (0.0, ""))
        return words if self._monotonic() < until else ""

    def attempted(self, attempt: Attempt) -> None:
        """A relay that says it is too busy is troubled a little; one that takes a message is over it."""
        if attempt.reply is not None and attempt.reply.code in _BUSY_CODES:
            self._add(attempt.relay, _BUSY)
        elif attempt.accepted:
            self._trouble.pop(attempt.relay, None)
            self._reasons.pop(attempt.relay, None)

    def in_order(self, relays: Sequence[R]) -> list[R]:
        """As configured, but those in noticeable trouble last, the least troubled of them first."""
        return sorted(relays, key=lambda relay: trouble if (trouble := self.trouble(relay.name)) >= _NOTICEABLE else 0.0)

    def _add(self, relay: str, amount: float) -> None:
        self._trouble[relay] = (self.trouble(relay) + amount, self._monotonic())
