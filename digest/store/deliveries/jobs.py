"""Nudges for workers, through Procrastinate's tables in the same PostgreSQL database (a schema of their own).

A job says no more than "look at the outbox"; the outbox says what is to be done. So a job that is lost costs a few seconds, one
that comes twice finds nothing to do, and deferring it in the transaction that makes the rows means that neither is there without
the other. On SQLite, or without Procrastinate's tables, all of this does nothing.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

SCHEMA = "procrastinate"
QUEUE = "outbox"
WORK = "work"
"""The name of the task that works the outbox (worker.py)."""
EACH = 2000
"""Deliveries that are worth another worker."""
MOST = 64
"""Jobs that wait at most: no number of deliveries makes more."""
URGENT = 100
"""Priority of a nudge for one reader who waits; everybody's have 0."""


def install(connection: Connection) -> bool:
    """One step towards the tables of the Procrastinate installed here: all of them, or the next of its migrations.

    Says whether there may be another step. Each belongs in a transaction of its own, under the lock of `digest migrate`: a value
    that one adds to an enum can be used by the next only after a commit. Newer tables are left alone.
    """
    if connection.dialect.name != "postgresql" or importlib.util.find_spec("procrastinate") is None:
        return False
    from procrastinate.schema import SchemaManager

    known = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    if installed(connection):
        there = _migrated_to(connection)
        step = next((file for file in known if file.stem > there), None)
        if step is None:
            return False
        script = step.read_text("utf-8")
    else:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        step, script = known[-1], SchemaManager.get_schema()
    path = connection.scalar(text("SHOW search_path"))
    driver: Any = connection.connection.driver_connection
    driver.execute(f"SET LOCAL search_path = {SCHEMA}")
    driver.execute(script)
    driver.execute(f"SET LOCAL search_path = {path}")
    connection.execute(text(f"COMMENT ON SCHEMA {SCHEMA} IS '{step.stem}'"))
    return True


def _migrated_to(connection: Connection) -> str:
    """The last of Procrastinate's migrations in its tables: it keeps no record itself, so the schema's comment says it.

    Tables made before that are of 3.2 (the oldest this program ever took), unless what 3.4 brought is there.
    """
    words: str | None = connection.scalar(text(f"SELECT obj_description('{SCHEMA}'::regnamespace, 'pg_namespace')"))
    if words:
        return words
    newer = connection.scalar(
        text("SELECT 1 FROM pg_proc WHERE proname = 'procrastinate_retry_job_v2' AND pronamespace = CAST(:s AS regnamespace)"),
        {"s": SCHEMA},
    )
    return "03.04.00_50_post_add_retry_failed_job_procedure" if newer else "03.02.00_50_post_batch_defer_jobs"


def installed(connection: Connection) -> bool:
    if connection.dialect.name != "postgresql":
        return False
    return connection.scalar(text(f"SELECT to_regclass('{SCHEMA}.procrastinate_jobs')")) is not None


_DEFER = text(
    f"INSERT INTO {SCHEMA}.procrastinate_jobs (queue_name, task_name, priority, queueing_lock, args)"  # noqa: S608 - constants
    " VALUES (:queue, :task, :priority, :lock, '{}') ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING"
)


class Jobs:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def nudge(self, deliveries: int, *, urgent: bool = False) -> None:
        """Has workers look at the outbox: more of them for more deliveries. A nudge that waits already is not made again."""
        if deliveries < 1 or not installed(self._connection):
            return
        locks = ["urgent"] if urgent else [f"outbox/{n}" for n in range(min(-(-deliveries // EACH), MOST))]
        common = {"queue": QUEUE, "task": WORK, "priority": URGENT if urgent else 0}
        # the triggers of these tables name what they call without its schema
        path = self._connection.scalar(text("SHOW search_path"))
        self._connection.execute(text(f"SET LOCAL search_path = {SCHEMA}"))
        self._connection.execute(_DEFER, [{**common, "lock": lock} for lock in locks])
        self._connection.execute(text(f"SET LOCAL search_path = {path}"))

    def waiting(self) -> int:
        """Nudges that nobody has taken yet."""
        if not installed(self._connection):
            return 0
        todo = text(f"SELECT count(*) FROM {SCHEMA}.procrastinate_jobs WHERE status = 'todo'")  # noqa: S608 - constants
        return self._connection.scalar(todo) or 0
