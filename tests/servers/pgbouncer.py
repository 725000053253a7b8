"""A real pgbouncer in front of a PostgreSQL: it gives each transaction, or each session, a server of its own choice."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.running import free_port, listening, own_folder, running

_SETTINGS = """\
[databases]
* = host={server} user=digest
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = 12
min_pool_size = 3
server_round_robin = 1
pidfile = {folder}/pid
"""
PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin:/sbin:/bin")


@contextmanager
def pgbouncer(server: Path, mode: str) -> Iterator[int]:
    """Its port. `server` is the folder of PostgreSQL's socket; `mode` is "transaction" or "session"."""
    assert PROGRAM
    with own_folder("pgbouncer") as folder:
        settings, port = folder / "pgbouncer.ini", free_port()
        settings.write_text(_SETTINGS.format(server=server, port=port, mode=mode, folder=folder))
        as_user = []
        if os.geteuid() == 0:  # it refuses to run as root
            shutil.chown(folder, "postgres")
            as_user = ["-u", "postgres"]
        with running([PROGRAM, *as_user, settings], lambda: listening(port), folder / "log"):
            yield port
