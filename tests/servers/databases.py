"""The store as fixtures: `store` runs a test twice, on SQLite and on PostgreSQL; each test has a database of its own.

Migrations run once a session; a test gets a copy of what they made.
"""

from __future__ import annotations

import hashlib
import itertools
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, make_url, text

from digest.store import migrate
from digest.store.engine import open_engine
from digest.store.migrate import upgrade
from digest.store.unit_of_work import Store
from tests.servers import postgresql

_NUMBERS = itertools.count()


def hash_address(key: str) -> str:
    return hashlib.sha256(b"a key for tests" + key.encode()).hexdigest()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "migrated.sqlite"
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()  # the last connection to close folds the write-ahead log into the file
    return path


@pytest.fixture(scope="session", autouse=True)
def _copied_when_new(migrated_sqlite: Path) -> Iterator[None]:
    """A container of our process copies what the migrations made into an empty SQLite file: a twentieth of the work of running
    them again. Tests of migrations call `upgrade` themselves, or start a process.
    """

    def upgraded(engine: Engine, hash_address: Callable[[str], str] | None = None) -> tuple[str | None, str]:
        if engine.dialect.name != "sqlite":
            return upgrade(engine, hash_address)
        with engine.connect() as connection:
            empty = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one() == 0
            connection.rollback()
            driver: Any = connection.connection.dbapi_connection
            if empty:
                with closing(sqlite3.connect(migrated_sqlite)) as migrated:
                    migrated.backup(driver)
        before, now = upgrade(engine, hash_address)
        return None if empty else before, now

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "upgrade", upgraded)
        yield


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'digest.sqlite')}"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of an empty database of a running server."""
    if reason := postgresql.missing():
        pytest.skip(reason)
    with postgresql.postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: str) -> str:
    _administer(postgresql_server, "CREATE DATABASE migrated")
    engine = open_engine(_with_database(postgresql_server, "migrated"))
    upgrade(engine)
    engine.dispose()
    return postgresql_server


@pytest.fixture
def empty_postgresql_url(postgresql_server: str) -> Iterator[str]:
    yield from _database(postgresql_server, "template1")


@pytest.fixture
def postgresql_url(migrated_postgresql: str) -> Iterator[str]:
    yield from _database(migrated_postgresql, "migrated")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database; the test runs once with each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a schema; the test runs once with each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite'}"
    url: str = request.getfixturevalue("empty_postgresql_url")
    return url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    yield from _store(database_url)


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    yield from _store(sqlite_url)


def _store(url: str) -> Iterator[Store]:
    store = Store(open_engine(url), hash_address)
    yield store
    store.close()


def _database(server: str, template: str) -> Iterator[str]:
    name = f"test_{next(_NUMBERS)}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _with_database(server, name)
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def _with_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _administer(server: str, command: str) -> None:
    engine = open_engine(server)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(command))
    engine.dispose()
