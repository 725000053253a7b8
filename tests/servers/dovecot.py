"""A real Dovecot: LMTP in, Maildir, IMAP out, on loopback. Every address is a mailbox; the password of all is `PASSWORD`."""

from __future__ import annotations

import email
import email.policy
import imaplib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from tests.servers.running import PATIENCE, free_port, listening, own_folder, running

PASSWORD = "secret"

_CONFIG = """\
protocols = imap lmtp
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
auth_username_format = %Lu
first_valid_uid = 1
first_valid_gid = 1
mail_uid = mail
mail_gid = mail
mail_location = maildir:~/Maildir
mail_fsync = never
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={folder}/mail/%Lu allow_all_users=yes
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
protocol lmtp {{
  postmaster_address = postmaster@localhost
}}
"""


@dataclass(frozen=True, slots=True)
class Dovecot:
    imap_port: int
    lmtp_port: int
    folder: Path

    def messages(self, address: str, at_least: int = 0, seconds: float = PATIENCE) -> list[bytes]:
        """Everything in the INBOX of `address`, read over IMAP as it lies there, in order of arrival.

        Waits until `at_least` messages are there; after `seconds` it returns what there is.
        """
        deadline = time.monotonic() + seconds
        with imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=PATIENCE) as imap:
            imap.login(address, PASSWORD)
            while True:
                count = int(imap.select("INBOX", readonly=True)[1][0] or 0)
                if count >= at_least or time.monotonic() > deadline:
                    break
                time.sleep(0.05)
            if not count:
                return []
            _, found = imap.fetch("1:*", "(BODY.PEEK[])")
            return [part[1] for part in found if isinstance(part, tuple)]

    def parsed(self, address: str, at_least: int = 0, seconds: float = PATIENCE) -> list[EmailMessage]:
        """`messages`, parsed."""
        read = self.messages(address, at_least, seconds)
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in read]


def missing() -> str | None:
    """Why there can be no Dovecot here; None when there can."""
    if os.geteuid() != 0:
        return "Dovecot with several users must be started as root"
    needed = ("dovecot", "/usr/lib/dovecot/imap", "/usr/lib/dovecot/lmtp")
    if not all(shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin") for program in needed):
        return "Dovecot is not installed (apt install dovecot-imapd dovecot-lmtpd)"
    return None


@contextmanager
def dovecot() -> Iterator[Dovecot]:
    with own_folder("dc") as folder:
        server = Dovecot(free_port(), free_port(), folder)
        (folder / "mail").mkdir()
        shutil.chown(folder / "mail", "mail", "mail")
        config = folder / "dovecot.conf"
        config.write_text(_CONFIG.format(folder=folder, imap=server.imap_port, lmtp=server.lmtp_port, password=PASSWORD))
        program = shutil.which("dovecot") or "/usr/sbin/dovecot"

        def ready() -> bool:
            return listening(server.imap_port) and listening(server.lmtp_port)

        with running([program, "-F", "-c", config], ready, folder / "log"):
            yield server
