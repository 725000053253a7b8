"""Bringing the schema up to date, and refusing to work on one that is not.

Migrations are Alembic's, shipped in the package and configured here: no ini file, no command line of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from digest.domain.errors import DatabaseUnreachable, SchemaMismatch
from digest.store.deliveries import jobs
from digest.store.dialect import one_at_a_time
from digest.store.engine import WRITES, close_to_others, one_line, place_of
from digest.store.schema import REVISION

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(engine: Engine, hash_address: Callable[[str], str] | None = None) -> tuple[str | None, str]:
    """Brings the schema to this program's; returns (revision before, revision now), None for an empty database.

    One transaction under a lock: a second process waits, then finds nothing to do; a migration that fails leaves the schema as it
    was. `hash_address` is what suppressions are kept by: a database with international addresses is not brought past 0011
    without. Then, on PostgreSQL, the queue's own tables (jobs.py). A SQLite file that was copied into place is closed to others.
    Raises SchemaMismatch for a database newer than this program, DatabaseUnreachable.
    """
    close_to_others(engine.url)
    return _move(engine, REVISION, hash_address)


def downgrade(engine: Engine, revision: str = "base", hash_address: Callable[[str], str] | None = None) -> tuple[str | None, str]:
    """Back to an earlier revision; what only later tables hold is lost. "base" leaves an empty database."""
    return _move(engine, revision, hash_address)


def check(engine: Engine) -> None:
    """Raises SchemaMismatch where the schema is older or newer than this program, DatabaseUnreachable."""
    try:
        with engine.connect() as connection:
            found = _current(connection)
    except DBAPIError as error:
        raise DatabaseUnreachable(f"database {place_of(engine.url)}: {one_line(error)}") from error
    if found != REVISION:
        raise _mismatch(engine, found)


def _move(engine: Engine, target: str, hash_address: Callable[[str], str] | None) -> tuple[str | None, str]:
    try:
        with (
            engine.connect().execution_options(**{WRITES: True}) as connection,
            _foreign_keys_off(connection),
            connection.begin(),
        ):
            one_at_a_time(connection, "migrate")
            before = _current(connection)
            if before is not None and before > REVISION:
                raise _mismatch(engine, before)
            if before != target:
                _run(connection, target, hash_address)
                _check_references(connection)
        if target == REVISION:
            _queue(engine)
        return before, target
    except DBAPIError as error:
        raise DatabaseUnreachable(f"database {place_of(engine.url)}: {one_line(error)}") from error


@contextmanager
def _foreign_keys_off(connection: Connection) -> Iterator[None]:
    """SQLite: so that a table can be made anew. It can only be said outside of a transaction."""
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.name != "sqlite":
        yield
        return
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def _check_references(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        assert broken is None, f"a migration left {broken} without what it refers to"


def _queue(engine: Engine) -> None:
    """The tables that nudge workers; without them, or with older ones, the outbox is whole all the same."""
    more = True
    while more:
        with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
            one_at_a_time(connection, "migrate")
            more = jobs.install(connection)


def _run(connection: Connection, target: str, hash_address: Callable[[str], str] | None) -> None:
    from alembic import command  # here, because it is slow to import and rarely needed

    config = alembic_config(connection)
    config.attributes["hash_address"] = hash_address
    if target == "base" or (_current(connection) or "") > target:
        command.downgrade(config, target)
    else:
        command.upgrade(config, target)


def alembic_config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _mismatch(engine: Engine, found: str | None) -> SchemaMismatch:
    place = f"database {place_of(engine.url)}"
    if found is None:
        return SchemaMismatch(f"{place}: holds no schema yet; run `digest migrate`")
    if found > REVISION:
        return SchemaMismatch(f"{place}: is at revision {found}, this program knows {REVISION}; upgrade the program")
    return SchemaMismatch(f"{place}: is at revision {found}, this program needs {REVISION}; run `digest migrate`")
