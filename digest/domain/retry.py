"""One policy decides what an attempt's outcome means. Nothing else in the project retries mail.

RFC 5321 §4.5.4.1 (retry with backoff), RFC 3463 (enhanced codes), RFC 1047 (a lost reply after the dot).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from digest.domain.delivery import Attempt, DeliveryState, Stage
from digest.domain.verdict import UNJUDGED, About, Scope, Verdict

_LAST_TRY = timedelta(minutes=30)
"""How long before the next edition a delivery that waits for our quota is tried for the last time."""


class Effect(StrEnum):
    """What the outcome means beyond this delivery."""

    NONE = "none"
    SUPPRESS = "suppress"
    """The mailbox does not exist: a hard bounce."""
    SLOW_RELAY = "slow relay"
    """The relay is busy or gets too much at once: nobody is to blame, no attempt is counted."""
    STOP_RUN = "stop run"
    """The relay refuses us or the dialogue: stop, alarm, blame no reader."""


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

    def decide(self, attempt: Attempt, attempts_before: int, expires_at: datetime, verdict: Verdict = UNJUDGED) -> Decision:
        """What becomes of the delivery after `attempt`; `attempts_before` counts those that counted.

        `verdict` says whom the reply is about. Without one a refusal counts against this delivery alone.
        """
        if attempt.accepted:
            return Decision(DeliveryState.ACCEPTED, str(attempt.reply))
        if attempt.uncertain:
            return self._uncertain(attempt, attempts_before, expires_at)
        if attempt.stage is Stage.COMPOSE:
            return Decision(DeliveryState.FAILED, f"could not be composed: {attempt.error}")
        if attempt.reply is None:
            return self._later(attempt.at + self.busy_wait, expires_at, f"{attempt.relay}: {attempt.error}", counts=False)
        reply = str(attempt.reply)
        if verdict.slower:
            return self._later(attempt.at + self.busy_wait, expires_at, reply, counts=False, effect=Effect.SLOW_RELAY)
        if verdict.scope is Scope.ALL:
            return self._refused(attempt, expires_at, verdict, self.busy_wait, Effect.STOP_RUN)
        if verdict.scope is Scope.OPEN and verdict.about is not About.UNKNOWN:
            return self._refused(attempt, expires_at, verdict, self.first_wait, Effect.NONE)
        if attempt.reply.code < 500 or verdict.about not in (About.READER, About.MESSAGE):
            return self._backoff(attempt, attempts_before, expires_at, reply)
        return Decision(DeliveryState.FAILED, reply, effect=Effect.SUPPRESS if verdict.mailbox_gone else Effect.NONE)

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

    def _backoff(self, attempt: Attempt, before: int, expires_at: datetime, reason: str) -> Decision:
        if before + 1 >= self.max_attempts:
            return Decision(DeliveryState.FAILED, f"{reason}; gave up after {before + 1} attempts")
        wait = min(self.first_wait * self.factor**before, self.longest_wait)
        return self._later(attempt.at + wait, expires_at, reason)

    def _later(
        self, at: datetime, expires_at: datetime, why: str, *, counts: bool = True, effect: Effect = Effect.NONE
    ) -> Decision:
        if at >= expires_at:
            stale = f"{why}; the next edition comes before another try"
            return Decision(DeliveryState.EXPIRED, stale, counts=counts, effect=effect)
        return Decision(DeliveryState.QUEUED, why, next_attempt_at=at, counts=counts, effect=effect)

    def _refused(self, attempt: Attempt, expires_at: datetime, verdict: Verdict, wait: timedelta, effect: Effect) -> Decision:
        """Not this reader's fault, so the delivery waits. A quota may last longer than the edition: then one last try before the
        next edition.
        """
        soonest = attempt.at + self.busy_wait
        at = attempt.at + (verdict.wait or wait)
        if at >= expires_at:
            at = max(soonest, expires_at - _LAST_TRY)
        return self._later(at, expires_at, str(attempt.reply), counts=False, effect=effect)
