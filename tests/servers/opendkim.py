"""OpenDKIM as a verifier: a milter on loopback that writes what it found into Authentication-Results."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.servers.running import free_port, listening, own_folder, running

AUTHORITY = "verifier.example.test"
"""Whose Authentication-Results they are."""

_CONFIG = """\
Mode v
Syslog no
Background no
AutoRestart no
Socket inet:{port}@127.0.0.1
TestDNSData {folder}/zone
AuthservID {authority}
AlwaysAddARHeader yes
UMask 022
"""


def missing() -> str | None:
    """Why there can be no OpenDKIM here; None when there can."""
    return None if _program() else "OpenDKIM is not installed (apt install opendkim)"


@contextmanager
def opendkim(zone: Mapping[str, str]) -> Iterator[int]:
    """The milter's port. `zone` is all it knows of DNS: names with their TXT records."""
    with own_folder("od") as folder:
        port = free_port()
        (folder / "zone").write_text("".join(f"{name} {value}\n" for name, value in zone.items()))
        (folder / "opendkim.conf").write_text(_CONFIG.format(port=port, folder=folder, authority=AUTHORITY))
        command = [_program() or "", "-f", "-x", str(folder / "opendkim.conf")]
        if os.geteuid() == 0:
            command += ["-u", "nobody"]
        with running(command, lambda: listening(port), folder / "said"):
            yield port


def _program() -> str | None:
    return shutil.which("opendkim", path=os.environ.get("PATH", "") + ":/usr/sbin")
