"""What the operator was told of, so that one cause is told of once a day."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection, delete, select

from digest.store.schema import alarms
from digest.store.statements import insert_new


class Alarms:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def raise_once(self, cause: str, day: date, at: datetime, said: str) -> bool:
        """Whether this cause is new on that day: whoever is told so, of several at once, tells the operator."""
        return insert_new(self._connection, alarms, [{"cause": cause, "day": day, "at": at, "said": said[:2000]}]) > 0

    def take_back(self, cause: str, day: date) -> None:
        """It could not be told: the next who finds it may try."""
        self._connection.execute(delete(alarms).where(alarms.c.cause == cause, alarms.c.day == day))

    def since(self, at: datetime) -> list[tuple[str, datetime, str]]:
        """(cause, when, what was said), newest first."""
        rows = self._connection.execute(select(alarms).where(alarms.c.at >= at).order_by(alarms.c.at.desc(), alarms.c.cause))
        return [(row.cause, row.at, row.said) for row in rows]
