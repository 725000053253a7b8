"""load: papers and signals from files into the store. Doing it twice changes nothing.

    files ─▶ recognise, read (sources) ─▶ merge sightings, then readings, some thousand a unit of work (store)

A file that cannot be read, a row without a title, a reading of a paper nobody showed us: rejected with file, place and reason;
the rest is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from digest.domain.errors import UnreadableAnswer
from digest.domain.identifier import Identifier
from digest.domain.paper import MergeCounts, Sighting
from digest.sources.detect_format import read_file
from digest.sources.port import Parsed, Reading, Rejection
from digest.store.row_mapping import Content, sighting_content
from digest.store.unit_of_work import Store

_Part = TypeVar("_Part")

SIGHTINGS_AT_ONCE = 4_000
READINGS_AT_ONCE = 20_000
GONE = "arxiv"
"""Who says in files that papers were removed: only OAI-PMH can, and read_file names its sightings so."""
_FETCHED = re.compile(r"\d{4}-\d{2}-\d{2}_fetched_(\d{4}-\d{2}-\d{2})T(\d{2})(\d{2})(\d{2})Z")


@dataclass(frozen=True, slots=True)
class Rejected:
    """`where` is the place inside the file, or empty where it is the whole of it."""

    file: str
    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class LoadReport:
    """Sightings by what they did (one paper may be shown by several), readings not there before, and what was left out."""

    papers_new: int = 0
    papers_updated: int = 0
    papers_unchanged: int = 0
    signals: int = 0
    rejected: tuple[Rejected, ...] = ()


def load(paths: Iterable[Path], store: Store, observed_at: datetime | None, at: datetime) -> LoadReport:
    """Loads files, and folders with all below them, in order of name.

    `observed_at` is when undated pages were fetched; without it a name like DATE_fetched_2025-03-03T074942Z.json tells, and
    without that the page's signals are rejected (its papers are kept, as seen `at`). Raises StoreError; what was committed
    before stays, and loading again completes it.
    """
    loading = _Loading(store, at)
    for file, parsed, contents, is_dated in _ahead(_read(paths, observed_at, at)):
        loading.take(file, parsed, contents, dated=is_dated)
    return loading.report()


def _read(
    paths: Iterable[Path], observed_at: datetime | None, at: datetime
) -> Iterator[tuple[Path, Parsed, list[Content], bool]]:
    """(file, what a part of it holds, what the store will keep of that, whether the time it was fetched is known)."""
    for file in _files(paths):
        fetched_at = observed_at or fetched(file.name)
        try:
            for parsed in read_file(file, fetched_at or at):
                yield file, parsed, [sighting_content(each) for each in parsed.sightings], fetched_at is not None
        except UnreadableAnswer as error:
            yield file, Parsed(rejected=(Rejection("", error.reason),)), [], True


def _ahead(parts: Iterator[_Part]) -> Iterator[_Part]:
    """The next part is read and made ready while the database stores this one."""
    with ThreadPoolExecutor(1, "reading") as reader:
        coming = reader.submit(next, parts, None)
        while (part := coming.result()) is not None:
            coming = reader.submit(next, parts, None)
            yield part


def fetched(name: str) -> datetime | None:
    """When a page was fetched, by its name: "2025-03-03_fetched_2025-03-03T074942Z.json"."""
    if not (found := _FETCHED.search(name)):
        return None
    day, hour, minute, second = found.groups()
    try:
        return datetime.fromisoformat(f"{day}T{hour}:{minute}:{second}").replace(tzinfo=UTC)
    except ValueError:
        return None


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """Hidden files and folders below a folder are let be; what was named itself is always read."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for file in sorted(path.rglob("*")):
            if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts):
                yield file


class _Loading:
    """Gathers what the files hold and hands it to the store in units of a good size."""

    def __init__(self, store: Store, at: datetime) -> None:
        self.rejected: list[Rejected] = []
        self._store = store
        self._at = at
        self._counts = MergeCounts()
        self._sightings: list[Sighting] = []
        self._contents: list[Content] = []
        self._gone: list[Identifier] = []
        self._readings: list[tuple[str, Reading]] = []
        self._waiting: list[tuple[str, Reading]] = []
        """Readings of papers not known yet: a later file may show them."""

    def take(self, file: Path, parsed: Parsed, contents: Sequence[Content], *, dated: bool) -> None:
        name = str(file)
        self.rejected += [Rejected(name, each.where, each.reason) for each in parsed.rejected]
        if parsed.undated and not dated:
            parsed = _without_signals(parsed)
            record = (
                "the page does not say when it was read; give --observed-at INSTANT, or name it DATE_fetched_2025-03-03T074942Z"
            )
            self.rejected.append(Rejected(name, "signals", record))
        self._sightings += parsed.sightings
        self._contents += contents
        self._gone += parsed.gone
        self._readings += [(name, reading) for reading in parsed.readings]
        if len(self._sightings) >= SIGHTINGS_AT_ONCE or len(self._readings) >= READINGS_AT_ONCE:
            self._flush()

    def report(self) -> LoadReport:
        self._flush()
        self._readings, self._waiting = self._waiting, []
        self._flush()
        by_paper = {reading.identifier: file for file, reading in reversed(self._waiting)}
        unknown = [Rejected(file, str(paper), "no such paper; import the paper first") for paper, file in by_paper.items()]
        done = self._counts
        return LoadReport(done.new, done.updated, done.unchanged, done.signals, (*self.rejected, *reversed(unknown)))

    def _flush(self) -> None:
        """One unit of work. Sightings first: the readings may be of them.

        An old page or reading proves that a paper was known by then, whatever was loaded before it.
        """
        if not (self._sightings or self._readings or self._gone):
            return
        with self._store.begin() as unit:
            self._counts += unit.papers.merge(self._sightings, self._contents)
            self._counts += unit.papers.withdraw(self._gone, GONE, self._at)
            added = unit.papers.add_signals([(reading.identifier, reading.signal) for _, reading in self._readings])
            proven = [(s.identifiers[0], s.seen_at) for s in self._sightings if s.seen_at < self._at]
            proven += [(reading.identifier, reading.signal.observed_at) for _, reading in self._readings]
            if proven:
                unit.papers.known_since(proven)
        self._counts += MergeCounts(signals=added.added)
        unknown = frozenset(added.unknown)
        self._waiting += [entry for entry in self._readings if entry[1].identifier in unknown]
        self._sightings, self._contents, self._readings, self._gone = [], [], [], []


def _without_signals(parsed: Parsed) -> Parsed:
    return Parsed(tuple(replace(sighting, signals=()) for sighting in parsed.sightings), parsed.rejected)
