"""The send journal: what was said to a relay, on local disk before it is said, so that no crash can hide a message.

One line a record, written at once:

    owner <name>                                              whose journal it is: the name under which its writer claims
    dot <delivery> <instant> <relay>                          before the bytes of the final dot go out
    reply <delivery> <instant> <relay> <code> <status> <text>  after the relay answered it (status is "-" when there was none)
    lost <delivery> <instant> <relay> <error>                 the connection ended without an answer
    recorded <delivery> …                                     the table holds the outcome: forget what is above

Durability: a record is in the operating system's buffer when the call returns, which is what surviving `kill -9` takes.
Surviving a power cut takes `sync=True` (an fdatasync per dot, some milliseconds on a disk); without it the messages of the
last moments before the cut can be sent twice, never lost.

A journal belongs to one process: the file is locked (flock) while it is open, and whoever finds one unlocked may replay it.
Its owner's name is random and written in it, so that hosts and containers of one name and processes of one number are told
apart, and a journal still has its owner when the host's name has changed. The directory must be on a local file system.

Room on disk for the reply is reserved before a dot goes out: a full disk stops the next message, not the answer to the last.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from digest.domain.delivery import Reply
from digest.domain.errors import MailError
from digest.domain.instant import isoformat
from digest.mail.smtp.journal_replay import Replayed, replay

_SUFFIX = ".journal"
_LONGEST_TEXT = 1100
"""Characters, of what a relay said."""
_RECORD = 8192
"""Bytes that the longest record takes: a reply's text has at most a thousand characters."""
_RESERVE = 1 << 16
"""Bytes reserved at a time."""
_CANNOT_RESERVE = (errno.EINVAL, errno.ENODEV, errno.ENOSYS, errno.EOPNOTSUPP)
_TRUNCATE_ABOVE = 1 << 20
"""Bytes of settled records worth cutting off; below that the file is left alone."""


class JournalInUse(MailError):
    """Another process has it open."""


class Journal:
    """An open journal. Threads of one process may share it.

    `open` takes a given file, `create` a fresh one in a directory, `abandoned` those that dead processes left behind.
    """

    def __init__(self, path: Path, file: int, *, sync: bool = False) -> None:
        self.path = path
        self.lease_over: Callable[[], bool] = lambda: False
        """Asked before each dot: whether what was claimed may be somebody else's by now."""
        self._file = file
        self._sync = sync
        self._room = os.fstat(file).st_size
        """Bytes that the file has on disk; what is behind `_size` is reserved."""
        kept = os.pread(file, self._room, 0)
        self._size = kept.rfind(b"\n") + 1
        left = replay(path) if self._size else Replayed()
        self._unsettled = {attempt.delivery_id for attempt in (*left.replies, *left.uncertain)}
        self._unanswered = set[int]()
        self._lock = threading.Lock()
        self.owner = left.owner or f"{socket.gethostname()}/{path.stem}"  # one of an older version has no name in it
        """Who claims deliveries while writing this journal."""
        if not self._size:
            self.owner = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(8)}"
            self._write(f"owner {self.owner}\n")
        self._header = len(f"owner {self.owner}\n".encode()) if left.owner or not kept else 0

    @classmethod
    def open(cls, path: Path, *, sync: bool = False, must_exist: bool = False) -> Self:
        """Opens (or makes) and locks `path`. Raises JournalInUse when another process has it, MailError when it cannot be had."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(path, os.O_RDWR | (0 if must_exist else os.O_CREAT) | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            raise JournalInUse(f"journal {path}: another process has just replayed it") from None
        except OSError as error:
            raise MailError(f"journal {path}: {error.strerror or error}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held the lock before us may have removed the file meanwhile: then we locked a ghost.
            ghost = not path.exists() or path.stat().st_ino != os.fstat(file).st_ino
        except OSError:
            ghost = True
        if ghost:
            os.close(file)
            raise JournalInUse(f"journal {path}: in use by another process; each sending process needs its own")
        try:
            return cls(path, file, sync=sync)
        except BaseException as error:
            if not (must_exist or os.fstat(file).st_size):
                path.unlink(missing_ok=True)
            os.close(file)
            if isinstance(error, OSError):
                raise MailError(f"journal {path}: {error.strerror or error}") from error
            raise

    @classmethod
    def create(cls, directory: Path, *, sync: bool = False) -> Self:
        """A fresh journal for this process. Raises MailError when the directory cannot be written."""
        return cls.open(directory / f"deliver-{os.getpid()}-{secrets.token_hex(8)}{_SUFFIX}", sync=sync)

    @classmethod
    def abandoned(cls, directory: Path) -> Iterator[Self]:
        """Journals nobody has open, each locked for the caller: replay it into the table, then `remove` it.

        Raises MailError for one that cannot be read: what it knows was sent would be sent again.
        """
        for path in _found(directory):
            try:
                journal = cls.open(path, must_exist=True)
            except JournalInUse:
                continue
            except MailError as error:
                raise MailError(f"{error}; nothing is sent before it can be read and replayed: {_FIX}") from error
            yield journal

    @staticmethod
    def unreadable(directory: Path) -> str:
        """Why `abandoned` would raise; "" where it would not."""
        try:
            for path in _found(directory):
                with suppress(FileNotFoundError), path.open("rb+", 0) as file:
                    file.seek(0)
        except OSError as error:
            return f"{path}: {error.strerror or error}"
        except MailError as error:
            return str(error).removeprefix("journal ")
        return ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def settled(self) -> bool:
        """Whether everything in it was recorded."""
        with self._lock:
            return not self._unsettled

    def replay(self) -> Replayed:
        return replay(self.path)

    def make_room(self) -> None:
        """Reserves what a dot and the replies under way take. Raises MailError on a full disk: then nothing is to be begun."""
        with self._lock:
            self._make_room()

    def dot(self, delivery_id: int, at: datetime, relay: str) -> None:
        """Call before the first byte of the final dot is written. When this raises, the dot must not be sent."""
        if self.lease_over():
            raise MailError("the lease on what was claimed ran out (did this machine sleep?): it is left to whoever has it now")
        with self._lock:
            self._make_room()
            self._write(f"dot {delivery_id} {isoformat(at)} {relay}\n")
            self._unsettled.add(delivery_id)
            self._unanswered.add(delivery_id)
            if self._sync:
                try:
                    os.fdatasync(self._file)
                except OSError as error:
                    raise self._failed(error) from error

    def reply(self, delivery_id: int, at: datetime, relay: str, reply: Reply) -> None:
        start = f"reply {delivery_id} {isoformat(at)} {relay} {reply.code} {reply.enhanced or '-'}"
        self._ended(delivery_id, start, reply.text)

    def lost(self, delivery_id: int, at: datetime, relay: str, error: str) -> None:
        self._ended(delivery_id, f"lost {delivery_id} {isoformat(at)} {relay}", error)

    def _ended(self, delivery_id: int, start: str, rest_of_line: str) -> None:
        with self._lock:
            self._write(f"{start} {_one_line(rest_of_line)[:_LONGEST_TEXT]}\n")
            self._unanswered.discard(delivery_id)

    def recorded(self, delivery_ids: Iterable[int]) -> None:
        """The table holds the outcome of these: call after its commit. The file is emptied when nothing is open."""
        ids = list(delivery_ids)
        if not ids:
            return
        with self._lock:
            self._unsettled.difference_update(ids)
            if not self._unsettled and self._size > _TRUNCATE_ABOVE:
                os.ftruncate(self._file, self._header)
                self._size = self._room = self._header
                return
            record = f"recorded {' '.join(map(str, ids))}\n"
            self._make_room(len(record))
            self._write(record)

    def close(self) -> None:
        """Unlocks the file; removes it when everything in it was recorded."""
        if self._file < 0:
            return
        self._finish(remove=not self._unsettled)

    def remove(self) -> None:
        """Everything in it is in the table."""
        if self._file >= 0:
            self._finish(remove=True)

    def _finish(self, *, remove: bool) -> None:
        file, self._file = self._file, -1
        try:
            if remove:
                self.path.unlink(missing_ok=True)  # before unlocking, so that nobody opens what is about to go
        except OSError as error:
            raise MailError(f"journal {self.path}: {error.strerror or error}") from error
        finally:
            os.close(file)

    def _make_room(self, more: int = 0) -> None:
        wanted = self._size + more + (len(self._unanswered) + 2) * _RECORD
        if wanted <= self._room:
            return
        wanted += _RESERVE
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(self._file, self._room, wanted - self._room)
        except OSError as error:
            if error.errno not in _CANNOT_RESERVE:
                raise self._failed(error) from error
        self._room = wanted

    def _write(self, record: str) -> None:
        """What is cut off by a full disk has no line end: it is written over, or not read."""
        data = record.encode(errors="replace")
        try:
            if os.pwrite(self._file, data, self._size) < len(data):
                raise OSError(errno.ENOSPC, "the disk is full")
        except OSError as error:
            raise self._failed(error) from error
        self._size += len(data)

    def _failed(self, error: OSError) -> MailError:
        return MailError(f"journal {self.path}: {error.strerror or error}; nothing is sent without it")


_FIX = "run as its owner, or give it to the user that sends (chown)"


def _found(directory: Path) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if path.name.endswith(_SUFFIX))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise MailError(f"journal {directory}: {error.strerror or error}") from error


def _one_line(text: str) -> str:
    return " ".join(text.split())


# ---- as those see it who send ------------------------------------------------------------------------------------------------


class SendLog(Protocol):
    """What is written down about the final dot; `Journal` is one. A `dot` that raises keeps the message from being sent."""

    def dot(self, delivery_id: int, at: datetime, relay: str) -> None: ...
    def reply(self, delivery_id: int, at: datetime, relay: str, reply: Reply) -> None: ...
    def lost(self, delivery_id: int, at: datetime, relay: str, error: str) -> None: ...


class NullSendLog:
    """A SendLog for mails that no row stands for: there is nothing to recover."""

    def dot(self, delivery_id: int, at: datetime, relay: str) -> None: ...
    def reply(self, delivery_id: int, at: datetime, relay: str, reply: Reply) -> None: ...
    def lost(self, delivery_id: int, at: datetime, relay: str, error: str) -> None: ...


def written_down(write: Callable[[], None]) -> MailError | None:
    """Has the log write something down after the answer; its error, if it could not."""
    try:
        write()
    except MailError as error:
        return error
    return None
