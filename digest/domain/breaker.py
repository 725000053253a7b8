"""The circuit breaker: when what comes back says that a list must stop before its sender's reputation is gone.

Gmail and Yahoo ask senders to stay under 0.1 % complaints and start to refuse at 0.3 %; mail services stop senders somewhere
between 5 and 10 % of mailboxes that do not exist. Few mails make wild rates, so each rule also asks for a number of cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Returns:
    """What came back of a list's mails in a span of time."""

    accepted: int
    complaints: int
    hard: int


class Verdict(StrEnum):
    FINE = "fine"
    WARN = "warn"
    PAUSE = "pause"
    """Make no edition and send nothing until the operator resumes the list."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Crossed by more than `rate` of the accepted mails, but never by fewer than `cases`."""

    rate: float
    cases: int

    def crossed(self, cases: int, accepted: int) -> bool:
        return cases >= self.cases and cases > self.rate * accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    warn_complaints: Limit = Limit(0.001, 2)
    pause_complaints: Limit = Limit(0.003, 3)
    warn_hard: Limit = Limit(0.02, 5)
    pause_hard: Limit = Limit(0.05, 10)


@dataclass(frozen=True, slots=True)
class Judgement:
    """`reason` is one line for the operator; empty when all is fine."""

    verdict: Verdict
    reason: str = ""


def judge(returns: Returns, policy: BreakerPolicy | None = None) -> Judgement:
    """What the returns of a list mean for it."""
    limits = policy or BreakerPolicy()
    rules = (
        (Verdict.PAUSE, returns.complaints, limits.pause_complaints, "complaints"),
        (Verdict.PAUSE, returns.hard, limits.pause_hard, "mailboxes that do not exist"),
        (Verdict.WARN, returns.complaints, limits.warn_complaints, "complaints"),
        (Verdict.WARN, returns.hard, limits.warn_hard, "mailboxes that do not exist"),
    )
    for verdict, cases, limit, what in rules:
        if limit.crossed(cases, returns.accepted):
            rate = f"{100 * cases / returns.accepted:.2f} %" if returns.accepted else "without any mail accepted"
            return Judgement(verdict, f"{cases} {what} among {returns.accepted} mails ({rate}); at most {100 * limit.rate:g} %")
    return Judgement(Verdict.FINE)
