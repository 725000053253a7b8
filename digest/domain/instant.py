"""Instants: aware datetimes in UTC. Naive ones are refused where they enter."""

from __future__ import annotations

from datetime import UTC, datetime

from digest.domain.errors import InvalidInstant


def parse_instant(text: str, where: str = "instant") -> datetime:
    """Reads ISO 8601 with an offset ("2025-11-06T02:45:08Z") into an aware datetime in UTC. Raises InvalidInstant."""
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInstant(where, f"{text[:40]!r} should be like 2025-11-06T02:45:08Z") from None
    return as_utc(instant, where)


def as_utc(instant: datetime, where: str = "instant") -> datetime:
    """The same instant in UTC. Raises InvalidInstant for a naive one: we never guess a time zone."""
    if instant.tzinfo is None:
        raise InvalidInstant(where, f"{instant.isoformat()} has no offset; should be like 2025-11-06T02:45:08Z")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise InvalidInstant(where, f"{instant.isoformat()} is outside the years 1 to 9999") from None


def isoformat(instant: datetime) -> str:
    """How instants are printed: UTC, whole seconds where they are whole, with "Z"."""
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return instant.isoformat()[:-6] + "Z"
