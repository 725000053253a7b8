"""Whether the email of a reader's day before arrived: the next one says so where it did not."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from digest.domain.delivery import DeliveryState
from digest.domain.delivery_words import why
from digest.store.dialect import among
from digest.store.schema import deliveries

_NOT_DELIVERED = (DeliveryState.FAILED.value, DeliveryState.EXPIRED.value)
_STILL_OPEN = (DeliveryState.QUEUED.value, DeliveryState.CLAIMED.value)


def missed_before(connection: Connection, claimed: Collection[Row[Any]], now: datetime) -> dict[int, str]:
    """By delivery id, why the email of the day before failed or expired, in words for the reader.

    One that is too late by `now` has expired, recorded or not: after a day without a relay both are claimed together.

    Of rows with `id`, `subscription_id` and `day`; those without a day are brought by no schedule.
    """
    days = {row.day - timedelta(days=1) for row in claimed if row.day}
    if not days:
        return {}
    d = deliveries.c
    # one index entry for each reader and day (uq_deliveries_day)
    these = (among(connection, d.subscription_id, [row.subscription_id for row in claimed]), d.day.in_(days))
    too_late = d.state.in_(_STILL_OPEN) & (d.expires_at <= now)
    missing = d.state.in_(_NOT_DELIVERED) | too_late
    found = connection.execute(select(d.subscription_id, d.day, d.state, d.reason).where(*these, missing))
    reasons = {(row.subscription_id, row.day): _why(row.state, row.reason) for row in found}
    if not reasons:  # as nearly always
        return {}
    before = {row.id: (row.subscription_id, row.day - timedelta(days=1)) for row in claimed if row.day}
    return {delivery: reasons[day] for delivery, day in before.items() if day in reasons}


def _why(state: str, reason: str) -> str:
    return why(DeliveryState.EXPIRED, "") if state in _STILL_OPEN else why(DeliveryState(state), reason)
