"""Files dropped in a folder, of any format that detect_format.py knows: read once, and again when they change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from digest.domain.errors import ConfigurationError, SourceUnreachable, UnreadableAnswer
from digest.sources import clean_fields
from digest.sources.detect_format import read_file
from digest.sources.options import made
from digest.sources.port import Batch, Getter, Parsed, Rejection, State
from digest.sources.publishing_schedule import PublishingSchedule

_UNFINISHED = (".part", ".tmp", ".crdownload", ".swp", "~")


@dataclass(frozen=True, slots=True)
class Folder:
    """Every file in a folder and below it, in order of name. Hidden files and those still being written are passed over.

    A page that carries no instant of its own brings its papers but no signals: a folder does not know when it was fetched.

    Options: `path` (the folder to watch; a `base_url` like file:///srv/papers says it as well).

    State: {"files": {relative name: "size-mtime"}}.
    """

    name: str
    base_url: str = ""
    path: str = ""
    rhythm: ClassVar[PublishingSchedule] = PublishingSchedule.IRREGULAR

    def collect(self, getter: Getter, state: State, at: datetime) -> Iterator[Batch]:
        """Raises SourceUnreachable where there is no such folder. A file that cannot be read is a Rejection, said once."""
        folder = Path(self.path)
        known = {name: mark for name, mark in clean_fields.table(state.get("files")).items() if isinstance(mark, str)}
        there = self._there(folder)
        known = {name: mark for name, mark in known.items() if name in there}
        for name, mark in there.items():
            if known.get(name) == mark:
                continue
            for parsed in self._read(folder / name, at):
                # The file counts as read only with the batch after its last part.
                sightings = tuple(
                    replace(s, source=self.name, signals=() if parsed.undated else s.signals) for s in parsed.sightings
                )
                readings = () if parsed.undated else parsed.readings
                rejected = tuple(Rejection(clean_fields.clipped(f"{name}: {r.where}"), r.reason) for r in parsed.rejected)
                yield Batch(sightings, rejected, readings, {"files": known})
            known = known | {name: mark}
            yield Batch(state={"files": known})

    def _there(self, folder: Path) -> dict[str, str]:
        try:
            files = sorted(file for file in folder.rglob("*") if file.is_file() and not _passed_over(file.relative_to(folder)))
            if not folder.is_dir():
                raise SourceUnreachable(self.name, f"{self.path} is no folder")
            marks = {file: file.stat() for file in files}
        except OSError as error:
            raise SourceUnreachable(self.name, f"{self.path}: {error.strerror or error}") from None
        return {file.relative_to(folder).as_posix(): f"{mark.st_size}-{mark.st_mtime_ns}" for file, mark in marks.items()}

    def _read(self, file: Path, at: datetime) -> Iterator[Parsed]:
        try:
            yield from read_file(file, at)
        except UnreadableAnswer as error:
            yield Parsed(rejected=(Rejection("the file", error.reason),))


def _passed_over(name: Path) -> bool:
    return any(part.startswith(".") for part in name.parts) or name.name.endswith(_UNFINISHED)


def build(name: str, base_url: str, options: Mapping[str, Any]) -> Folder:
    source = made(Folder, name, base_url, options)
    if not source.path and base_url.startswith("file://"):
        source = replace(source, path=unquote(urlsplit(base_url).path))
    if not source.path:
        raise ConfigurationError(f"sources.{name}.options.path", "is missing; should be the folder to watch")
    return source
