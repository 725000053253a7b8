"""Many refusals in the same words are not carried out before the operator has looked at them.

A relay that has trouble with us may say so in words that read like a dead mailbox; then it says so of every reader. So the first
few are carried out, the rest waits: those deliveries stay queued, their readers are mailed nothing, nobody is suppressed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.domain import circuit_breaker
from digest.domain.circuit_breaker import Refusal, same_words
from digest.domain.delivery import Attempt, Claimed, DeliveryState
from digest.domain.feedback import SuppressionReason
from digest.domain.retry import Decision, Effect
from digest.store.feedback.refusals import Refusals
from digest.store.unit_of_work import Store


@dataclass(frozen=True, slots=True)
class Group:
    """Readers whose mail was refused in the same words. `state`: "held", "carried out" (before), "accepted" or "undone"."""

    reply: str
    addresses: tuple[str, ...]
    state: str


def refusal(attempt: Attempt, decision: Decision, delivery: Claimed) -> Refusal:
    """What a delivery's end would do to its reader."""
    words = same_words(str(attempt.reply or decision.reason), delivery.address)
    suppress = SuppressionReason.BOUNCE if decision.effect is Effect.SUPPRESS else None
    return Refusal(delivery.subscription_id, delivery.id, words, attempt.at, suppress)


def hold(refusals: Refusals, given: Sequence[Refusal], accepted: int) -> list[Refusal]:
    """Remembers them; returns those that must not be carried out. `accepted` mails were taken in the same run."""
    if not given:
        return []
    before = refusals.same_words({each.words for each in given}, max(each.at for each in given))
    held = circuit_breaker.held(given, before, accepted)
    refusals.add([each for each in given if each not in held], held=False)
    refusals.add(held, held=True)
    return held


def put_on_hold(decision: Decision, expires_at: datetime) -> Decision:
    """The delivery waits: nothing counts against it, and it does not end without saying why."""
    return Decision(DeliveryState.QUEUED, f"held for review: {decision.reason}", expires_at, counts=False)


def _named(words: str, reply: str, *, exact: bool) -> bool:
    return words == reply if exact else reply.casefold() in words.casefold()


def waiting(store: Store, reply: str = "", *, exact: bool = False) -> list[Group]:
    """What waits for the operator, by reply; `reply` is part of its words, or with `exact` all of them."""
    with store.read() as unit:
        held = [words for words in unit.refusals.held() if _named(words, reply, exact=exact)]
        groups = [(words, unit.refusals.addresses(words)) for words in held]
    named = {"held": "held", "done": "carried out"}
    return [Group(words, tuple(found[state]), name) for words, found in groups for state, name in named.items() if state in found]


def accept(store: Store, reply: str = "", *, exact: bool = False) -> list[Group]:
    """Carries out what is held: addresses are suppressed, deliveries end."""
    groups = [each for each in waiting(store, reply, exact=exact) if each.state == "held"]
    with store.begin() as unit:
        for each in groups:
            unit.refusals.approve(each.reply)
    return [Group(each.reply, each.addresses, "accepted") for each in groups]


def undo(store: Store, at: datetime, reply: str = "", *, exact: bool = False) -> tuple[list[Group], int]:
    """Lifts what is held and what was carried out on the same words; queues again what is worth sending, and says how many.

    With `reply` also what was accepted with such words.
    """
    groups, queued = [], 0
    with store.begin() as unit:
        found = unit.refusals.reviewed() if reply else unit.refusals.held()
        for words in [each for each in found if _named(each, reply, exact=exact)]:
            addresses = sorted({each for some in unit.refusals.addresses(words).values() for each in some})
            queued += unit.refusals.undo(words, at)[1]
            groups.append(Group(words, tuple(addresses), "undone"))
        if queued:
            unit.jobs.nudge(queued)
    return groups, queued
