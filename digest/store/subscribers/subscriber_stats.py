"""How many readers came, left and were lost, day by day (UTC): for the operator's plots."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from digest.domain.subscriber import SubscriptionState
from digest.store.schema import returns, subscriptions, suppressions


class SubscriberStats:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def active(self, list_name: str) -> int:
        """ACTIVE subscriptions of a list now."""
        where = (subscriptions.c.list == list_name, subscriptions.c.state == SubscriptionState.ACTIVE.value)
        return self._connection.scalar(select(func.count()).select_from(subscriptions).where(*where)) or 0

    def confirmed(self, since: datetime) -> dict[date, int]:
        """Subscriptions by the day they were (last) confirmed; days without any are not in it."""
        return self._by_day(subscriptions.c.confirmed_at, since)

    def ended(self, since: datetime) -> dict[date, int]:
        """Subscriptions that were confirmed and ended, by the day they did; one that began again is not among them."""
        return self._by_day(subscriptions.c.ended_at, since, subscriptions.c.confirmed_at.is_not(None))

    def returned(self, since: datetime) -> dict[str, dict[date, int]]:
        """Bounces and complaints, by kind ("hard", "soft", "complaint" …), then day."""
        kinds = self._connection.scalars(select(returns.c.kind).where(returns.c.at >= since).distinct()).all()
        return {kind: self._by_day(returns.c.at, since, returns.c.kind == kind) for kind in sorted(kinds)}

    def suppressed(self, since: datetime) -> dict[str, dict[date, int]]:
        """By reason, then day."""
        reasons = self._connection.scalars(select(suppressions.c.reason).where(suppressions.c.at >= since).distinct()).all()
        return {reason: self._by_day(suppressions.c.at, since, suppressions.c.reason == reason) for reason in sorted(reasons)}

    def _by_day(self, column: ColumnElement[Any], since: datetime, *where: ColumnElement[bool]) -> dict[date, int]:
        # SQLite keeps instants as text in UTC; PostgreSQL would take the day in the session's zone
        sqlite = self._connection.dialect.name == "sqlite"
        day = func.date(column) if sqlite else func.date(func.timezone("UTC", column))
        rows = self._connection.execute(select(day, func.count()).where(column >= since, *where).group_by(day))
        return {date.fromisoformat(str(found)): count for found, count in rows}
