"""Leases: what only one process may do at a time, such as being the scheduler. The database's own clock judges them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from digest.store.dialect import database_now, from_now, insert_into
from digest.store.schema import leases


class Leases:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, name: str, owner: str, term: timedelta) -> bool:
        """Whether `owner` holds the lease for `term` from now: it was free, had run out, or was theirs already.

        One that ends later than `term` from now was taken while the clock stood ahead: it counts as run out.
        """
        now, until = from_now(self._connection), from_now(self._connection, term)
        row = {"owner": owner, "until": until}
        statement = insert_into(self._connection, leases).values(name=name, **row)
        free = (leases.c.owner == owner) | (leases.c.until < now) | (leases.c.until > until)
        statement = statement.on_conflict_do_update(index_elements=["name"], set_=row, where=free)
        return self._connection.execute(statement.returning(leases.c.name)).first() is not None

    def give_back(self, name: str, owner: str) -> None:
        """The next who asks has it. Nothing happens where it is not `owner`'s."""
        self._connection.execute(delete(leases).where(leases.c.name == name, leases.c.owner == owner))

    def holder(self, name: str) -> tuple[str, datetime] | None:
        """Who took it last, and until when it is theirs."""
        row = self._connection.execute(select(leases.c.owner, leases.c.until).where(leases.c.name == name)).first()
        return (row.owner, row.until) if row else None

    def now(self) -> datetime:
        """By the clock that judges."""
        return database_now(self._connection)

    def held(self, name: str) -> bool:
        """Whether it is somebody's now."""
        holder = self.holder(name)
        return holder is not None and holder[1] >= self.now()
