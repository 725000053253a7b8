"""`digest deliver` in two processes: they share the work and nothing but the database, and one that dies loses nothing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from digest.config import load
from digest.domain.delivery import DeliveryState
from tests.outbox import configured, owe, rows
from tests.servers.running import PATIENCE, until
from tests.servers.smtp import SmtpServer

READERS = 500
CONNECTIONS = 2
BATCH = 20


class Run:
    """`digest deliver` under way, and the pids of the processes that have a journal."""

    def __init__(self, config: Path, server: SmtpServer) -> None:
        self.server, self.config = server, config
        self.process = subprocess.Popen(
            [sys.executable, "-m", "digest", "deliver", "--config", str(config)],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def journals(self) -> set[int]:
        folder = self.config.parent / "journal"
        names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
        return {int(found[1]) for name in names if (found := re.match(r"deliver-([0-9]+)-", name))}

    @property
    def child(self) -> int:
        [child] = self.journals - {self.process.pid}
        return child

    def both_at_work(self) -> None:
        until(lambda: len(self.journals) == 2 and self.server.connections >= 2 * CONNECTIONS, "no second process began")

    def got(self) -> Counter[str]:
        return Counter(recipient for kept in self.server.accepted() for recipient in kept.recipients)


@pytest.fixture
def emails() -> list[str]:
    return [f"reader{n}@example.org" for n in range(READERS)]


@pytest.fixture
def run(tmp_path: Path, database_url: str) -> Iterator[Callable[[], Run]]:
    with SmtpServer(tmp_path / "kept") as server:
        config = configured(tmp_path, database_url, server.port, f"processes = 2\nconnections = {CONNECTIONS}\nbatch = {BATCH}")
        owe(load(config), READERS)
        runs: list[Run] = []

        def start() -> Run:
            runs.append(Run(config, server))
            return runs[-1]

        yield start
        for each in runs:
            with suppress(ProcessLookupError):  # the children share its session, so its process group
                os.killpg(each.process.pid, signal.SIGKILL)
            each.process.wait(timeout=PATIENCE)


def test_two_processes_share_the_work(run: Callable[[], Run], emails: list[str]) -> None:
    working = run()
    working.both_at_work()
    assert working.process.wait(timeout=PATIENCE) == 0
    assert working.got() == Counter(emails)
    assert working.journals == set()


def test_a_child_that_dies_loses_nobody(run: Callable[[], Run], emails: list[str]) -> None:
    working = run()
    working.both_at_work()
    os.kill(working.child, signal.SIGKILL)
    assert working.process.wait(timeout=PATIENCE) == 0, "the others do what it left"
    got = working.got()
    assert set(got) == set(emails)
    assert sum(got.values()) - len(got) <= CONNECTIONS
    assert {row.state for row in rows(working.config).values()} == {DeliveryState.ACCEPTED}
    assert working.journals == set()


def test_sigterm_is_passed_on(run: Callable[[], Run], emails: list[str]) -> None:
    working = run()
    working.both_at_work()
    child = working.child
    working.process.send_signal(signal.SIGTERM)
    assert working.process.wait(timeout=PATIENCE) == 0
    assert not Path(f"/proc/{child}").exists(), "it waits for its children"
    states = Counter(row.state for row in rows(working.config).values())
    assert set(states) == {DeliveryState.ACCEPTED, DeliveryState.QUEUED}, "nothing is left claimed, and something is left to do"
    assert states[DeliveryState.ACCEPTED] == len(working.got()), "what was in flight was finished and written down"
    assert run().process.wait(timeout=PATIENCE) == 0
    assert working.got() == Counter(emails)


def test_children_do_not_outlive_a_parent_that_is_killed(run: Callable[[], Run], emails: list[str]) -> None:
    working = run()
    working.both_at_work()
    child = working.child
    working.process.kill()
    working.process.wait(timeout=PATIENCE)
    until(lambda: child not in working.journals, "the child went on")
    assert len(working.got()) < READERS
    assert run().process.wait(timeout=PATIENCE) == 0
    got = working.got()
    assert set(got) == set(emails)
    assert sum(got.values()) - len(got) <= CONNECTIONS, "the child finished what it had in flight; the parent could not"


def test_a_process_that_only_delivers_loads_nothing_that_renders(tmp_path: Path, sqlite_url: str) -> None:
    """What renders takes half a second to load, in each process of a crew, and composing needs none of it."""
    with SmtpServer(tmp_path / "kept.jsonl") as server:
        config = configured(tmp_path, sqlite_url, server.port, "processes = 1")
        emails = owe(load(config), 3)
        told = "import sys; from digest.cli import main; main(sys.argv[1:]); print({'premailer', 'jinja2'} & set(sys.modules))"
        words = [sys.executable, "-c", told, "deliver", "--quiet", "--config", str(config)]
        done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=PATIENCE)
        kept = server.accepted()
    assert {each.recipients[0] for each in kept} == set(emails)
    assert done.stdout.split() == ["set()"]
