"""The relay client against Postfix's smtp-sink: a server we did not write."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.domain.delivery import Attempt, Envelope
from digest.domain.errors import RelayUnreachable
from digest.mail.smtp.journal import Journal
from digest.mail.smtp.relay import Relay
from digest.mail.smtp.relay_settings import RelaySettings
from tests.servers.running import PATIENCE

SINK = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin")
pytestmark = pytest.mark.skipif(SINK is None, reason="needs Postfix's smtp-sink (apt install postfix)")
AT = datetime(2026, 11, 23, 7, tzinfo=UTC)


@contextmanager
def sink(directory: Path, *options: str) -> Iterator[int]:
    """An smtp-sink that writes every message into a file of its own under `directory`."""
    assert SINK
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    directory.mkdir()
    directory.chmod(0o777)  # it drops its privileges before it writes
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [SINK, *user, "-d", "mail.", *options, f"127.0.0.1:{port}", "100"]
    with subprocess.Popen(command, cwd=directory, stderr=subprocess.PIPE) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    assert process.poll() is None
                    assert time.monotonic() < deadline, "smtp-sink did not start"
                    time.sleep(0.02)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)


def kept(directory: Path) -> Counter[str]:
    """How often each X-Id was written."""
    found: Counter[str] = Counter()
    for path in directory.iterdir():
        found.update(re.findall(r"^X-Id: (\d+)", path.read_text(), re.MULTILINE))
    return found


def envelopes(count: int) -> list[Envelope]:
    body = b"\r\n" + (b"x" * 70 + b"\r\n") * 100 + b".\r\n..\r\nend\r\n"
    return [Envelope(n, "b@x.test", f"r{n}@y.test", (b"X-Id: %d\r\n" % n + body,)) for n in range(count)]


def relay_at(port: int) -> Relay:
    return Relay(RelaySettings(host="127.0.0.1", port=port, tls="none", helo="me.test", max_per_connection=70), lambda: AT)


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """A path that a server without our privileges can reach."""
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(parent.stat().st_mode | 0o011)
    return tmp_path / "kept"


@pytest.mark.parametrize("options", [(), ("-p",)], ids=["pipelined", "plain"])
def test_each_message_arrives_once_and_whole(public: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    with sink(public, *options) as port, Journal.create(tmp_path / "journals") as journal:
        attempts = list(relay_at(port).send(envelopes(200), journal))
        journal.recorded(a.delivery_id for a in attempts)
    assert all(a.accepted for a in attempts)
    assert kept(public) == {str(n): 1 for n in range(200)}
    texts = [path.read_text() for path in public.iterdir()]
    assert all(re.search(r"\n\.\n\.\.\nend\n", text) for text in texts)


def take_all(found: list[Attempt], attempts: Iterator[Attempt]) -> None:
    """Into `found` one by one, so that what came before an error is there."""
    while (attempt := next(attempts, None)) is not None:
        found.append(attempt)


REFUSING = [
    # what smtp-sink refuses, at which stage attempts end
    (("-f", "rcpt"), "rcpt", 500),
    (("-r", "rcpt"), "rcpt", 450),
    (("-f", "mail"), "mail", 500),
    (("-r", "data"), "data", 450),
    (("-r", "."), "dot", 450),
]


@pytest.mark.parametrize(("options", "stage", "code"), REFUSING)
def test_refusals(public: Path, tmp_path: Path, options: tuple[str, ...], stage: str, code: int) -> None:
    with sink(public, *options) as port, Journal.create(tmp_path / "journals") as journal:
        attempts = list(relay_at(port).send(envelopes(20), journal))
        journal.recorded(a.delivery_id for a in attempts)
    assert {(a.stage, a.reply.code if a.reply else 0) for a in attempts} == {(stage, code)}
    assert len(attempts) == 20


@pytest.mark.parametrize("command", ["mail", "rcpt", "data", "."])
def test_disconnecting(public: Path, tmp_path: Path, command: str) -> None:
    """A server that hangs up at this command, every time: given up after three sessions, nothing counted as accepted."""
    with sink(public, "-q", command) as port, Journal.create(tmp_path / "journals") as journal:
        found: list[Attempt] = []
        attempts = relay_at(port).send(envelopes(50), journal)
        with pytest.raises(RelayUnreachable, match="3 sessions in a row"):
            take_all(found, attempts)
        journal.recorded(a.delivery_id for a in found)
    assert not any(a.accepted for a in found)
    assert len(found) < 10
    assert {a.uncertain for a in found if a.stage != "connect"} == {command == "."}
