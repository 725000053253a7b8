"""Mail fetched over IMAP: a mail leaves its mailbox only after what it asks for has been committed; other mail is untouched.

Messages are looked at with BODY.PEEK, so they stay unread; at most as many bytes as we read of any mail are fetched. A processed
one is moved (RFC 6851) to a folder, or where the server cannot, copied and only then deleted, and expunged by itself
(RFC 4315): a plain EXPUNGE would also remove what somebody else has marked.
"""

from __future__ import annotations

import imaplib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from digest.domain.errors import RelayUnreachable
from digest.mail.message.mime import MAX_BYTES

Take = Callable[[bytes], bool]
"""Processes one mail and commits; False for a mail that is none of ours, which stays where it is. If it raises, it stays too."""

Connect = Callable[[], imaplib.IMAP4]
"""A new connection, logged in."""

MAX_A_POLL = 500


@dataclass(slots=True)
class ImapPoll:
    """Looks into `mailbox` when asked. `done` is the folder for what was processed; it is made where it is missing."""

    connect: Connect
    name: str
    """Of the server, for messages."""
    mailbox: str = "INBOX"
    done: str = "Processed"
    _seen: set[tuple[bytes, bytes]] = field(default_factory=set)
    """What is none of ours, as (UIDVALIDITY, UID): not fetched again while this process lives."""

    def poll(self, take: Take) -> int:
        """Gives each new mail to `take`; says how many were processed. Raises RelayUnreachable where the server fails us.

        Whatever `take` raises ends the poll: that mail and those after it lie there for the next one.
        """
        try:
            connection = self.connect()
        except (OSError, imaplib.IMAP4.error) as error:
            raise RelayUnreachable(self.name, f"IMAP: {_error_text(error)}") from None
        try:
            return self._work(connection, take)
        except (OSError, imaplib.IMAP4.error) as error:
            raise RelayUnreachable(self.name, f"IMAP: {_error_text(error)}") from None
        finally:
            _leave(connection)

    def _work(self, connection: imaplib.IMAP4, take: Take) -> int:
        _ok(connection.select(_quoted(self.mailbox)), f"cannot open {self.mailbox}")
        validity = (connection.response("UIDVALIDITY")[1] or [b""])[0] or b""
        found = _ok(connection.uid("SEARCH", "UNDELETED"), "cannot search")
        uids = [uid for uid in (found[0] or b"").split() if (validity, uid) not in self._seen]
        if uids:
            connection.create(_quoted(self.done))  # "NO" where it is there already
        capabilities = _capabilities(connection)
        processed = 0
        for uid in uids[:MAX_A_POLL]:
            data = self._fetch(connection, uid)
            if data is None:  # somebody else removed it meanwhile
                continue
            if take(data):
                self._remove(connection, uid.decode(), capabilities)
                processed += 1
            else:
                self._seen.add((validity, uid))
        return processed

    def _fetch(self, connection: imaplib.IMAP4, uid: bytes) -> bytes | None:
        parts = _ok(connection.uid("FETCH", uid.decode(), f"(BODY.PEEK[]<0.{MAX_BYTES}>)"), "cannot fetch")
        return next((part[1] for part in parts if isinstance(part, tuple)), None)

    def _remove(self, connection: imaplib.IMAP4, uid: str, capabilities: frozenset[str]) -> None:
        if "MOVE" in capabilities:
            _ok(connection.uid("MOVE", uid, _quoted(self.done)), f"cannot move to {self.done}")
            return
        _ok(connection.uid("COPY", uid, _quoted(self.done)), f"cannot copy to {self.done}")
        _ok(connection.uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)"), "cannot mark as deleted")
        if "UIDPLUS" in capabilities:
            _ok(connection.uid("EXPUNGE", uid), "cannot expunge")


def _capabilities(connection: imaplib.IMAP4) -> frozenset[str]:
    """What the server can do for this user: many say it only after the login, which imaplib does not notice."""
    answer = _ok(connection.capability(), "cannot tell its capabilities")
    return frozenset((answer[0] or b"").decode("ascii", "replace").upper().split())


def _ok(answer: tuple[str, list[Any]], problem: str) -> list[Any]:
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(problem)
    return data


def _quoted(name: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'


def _error_text(error: Exception) -> str:
    """In words: of a system's error its text, not its number."""
    text = str(getattr(error, "strerror", None) or (error.args[0] if error.args else error))
    return " ".join(text.split())[:200] or type(error).__name__


def _leave(connection: imaplib.IMAP4) -> None:
    try:
        connection.logout()
    except (OSError, imaplib.IMAP4.error):
        connection.shutdown()
