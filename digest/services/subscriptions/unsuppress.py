"""unsuppress: addresses that were suppressed by mistake may be mailed again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from digest.domain.feedback import SuppressionReason
from digest.domain.subscriber import Address
from digest.store.unit_of_work import Store


def unsuppress(
    store: Store,
    addresses: Collection[Address] | None,
    at: datetime,
    *,
    reason: SuppressionReason | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Mapping[str, str]:
    """Lifts the suppressions of these addresses, or of all (None), with the reason, made from `since` on and before `until`.

    Returns each one's reason by the address's hash. Never lifts that of a person who was erased: that is theirs to undo.
    """
    with store.begin() as unit:
        return unit.suppressions.lift(addresses, reason, since, until, at)
