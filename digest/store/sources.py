"""What a source must remember between runs: validators, resumption tokens, when it was last fresh."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from digest.store.dialect import chunks, insert_into, one_at_a_time
from digest.store.schema import source_states


class Sources:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def load(self, source: str, key: str) -> dict[str, Any] | None:
        value: dict[str, Any] | None = self._connection.scalar(
            select(source_states.c.value).where(source_states.c.source == source, source_states.c.key == key)
        )
        return value

    def all(self, key: str) -> dict[str, dict[str, Any]]:
        """What lies under `key`, by source."""
        found = select(source_states.c.source, source_states.c.value).where(source_states.c.key == key)
        return {row.source: row.value for row in self._connection.execute(found)}

    def some(self, source: str, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """What lies under a source's keys, for those where something does."""
        found: dict[str, dict[str, Any]] = {}
        for wanted in chunks(keys):
            where = (source_states.c.source == source, source_states.c.key.in_(wanted))
            rows = self._connection.execute(select(source_states.c.key, source_states.c.value).where(*where))
            found |= {row.key: row.value for row in rows}
        return found

    def save(self, source: str, key: str, value: dict[str, Any], at: datetime) -> None:
        """Replaces what was there under (source, key). `value` must be JSON."""
        row = {"value": value, "updated_at": at}
        statement = insert_into(self._connection, source_states).values(source=source, key=key, **row)
        self._connection.execute(statement.on_conflict_do_update(index_elements=["source", "key"], set_=row))

    def change(self, source: str, key: str, how: Callable[[dict[str, Any]], dict[str, Any]], at: datetime) -> None:
        """Replaces what is under (source, key) by what `how` makes of it ({}: nothing yet); nobody else does so meanwhile."""
        one_at_a_time(self._connection, f"{source} {key}")
        self.save(source, key, how(self.load(source, key) or {}), at)

    def forget(self, source: str, key: str) -> None:
        where = (source_states.c.source == source, source_states.c.key == key)
        self._connection.execute(delete(source_states).where(*where))

    def forget_before(self, source: str, before: datetime) -> None:
        """Everything of a source that was saved earlier."""
        self._connection.execute(
            delete(source_states).where(source_states.c.source == source, source_states.c.updated_at < before)
        )
