"""Several `digest worker` processes on one PostgreSQL, each with a journal of its own as on a host of its own; to be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from digest.store.deliveries.jobs import SCHEMA
from digest.store.unit_of_work import Store
from tests.servers import preloaded
from tests.servers.running import PATIENCE


class Cluster:
    """`kill` and `start` by number; the log of each is in `folder`."""

    def __init__(self, config: Path, folder: Path, command: tuple[str, ...] = ("worker",)) -> None:
        self._config, self._folder, self._command = config, folder, command
        self._running: dict[int, preloaded.Command] = {}
        self.kills = 0

    def start(self, number: int) -> None:
        environment = os.environ | {"DIGEST_DELIVERY__JOURNAL": str(self._folder / f"journal-{number}")}
        with self.log(number).open("ab") as log:
            self._running[number] = preloaded.start(
                [*self._command, "--config", str(self._config)], env=environment, stdout=log, stderr=log
            )

    def log(self, number: int) -> Path:
        return self._folder / f"{self._command[0]}-{number}.log"

    def kill(self, number: int) -> None:
        """SIGKILL: nothing is finished, nothing is told to anybody."""
        process = self._running.pop(number)
        assert process.poll() is None, f"{number} had ended: {self.finding(number)}"
        process.kill()
        process.wait(timeout=PATIENCE)
        self.kills += 1

    def pid(self, number: int) -> int:
        return self._running[number].pid

    def wait(self, number: int) -> int:
        """The exit code of one that ends by itself."""
        return self._running.pop(number).wait(timeout=PATIENCE)

    def finding(self, number: int) -> str:
        return self.log(number).read_text("utf-8", "replace")

    def stop(self) -> dict[int, int]:
        """SIGTERM to all; their exit codes."""
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        codes = {}
        for number, process in list(self._running.items()):
            try:
                codes[number] = process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                codes[number] = process.wait(timeout=PATIENCE)
        self._running.clear()
        return codes


@contextmanager
def cluster(config: Path, folder: Path, count: int, *command: str) -> Iterator[Cluster]:
    made = Cluster(config, folder, command or ("worker",))
    try:
        for number in range(count):
            made.start(number)
        yield made
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            made.stop()


def forget_jobs(store: Store) -> None:
    """Loses every nudge that waits."""
    with store.engine.begin() as connection:
        connection.execute(text(f"SET LOCAL search_path = {SCHEMA}"))
        connection.execute(text("DELETE FROM procrastinate_jobs WHERE status = 'todo' AND task_name = 'work'"))
