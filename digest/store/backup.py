"""A database as one file, consistent while others write, and back again.

SQLite by its own backup; PostgreSQL by pg_dump and psql, whose transaction leaves the database as it was when a restore fails.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, Engine, inspect

from digest.domain.errors import ConfigurationError, StoreError
from digest.store.schema import metadata


def dump(engine: Engine, target: Path) -> None:
    """Writes a copy of the database to `target`, which is there and empty. Raises StoreError, ConfigurationError."""
    if engine.dialect.name == "postgresql":
        _run("pg_dump", engine.url, "--format=custom", f"--file={target}")
        return
    try:
        with closing(sqlite3.connect(str(engine.url.database))) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without others beside it
    except sqlite3.Error as error:
        raise StoreError(f"backup {target}: {error}") from None


def check_copy(source: Path) -> None:
    """Raises StoreError where a copy of a SQLite database is damaged."""
    try:
        with closing(sqlite3.connect(source)) as copy:
            found = copy.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        raise StoreError(f"the database in the backup is damaged: {found}")


def load_postgresql(engine: Engine, source: Path) -> None:
    """Puts a dump in the place of what the database holds of ours, in one transaction. Raises StoreError, ConfigurationError."""
    ours = [name for name in inspect(engine).get_table_names() if name in metadata.tables or name.startswith(_OURS)]
    engine.dispose()
    script = source.with_suffix(".sql")
    _run("pg_restore", None, "--clean", "--if-exists", "--no-owner", "--no-privileges", f"--file={script}", str(source))
    drops = [f'DROP TABLE IF EXISTS "{name}" CASCADE;' for name in ours]
    drops.append("DROP SCHEMA IF EXISTS procrastinate CASCADE;")
    before = source.with_suffix(".drops.sql")
    before.write_text("\n".join(drops) + "\n", "utf-8")
    options = ("--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null")
    _run("psql", engine.url, *options, f"--file={before}", f"--file={script}")


_OURS = ("papers_words", "alembic_version")


def _run(program: str, url: URL | None, *options: str) -> None:
    if shutil.which(program) is None:
        raise ConfigurationError("database.url", f"PostgreSQL's {program} is not installed here: apt install postgresql-client")
    environment, database = dict(os.environ), []
    if url is not None:
        if url.password:
            environment["PGPASSWORD"] = str(url.password)
        plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
        database = [f"--dbname={plain.render_as_string()}"]
    environment["PGOPTIONS"] = "-c client_min_messages=warning"
    arguments = [program, *database, *options]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    if done.returncode:
        text = [line for line in done.stderr.splitlines() if line.strip()]
        raise StoreError(f"{program}: {text[0] if text else f'ended with {done.returncode}'}")
