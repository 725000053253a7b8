"""Column types that hold the project's promises about values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import DateTime, Dialect, SmallInteger
from sqlalchemy.types import TypeDecorator

from digest.domain.instant import as_utc


class Instant(TypeDecorator[datetime]):
    """An aware datetime, in UTC when it comes back. A naive one raises InvalidInstant before it reaches the database.

    PostgreSQL: timestamptz. SQLite has no time zones: text of fixed width in UTC, which sorts as the instants do.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        instant = as_utc(value, "instant for the store")
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """SQLite's text is read at once: by way of a naive datetime it takes three times as long, and a claim reads thousands."""
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


@lru_cache(maxsize=1024)
def _from_text(text: str | None) -> datetime | None:
    """Rows that are read together mostly hold the same few instants."""
    return None if text is None else datetime.fromisoformat(text + "+00:00")


class Weekdays(TypeDecorator[frozenset[int]]):
    """A set of days, Monday = 0, as seven bits: equal sets are equal numbers, so cohorts can be grouped by it."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: frozenset[int] | None, dialect: Dialect) -> int | None:
        return None if value is None else sum(1 << day for day in value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> frozenset[int] | None:
        return None if value is None else frozenset(day for day in range(7) if value >> day & 1)


PREFERENCE_COLUMNS = (
    "timezone",
    "hour",
    "weekdays",
    "frequency",
    "picks",
    "style",
    "language",
    "authors_words",
    "paused_until",
    "interests",
    "personal",
)
"""Columns of what a reader asks for: of a subscription, and of a request that is not confirmed."""
