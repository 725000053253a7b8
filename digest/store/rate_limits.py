"""How often something was done lately: what limits on requests count with. Keys are kept as keyed hashes only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select, update

from digest.store.dialect import insert_into
from digest.store.schema import rate_limits


class RateLimits:
    def __init__(self, connection: Connection, hash_key: Callable[[str], str]) -> None:
        self._connection = connection
        self._hash_key = hash_key

    def use(self, key: str, at: datetime, per: timedelta, count: int = 1) -> int:
        """Counts so many more uses of `key` and returns how many there were in the fixed window of `per` that holds `at`."""
        statement = insert_into(self._connection, rate_limits).values({**self._window(key, at, per), "used": count})
        counted = statement.on_conflict_do_update(
            index_elements=["key_hash", "window_start"], set_={"used": rate_limits.c.used + count}
        )
        return int(self._connection.scalar(counted.returning(rate_limits.c.used)) or 0)

    def take(self, key: str, at: datetime, per: timedelta, limit: int, wanted: int) -> int:
        """Counts up to `wanted` more uses in that window, never more than `limit` in all; returns how many were granted."""
        window = self._window(key, at, per)
        here = (rate_limits.c.key_hash == window["key_hash"], rate_limits.c.window_start == window["window_start"])
        self._connection.execute(
            insert_into(self._connection, rate_limits).values({**window, "used": 0}).on_conflict_do_nothing()
        )
        used = self._connection.scalar(select(rate_limits.c.used).where(*here).with_for_update()) or 0
        granted = max(min(wanted, limit - used), 0)
        if granted:
            self._connection.execute(update(rate_limits).where(*here).values(used=used + granted))
        return granted

    def used(self, key: str, at: datetime, per: timedelta) -> int:
        """How many there were in that window so far; counts none."""
        where = [rate_limits.c[name] == value for name, value in self._window(key, at, per).items()]
        return self._connection.scalar(select(rate_limits.c.used).where(*where)) or 0

    def _window(self, key: str, at: datetime, per: timedelta) -> dict[str, Any]:
        seconds = per.total_seconds()
        start = datetime.fromtimestamp(at.timestamp() // seconds * seconds, UTC)
        return {"key_hash": self._hash_key(f"{key}/{seconds:.0f}"), "window_start": start}

    def forget(self, before: datetime) -> int:
        """Drops the windows that began before; returns how many."""
        return self._connection.execute(delete(rate_limits).where(rate_limits.c.window_start < before)).rowcount
