"""The circuit breaker: when what comes back says that a list must stop before its sender's reputation is gone, and when so many
readers are refused in the same words that nothing is done to them before a person has looked.

Gmail and Yahoo ask senders to stay under 0.1 % complaints and start to refuse at 0.3 %; mail services stop senders somewhere
between 5 and 10 % of mailboxes that do not exist. Few mails make wild rates, so each rule also asks for a number of cases.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from digest.domain.feedback import SuppressionReason
from digest.domain.subscriber import Address


@dataclass(frozen=True, slots=True)
class ReturnCounts:
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
class BreakerLimit:
    """Crossed by more than `rate` of the accepted mails, but never by fewer than `cases`."""

    rate: float
    cases: int

    def crossed(self, cases: int, accepted: int) -> bool:
        return cases >= self.cases and cases > self.rate * accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    warn_complaints: BreakerLimit = BreakerLimit(0.001, 2)
    pause_complaints: BreakerLimit = BreakerLimit(0.003, 3)
    warn_hard: BreakerLimit = BreakerLimit(0.02, 5)
    pause_hard: BreakerLimit = BreakerLimit(0.05, 10)


@dataclass(frozen=True, slots=True)
class Judgement:
    """`reason` is one line for the operator; empty when all is fine."""

    verdict: Verdict
    reason: str = ""


def judge(returns: ReturnCounts, policy: BreakerPolicy | None = None) -> Judgement:
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


# ---- many readers, the same words ------------------------------------------------------------------------------------------

SAME_WORDS = BreakerLimit(0.02, 4)
"""More refusals with the same words than this share of what was accepted meanwhile are our trouble more likely than the readers':
three of three hundred readers have no mailbox any more; fifty have a sender in trouble."""
SAME_WORDS_WINDOW = timedelta(hours=24)
"""How long refusals with the same words count together."""
_LONGEST_REPLY = 300
_CODES = re.compile(r"[245]\d\d(?:[- ]|$)|[245]\.\d{1,3}\.\d{1,3}")
_AROUND = "<>()[]{}\"',;:."


@dataclass(frozen=True, slots=True)
class Refusal:
    """Somebody's server will not have a mail, for good: what is about to be done to its reader."""

    subscription_id: int
    delivery_id: int | None
    """None where a confirmation, welcome or goodbye was refused."""
    words: str
    """As `same_words` gives them."""
    at: datetime
    suppress: SuppressionReason | None
    """Suppress the address for this; None: only this mail ends."""


@dataclass(frozen=True, slots=True)
class SameWords:
    """What became of the refusals with the same words in the last `SAME_WORDS_WINDOW`."""

    carried_out: int = 0
    held: int = 0
    approved: int = 0
    """Held, and then carried out on the operator's word."""


def same_words(reply: str, address: Address) -> str:
    """A reply without what differs from reader to reader (addresses, numbers, ids): what it has in common with other replies."""
    own = {address.text.casefold(), address.text.rpartition("@")[0].casefold(), address.domain.casefold()}
    words: list[str] = []
    for place, word in enumerate(reply[: 4 * _LONGEST_REPLY].split()):
        bare = word.strip(_AROUND).casefold()
        if place < 2 and _CODES.fullmatch(word):
            words.append(word)
        elif "@" in word or bare in own or any(character.isdigit() for character in word):
            if words[-1:] != ["…"]:
                words.append("…")
        else:
            words.append(word)
    return " ".join(words)[:_LONGEST_REPLY]


def held(refusals: Sequence[Refusal], before: Mapping[str, SameWords], accepted: int) -> list[Refusal]:
    """Those of a run's refusals that wait for the operator; `before` by words, `accepted` mails by the same run."""
    count = {words: each.carried_out for words, each in before.items()}
    waiting = []
    for each in refusals:
        count[each.words] = count.get(each.words, 0) + 1
        so_far = before.get(each.words, SameWords())
        if not so_far.approved and (so_far.held or SAME_WORDS.crossed(count[each.words], accepted)):
            waiting.append(each)
    return waiting
