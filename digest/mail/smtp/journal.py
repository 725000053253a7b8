"""The send journal: what was said to a relay, on local disk before it is said, so that no crash can hide a message.

One line a record, appended with a single write:

    dot <delivery> <instant> <relay>                          before the bytes of the final dot go out
    reply <delivery> <instant> <relay> <code> <status> <text>  after the relay answered it (status is "-" when there was none)
    lost <delivery> <instant> <relay> <error>                 the connection ended without an answer
    recorded <delivery> …                                     the table holds the outcome: forget what is above

Durability: a record is in the operating system's buffer when the call returns, which is what surviving `kill -9` takes.
Surviving a power cut takes `sync=True` (an fdatasync per dot, some milliseconds on a disk); without it the messages of the
last moments before the cut can be sent twice, never lost.

A journal belongs to one process: the file is locked (flock) while it is open, and whoever finds one unlocked may replay it.
The directory must be on a local file system of the host that sends.
"""

from __future__ import annotations

import fcntl
import os
import socket
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from digest.domain.delivery import Attempt, Reply, Stage
from digest.domain.errors import InvalidInstant, MailError
from digest.domain.instant import isoformat, parse_instant

_SUFFIX = ".journal"
_TRUNCATE_ABOVE = 1 << 20
"""Bytes of settled records worth cutting off; below that the file is left alone."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a journal knows that the table may not, one attempt a delivery, in the order the outcomes were seen.

    Recording them must be find-or-do: a process may die between the table's commit and the journal's `recorded` line.
    """

    replies: tuple[Attempt, ...] = ()
    """The relay answered the final dot."""
    uncertain: tuple[Attempt, ...] = ()
    """The final dot may have gone out and no answer was seen."""
    unreadable: int = 0
    """Lines that are no records (a torn last line does not count): worth a warning."""


def replay(path: Path) -> Replayed:
    """Reads a journal. A last line without its newline was never finished and is ignored. Raises MailError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MailError(f"journal {path}: {error.strerror or error}") from error
    outcomes: dict[int, Attempt] = {}
    unreadable = 0
    lines = data.split(b"\n")[:-1]
    for line in lines:
        try:
            _apply(line.decode(), outcomes)
        except (ValueError, IndexError, InvalidInstant):
            unreadable += 1
    return Replayed(
        replies=tuple(a for a in outcomes.values() if a.reply is not None),
        uncertain=tuple(a for a in outcomes.values() if a.reply is None),
        unreadable=unreadable,
    )


def _apply(line: str, outcomes: dict[int, Attempt]) -> None:
    verb, _, rest = line.partition(" ")
    if verb == "recorded":
        for word in rest.split():
            outcomes.pop(int(word), None)
        return
    delivery, instant, relay, *said = rest.split(" ", 3)
    at = parse_instant(instant)
    if verb == "dot":
        reply, error = None, "the process ended before an answer was seen"
    elif verb == "lost":
        reply, error = None, said[0]
    elif verb == "reply":
        code, status, text = said[0].split(" ", 2)
        reply, error = Reply(int(code), text, "" if status == "-" else status), ""
    else:
        raise ValueError(verb)
    outcomes.pop(int(delivery), None)  # to the end: the order in which outcomes were seen
    outcomes[int(delivery)] = Attempt(int(delivery), at, relay, Stage.DOT, reply, error)


class Journal:
    """An open journal. Threads of one process may share it.

    `open` takes a given file, `create` a fresh one in a directory, `abandoned` those that dead processes left behind.
    """

    def __init__(self, path: Path, file: int, *, sync: bool = False) -> None:
        self.path = path
        self._file = file
        self._sync = sync
        self._size = os.fstat(file).st_size
        left = replay(path) if self._size else Replayed()
        self._unsettled = {attempt.delivery_id for attempt in (*left.replies, *left.uncertain)}
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path, *, sync: bool = False) -> Self:
        """Opens (or makes) and locks `path`. Raises MailError when another process has it."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
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
            raise MailError(f"journal {path}: in use by another process; each sending process needs its own")
        return cls(path, file, sync=sync)

    @classmethod
    def create(cls, directory: Path, *, sync: bool = False) -> Self:
        """A fresh journal for this process. Raises MailError when the directory cannot be written."""
        for number in range(10_000):
            path = directory / f"deliver-{os.getpid()}-{number}{_SUFFIX}"
            if not path.exists():  # one that is there is in use, or waits to be replayed
                return cls.open(path, sync=sync)
        raise MailError(f"journal directory {directory}: 10000 journals wait to be replayed; run digest deliver")

    @classmethod
    def abandoned(cls, directory: Path) -> Iterator[Self]:
        """Journals nobody has open, each locked for the caller: replay it into the table, then `remove` it."""
        for path in sorted(directory.glob(f"*{_SUFFIX}")):
            try:
                journal = cls.open(path)
            except MailError:
                continue
            yield journal

    @property
    def owner(self) -> str:
        """Who claims deliveries while writing this journal: unique among hosts, and known again when it is found abandoned."""
        return f"{socket.gethostname()}/{self.path.stem}"

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

    def dot(self, delivery_id: int, at: datetime, relay: str) -> None:
        """Call before the first byte of the final dot is written. When this raises, the dot must not be sent."""
        with self._lock:
            self._unsettled.add(delivery_id)
            self._write(f"dot {delivery_id} {isoformat(at)} {relay}\n")
            if self._sync:
                os.fdatasync(self._file)

    def reply(self, delivery_id: int, at: datetime, relay: str, reply: Reply) -> None:
        said = f"{reply.code} {reply.enhanced or '-'} {_one_line(reply.text)}"
        with self._lock:
            self._write(f"reply {delivery_id} {isoformat(at)} {relay} {said}\n")

    def lost(self, delivery_id: int, at: datetime, relay: str, error: str) -> None:
        with self._lock:
            self._write(f"lost {delivery_id} {isoformat(at)} {relay} {_one_line(error)}\n")

    def recorded(self, delivery_ids: Iterable[int]) -> None:
        """The table holds the outcome of these: call after its commit. The file is emptied when nothing is open."""
        ids = list(delivery_ids)
        if not ids:
            return
        with self._lock:
            self._unsettled.difference_update(ids)
            if not self._unsettled and self._size > _TRUNCATE_ABOVE:
                os.ftruncate(self._file, 0)
                self._size = 0
            else:
                self._write(f"recorded {' '.join(map(str, ids))}\n")

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
        if remove:
            self.path.unlink(missing_ok=True)  # before unlocking, so that nobody opens what is about to go
        file, self._file = self._file, -1
        os.close(file)

    def _write(self, record: str) -> None:
        data = record.encode()
        try:
            written = os.write(self._file, data)
            if written < len(data):
                os.ftruncate(self._file, self._size)
                raise OSError("the disk is full")
        except OSError as error:
            raise MailError(f"journal {self.path}: {error.strerror or error}; nothing is sent without it") from error
        self._size += written


def _one_line(text: str) -> str:
    return " ".join(text.split())


# ---- as those see it who send ------------------------------------------------------------------------------------------------


class SendLog(Protocol):
    """What is written down about the final dot; `Journal` is one. A `dot` that raises keeps the message from being sent."""

    def dot(self, delivery_id: int, at: datetime, relay: str) -> None: ...
    def reply(self, delivery_id: int, at: datetime, relay: str, reply: Reply) -> None: ...
    def lost(self, delivery_id: int, at: datetime, relay: str, error: str) -> None: ...


class Unwritten:
    """A SendLog for mails that no row stands for: there is nothing to recover."""

    def dot(self, delivery_id: int, at: datetime, relay: str) -> None: ...
    def reply(self, delivery_id: int, at: datetime, relay: str, reply: Reply) -> None: ...
    def lost(self, delivery_id: int, at: datetime, relay: str, error: str) -> None: ...
