"""A real PostgreSQL for the tests: initdb and pg_ctl in a folder of its own, on a Unix socket, ended by pg_ctl.

PostgreSQL refuses to run as root; then it runs as the user postgres, who must be able to reach the folder: so it lies in the
system's temporary folder, not in pytest's (which only its owner may enter).
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from tests.servers.running import own_folder

_SETTINGS = {
    "listen_addresses": "''",  # the socket only
    "fsync": "off",  # the data dies with the test; crash safety is PostgreSQL's own business
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
}


def missing() -> str | None:
    """Why there can be no PostgreSQL here; None when there can."""
    if _bin() is None:
        return "initdb is not installed (apt install postgresql)"
    if os.geteuid() == 0 and not _has_user("postgres"):
        return "running as root and there is no user postgres to run the server as"
    return None


@contextmanager
def postgresql(settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Starts a server and yields the URL of its database `postgres`; stops it in the end. `settings` win over ours."""
    binaries = _bin()
    assert binaries is not None
    with own_folder("pg") as folder:
        as_user = _as_user(folder)
        data = folder / "data"
        _run([*as_user, binaries / "initdb", "-D", data, "-U", "digest", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"])
        with (data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = {value}\n" for name, value in (_SETTINGS | dict(settings or {})).items())
            conf.write(f"unix_socket_directories = '{folder}'\n")
        url = f"postgresql://digest@/postgres?host={folder}"
        start(url)
        try:
            yield url
        finally:
            if (data / "postmaster.pid").exists():  # a test may have stopped it
                stop(url)


def restart(url: str) -> None:
    """As after a power cut: nobody is asked to finish, and the server comes up from its log. `url` is what was yielded."""
    stop(url)
    start(url)


def stop(url: str) -> None:
    _control(url, "-m", "immediate", "stop")


def start(url: str) -> None:
    _control(url, "start")


def _control(url: str, *words: str) -> None:
    folder = Path(str(make_url(url).query["host"]))
    binaries = _bin()
    assert binaries is not None
    options = ["-D", folder / "data", "-w", "-t", "120", "-l", folder / "log"]
    _run([*_as_user(folder), binaries / "pg_ctl", *options, *words])


def _as_user(folder: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "postgres")
    runuser = shutil.which("runuser") or "/usr/sbin/runuser"
    return [runuser, "-u", "postgres", "--"]


def _run(command: list[str | Path]) -> None:
    # cwd: the user postgres may not enter ours. Output goes to a file, not a pipe: the server would keep the pipe open.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(list(map(str, command)), cwd="/", stdout=said, stderr=subprocess.STDOUT, timeout=180, check=False)
        said.seek(0)
        assert done.returncode == 0, f"{command[-1]}: {said.read().decode(errors='replace')}"


def _bin() -> Path | None:
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return versions[-1].parent if versions else None


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
