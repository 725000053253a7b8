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
    before = {(row.subscription_id, row.day - timedelta(days=1)): row.id for row in claimed if row.day}
    if not before:
        return {}
    d = deliveries.c
    of_readers = among(connection, d.subscription_id, [reader for reader, _ in before])
    # one index entry for each reader and day (uq_deliveries_day)
    these = (of_readers, d.day.in_({day for _, day in before}), d.state.in_(_NOT_DELIVERED))
    found = connection.execute(select(d.subscription_id, d.day, d.state, d.reason).where(*these))
    return {
        before[row.subscription_id, row.day]: why(DeliveryState(row.state), row.reason)
        for row in found
        if (row.subscription_id, row.day) in before
    }
