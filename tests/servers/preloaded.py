"""`digest COMMAND` as a process of its own, without the second that a new interpreter needs to load its libraries.

One process per run of the tests (this file as a program) loads every module of digest, opens nothing and starts no thread; each
command is forked from it and then goes on as `python -m digest` does.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]


class Command:
    """Like subprocess.Popen, as far as tests ask."""

    def __init__(self, arguments: Sequence[str], status: int) -> None:
        self.args, self.returncode = arguments, None
        self._status = os.fdopen(status)
        self.pid = int(self._status.readline())

    returncode: int | None

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self._status.readline())
            self._status.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(
    arguments: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdout: IO[bytes] | None = None,
    stderr: IO[bytes] | None = None,
    start_new_session: bool = False,
) -> Command:
    """What is printed goes to the files given, and nowhere without."""
    with Path(os.devnull).open("r+b") as nowhere:
        files = [each.fileno() for each in (nowhere, stdout or nowhere, stderr or nowhere)]
        return _ordered(line(), arguments, cwd or Path.cwd(), os.environ if env is None else env, files, start_new_session)


def _ordered(
    to: socket.socket, arguments: Sequence[str], cwd: Path, env: Mapping[str, str], files: Sequence[int], session: bool
) -> Command:
    ours, theirs = os.pipe()
    order = {"arguments": list(arguments), "cwd": str(cwd), "env": dict(env), "session": session}
    socket.send_fds(to, [json.dumps(order).encode() + b"\n"], [*files, theirs])
    os.close(theirs)
    return Command(arguments, ours)


def run(
    arguments: Sequence[str], *, timeout: float, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs to the end; SIGKILL at the timeout."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        running = start(arguments, cwd=cwd, env=env, stdout=out, stderr=err)
        try:
            code = running.wait(timeout)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
            raise
        texts = []
        for each in (out, err):
            each.seek(0)
            texts.append(each.read().decode())
        return subprocess.CompletedProcess(arguments, code, *texts)


def in_a_shell() -> str:
    """What a shell script puts before a command's arguments; the shell must be given `line()`, under its own number."""
    return shlex.join([sys.executable, "-S", __file__, str(line().fileno())])


@cache
def line() -> socket.socket:
    """Our end of the line to the process that has the libraries; that process ends when ours does."""
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, __file__]
        process = subprocess.Popen(command, stdin=theirs, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


# ---- the process that has the libraries --------------------------------------------------------------------------------------


def _load() -> None:
    import digest

    for each in pkgutil.walk_packages(digest.__path__, "digest."):
        if not each.name.startswith("digest.store.migrations") and each.name != "digest.__main__":
            importlib.import_module(each.name)
    for name in ("sqlalchemy.dialects.sqlite.pysqlite", "sqlalchemy.dialects.postgresql.psycopg"):
        importlib.import_module(name)
    gc.freeze()


def _serve(orders: socket.socket) -> None:
    """Returns in each process that is to run a command, its arguments in sys.argv; ends the others."""
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        order, files, _, _ = socket.recv_fds(orders, 1 << 16, 4)
        if not order:
            os._exit(0)
        while not order.endswith(b"\n"):
            order += orders.recv(1 << 16)
        if os.fork():
            for each in files:
                os.close(each)
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG) != (0, 0):
                    pass
            continue
        orders.close()
        *standard, status = files
        pid = os.fork()
        if pid:
            for each in standard:
                os.close(each)
            os.write(status, b"%d\n" % pid)
            os.write(status, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            os._exit(0)
        signal.signal(signal.SIGINT, interrupted)
        asked = json.loads(order)
        if asked["session"]:
            os.setsid()
        for number, file in enumerate(standard):
            os.dup2(file, number)
            os.close(file)
        os.close(status)
        os.chdir(asked["cwd"])
        os.environ.clear()
        os.environ.update(asked["env"])
        sys.argv[1:] = asked["arguments"]
        return


if __name__ == "__main__":
    if sys.argv[1:]:  # a shell script's: LINE ARGUMENT ...
        shells = socket.socket(fileno=int(sys.argv[1]))
        sys.exit(_ordered(shells, sys.argv[2:], Path.cwd(), os.environ, (0, 1, 2), session=False).wait())
    _load()
    _serve(socket.socket(fileno=0))
    from digest.cli import main

    main()
