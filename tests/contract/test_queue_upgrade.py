"""Procrastinate's tables as its own earlier releases left them are brought to the one installed here by `digest migrate`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from digest.store.deliveries.jobs import SCHEMA
from digest.store.engine import open_engine
from digest.store.migrate import upgrade
from digest.store.unit_of_work import Store

RELEASES = {
    "3.2": "03.02.00_50_post_batch_defer_jobs",
    "3.3": "03.03.00_01_pre_priority_lock_fetch_job",
    "3.4": "03.04.00_50_post_add_retry_failed_job_procedure",
}
"""A release, and the last migration that belongs to it."""


@pytest.fixture
def fresh(postgresql_url: str) -> Iterator[Engine]:
    engine = open_engine(postgresql_url)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(empty_postgresql_url: str) -> Iterator[Engine]:
    engine = open_engine(empty_postgresql_url)
    yield engine
    engine.dispose()


def tables_of(release: str, engine: Engine, *, marked: bool) -> None:
    """By Procrastinate's own scripts, from its first to that release's last; with a job that waits."""
    schema = pytest.importorskip("procrastinate.schema", reason="procrastinate is not installed")
    last = RELEASES[release]
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        connection.execute(text(f"SET search_path = {SCHEMA}"))
        driver = connection.connection.driver_connection
        assert driver is not None
        for file in sorted(Path(schema.SchemaManager.get_migrations_path()).glob("*.sql")):
            if file.stem <= last:
                driver.execute(file.read_text("utf-8"))
        columns = "(queue_name, task_name, queueing_lock)"
        connection.execute(text(f"INSERT INTO procrastinate_jobs {columns} VALUES ('outbox', 'work', 'outbox/0')"))
        if marked:
            connection.execute(text(f"COMMENT ON SCHEMA {SCHEMA} IS '{last}'"))
        connection.execute(text("RESET search_path"))


def shape(engine: Engine) -> dict[str, set[tuple[object, ...]]]:
    """What the queue's schema consists of, whatever the order it came in."""
    questions = {
        "functions": "SELECT proname, pg_get_function_arguments(p.oid), md5(regexp_replace(prosrc, '\\s+', ' ', 'g'))"
        " FROM pg_proc p WHERE pronamespace = :schema ::regnamespace",
        "columns": "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = :schema",
        "values": "SELECT typname, enumlabel FROM pg_enum JOIN pg_type t ON t.oid = enumtypid"
        " WHERE typnamespace = :schema ::regnamespace",
        "triggers": "SELECT tgname, tgrelid::regclass::text FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid"
        " WHERE NOT tgisinternal AND relnamespace = :schema ::regnamespace",
        "indexes": "SELECT indexname FROM pg_indexes WHERE schemaname = :schema",
    }
    with engine.connect() as connection:
        return {
            name: {tuple(row) for row in connection.execute(text(question), {"schema": SCHEMA})}
            for name, question in questions.items()
        }


@pytest.mark.parametrize("marked", [True, False], ids=["marked", "from before there were marks"])
@pytest.mark.parametrize("release", RELEASES)
def test_an_older_queue_becomes_this_releases(release: str, marked: bool, engine: Engine, fresh: Engine) -> None:
    tables_of(release, engine, marked=marked)
    before = shape(engine)
    upgrade(engine)
    assert shape(engine) == shape(fresh)
    assert (shape(engine) != before) == (release != "3.4")
    upgrade(engine)  # and again: nothing is left to do
    store = Store(engine, str)
    with store.begin() as unit:
        assert unit.jobs.waiting() == 1, "the job that waited still does"
        unit.jobs.nudge(1)
        assert unit.jobs.waiting() == 1


def test_newer_tables_are_left_alone(engine: Engine) -> None:
    """Another host was upgraded first."""
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text(f"COMMENT ON SCHEMA {SCHEMA} IS '99.00.00_01_pre_something'"))
    before = shape(engine)
    upgrade(engine)
    assert shape(engine) == before
