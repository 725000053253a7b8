"""Writes down what became of deliveries, and what follows for their readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from digest.domain.delivery import Attempt, Claimed, DeliveryState
from digest.domain.feedback import SuppressionReason
from digest.domain.retry import Decision, Effect
from digest.services.operations.review import hold, put_on_hold, refusal
from digest.store.unit_of_work import Unit


def settle(
    unit: Unit, results: Sequence[tuple[Attempt, Decision]], held: Mapping[int, Claimed], owner: str, accepted: int = 0
) -> int:
    """Writes outcomes down in one transaction; a mailbox that does not exist is not mailed again.

    Many refusals in the same words are not carried out (services/operations/review.py): those deliveries wait. Says how
    many wait.
    `accepted` are the mails that this run's relays have taken so far.
    """
    refused = [
        refusal(attempt, decision, held[attempt.delivery_id])
        for attempt, decision in results
        if decision.state is DeliveryState.FAILED and not attempt.uncertain
    ]
    now_accepted = sum(decision.state is DeliveryState.ACCEPTED for _, decision in results)
    waiting = {each.delivery_id for each in hold(unit.refusals, refused, max(accepted, now_accepted))}
    for attempt, decision in results:
        if decision.effect is Effect.SUPPRESS and attempt.delivery_id not in waiting:
            address = held[attempt.delivery_id].address
            unit.suppressions.add(address, SuppressionReason.BOUNCE, attempt.at, decision.reason)
    outcomes = [
        (attempt, put_on_hold(decision, held[attempt.delivery_id].expires_at) if attempt.delivery_id in waiting else decision)
        for attempt, decision in results
    ]
    unit.deliveries.record(outcomes, owner)
    at = max((attempt.at for attempt, _ in results), default=None)
    for attempt, _ in results:
        if at and (attempt.accepted or attempt.uncertain):
            delivery = held[attempt.delivery_id]
            unit.departures.sent([delivery.subscription_id], delivery.due_at, at)
    return len(waiting)
