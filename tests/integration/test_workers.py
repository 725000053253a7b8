"""Workers on one PostgreSQL: the outbox is the truth, whatever becomes of jobs, of workers and of the database itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from digest.config import load
from digest.container import Container
from digest.domain.delivery import DeliveryState
from digest.domain.subscriber import Address
from digest.store.deliveries.jobs import EACH, MOST, SCHEMA
from digest.store.engine import open_engine
from digest.store.migrate import upgrade
from digest.store.unit_of_work import Store
from tests.outbox import configured, queue
from tests.servers import postgresql, preloaded
from tests.servers.cluster import cluster, forget_jobs
from tests.servers.running import PATIENCE, until
from tests.servers.smtp import Do, Script, SmtpServer
from tests.servers.stocked import queue as owe_here

READERS = 600
CONNECTIONS = 3


@pytest.fixture
def own_postgresql() -> Iterator[str]:
    """A server of the test's own: it is going to be restarted."""
    if reason := postgresql.missing():
        pytest.skip(reason)
    with postgresql.postgresql() as url:
        engine = open_engine(url)
        upgrade(engine)
        engine.dispose()
        yield url


@pytest.fixture
def postgresql_store(postgresql_url: str) -> Iterator[Store]:
    store = Store(open_engine(postgresql_url), str)
    yield store
    store.close()


def test_killed_one_after_another_and_the_database_restarted_nobody_is_lost(tmp_path: Path, own_postgresql: str) -> None:
    script = Script(nth={("RCPT", 50): Do("451 4.3.0 later"), ("DOT", 133): Do("451 4.3.0 busy", close=True)})
    with SmtpServer(tmp_path / "kept.jsonl", script) as server:
        config = configured(
            tmp_path,
            own_postgresql,
            server.port,
            f"connections = {CONNECTIONS}\nclaim_size = 60\nretry_initial_delay = 0.1\nlease = 20",
        )
        emails = queue(load(config), READERS)
        got: Counter[str] = Counter()

        def count() -> int:
            with server.lock:
                return server.seen["DOT"]

        with Container(load(config)) as container, cluster(config, tmp_path, 3) as workers:
            nudge(container.adapters.store, READERS)
            for number, reached in ((0, 80), (1, 180)):
                until(lambda reached=reached: count() >= reached, f"{reached} dots")  # type: ignore[misc]
                workers.kill(number)
                workers.start(number)
            forget_jobs(container.adapters.store)  # lost
            until(lambda: count() >= 280, "280 dots")
            postgresql.restart(own_postgresql)
            until(lambda: count() >= 380, "the workers go on after the restart")
            nudge(container.adapters.store, READERS)
            nudge(container.adapters.store, READERS)  # doubled
            workers.kill(2)
            workers.start(2)
            until(lambda: states(container.adapters.store) == {DeliveryState.ACCEPTED: READERS}, "everybody is accepted")
            until(lambda: workers.finding(2).count("worker started") == 2, "the last one is up again, to be told to stop")
            assert set(workers.stop().values()) == {0}, "\n".join(map(workers.finding, range(3)))
            assert workers.kills == 3
        got.update(recipient for kept in server.accepted() for recipient in kept.recipients)
    assert set(got) == set(emails), "lost, or mailed for nobody"
    assert sum(got.values()) - len(got) <= (workers.kills + 1) * CONNECTIONS, "doubles: those in flight at a kill or the restart"


def test_a_worker_waits_for_a_database_that_is_away_and_ends_without_it(tmp_path: Path, own_postgresql: str) -> None:
    """Both start after a power cut, the worker first; later it is told to end while the database is away."""
    with SmtpServer(tmp_path / "kept.jsonl") as server:
        config = configured(tmp_path, own_postgresql, server.port)
        queue(load(config), 3)
        postgresql.stop(own_postgresql)
        with cluster(config, tmp_path, 2) as workers:
            for number in (0, 1):
                until(lambda n=number: "waiting for the database" in workers.finding(n), "it waits")  # type: ignore[misc]
            assert workers.stop() == {0: 0, 1: 0}, "told to end before it could begin"
            workers.start(2)
            until(lambda: "waiting for the database" in workers.finding(2), "it waits")
            postgresql.start(own_postgresql)
            with Container(load(config)) as container:
                nudge(container.adapters.store, 3)
                until(
                    lambda: states(container.adapters.store) == {DeliveryState.ACCEPTED: 3}, "it works once the database is there"
                )
            postgresql.stop(own_postgresql)
            try:
                assert workers.stop() == {2: 0}, workers.finding(2)
            finally:
                postgresql.start(own_postgresql)


def test_a_worker_ends_when_the_schema_is_newer_than_it(tmp_path: Path, postgresql_url: str) -> None:
    with SmtpServer(tmp_path / "kept.jsonl") as server:
        config = configured(tmp_path, postgresql_url, server.port)
        queue(load(config), 3)
        with Container(load(config)) as container, cluster(config, tmp_path, 1) as workers:
            nudge(container.adapters.store, 3)
            until(lambda: states(container.adapters.store) == {DeliveryState.ACCEPTED: 3}, "the worker works")
            with container.adapters.store.begin() as unit:
                unit.sources.save("x", "y", {}, datetime.now(UTC))
            with container.adapters.store.engine.begin() as connection:
                connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
            nudge(container.adapters.store, 1)
            assert workers.wait(0) == 1
            last = workers.finding(0).splitlines()[-1]
        assert last.startswith("digest: database postgresql"), last
        assert "is at revision 9999, this program knows" in last
        assert "upgrade the program" in last


def test_one_reader_who_waits_goes_before_everybody(tmp_path: Path, database_url: str) -> None:
    """`digest redeliver EDITION --to EMAIL`: the last of many becomes the first."""
    with SmtpServer(tmp_path / "kept.jsonl") as server:
        config = configured(tmp_path, database_url, server.port, "connections = 1\nclaim_size = 10")
        emails = queue(load(config), 40)
        with Container(load(config)) as container:
            edition, last = container.editions.edition_named("daily/2026-03-02"), Address(emails[-1])
            now = datetime.now(UTC)
            assert container.operations.redeliver(edition, now, only=last).queued == 1
            container.delivery.deliver(lambda: now + timedelta(seconds=1), stop=lambda: server.seen["DOT"] >= 1)
            assert server.accepted()[0].recipients == (emails[-1],)
            assert container.operations.redeliver(edition, now, only=last).queued == 0, "who has it does not get it again"


def test_a_worker_sends_the_confirmations_that_are_owed_once_and_says_that_it_will(tmp_path: Path, postgresql_url: str) -> None:
    readers = tmp_path / "readers.csv"

    def imported(*emails: str) -> dict[str, Any]:
        readers.write_text("\n".join(["email", *emails]))
        words = ["subscribers", "import", str(readers), "--json", "--config", str(config)]
        done = preloaded.run(words, timeout=PATIENCE)
        done.check_returncode()
        answer = json.loads(done.stdout)
        assert isinstance(answer, dict)
        return answer

    with SmtpServer(tmp_path / "kept.jsonl") as server:
        config = configured(tmp_path, postgresql_url, server.port)
        told = imported("ada@example.org", "bo@example.org")
        assert (told["confirmations_owed"], told["confirmations_sent_by"]) == (2, "digest deliver"), "no worker is there yet"
        with cluster(config, tmp_path, 2) as workers:
            until(lambda: len(server.accepted()) == 2, "both are asked")
            assert imported("cy@example.org")["confirmations_sent_by"].startswith("process "), "one that is there"
            until(lambda: len(server.accepted()) == 3, "so is the third")
            assert set(workers.stop().values()) == {0}
        got = Counter(recipient for kept in server.accepted() for recipient in kept.recipients)
    assert got == {"ada@example.org": 1, "bo@example.org": 1, "cy@example.org": 1}


def test_a_nudge_is_there_with_the_rows_or_not_at_all(postgresql_store: Store) -> None:
    owe_here(postgresql_store, 1)

    def fail_after_it() -> None:
        with postgresql_store.begin() as unit:
            unit.jobs.nudge(1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_it()
    assert waiting(postgresql_store) == []
    nudge(postgresql_store, 1)
    nudge(postgresql_store, 0)
    assert waiting(postgresql_store) == [("outbox/0", 0)]
    with postgresql_store.begin() as unit:
        unit.jobs.nudge(3 * EACH)
        unit.jobs.nudge(1, urgent=True)
        unit.jobs.nudge(1, urgent=True)
        assert unit.jobs.waiting() == 4
        assert unit.papers.count() > 0, "our own tables are found as before"
    assert waiting(postgresql_store)[0] == ("urgent", 100)
    nudge(postgresql_store, 10**9)
    assert len(waiting(postgresql_store)) == MOST + 1


def test_without_postgresql_nobody_is_nudged(sqlite_store: Store) -> None:
    with sqlite_store.begin() as unit:
        unit.jobs.nudge(1)
        assert unit.jobs.waiting() == 0


def nudge(store: Store, deliveries: int) -> None:
    with store.begin() as unit:
        unit.jobs.nudge(deliveries)


def waiting(store: Store) -> list[tuple[str, int]]:
    query = f"SELECT queueing_lock, priority FROM {SCHEMA}.procrastinate_jobs ORDER BY priority DESC, id"
    with store.engine.connect() as connection:
        return [(row.queueing_lock, row.priority) for row in connection.execute(text(query))]


def states(store: Store) -> dict[DeliveryState, int]:
    with store.read() as unit:
        return unit.deliveries.tally()
