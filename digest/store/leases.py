"""Leases: what only one process may do at a time, such as being the scheduler.

The database's own clock judges them where it has one to share (PostgreSQL): hosts' clocks differ. On SQLite all processes are on
one machine, and the caller's instant is as good.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select

from digest.store.dialect import insert_into
from digest.store.schema import leases


class Leases:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, name: str, owner: str, now: datetime, term: timedelta) -> bool:
        """Whether `owner` holds the lease for `term` from now: it was free, had run out, or was theirs already."""
        instant = self._now(now)
        row = {"owner": owner, "until": instant + term}
        statement = insert_into(self._connection, leases).values(name=name, **row)
        free = (leases.c.owner == owner) | (leases.c.until < instant)
        statement = statement.on_conflict_do_update(index_elements=["name"], set_=row, where=free)
        return self._connection.execute(statement.returning(leases.c.name)).first() is not None

    def give_back(self, name: str, owner: str) -> None:
        """The next who asks has it. Nothing happens where it is not `owner`'s."""
        self._connection.execute(delete(leases).where(leases.c.name == name, leases.c.owner == owner))

    def holder(self, name: str) -> tuple[str, datetime] | None:
        """Who took it last, and until when it is theirs."""
        row = self._connection.execute(select(leases.c.owner, leases.c.until).where(leases.c.name == name)).first()
        return (row.owner, row.until) if row else None

    def _now(self, given: datetime) -> datetime:
        if self._connection.dialect.name != "postgresql":
            return given
        told = self._connection.scalar(select(func.clock_timestamp()))
        assert isinstance(told, datetime)
        return told
