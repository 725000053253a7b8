"""Opening the database: SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from digest.domain.errors import ConfigurationError, DatabaseUnreachable

WRITES = "digest_writes"
"""Execution option of a connection whose transaction is going to write."""

_BUSY_SECONDS = 30
_BUSY = ("SQLITE_BUSY", "SQLITE_BUSY_RECOVERY", "SQLITE_BUSY_SNAPSHOT")
_NAP = 0.002
_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def open_engine(url: str) -> Engine:
    """An engine that has answered once. A SQLite file that is not there is made, for its owner alone, and its folder.

    Raises ConfigurationError for what is no URL of ours, DatabaseUnreachable (one line, without the password) for no answer.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = _sqlite(parsed)
    else:
        engine = create_engine(parsed, json_serializer=_dumps, pool_pre_ping=True, connect_args={"connect_timeout": 10})
        event.listen(engine, "connect", _unprepared_behind_a_pooler)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
    except (SQLAlchemyError, OSError) as error:
        engine.dispose()
        raise DatabaseUnreachable(f"database {place_of(parsed)}: {one_line(error)}") from error
    return engine


def place_of(url: URL) -> str:
    """How a database is named to people: no password, no query (which may hold one)."""
    return url.set(query={}).render_as_string(hide_password=True)


def one_line(error: BaseException) -> str:
    """What the driver said, without the statement and its parameters (they may hold addresses)."""
    words = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return " ".join(str(words).split()) or type(words).__name__


def parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
        return parsed.set(drivername=_DRIVERS[parsed.drivername])
    except (ArgumentError, KeyError, ValueError):
        raise ConfigurationError(
            "database.url", "should be like sqlite:///digest.sqlite or postgresql://user@host/name"
        ) from None


_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Made once: `json.dumps` would make an encoder for each of a million values."""


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:" and not url.database.startswith("file:"):
        try:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
            # addresses are in it: others on this machine have no business there. The files beside it are made like it.
            with suppress(FileExistsError):
                os.close(os.open(url.database, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise DatabaseUnreachable(f"database {place_of(url)}: {error.strerror}") from error
    engine = create_engine(url, json_serializer=_dumps, connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def close_to_others(url: URL) -> None:
    """Takes the rights of everybody else (owner and group keep theirs) off a SQLite file, and off those beside it."""
    if url.get_backend_name() == "sqlite" and url.database:
        for name in (url.database, f"{url.database}-wal", f"{url.database}-shm"):
            with suppress(OSError):  # none there, or not ours: then its owner decides
                file = Path(name)
                file.chmod(file.stat().st_mode & 0o770)


def _unprepared_behind_a_pooler(connection: Any, _record: Any) -> None:
    """A pooler (pgbouncer) may give each transaction another server, where what was prepared is not, or is another's."""
    record = connection.info.backend_pid
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()", prepare=False)
        served = cursor.fetchone()[0]
    connection.rollback()
    if record != served:
        connection.prepare_threshold = None


def transactions_are_pooled(engine: Engine) -> bool:
    """Whether a pooler gives each transaction a server of its own choice: then no session can be listened in.

    Raises DatabaseUnreachable where it goes away meanwhile.
    """
    try:
        return _are_pooled(engine)
    except DBAPIError as error:
        raise DatabaseUnreachable(f"database {place_of(engine.url)}: {one_line(error)}") from error


def _are_pooled(engine: Engine) -> bool:
    with engine.connect() as ours:
        with ours.begin():
            before = ours.execute(_SERVER).scalar_one()
        for _ in range(3):  # others take the server that ours has just left
            with engine.connect() as other, other.begin():
                other.execute(_SERVER)
                with ours.begin():
                    if ours.execute(_SERVER).scalar_one() != before:
                        return True
    return False


_SERVER = text("SELECT pg_backend_pid()")


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver must not begin transactions behind our back: _begin does, and knows which kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
    _into_wal(cursor)
    # FULL, not NORMAL: in WAL mode NORMAL may forget the last commits at a power cut, and a forgotten "accepted" is a mail sent
    # twice. We commit by the batch, so it costs one fsync for hundreds of rows.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")  # who is erased leaves nothing in free pages either
    cursor.execute("PRAGMA cache_size = -32768")
    cursor.close()


def _into_wal(cursor: sqlite3.Cursor) -> None:
    # The move to WAL wants the file for itself and does not ask the busy handler: of several processes that open a new store at
    # once, all but one are told "locked" at once. They look again; mostly the move has been made by then.
    until = time.monotonic() + _BUSY_SECONDS
    while cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() >= until:
                raise
            Event().wait(_NAP)


def _begin(connection: Connection) -> None:
    # A deferred transaction that starts by reading fails at its first write when another wrote meanwhile: no wait fixes that.
    if not connection.get_execution_options().get(WRITES, False):
        connection.exec_driver_sql("BEGIN")
        return
    # SQLite looks again for its turn after longer and longer naps, up to a tenth of a second: two processes that deliver, each
    # writing for some milliseconds at a time, would sleep through half of their time.
    until = time.monotonic() + _BUSY_SECONDS
    driver = connection.connection.cursor()  # the driver's own: an error of SQLAlchemy's costs more than the nap
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                driver.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname not in _BUSY or time.monotonic() >= until:
                    connection.exec_driver_sql("BEGIN IMMEDIATE")  # raises it as everybody expects, or has begun after all
                    return
            Event().wait(_NAP)
    finally:
        driver.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
        driver.close()
