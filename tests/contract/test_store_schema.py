"""Migrated schema equals declared schema, on both databases; every migration can be reversed."""

from __future__ import annotations

import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError

from digest.domain.errors import ConfigurationError, DatabaseUnreachable, InvalidInstant, SchemaMismatch, StoreError
from digest.store.dialect import insert_many
from digest.store.engine import close_to_others, open_engine
from digest.store.migrate import alembic_config, check, downgrade, upgrade
from digest.store.schema import REVISION, identifiers, metadata, source_states
from digest.store.unit_of_work import Store
from tests.servers.running import PATIENCE
from tests.servers.stocked import NOW, know, papers

_NO_BRACKETS = str.maketrans("", "", "()")
"""PostgreSQL shows conditions with brackets of its own."""


def _ours(thing: object, name: str | None, kind: str, _reflected: bool, _compared: object) -> bool:
    """The word index (and FTS5's shadow tables) lie outside what SQLAlchemy can describe; test_store_papers.py tries it."""
    return not (name or "").startswith(("papers_words", "ix_papers_words"))


def test_what_the_migrations_make_is_what_is_declared(store: Store) -> None:
    with store.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_object": _ours}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
        made, declared = inspect(connection), metadata.sorted_tables
        for table in declared:  # partial indexes and their conditions, which compare_metadata does not look at
            dialect = connection.dialect.name
            conditions = {
                index["name"]: str(index.get("dialect_options", {}).get(f"{dialect}_where", "")).replace("::text", "")
                for index in made.get_indexes(table.name)
            }
            for index in table.indexes:
                where = index.dialect_options[dialect]["where"]
                declared_where = "" if where is None else str(where).translate(_NO_BRACKETS)
                assert conditions[index.name].translate(_NO_BRACKETS) == declared_where, index.name


def test_the_revision_that_start_looks_for_is_the_newest(store: Store) -> None:
    with store.engine.connect() as connection:
        scripts = ScriptDirectory.from_config(alembic_config(connection))
        assert scripts.get_heads() == [REVISION]
        assert all(revision.module.__doc__ and hasattr(revision.module, "downgrade") for revision in scripts.walk_revisions())


def test_up_down_and_up_again(empty_database_url: str) -> None:
    engine = open_engine(empty_database_url)
    with pytest.raises(SchemaMismatch, match="holds no schema yet; run `digest migrate`"):
        check(engine)
    assert upgrade(engine) == (None, REVISION)
    check(engine)
    assert upgrade(engine) == (REVISION, REVISION)
    assert downgrade(engine) == (REVISION, "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    assert upgrade(engine) == (None, REVISION)
    know(Store(engine, str))
    engine.dispose()


def test_several_processes_may_migrate_at_once(empty_database_url: str) -> None:
    def migrate(_: int) -> str | None:
        engine = open_engine(empty_database_url)
        before, _after = upgrade(engine)
        engine.dispose()
        return before

    with ThreadPoolExecutor(4) as pool:
        assert sorted(map(str, pool.map(migrate, range(4)))) == [REVISION] * 3 + ["None"]


def test_a_new_file_that_another_process_holds_is_waited_for(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool, closing(sqlite3.connect(tmp_path / "new.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE held (id INTEGER)")
        opening = pool.submit(open_engine, f"sqlite:///{tmp_path}/new.sqlite")
        assert wait([opening], timeout=0.2).not_done, "not refused at once"
        other.execute("COMMIT")
        opening.result(timeout=PATIENCE).dispose()


def test_a_database_of_another_age_is_refused(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for move in (check, upgrade):
        with pytest.raises(SchemaMismatch, match=r"is at revision 9999, this program knows \d{4}; upgrade the program"):
            move(engine)
    engine.dispose()


def test_a_store_without_its_tables_says_so(empty_database_url: str) -> None:
    store = Store(open_engine(empty_database_url), str)
    with pytest.raises(SchemaMismatch, match="run `digest migrate`"), store.read() as unit:
        unit.papers.count()
    store.close()


@pytest.mark.parametrize(
    "url",
    ["", "digest.sqlite", "mysql://localhost/digest", "postgresql+psycopg2://localhost/x", "sqlite+aiosqlite:///x", "http://x"],
)
def test_what_is_no_database_of_ours_is_a_matter_of_configuration(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"database\.url: should be like sqlite"):
        open_engine(url)


def test_no_answer_is_one_line_without_the_password() -> None:
    with pytest.raises(DatabaseUnreachable) as caught:
        open_engine("postgresql://reader:s3cr3t@127.0.0.1:1/digest?password=s3cr3t")
    assert "s3cr3t" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "127.0.0.1:1/digest" in str(caught.value)


def test_a_file_that_is_no_database_is_named(tmp_path: object) -> None:
    path = f"{tmp_path}/notes.txt"
    with open(path, "w") as notes:  # noqa: PTH123 - tmp_path is only an object here
        notes.write("not a database, " * 100)
    with pytest.raises(DatabaseUnreachable, match=r"notes\.txt: file is not a database"):
        open_engine(f"sqlite:///{path}")


def test_naive_instants_are_refused_and_aware_ones_come_back_in_utc(store: Store) -> None:
    elsewhere = datetime.fromisoformat("2026-03-02T08:00:00.000001+03:00")
    with store.begin() as unit:
        unit.sources.save("hf", "etag", {"v": 1}, elsewhere)
    with store.engine.connect() as connection:
        back = connection.scalar(select(source_states.c.updated_at))
    assert back == elsewhere
    assert back is not None
    assert back.isoformat() == "2026-03-02T05:00:00.000001+00:00"
    with pytest.raises(InvalidInstant, match="no offset"), store.begin() as unit:
        unit.sources.save("hf", "etag", {"v": 2}, datetime(2026, 3, 2))  # noqa: DTZ001 - naive on purpose


def test_an_exception_leaves_nothing(store: Store) -> None:
    know(store)

    def fail_half_way() -> None:
        with store.begin() as unit:
            unit.sources.save("hf", "etag", {"v": 1}, NOW)
            unit.lists.pause("main", "why", NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    with store.read() as unit:
        assert unit.sources.load("hf", "etag") is None
        assert unit.lists.paused("main") is None


def test_a_reading_unit_sees_one_instant(store: Store) -> None:
    with store.read() as reading:
        assert reading.sources.load("hf", "etag") is None
        with store.begin() as unit:
            unit.sources.save("hf", "etag", {"v": 1}, NOW)
        assert reading.sources.load("hf", "etag") is None
    with store.read() as unit:
        assert unit.sources.load("hf", "etag") == {"v": 1}


def test_a_broken_promise_is_our_error_in_one_line(store: Store) -> None:
    with pytest.raises(StoreError) as caught, store.begin() as unit:
        unit.deliveries.create_one(404, 404, NOW, NOW)
    assert "\n" not in str(caught.value)
    assert "INSERT" not in str(caught.value)


def test_what_is_made_for_sqlite_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Addresses are in it; an operator who opens it to others keeps it so."""
    file = tmp_path / "new" / "digest.sqlite3"
    engine = open_engine(f"sqlite:///{file}")
    upgrade(engine)
    modes = {each.name: stat.filemode(each.stat().st_mode) for each in file.parent.iterdir()}
    assert set(modes) == {"digest.sqlite3", "digest.sqlite3-wal", "digest.sqlite3-shm"}
    assert set(modes.values()) == {"-rw-------"}
    engine.dispose()
    file.chmod(0o640)
    open_engine(f"sqlite:///{file}").dispose()
    assert stat.filemode(file.stat().st_mode) == "-rw-r-----"
    file.chmod(0o644)  # a copy that somebody put there
    close_to_others(engine.url)
    assert stat.filemode(file.stat().st_mode) == "-rw-r-----"


def test_what_the_database_refuses_of_many_rows_it_refuses_as_of_one(store: Store) -> None:
    with store.begin() as unit:
        papers(unit, 1)
    row = {"scheme": "doi", "value": "10.1/1", "paper_id": 1}
    with pytest.raises(IntegrityError), store.engine.begin() as connection:
        insert_many(connection, identifiers, [row, row])
    with store.engine.begin() as connection:
        for rows in ([row, row], [row]):
            insert_many(connection, identifiers, rows, only_new=True)
        found = select(identifiers.c.paper_id).where(identifiers.c.value == "10.1/1")
        assert list(connection.scalars(found)) == [1], "of rows with the same key one is kept"
