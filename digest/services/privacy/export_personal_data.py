"""disclose: everything held about an address, for the person it is about."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from digest.domain.instant import isoformat
from digest.domain.subscriber import Address
from digest.services.subscriptions.request_limits import LIMITS, Scope
from digest.store.unit_of_work import Store


def export_personal_data(store: Store, address: Address, at: datetime) -> dict[str, Any]:
    """JSON values: the address with its subscriptions, interests, consent, every delivery and what came back of it, whether it
    is barred from mail, and how often the form was used for it lately (kept as a fingerprint that only the address opens).
    """
    with store.read() as unit:
        asked = sum(
            unit.rate_limits.used(f"request/{limit.scope}/{address.key}", at, limit.per)
            for limit in LIMITS
            if limit.scope is Scope.ADDRESS
        )
        return {"at": isoformat(at), **unit.subscribers.held(address), "requests_today": asked}
