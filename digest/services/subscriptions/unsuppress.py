"""unsuppress: addresses that were suppressed by mistake may be mailed again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from digest.domain.feedback import SuppressionReason
from digest.domain.subscriber import Address


class Suppressions(Protocol):
    def lift(
        self,
        addresses: Collection[Address] | None,
        reason: SuppressionReason | None,
        since: datetime | None,
        until: datetime | None,
        at: datetime,
    ) -> Mapping[str, str]: ...


class Unit(Protocol):
    @property
    def suppressions(self) -> Suppressions: ...


class Store(Protocol):
    def begin(self) -> AbstractContextManager[Unit]: ...


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
