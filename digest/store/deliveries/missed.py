"""Whether the email of a reader's day before arrived: the next one says so where it did not."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from digest.domain.delivery import DeliveryState
from digest.domain.delivery_words import why
from digest.store.dialect import among
from digest.store.schema import deliveries

_NOT_DELIVERED = (DeliveryState.FAILED.value, DeliveryState.EXPIRED.value)


def missed_before(connection: Connection, claimed: Collection[Row[Any]]) -> dict[int, str]:
    """By delivery id, why the email of the day before failed or expired, in words for the reader.

    Of rows with `id`, `subscription_id` and `day`; those without a day are brought by no schedule.
    """
    days = {row.day - timedelta(days=1) for row in claimed if row.day}
    if not days:
        return {}
    d = deliveries.c
    # one index entry for each reader and day (uq_deliveries_day)
    these = (among(connection, d.subscription_id, [row.subscription_id for row in claimed]), d.day.in_(days))
    found = connection.execute(select(d.subscription_id, d.day, d.state, d.reason).where(*these, d.state.in_(_NOT_DELIVERED)))
    reasons = {(row.subscription_id, row.day): why(DeliveryState(row.state), row.reason) for row in found}
    if not reasons:  # as nearly always
        return {}
    before = {row.id: (row.subscription_id, row.day - timedelta(days=1)) for row in claimed if row.day}
    return {delivery: reasons[day] for delivery, day in before.items() if day in reasons}
