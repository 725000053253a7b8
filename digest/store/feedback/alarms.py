"""What the operator was told of, so that one cause is not told of again and again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, select

from digest.store.dialect import insert_new, one_at_a_time
from digest.store.schema import alarms


class Alarms:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def raise_once(self, cause: str, at: datetime, quiet: timedelta, said: str) -> bool:
        """Whether this cause was not told for `quiet` (a day or longer): who hears so, of several at once, tells the operator."""
        one_at_a_time(self._connection, "alarms")
        # not before a clock that was once ahead, either
        lately = (alarms.c.cause == cause) & (alarms.c.at > at - quiet) & (alarms.c.at < at + quiet)
        if self._connection.scalar(select(alarms.c.at).where(lately).limit(1)):
            return False
        row = {"cause": cause, "day": at.astimezone(UTC).date(), "at": at, "said": said[:2000]}
        return insert_new(self._connection, alarms, [row]) > 0

    def take_back(self, cause: str, at: datetime) -> None:
        """What was raised at `at` could not be told: the next who finds it may try."""
        self._connection.execute(delete(alarms).where(alarms.c.cause == cause, alarms.c.at == at))

    def since(self, at: datetime) -> list[tuple[str, datetime, str]]:
        """(cause, when, what was said), newest first."""
        rows = self._connection.execute(select(alarms).where(alarms.c.at >= at).order_by(alarms.c.at.desc(), alarms.c.cause))
        return [(row.cause, row.at, row.said) for row in rows]
