"""Mails in files: one a file, an mbox, a Maildir, a folder, or standard input, told apart by what they are.

The standard library's mailbox module wants to own and lock what it opens, and splits an mbox at every line that begins with
"From "; these are read as they lie, one message in memory at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from digest.domain.errors import InvalidInput

MAX_MESSAGE = 50_000_000
"""Bytes of one message that are kept; what is longer is cut."""

# RFC 4155 §A: sender, then the date as asctime writes it, perhaps with a zone
_SEPARATOR = re.compile(rb"From \S.{0,300}? [A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d(?::\d\d)?(?: \S{1,6})? \d{4}")
_ONE_MAIL = frozenset({".eml", ".msg", ".txt"})


@dataclass(frozen=True, slots=True)
class Found:
    """A mail and where it lies: a path, with the mail's number where the file holds several ("bounces.mbox:3")."""

    place: str
    data: bytes


def read_mailbox(path: str | Path, stdin: BinaryIO | None = None) -> Iterator[Found]:
    """Every mail in a file, mbox, Maildir or folder; "-" is `stdin`. Raises InvalidInput naming what cannot be read."""
    if str(path) == "-":
        if stdin is None:
            raise InvalidInput("-", "there is no standard input to read")
        yield from _split("-", stdin, single=False)
        return
    place = Path(path)
    try:
        if place.is_dir():
            for each in _files(place):
                yield from _file(each)
        else:
            yield from _file(place)
    except OSError as error:
        raise InvalidInput(str(path), f"cannot be read: {error.strerror or error}") from None


def _files(folder: Path) -> list[Path]:
    """A Maildir's mails are in `new` and `cur`; what is in `tmp` is not all there yet. Of any other folder, its files."""
    if (folder / "new").is_dir() and (folder / "cur").is_dir():
        found = [each for name in ("new", "cur") for each in (folder / name).iterdir()]
    else:
        found = list(folder.iterdir())
    return sorted(each for each in found if each.is_file() and not each.name.startswith("."))


def _file(path: Path) -> Iterator[Found]:
    with path.open("rb") as stream:
        yield from _split(str(path), stream, single=path.suffix.lower() in _ONE_MAIL)


def _split(place: str, stream: BinaryIO, *, single: bool) -> Iterator[Found]:
    """The mails of a stream: several where it begins like an mbox and its name does not say that it is one mail."""
    first = stream.readline(MAX_MESSAGE)
    if single or not _SEPARATOR.match(first):
        yield Found(place, first + stream.read(MAX_MESSAGE))
        return
    number, lines, size, blank = 1, [first], len(first), False
    while line := stream.readline(MAX_MESSAGE):
        if blank and _SEPARATOR.match(line):
            yield Found(f"{place}:{number}", b"".join(lines))
            number, lines, size = number + 1, [], 0
        if size + len(line) <= MAX_MESSAGE:
            lines.append(line)
            size += len(line)
        blank = line.strip() == b""
    yield Found(f"{place}:{number}" if number > 1 else place, b"".join(lines))
