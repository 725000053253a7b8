"""`digest COMMAND` as a process of its own, without the second that a new interpreter needs to load its libraries.

One process per run of the tests (this file as a program) loads every module of digest, opens nothing and starts no thread; each
command is forked from it and then goes on as `python -m digest` does. All workers of a run order from the same one.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import pickle
import pkgutil
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
SHARED = "TESTS_PRELOADED"
"""The variable that names the socket of the process that all workers share."""


class Command:
    """Like subprocess.Popen, as far as tests ask. `printed`: our files for its stdout and stderr."""

    returncode: int | None = None
    stdout = stderr = ""
    """What it printed, once it has ended, where no other file was given."""

    def __init__(self, arguments: Sequence[str], status: int, printed: Sequence[IO[bytes] | None] = (None, None)) -> None:
        self.args, self._status, self._printed = arguments, os.fdopen(status), printed
        self.pid = int(self._status.readline())

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self._status.readline())
            self.stdout, self.stderr = map(_text, self._printed)
            for each in (self._status, *self._printed):
                if each:
                    each.close()
        return self.returncode

    def errors(self) -> str:
        """What it has written to stderr until now."""
        return self.stderr if self.poll() is not None else _text(self._printed[1])

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _text(file: IO[bytes] | None) -> str:
    """All of it; where its writer is in it stays as it is."""
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode() if file else ""


def start(
    arguments: Sequence[str],
    *,
    first: Callable[[], object] | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: IO[bytes] | None = None,
    stdout: IO[bytes] | None = None,
    stderr: IO[bytes] | None = None,
    start_new_session: bool = False,
) -> Command:
    """`first` is called in the new process before the command; it is pickled, so it belongs to a module of tests/servers."""
    out, err = stdout or tempfile.TemporaryFile(), stderr or tempfile.TemporaryFile()  # noqa: SIM115  # the command closes ours
    with Path(os.devnull).open("rb") as nothing:
        files = [each.fileno() for each in (stdin or nothing, out, err)]
        order = _order(arguments, cwd or Path.cwd(), os.environ if env is None else env, first, start_new_session)
        return Command(arguments, _send(order, files, _shared()), (None if stdout else out, None if stderr else err))


def _order(arguments: Sequence[str], cwd: Path, env: Mapping[str, str], *rest: object) -> tuple[object, ...]:
    return list(arguments), str(cwd), dict(env), *rest


def _send(order: tuple[object, ...], files: Sequence[int], place: str) -> int:
    """The file in which the number of the process is written, and how it ended."""
    ours, theirs = os.pipe()
    with tempfile.TemporaryFile() as written, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        pickle.dump(order, written)
        written.seek(0)
        line.connect(place)
        socket.send_fds(line, [b"."], [written.fileno(), *files, theirs])
    os.close(theirs)
    return ours


def run(arguments: Sequence[str], *, timeout: float, **how: Any) -> subprocess.CompletedProcess[str]:
    """Runs to the end; SIGKILL at the timeout."""
    running = start(arguments, **how)
    try:
        code = running.wait(timeout)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()
        raise
    return subprocess.CompletedProcess(arguments, code, running.stdout, running.stderr)


def in_a_shell() -> str:
    """What a shell script puts before a command's arguments."""
    return shlex.join([sys.executable, "-S", __file__, "order", _shared()])


@cache
def _shared() -> str:
    return os.environ.get(SHARED) or serve()


def serve() -> str:
    """Starts the process that has the libraries, which ends when ours does; its socket."""
    folder = tempfile.mkdtemp(prefix="digest-preloaded-")
    place = f"{folder}/orders"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as orders:
        orders.bind(place)
        command = [sys.executable, __file__, "serve", str(orders.fileno())]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=ROOT, env=environment, pass_fds=[orders.fileno()])
    atexit.register(shutil.rmtree, folder)
    atexit.register(process.communicate)
    return place


# ---- the process that has the libraries --------------------------------------------------------------------------------------


def _load() -> None:
    import digest

    for each in pkgutil.walk_packages(digest.__path__, "digest."):
        if not each.name.startswith("digest.store.migrations") and each.name != "digest.__main__":
            importlib.import_module(each.name)
    later = "sqlalchemy.dialects.sqlite.pysqlite", "sqlalchemy.dialects.postgresql.psycopg", "alembic.command", "httpcore2"
    for name in later:
        importlib.import_module(name)
    gc.freeze()


def _serve(orders: socket.socket) -> None:
    """Returns in each process that is to run a command, its arguments in sys.argv; ends the others."""
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        if 0 in select.select([0, orders], [], [])[0]:
            os._exit(0)
        _, files, _, _ = socket.recv_fds(orders, 1, 5)
        if os.fork():
            for each in files:
                os.close(each)
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG) != (0, 0):
                    pass
            continue
        orders.close()
        written, *standard, status = files
        pid = os.fork()
        if pid:
            for each in (written, *standard):
                os.close(each)
            os.write(status, b"%d\n" % pid)
            os.write(status, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            os._exit(0)
        signal.signal(signal.SIGINT, interrupted)
        os.close(status)
        with os.fdopen(written, "rb") as order:
            arguments, cwd, env, first, session = pickle.load(order)
        if session:
            os.setsid()
        for number, file in enumerate(standard):
            os.dup2(file, number)
            os.close(file)
        sys.stdout.reconfigure(line_buffering=os.isatty(1))  # type: ignore[union-attr]  # as a new interpreter has it
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(env)
        sys.argv[1:] = arguments
        if first:
            first()
        return


def _run() -> NoReturn:
    """Ends as the interpreter does, but throws nothing away that was loaded: that takes longer than many a command."""
    from digest.cli import main

    code: object = None
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else code is not None)


if __name__ == "__main__":
    if sys.argv[1] == "order":  # PLACE ARGUMENT ..., from a shell script
        asked = _order(sys.argv[3:], Path.cwd(), os.environ, None, False)
        sys.exit(Command(sys.argv[3:], _send(asked, (0, 1, 2), sys.argv[2])).wait())
    _load()
    _serve(socket.socket(fileno=int(sys.argv[2])))
    _run()
