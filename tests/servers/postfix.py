"""A real Postfix on loopback, in a folder of its own: takes mail for any domain; one LMTP server gets all of it, or nobody."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.running import PATIENCE, free_port, listening, own_folder, running

HOSTNAME = "mx.example.test"

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = {hostname}
mydestination =
mynetworks = 127.0.0.0/8
default_transport = {transport}
alias_maps =
alias_database =
local_recipient_maps =
smtpd_recipient_restrictions = check_recipient_access texthash:{folder}/refused, permit_mynetworks, reject
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
smtputf8_enable = yes
recipient_delimiter = +
lmtp_destination_concurrency_limit = 10
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
"""

_MASTER = """\
127.0.0.1:{port} inet n - n - 20 smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
showq unix n - n - - showq
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True, slots=True)
class Postfix:
    port: int
    folder: Path

    @property
    def maillog(self) -> str:
        return (self.folder / "maillog").read_text(errors="replace")


def missing() -> str | None:
    """Why there can be no Postfix here; None when there can."""
    if os.geteuid() != 0:
        return "Postfix must be started as root"
    if not Path("/usr/sbin/postfix").exists():
        return "Postfix is not installed (apt install postfix)"
    return None


@contextmanager
def postfix(lmtp_port: int | None, refused: Mapping[str, str] | None = None, milter_port: int | None = None) -> Iterator[Postfix]:
    """Hands on by LMTP, or throws away (None). `refused` maps recipients to replies, such as {"gone@example.org": "550 5.1.1 no
    such user"}; a milter sees every mail.
    """
    with own_folder("pf") as folder:
        server = Postfix(free_port(), folder)
        for name in ("spool", "data"):
            (folder / name).mkdir()
        shutil.chown(folder / "data", "postfix")
        (folder / "refused").write_text("".join(f"{who} {reply}\n" for who, reply in (refused or {}).items()))
        transport = "discard:" if lmtp_port is None else f"lmtp:inet:127.0.0.1:{lmtp_port}"
        main = _MAIN.format(folder=folder, hostname=HOSTNAME, transport=transport)
        if milter_port is not None:
            main += f"smtpd_milters = inet:127.0.0.1:{milter_port}\nmilter_default_action = tempfail\n"
        (folder / "main.cf").write_text(main)
        (folder / "master.cf").write_text(_MASTER.format(port=server.port))
        for shipped in ("postfix-files", "dynamicmaps.cf"):  # `postfix start` reads them beside main.cf
            if (Path("/etc/postfix") / shipped).exists():
                shutil.copy(Path("/etc/postfix") / shipped, folder)
        control = ["/usr/sbin/postfix", "-c", str(folder)]
        log = folder / "said"
        try:
            with running([*control, "start-fg"], lambda: listening(server.port), log):
                yield server
        finally:
            # master leads a process group of its own; it is found by the pid file in our folder, and is usually gone by now
            subprocess.run([*control, "abort"], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False)
