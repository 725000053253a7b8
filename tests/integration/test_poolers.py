"""pgbouncer in front of PostgreSQL: it gives each transaction, or each session, a server of its own choice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, make_url, text

from digest.domain.errors import DatabaseUnreachable
from digest.store.engine import open_engine, transactions_are_pooled
from tests.outbox import configured
from tests.servers import preloaded
from tests.servers.pgbouncer import PROGRAM, pgbouncer
from tests.servers.running import PATIENCE


@pytest.fixture(params=["transaction", "session"])
def pooled(request: pytest.FixtureRequest, postgresql_url: str) -> Iterator[tuple[str, bool]]:
    if PROGRAM is None:
        pytest.skip("pgbouncer is not installed")
    url = make_url(postgresql_url)
    with pgbouncer(Path(str(url.query["host"])), request.param) as port:
        through = url.set(host="127.0.0.1", port=port, query={"sslmode": "disable"})
        yield through.render_as_string(hide_password=False), request.param == "transaction"


def test_statements_work_on_whatever_server_they_come_to(pooled: tuple[str, bool]) -> None:
    """psycopg prepares what it runs a sixth time: behind a pooler another connection's statement of that name may be there."""
    url, _ = pooled
    engines = [open_engine(url) for _ in range(3)]

    def served(engine: Engine, number: int) -> list[int]:
        with ExitStack() as held:
            connections = [held.enter_context(engine.connect()) for _ in range(3)]
            found = []
            for _ in range(12):
                for place, connection in enumerate(connections):
                    with connection.begin():
                        found.append(connection.scalar(text(f"SELECT CAST(:x AS int) + {number * 10 + place}"), {"x": 1}))
            return found

    try:
        for number, engine in enumerate(engines):
            assert served(engine, number) == [number * 10 + place + 1 for _ in range(12) for place in range(3)]
    finally:
        for engine in engines:
            engine.dispose()


def test_a_worker_is_refused_where_sessions_are_shared(tmp_path: Path, pooled: tuple[str, bool]) -> None:
    url, by_transaction = pooled
    engine = open_engine(url)
    try:
        assert transactions_are_pooled(engine) == by_transaction
    finally:
        engine.dispose()
    if by_transaction:
        done = preloaded.run(["worker", "--config", str(configured(tmp_path, url, 9))], timeout=PATIENCE)
        assert done.returncode == 2
        [line] = [each for each in done.stderr.splitlines() if "pooler" in each]
        assert re.search(r"database\.url: leads to a pooler.*pool_mode = session", line)


def test_without_one_statements_are_prepared(postgresql_url: str) -> None:
    engine = open_engine(postgresql_url)
    try:
        assert not transactions_are_pooled(engine)
        with engine.connect() as connection:
            assert connection.connection.driver_connection.prepare_threshold == 5  # type: ignore[union-attr]
    finally:
        engine.dispose()


def test_a_database_that_goes_away_while_it_is_asked_is_one_to_wait_for(postgresql_url: str) -> None:
    engine = open_engine(postgresql_url)
    event.listen(engine, "begin", lambda connection: connection.connection.dbapi_connection.close())
    with pytest.raises(DatabaseUnreachable, match=r"^database postgresql.*the connection is closed"):
        transactions_are_pooled(engine)
    engine.dispose()
