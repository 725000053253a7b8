"""`digest run` as an operator starts it: it answers, makes what is due, and ends when told."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from digest.config import load
from digest.container import Container
from digest.daemon import Daemon
from digest.domain.errors import SchemaMismatch
from digest.domain.subscriber import Address, Interests, Preferences
from tests.outbox import configured
from tests.servers import preloaded
from tests.servers.running import PATIENCE, free_port, until


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    port = free_port()
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "DIGEST_DATABASE__URL": f"sqlite:///{tmp_path / 'digest.sqlite3'}",
        "DIGEST_SECRETS__KEY_FILE": str(tmp_path / "digest.key"),
        "DIGEST_DELIVERY__JOURNAL": str(tmp_path / "journal"),
        "DIGEST_WEB__PORT": str(port),
        "DIGEST_WEB__BASE_URL": f"http://127.0.0.1:{port}",
        "DIGEST_RELAYS": '[{"host":"127.0.0.1","port":9,"tls":"none"}]',
    }


def _digest(environment: dict[str, str], cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return preloaded.run(arguments, env=environment, cwd=cwd, timeout=PATIENCE)


@pytest.fixture
def daemon(environment: dict[str, str], tmp_path: Path) -> Iterator[preloaded.Command]:
    papers = tmp_path / "papers.jsonl"
    rows = [{"id": f"arxiv:2605.{n:05}", "title": f"Paper {n}", "abstract": "We show it."} for n in range(1, 30)]
    papers.write_text("\n".join(json.dumps(row) for row in rows))
    imported = _digest(environment, tmp_path, "import", str(papers), "--json")
    assert json.loads(imported.stdout)["papers_new"] == 29, imported.stderr
    process = preloaded.start(["run", "--no-collect"], env=environment, cwd=tmp_path)
    yield process
    process.kill()
    process.wait(10)


def _page(environment: dict[str, str], path: str, until: str = "") -> str:
    """The page, waited for: the daemon has just been started."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(environment["DIGEST_WEB__BASE_URL"] + path, timeout=PATIENCE) as answer:
                page = answer.read().decode()
                if until in page or time.monotonic() > deadline:
                    return str(page)
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def test_it_answers_makes_what_is_due_and_ends_within_ten_seconds(
    daemon: preloaded.Command, environment: dict[str, str], tmp_path: Path
) -> None:
    assert _page(environment, "/healthz")
    assert "Paper " in _page(environment, "/", until="Paper ")
    (tmp_path / "readers.csv").write_text("email\nada@example.org")
    importing = ("subscribers", "import", "readers.csv", "--json")
    told = json.loads(_digest(environment, tmp_path, *importing).stdout)
    assert told["confirmations_owed"] == 1
    assert told["confirmations_sent_by"].startswith(f"process {daemon.pid} on "), (
        "it sends what is owed, and says that it is there"
    )
    started = time.monotonic()
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(PATIENCE) == 0
    assert time.monotonic() - started < PATIENCE / 2, "no job is waited for that has no end"
    status = json.loads(_digest(environment, tmp_path, "status", "--json").stdout)
    assert status["lists"][0]["picks"] == 10
    assert json.loads(_digest(environment, tmp_path, *importing).stdout)["confirmations_sent_by"] == "digest deliver"


@pytest.fixture
def _handlers() -> Iterator[None]:
    """A daemon in this process takes the signals for itself; afterwards they are as they were."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_handlers")
def test_it_ends_when_the_schema_is_newer_than_it(tmp_path: Path) -> None:
    """Migrated under its feet: it does nothing more, and says why."""
    with Container(load(configured(tmp_path, f"sqlite:///{tmp_path / 'digest.sqlite'}", 9))) as container:
        with container.adapters.store.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(SchemaMismatch, match=r"is at revision 9999, this program knows \d+; upgrade the program"):
            Daemon(container, web=False, deliver=False, collect=False).run()


@pytest.mark.usefixtures("_handlers")
def test_it_housekeeps_once_a_day_and_a_start_between_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request nobody confirmed is dropped after its 30 days, at the bell; one getting old meanwhile waits a day."""
    settings = load(configured(tmp_path, f"sqlite:///{tmp_path / 'digest.sqlite'}", 9))
    first, left = datetime.now(UTC) - timedelta(days=1), []  # recent: the scheduler counts every bell since
    with Container(settings) as container, container.adapters.store.begin() as unit:
        for name, asked in (("old", first - timedelta(days=31)), ("soon", first - timedelta(days=29, hours=2))):
            unit.subscribers.request(Address(f"{name}@example.org"), "daily", Preferences(), Interests(), asked)
    for hours in (0, 23, 24):
        with Container(settings) as container:
            daemon = Daemon(
                container, web=False, deliver=False, collect=False, clock=lambda now=first + timedelta(hours=hours): now
            )
            retention_due = container.privacy.retention_due

            def then_stop(at: datetime, run_retention=retention_due, stop=daemon.stop) -> dict[str, int]:  # type: ignore[no-untyped-def]
                try:
                    return run_retention(at)
                finally:
                    stop()

            monkeypatch.setattr(container.privacy, "retention_due", then_stop)
            daemon.run()
            with container.adapters.store.read() as unit:
                left.append([each.address.text for each in unit.subscribers.export()])
    assert left == [["soon@example.org"], ["soon@example.org"], []]


def test_of_two_daemons_one_makes_what_is_due_and_the_other_takes_over_at_once_when_it_ends(
    daemon: preloaded.Command, environment: dict[str, str], tmp_path: Path
) -> None:
    """The first is told to end: it gives the bell back, and nobody waits for a lease."""

    def ringer() -> str:
        held = json.loads(_digest(environment, tmp_path, "status", "--json").stdout)["scheduler"]
        return held["owner"] if held and held["runs"] else ""

    assert _page(environment, "/healthz")
    until(lambda: f"/{daemon.pid}/" in ringer(), "the first rings")
    second = environment | {"DIGEST_WEB__PORT": str(free_port()), "DIGEST_DELIVERY__JOURNAL": str(tmp_path / "journal-2")}
    other = preloaded.start(["run", "--no-web", "--no-collect"], env=second, cwd=tmp_path)
    try:
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(PATIENCE) == 0
        until(lambda: f"/{other.pid}/" in ringer(), "the second rings")
        other.send_signal(signal.SIGTERM)
        assert other.wait(PATIENCE) == 0
    finally:
        other.kill()
        other.wait(10)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_taken_port_ends_it_with_one_line(environment: dict[str, str], tmp_path: Path, host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as other:
        environment |= {"DIGEST_WEB__HOST": host, "DIGEST_WEB__PORT": str(other.getsockname()[1])}
        ended = _digest(environment, tmp_path, "run", "--no-collect", "--no-deliver")
    assert ended.returncode == 1
    line = f"digest: the pages cannot be served at {host}:{environment['DIGEST_WEB__PORT']}: Address already in use"
    assert ended.stderr.splitlines()[-1].startswith(line)
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1"])
def test_a_host_that_is_not_ours_ends_it_with_one_line(environment: dict[str, str], tmp_path: Path, host: str) -> None:
    ended = _digest(environment | {"DIGEST_WEB__HOST": host}, tmp_path, "run", "--no-collect", "--no-deliver")
    assert (ended.returncode, "web.host" in ended.stderr, "Traceback" in ended.stderr) == (1, True, False)
