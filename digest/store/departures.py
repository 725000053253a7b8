"""Who left and what was sent, in files beside the send journal: so that both stay true when a backup takes the database's place.

A backup cannot know what happened after it. Each transaction writes its departures here before it commits: keyed hashes of
addresses and numbers of subscriptions, no address. Lines are JSON, one array each:

    ["began", instant]                                   the file's first line: it knows nothing of before
    ["ended" | "active", address hash, list, instant]    a subscription
    ["suppressed", address hash, reason, instant]        "erased" among the reasons
    ["lifted", address hash, instant]
    ["moved", old address hash, new address hash, instant]   a reader's address
    ["paused", list, reason, instant]
    ["resumed", list, instant]
    ["sent", day, [subscription, …], instant]            accepted, or perhaps; by the day (UTC) it was due
"""

from __future__ import annotations

import json
import logging
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from digest.domain.errors import InvalidInstant
from digest.domain.feedback import SuppressionReason
from digest.domain.instant import isoformat, parse_instant

Line = list[Any]

SENT_KEPT = timedelta(days=14)
"""How long the files of what was sent are kept; an older backup is restored without them, and says so."""
_LEFT = "left.log"


class Departures:
    """What one transaction will have to say."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._sent: dict[tuple[date, datetime], list[int]] = defaultdict(list)

    def ended(self, hashed: str, list_name: str, at: datetime) -> None:
        self.lines.append(["ended", hashed, list_name, isoformat(at)])

    def active(self, hashed: str, list_name: str, at: datetime) -> None:
        self.lines.append(["active", hashed, list_name, isoformat(at)])

    def suppressed(self, hashed: str, reason: SuppressionReason, at: datetime) -> None:
        self.lines.append(["suppressed", hashed, reason.value, isoformat(at)])

    def lifted(self, hashes: Iterable[str], at: datetime | None) -> None:
        self.lines += [["lifted", hashed, at and isoformat(at)] for hashed in hashes]  # without an instant: when it is written

    def moved(self, old: str, new: str, at: datetime) -> None:
        self.lines.append(["moved", old, new, isoformat(at)])

    def paused(self, list_name: str, reason: str, at: datetime) -> None:
        self.lines.append(["paused", list_name, reason, isoformat(at)])

    def resumed(self, list_name: str) -> None:
        self.lines.append(["resumed", list_name, None])  # when it is written

    def sent(self, subscription_ids: Iterable[int], due_at: datetime, at: datetime) -> None:
        self._sent[due_at.astimezone(UTC).date(), at].extend(subscription_ids)

    @property
    def sent_lines(self) -> list[Line]:
        return [["sent", day.isoformat(), ids, isoformat(at)] for (day, at), ids in self._sent.items()]


class DepartureLog:
    """Appended to by every process that uses this folder, a line at a time."""

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._clock = clock

    def write(self, departures: Departures) -> None:
        """What cannot be written is said in the program's log, and stops nobody from leaving."""
        try:
            if departures.lines:
                now = isoformat(self._clock())
                self._append(_LEFT, [[*line[:-1], line[-1] or now] for line in departures.lines])
            if sent := departures.sent_lines:
                self._append(f"sent-{str(sent[-1][-1])[:10]}.log", sent)
        except OSError as error:
            logging.getLogger("digest").warning("%s: %s; a restore will not know who left", self._folder, error.strerror)

    def begin(self) -> None:
        """From now on it knows of everything."""
        self._append(_LEFT, [])

    def read(self, since: datetime) -> Iterator[Line]:
        """What happened since then, by file."""
        for path in sorted(self._folder.glob("*.log")):
            for line in _lines(path):
                if line[0] != "began" and parse_instant(line[-1]) >= since:
                    yield line

    def knows(self, since: datetime) -> bool:
        """Whether it was there by then, and everything since is in it."""
        first = next(_lines(self._folder / _LEFT), None)
        return first is not None and parse_instant(first[-1]) <= since and self._clock() - since < SENT_KEPT

    def _append(self, name: str, lines: Iterable[Line]) -> None:
        path = self._folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.parent.chmod(0o700)
            self._drop_old()
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            header = [] if os.fstat(file).st_size else [["began", isoformat(self._clock())]]
            os.write(file, b"".join(json.dumps(each).encode() + b"\n" for each in [*header, *lines]))
        finally:
            os.close(file)

    def _drop_old(self) -> None:
        oldest = (self._clock() - SENT_KEPT).date().isoformat()
        for path in self._folder.glob("sent-*.log"):
            if path.stem.removeprefix("sent-") < oldest:
                path.unlink(missing_ok=True)


def _lines(path: Path) -> Iterator[Line]:
    """Those that can be read: a torn one tells nothing."""
    try:
        data = path.read_bytes()
    except OSError:
        return
    for text in data.splitlines():
        try:
            line = json.loads(text)
            parse_instant(line[-1])
        except (ValueError, IndexError, KeyError, TypeError, AttributeError, InvalidInstant):
            continue
        yield line
