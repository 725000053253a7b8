"""How often something was done lately: what limits on requests count with. Keys are kept as keyed hashes only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, select

from digest.store.schema import allowances
from digest.store.statements import insert_into


class Allowances:
    def __init__(self, connection: Connection, hash_key: Callable[[str], str]) -> None:
        self._connection = connection
        self._hash_key = hash_key

    def use(self, key: str, at: datetime, per: timedelta) -> int:
        """Counts one more use of `key` and returns how many there were in the fixed window of `per` that holds `at`."""
        statement = insert_into(self._connection, allowances).values({**self._window(key, at, per), "used": 1})
        counted = statement.on_conflict_do_update(
            index_elements=["key_hash", "window_start"], set_={"used": allowances.c.used + 1}
        )
        return int(self._connection.scalar(counted.returning(allowances.c.used)) or 0)

    def used(self, key: str, at: datetime, per: timedelta) -> int:
        """How many there were in that window so far; counts none."""
        where = [allowances.c[name] == value for name, value in self._window(key, at, per).items()]
        return self._connection.scalar(select(allowances.c.used).where(*where)) or 0

    def _window(self, key: str, at: datetime, per: timedelta) -> dict[str, object]:
        start = datetime.fromtimestamp(at.timestamp() // per.total_seconds() * per.total_seconds(), UTC)
        return {"key_hash": self._hash_key(f"{key}/{per.total_seconds():.0f}"), "window_start": start}

    def forget(self, before: datetime) -> int:
        """Drops the windows that began before; returns how many."""
        return self._connection.execute(delete(allowances).where(allowances.c.window_start < before)).rowcount
