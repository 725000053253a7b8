"""One policy decides what an attempt's outcome means. Nothing else in the project retries mail.

RFC 5321 §4.5.4.1 (retry with backoff), RFC 3463 (enhanced codes), RFC 1047 (a lost reply after the dot).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from digest.domain.delivery import Attempt, DeliveryState, Stage


class Effect(StrEnum):
    """What the outcome means beyond this delivery."""

    NONE = "none"
    SUPPRESS = "suppress"
    """The mailbox does not exist: a hard bounce."""
    SLOW_RELAY = "slow relay"
    """The relay is busy (421, 454): nobody is to blame, no attempt is counted."""
    STOP_RUN = "stop run"
    """Authentication or policy against us: stop, alarm, blame no reader."""


class UncertainPolicy(StrEnum):
    RESEND = "resend"
    HOLD = "hold"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Decision:
    """The delivery's next state, and why in one readable line. `next_attempt_at` is set where `state` is queued."""

    state: DeliveryState
    reason: str
    next_attempt_at: datetime | None = None
    counts: bool = True
    """Whether the attempt counts against `max_attempts`."""
    effect: Effect = Effect.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    first_wait: timedelta = timedelta(minutes=30)
    factor: float = 2.0
    longest_wait: timedelta = timedelta(hours=4)
    max_attempts: int = 12
    busy_wait: timedelta = timedelta(minutes=1)
    """After 421/454 or an unreachable relay."""
    uncertain: UncertainPolicy = UncertainPolicy.RESEND

    def decide(self, attempt: Attempt, attempts_before: int, expires_at: datetime) -> Decision:
        """What becomes of the delivery after `attempt`; `attempts_before` counts those that counted."""
        if attempt.accepted:
            return Decision(DeliveryState.ACCEPTED, str(attempt.reply))
        if attempt.uncertain:
            return self._uncertain(attempt, attempts_before, expires_at)
        if attempt.stage is Stage.COMPOSE:
            return Decision(DeliveryState.FAILED, f"could not be composed: {attempt.error}")
        if attempt.reply is None:
            return self._later(attempt.at + self.busy_wait, expires_at, f"{attempt.relay}: {attempt.error}", counts=False)
        code, enhanced, said = attempt.reply.code, attempt.reply.enhanced, str(attempt.reply)
        if code in (421, 454) or attempt.stage is Stage.CONNECT:
            if attempt.stage is Stage.CONNECT and code >= 500:
                return self._stop(attempt, said, expires_at)
            return self._later(attempt.at + self.busy_wait, expires_at, said, counts=False, effect=Effect.SLOW_RELAY)
        if code in (530, 534, 535, 538) or enhanced.startswith("5.7."):
            return self._stop(attempt, said, expires_at)
        if 400 <= code < 500:
            return self._backoff(attempt, attempts_before, expires_at, said)
        hard = enhanced.startswith("5.1.") if enhanced else code in (550, 551, 553) and attempt.stage is Stage.RCPT
        # 5.1.7 and 5.1.8 complain of the sender's address, not of the reader's
        suppress = hard and enhanced not in ("5.1.7", "5.1.8")
        return Decision(DeliveryState.FAILED, said, effect=Effect.SUPPRESS if suppress else Effect.NONE)

    def _uncertain(self, attempt: Attempt, before: int, expires_at: datetime) -> Decision:
        seen = f"{attempt.relay}: no reply after the final dot ({attempt.error or 'connection lost'})"
        if self.uncertain is UncertainPolicy.HOLD:
            return Decision(DeliveryState.UNCERTAIN, f"{seen}; held by policy")
        if self.uncertain is UncertainPolicy.DROP:
            return Decision(DeliveryState.FAILED, f"{seen}; dropped by policy")
        again = f"{seen}; sent again by policy"
        if before:  # a relay that takes messages and never says so: each further copy waits longer, and they have an end
            return self._backoff(attempt, before, expires_at, again)
        return Decision(DeliveryState.QUEUED, again, next_attempt_at=attempt.at)

    def _backoff(self, attempt: Attempt, before: int, expires_at: datetime, said: str) -> Decision:
        if before + 1 >= self.max_attempts:
            return Decision(DeliveryState.FAILED, f"{said}; gave up after {before + 1} attempts")
        wait = min(self.first_wait * self.factor**before, self.longest_wait)
        return self._later(attempt.at + wait, expires_at, said)

    def _later(
        self, at: datetime, expires_at: datetime, why: str, *, counts: bool = True, effect: Effect = Effect.NONE
    ) -> Decision:
        if at >= expires_at:
            stale = f"{why}; the next edition comes before another try"
            return Decision(DeliveryState.EXPIRED, stale, counts=counts, effect=effect)
        return Decision(DeliveryState.QUEUED, why, next_attempt_at=at, counts=counts, effect=effect)

    def _stop(self, attempt: Attempt, said: str, expires_at: datetime) -> Decision:
        return self._later(attempt.at + self.busy_wait, expires_at, said, counts=False, effect=Effect.STOP_RUN)
