"""`digest deliver` started twice: they share the work and nothing but the database, and one that dies loses nothing."""

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
from tests.outbox import configured, queue, rows
from tests.servers import preloaded
from tests.servers.running import PATIENCE, until
from tests.servers.smtp import SmtpServer

READERS = 500
CONNECTIONS = 2
BATCH = 20


class Run:
    """`digest deliver` under way, and the pids of the processes that have a journal."""

    def __init__(self, config: Path, server: SmtpServer) -> None:
        self.server, self.config = server, config
        self.process = preloaded.start(["deliver", "--config", str(config)], start_new_session=True)

    @property
    def journals(self) -> set[int]:
        folder = self.config.parent / "journal"
        names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
        return {int(found[1]) for name in names if (found := re.match(r"deliver-([0-9]+)-", name))}

    def got(self) -> Counter[str]:
        return Counter(recipient for kept in self.server.accepted() for recipient in kept.recipients)


@pytest.fixture
def emails() -> list[str]:
    return [f"reader{n}@example.org" for n in range(READERS)]


@pytest.fixture
def run(tmp_path: Path, database_url: str) -> Iterator[Callable[[], Run]]:
    with SmtpServer(tmp_path / "kept") as server:
        config = configured(tmp_path, database_url, server.port, f"connections = {CONNECTIONS}\nclaim_size = {BATCH}")
        queue(load(config), READERS)
        runs: list[Run] = []

        def start() -> Run:
            runs.append(Run(config, server))
            return runs[-1]

        yield start
        for each in runs:
            with suppress(ProcessLookupError):  # the children share its session, so its process group
                os.killpg(each.process.pid, signal.SIGKILL)
            each.process.wait(timeout=PATIENCE)


def at_work(*runs: Run) -> None:
    until(lambda: len(runs[0].journals) == len(runs) and runs[0].server.connections >= len(runs) * CONNECTIONS, "none began")


def test_two_commands_share_the_work(run: Callable[[], Run], emails: list[str]) -> None:
    first, second = run(), run()
    assert (first.process.wait(timeout=PATIENCE), second.process.wait(timeout=PATIENCE)) == (0, 0)
    assert first.got() == Counter(emails)
    assert first.journals == set()


def test_one_that_is_killed_loses_nobody(run: Callable[[], Run], emails: list[str]) -> None:
    first, second = run(), run()
    at_work(first, second)
    first.process.kill()
    first.process.wait(timeout=PATIENCE)
    assert second.process.wait(timeout=PATIENCE) == 0
    assert run().process.wait(timeout=PATIENCE) == 0, "the next does what it left"
    got = second.got()
    assert set(got) == set(emails)
    assert sum(got.values()) - len(got) <= CONNECTIONS
    assert {row.state for row in rows(second.config).values()} == {DeliveryState.ACCEPTED}
    assert second.journals == set()


def test_sigterm_leaves_nothing_claimed(run: Callable[[], Run], emails: list[str]) -> None:
    working = run()
    at_work(working)
    working.process.send_signal(signal.SIGTERM)
    assert working.process.wait(timeout=PATIENCE) == 0
    states = Counter(row.state for row in rows(working.config).values())
    assert set(states) <= {DeliveryState.ACCEPTED, DeliveryState.QUEUED}, "nothing is left claimed"
    assert states[DeliveryState.ACCEPTED] == len(working.got()), "what was in flight was finished and written down"
    assert run().process.wait(timeout=PATIENCE) == 0
    assert working.got() == Counter(emails)


def test_a_process_that_only_delivers_loads_nothing_else(tmp_path: Path, sqlite_url: str) -> None:
    """What renders takes half a second to load, and composing needs none of it."""
    with SmtpServer(tmp_path / "kept.jsonl") as server:
        config = configured(tmp_path, sqlite_url, server.port)
        emails = queue(load(config), 3)
        left = {"premailer", "jinja2", "numpy", "feedparser", "onnxruntime"}
        told = f"import sys; from digest.cli import main; main(sys.argv[1:]); print({left} & set(sys.modules))"
        words = [sys.executable, "-c", told, "deliver", "--quiet", "--config", str(config)]
        done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=PATIENCE)
        kept = server.accepted()
    assert {each.recipients[0] for each in kept} == set(emails)
    assert done.stdout.split() == ["set()"]
