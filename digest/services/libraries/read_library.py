"""What somebody brings as their papers → works: BibTeX, RIS, CSL-JSON, Zotero's CSV, identifiers, titles, pasted text."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from digest.domain.errors import InvalidInput, UnreadableAnswer
from digest.domain.library import Rejected
from digest.domain.paper import Sighting
from digest.domain.phrase import joined, phrase
from digest.sources import reference_text
from digest.sources.detect_format import HEAD, read_file, recognise

MOST_WORKS = 20_000
"""Of one file."""
LONGEST_TEXT = 1_000_000
"""Bytes that are read of what is in no format."""

ReadLibrary = tuple[tuple[Sighting, ...], tuple[Rejected, ...]]


def read_library(file: Path, at: datetime) -> ReadLibrary:
    """The works a file names, and what was not understood, each with its line or entry. A work named twice comes once.

    Raises InvalidInput for a file that names none, or more than MOST_WORKS.
    """
    found: dict[str, Sighting] = {}
    rejected: list[Rejected] = []
    named = 0
    try:
        with file.open("rb") as opened:
            known = recognise(opened.read(HEAD))
        packed = file.read_bytes()[:6].startswith((b"\x1f\x8b", b"\xfd7zXZ\x00"))
        parts = read_file(file, at) if known or packed else [reference_text.parse(_text(file), source="text", seen_at=at)]
        for parsed in parts:
            named += len(parsed.sightings)
            for each in parsed.sightings:
                found.setdefault(str(each.identifiers[0]), each)
            if named > MOST_WORKS:
                raise InvalidInput(str(file), phrase("names more than %(most)s papers; give fewer at a time", most=MOST_WORKS))
            rejected += [Rejected(each.where, each.reason) for each in parsed.rejected]
    except UnreadableAnswer as error:
        rejected.append(Rejected("", error.reason))
    except OSError as error:
        raise InvalidInput(str(file), f"cannot be read: {error.strerror}") from None
    if not found:
        first = joined(filter(None, (rejected[0].where, rejected[0].reason)), " ") if rejected else phrase("it is empty")
        what = phrase("names no paper (%(why)s); bring BibTeX, RIS, CSL-JSON, Zotero's CSV, identifiers or titles", why=first)
        raise InvalidInput(str(file), what)
    return tuple(found.values()), tuple(rejected)


def read_or_reason(given: bytes, at: datetime) -> ReadLibrary | str:
    """`read_library` for bytes; why there is nothing, instead of raising it."""
    with TemporaryDirectory(prefix="digest-upload-") as folder:
        file = Path(folder) / "papers"
        file.write_bytes(given)
        try:
            return read_library(file, at)
        except InvalidInput as error:
            return error.reason


def _text(file: Path) -> bytes:
    data = file.read_bytes()
    if not data.strip():
        raise UnreadableAnswer("file", phrase("it is empty"))
    if data.lstrip()[:1] in (b"{", b"<") or data.lstrip()[:2] in (b"[{", b'["'):
        raise UnreadableAnswer("file", phrase("no format known here"))
    if b"\x00" in data[:HEAD] and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise UnreadableAnswer("file", phrase("is no text"))
    return data[:LONGEST_TEXT]
