"""cancel: no further copy of an edition goes out. Says who has it, who never will, and what cannot be called back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from digest.domain.delivery import NOT_SENT, DeliveryState
from digest.domain.edition import Edition
from digest.store.unit_of_work import Store


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """Where the copies of an edition are."""

    went: int
    """A relay took them."""
    unsure: int
    """Their final dot was never answered: they may have gone."""
    in_flight: int
    """Being handed over at this moment."""
    waiting: int
    not_sent: int

    @classmethod
    def of(cls, tally: Mapping[DeliveryState, int]) -> DeliveryCounts:
        return cls(
            went=tally.get(DeliveryState.ACCEPTED, 0),
            unsure=tally.get(DeliveryState.UNCERTAIN, 0),
            in_flight=tally.get(DeliveryState.CLAIMED, 0),
            waiting=tally.get(DeliveryState.QUEUED, 0),
            not_sent=sum(tally.get(state, 0) for state in NOT_SENT),
        )


@dataclass(frozen=True, slots=True)
class Cancelled:
    """`withheld` is what this call held back; `standing` is as it is now. What is in flight is withheld if it comes back."""

    withheld: int
    delivery_counts: DeliveryCounts


def cancel(store: Store, edition: Edition, reason: str) -> Cancelled:
    """Twice is as good as once: the second time withholds nothing and tells the same. Raises NotFound."""
    why = f"the edition was cancelled: {reason}" if reason else "the edition was cancelled"
    with store.begin() as unit:
        unit.editions.cancel(edition.id)
        withheld = unit.edition_operations.withhold(edition.id, why)
        return Cancelled(withheld, DeliveryCounts.of(unit.deliveries.tally(edition.id)))
