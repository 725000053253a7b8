"""A server program as a child of the tests: in a folder of its own, waited for, ended by its pid."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 120.0
"""Seconds until what is waited for counts as never coming. It comes much sooner, unless something is broken."""


_WORKERS, _SHARE = 8, 1500
_FIRST = 20_000 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % _WORKERS * _SHARE
_PORTS = itertools.cycle(range(_FIRST, _FIRST + _SHARE))
"""This worker's own, below those that systems give to outgoing connections: nobody takes one before its server does."""
for _ in range(os.getpid() % _SHARE):  # two runs on one machine begin at different places
    next(_PORTS)


def free_port() -> int:
    """A loopback port nobody listens on, nor will before whoever asked does."""
    for port in itertools.islice(_PORTS, _SHARE):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError(f"none of the ports from {_FIRST} is free")


def until(happened: Callable[[], object], what: str = "it happens", seconds: float = PATIENCE) -> float:
    """Waits for an event; returns how long it took. Looks less often the longer it takes: a look may cost a query."""
    began = time.monotonic()
    while not happened():
        waited = time.monotonic() - began
        assert waited < seconds, f"not within {seconds:.0f} s: {what}"
        time.sleep(min(max(0.01, waited / 10), 0.1))
    return time.monotonic() - began


@contextmanager
def own_folder(prefix: str) -> Iterator[Path]:
    """A short path (Unix sockets allow about 100 characters) that a server's own user may enter."""
    folder = Path(tempfile.mkdtemp(prefix=f"digest-{prefix}-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(command: Sequence[str | Path], ready: Callable[[], bool], log: Path, seconds: float = PATIENCE) -> Iterator[int]:
    """Starts `command`, waits until `ready()`, yields its pid; in the end SIGTERM, and SIGKILL for what stays.

    What it prints goes to `log`, whose end is in the error when it does not come up.
    """
    with log.open("ab") as out:
        process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    try:
        deadline = time.monotonic() + seconds
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{command[0]} did not come up: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)
        yield process.pid
    finally:
        _end(process)


def listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(number)
        try:
            process.wait(timeout=30)
            break
        except subprocess.TimeoutExpired:
            continue
    with contextlib.suppress(ProcessLookupError):  # its children share its session, so its process group
        os.killpg(process.pid, signal.SIGKILL)
