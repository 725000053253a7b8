"""redeliver: an edition once more, to exactly those who did not get it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.domain.edition import Edition
from digest.domain.errors import InvalidInput
from digest.domain.instant import isoformat
from digest.services.operations.cancel import DeliveryCounts
from digest.store.unit_of_work import Store


@dataclass(frozen=True, slots=True)
class Requeued:
    queued: int
    delivery_counts: DeliveryCounts


def redeliver(
    store: Store,
    edition: Edition,
    at: datetime,
    *,
    within: timedelta = timedelta(days=1),
    only: int | None = None,
    unsure: bool = False,
    reinstate: bool = False,
) -> Requeued:
    """Queues again what failed, expired or was withheld; it expires after `within`. Twice queues nothing twice.

    Left out: who may have it (no answer to the final dot), but with `unsure`. Still forbidden: suppressed addresses and ended
    subscriptions. `only` that subscription: its copy goes before everybody's, also where it was never due. Raises
    InvalidInput for a cancelled edition, but with `reinstate`, which makes it stand again.
    """
    with store.begin() as unit:
        if edition.state != "frozen":
            if not reinstate:
                raise InvalidInput(
                    f"edition {edition.list}/{edition.slug}", f"is {edition.state}; --reinstate makes it stand again"
                )
            unit.edition_operations.reinstate(edition.id)
        again = f"queued again by the operator at {isoformat(at)}"
        if only is not None:
            queued = unit.edition_operations.enqueue_urgent(edition.id, only, at, at + within, again)
        else:
            queued = unit.edition_operations.requeue(edition.id, at, at + within, again, unsure=unsure)
        unit.jobs.nudge(queued, urgent=only is not None)
        return Requeued(queued, DeliveryCounts.of(unit.deliveries.tally(edition.id)))
