"""The few statements in which SQLite and PostgreSQL differ, spelled once."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any, Protocol, TypeVar

from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    Connection,
    Insert,
    Interval,
    Row,
    Select,
    Table,
    any_,
    bindparam,
    column,
    func,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from digest.store.types import Instant

T = TypeVar("T")


class ConflictAware(Protocol):
    """What the two dialects' `Insert` have in common and the general one lacks."""

    excluded: Any

    def values(self, *args: Any, **kwargs: Any) -> Any: ...
    def on_conflict_do_nothing(self, index_elements: Any = ...) -> Any: ...
    def on_conflict_do_update(self, *, index_elements: Any, set_: Any, where: Any = ...) -> Any: ...
    def from_select(self, names: Sequence[str], select: Any) -> Any: ...


_NOT_UTF8 = "Could not decode to UTF-8"
_REPLACING = partial(str, encoding="utf-8", errors="replace")


def rows(connection: Connection, statement: Select[Any]) -> Sequence[Row[Any]]:
    """All rows of an answer. Bytes in SQLite that are not UTF-8 come as U+FFFD instead of hiding the rows beside them."""
    try:
        return connection.execute(statement).all()
    except OperationalError as error:
        driver: Any = connection.connection.driver_connection
        if _NOT_UTF8 not in str(error.orig) or driver.text_factory is _REPLACING:
            raise
        driver.text_factory = _REPLACING  # not for every connection from the start: it makes reading slower
        return connection.execute(statement).all()


def readable(connection: Connection, statement: Select[Any], what: str) -> Iterator[Any]:
    """The rows of an answer but for those with a column that is not what it should be (no JSON, no instant, no hour).

    `what` they are is logged with the reason.
    """
    try:
        yield from rows(connection, statement)
        return
    except SQLAlchemyError:
        raise
    except Exception:
        answer = connection.execute(statement)
    while True:
        try:
            row = answer.fetchone()
        except (ValueError, TypeError, AttributeError) as error:
            left_out(what, f"{type(error).__name__}: {error}")
            continue
        if row is None:
            return
        yield row


@lru_cache(maxsize=256)
def left_out(what: str, why: str) -> None:
    """Logs it, once while the process lives: most is read again every minute."""
    logging.getLogger("digest").warning("left out %s: its row in the database cannot be read: %s", what, why[:300])


def insert_into(connection: Connection, table: Table) -> ConflictAware:
    """An INSERT that can say ON CONFLICT."""
    statement: Any
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        statement = postgresql_insert(table)
    else:
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        statement = sqlite_insert(table)
    assert isinstance(statement, Insert)
    return statement  # type: ignore[return-value]  # the dialects' classes share these methods but no base that declares them


def insert_new(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> int:
    """Inserts the rows whose keys are not there yet and returns how many those were."""
    if not rows:
        return 0
    if connection.dialect.name == "postgresql":
        statement, values = _by_columns(connection, table, rows)
        return inserted(connection, statement.on_conflict_do_nothing(), values)
    return inserted(connection, insert_into(connection, table).on_conflict_do_nothing(), list(rows))


def insert_many(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *, only_new: bool = False) -> None:
    """Inserts thousands of rows, all with the same columns; `only_new` leaves out those whose keys are there.

    On PostgreSQL by COPY, which has least to read; by way of a table of the transaction's own where keys may be there.
    """
    if not rows:
        return
    if connection.dialect.name != "postgresql":
        connection.execute(insert_into(connection, table).on_conflict_do_nothing() if only_new else insert(table), list(rows))
        return
    types = {name: table.c[name].type for name in rows[0]}
    binds = {name: _to_json if isinstance(of, JSON) else of.bind_processor(connection.dialect) for name, of in types.items()}
    names, into = ", ".join(binds), f"{table.name}_given" if only_new else table.name
    if only_new:
        connection.exec_driver_sql(f"CREATE TEMP TABLE {into} ON COMMIT DROP AS SELECT {names} FROM {table.name} WITH NO DATA")  # noqa: S608 - names of ours
    statement = f"COPY {into} ({names}) FROM STDIN"
    driver: Any = connection.connection.driver_connection
    failure = connection.dialect.loaded_dbapi.Error
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row([bind(row[name]) if bind else row[name] for name, bind in binds.items()])
    except failure as error:
        raise DBAPIError.instance(statement, None, error, failure, dialect=connection.dialect) from error
    if only_new:
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {into} ON CONFLICT DO NOTHING")  # noqa: S608 - the same
        connection.exec_driver_sql(f"DROP TABLE {into}")


_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""As the engine writes JSON."""


def _by_columns(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> tuple[Any, list[dict[str, Any]]]:
    """One statement for all rows, an array for each column: a row as a statement of its own takes psycopg twice the time."""
    names = list(rows[0])
    arrays = [bindparam(name, type_=ARRAY(table.c[name].type)) for name in names]
    columns = [column(name, table.c[name].type) for name in names]
    given = func.unnest(*arrays).table_valued(*columns, name="given").render_derived()
    statement = insert_into(connection, table).from_select(names, select(*given.c))
    return statement, [{name: [row[name] for row in rows] for name in names}]


def inserted(connection: Connection, statement: Any, rows: list[dict[str, Any]] | None = None) -> int:
    """Runs an INSERT and says how many rows it made."""
    # SQLAlchemy keeps an INSERT's count only where asked to
    count = connection.execute(statement, rows, execution_options={"preserve_rowcount": True}).rowcount
    assert count >= 0, "the driver counts"
    return count


def new_keys(connection: Connection, table: Table, count: int) -> list[int]:
    """Keys for `count` rows about to be inserted, ascending and never given before; SQLite: in a row.

    Known beforehand, rows go in by the thousand; asking for them with RETURNING makes SQLite take them one at a time.
    """
    if connection.dialect.name == "postgresql":
        return sorted(connection.scalars(_NEXT_KEYS, {"table": table.name, "count": count}))
    newest = connection.scalar(_NEWEST_KEY, {"table": table.name}) or 0
    return list(range(newest + 1, newest + 1 + count))


_NEXT_KEYS = text(
    "SELECT nextval(keys) FROM CAST(pg_get_serial_sequence(:table, 'id') AS regclass) AS keys, generate_series(1, :count)"
)
_NEWEST_KEY = text("SELECT seq FROM sqlite_sequence WHERE name = :table")


def one_at_a_time(connection: Connection, what: str) -> None:
    """Until the transaction ends, no other transaction passes here with the same `what`. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('digest'), hashtext(:what))"), {"what": what})


def database_now(connection: Connection) -> datetime:
    """By the database's own clock, which all its processes share: hosts' clocks differ, and the caller's may be acted (--at)."""
    if connection.dialect.name == "postgresql":
        now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return now
    return datetime.fromisoformat(connection.exec_driver_sql("SELECT strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')").scalar_one())


def from_now(connection: Connection, term: timedelta = timedelta(0)) -> ColumnElement[datetime]:
    """The instant `term` from now by the database's clock, for a statement that may wait for a lock.

    PostgreSQL reads its clock once the lock is had: an instant read before would make a lease taken meanwhile look like one of
    the future. Under SQLite nobody else writes while we do.
    """
    if connection.dialect.name == "postgresql":
        return func.clock_timestamp(type_=Instant) + literal(term, Interval)
    return literal(database_now(connection) + term, Instant)


def walk_indexes(connection: Connection) -> None:
    """Until the transaction ends, look rows up by index and in its order, whatever the statistics say.

    Right after a million deliveries were created PostgreSQL's statistics know nothing of them: it would gather and sort them all
    for every claim, and scan the rows just inserted for every further one. Walking an index is right for few and for many.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_WALK_INDEXES)


_WALK_INDEXES = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),"
    " set_config('enable_sort', 'off', true), set_config('jit', 'off', true)"
)


@contextmanager
def words_filed(connection: Connection) -> Iterator[None]:
    """The words of papers that come meanwhile are all in their place in the index at the end.

    PostgreSQL gathers new words in a list that every look into the index reads through: a search looks hundreds of times, and
    autovacuum files the list only when a tenth of the table has changed. So many at once are filed as fast as they are gathered.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    connection.execute(_GATHER_WORDS)
    yield
    connection.execute(_FILE_WORDS)


_GATHER_WORDS = text(
    "SELECT set_config('gin_pending_list_limit', '64MB', true), set_config('work_mem', '64MB', true),"
    " set_config('jit', 'off', true)"
)
_FILE_WORDS = text(  # the owner of the index alone may; for others the server does it, later
    "SELECT gin_clean_pending_list(oid) FROM pg_class"
    " WHERE oid = to_regclass('ix_papers_words') AND pg_has_role(relowner, 'USAGE')"
)


def among(connection: Connection, column: Any, keys: Sequence[int] | Sequence[str]) -> Any:
    """That `column` is one of `keys`, told as one parameter: a parameter a key takes SQLAlchemy longer than the look-up does."""
    if connection.dialect.name == "postgresql":
        return column == any_(bindparam(None, list(keys), type_=ARRAY(column.type)))
    given: Any = bindparam("keys", json.dumps(list(keys)), unique=True)  # several in a statement stay apart
    return column.in_(text("SELECT value FROM json_each(:keys)").bindparams(given))


def scored(connection: Connection, statement: str, values: dict[str, object]) -> list[tuple[int, float]]:
    """(id, score) of each row that a search finds."""
    return [(row.id, float(row.score)) for row in connection.execute(text(statement), values)]


def chunks(values: Iterable[T], size: int = 1000) -> Iterator[list[T]]:
    """SQLite takes at most 32,766 parameters in a statement."""
    chunk: list[T] = []
    for value in values:
        chunk.append(value)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
