"""What a source is to the rest of the project, and what its parser must give.

A source's file holds a parser, bytes → `Parsed`, and (where it is collected over the network) a class that keeps `Source`.

    def parse(data: bytes, *, source: str, seen_at: datetime) -> Parsed

A parser is a pure function of its arguments. `source` is the name the sightings and signals get; `seen_at` (aware, UTC) is when
the bytes were fetched (a file: imported). It raises only UnreadableAnswer: when the bytes as a whole are not what the source
documents. One bad record is a `Rejection` and the rest is kept; nothing is skipped without one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from digest.domain.identifier import Identifier
from digest.domain.library_account import AccountName
from digest.domain.paper import Sighting, Signal
from digest.sources.publishing_schedule import PublishingSchedule


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that could not be used. `where` points into the bytes ("line 317", "row 4", "entry 2103.00001")."""

    where: str
    reason: str
    """What is wrong and what would be right, in one line. Never longer than a line of log."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A signal about a paper that the bytes name but do not describe (signals JSONL, citation counts)."""

    identifier: Identifier
    signal: Signal


@dataclass(frozen=True, slots=True)
class Parsed:
    """What the bytes held.

    `undated` says that the sightings' signals are dated `seen_at` only because the page carries no instant of its own: whoever
    read the bytes from a file must know from elsewhere when they were fetched, or drop the signals.
    """

    sightings: tuple[Sighting, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    readings: tuple[Reading, ...] = ()
    undated: bool = False
    gone: tuple[Identifier, ...] = ()
    """Papers the source says it removed: those we know are kept, as withdrawn."""


class Parser(Protocol):
    """Raises UnreadableAnswer and nothing else."""

    def __call__(self, data: bytes, *, source: str, seen_at: datetime) -> Parsed: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What the getter brought. `not_modified`: a conditional request was answered 304 and `data` is empty."""

    url: str
    """Where it came from in the end, after redirects."""
    data: bytes
    not_modified: bool = False
    validators: Mapping[str, str] = field(default_factory=dict)
    """Keep this in the source's state and give it to the next `get` of the same address: then a 304 can only follow data
    that was stored."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Lower-cased names."""


@dataclass(frozen=True, slots=True)
class Pace:
    """At least `seconds` between the starts of two requests of one `group`, one at a time, whatever hosts they go to."""

    group: str
    seconds: float


ARXIV_PACE = Pace("arxiv", 3.0)
"""API, RSS and OAI-PMH together <https://info.arxiv.org/help/api/tou.html>. Given with every arXiv request, mirrors included."""


class Getter(Protocol):
    """One polite request: paced per host, retried, bounded in time and size.

    Raises SourceUnreachable, SourceThrottled, SourceRefused or UnreadableAnswer (too large, or cut short).
    """

    def get(
        self,
        source: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        validators: Mapping[str, str] | None = None,
        pace: Pace | None = None,
        timeout: float | None = None,
        public_only: bool = False,
    ) -> Answer:
        """`validators` (an earlier Answer's) make the request conditional. `pace`: None means by host. `timeout`: seconds
        of silence to bear where a source is known to be slow. `public_only` refuses private addresses: for addresses that did
        not come from the operator. A redirect from a public host to a private address is always refused, and `headers` are
        not sent on to another host."""
        ...

    def post(
        self,
        source: str,
        url: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        pace: Pace | None = None,
    ) -> Answer: ...


State = Mapping[str, Any]
"""What a source wants to remember between collects: JSON values only (a cursor, the last day, a resumption token)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One page's worth. It is stored together with `state`, so a crash resumes after the last batch kept."""

    sightings: tuple[Sighting, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    readings: tuple[Reading, ...] = ()
    state: State = field(default_factory=dict)
    """The whole state after this batch: it replaces the one before."""
    gone: tuple[Identifier, ...] = ()


class Source(Protocol):
    """Where sightings come from over the network."""

    @property
    def name(self) -> str:
        """As configured; part of every sighting and signal."""

    @property
    def base_url(self) -> str: ...

    @property
    def rhythm(self) -> PublishingSchedule:
        """When it may be expected to show papers unseen before: what makes its silence "stale"."""

    def collect(self, getter: Getter, state: State, at: datetime) -> Iterator[Batch]:
        """Batches from where `state` left off up to `at`, each as soon as it is read. `state` is {} the first time.

        Raises SourceError; the batches yielded before it stay good.
        """
        ...


@runtime_checkable
class SupportsLookup(Protocol):
    """A source that can be asked for papers by name: how they are now."""

    @property
    def name(self) -> str: ...

    @property
    def schemes(self) -> tuple[str, ...]:
        """The kinds of names it understands, best first."""

    def look_up(self, getter: Getter, identifiers: Sequence[Identifier], at: datetime) -> Iterator[Batch]:
        """What it knows of these papers; names of other schemes are passed over. The batches carry no state.

        Raises SourceError; the batches yielded before it stay good.
        """
        ...


def best_name(names: Sequence[Identifier], source: SupportsLookup) -> list[Identifier]:
    """The one name a source knows a paper by best; none where it has none of its kinds."""
    return [name for scheme in source.schemes for name in names if name.scheme == scheme][:1]


@dataclass(frozen=True, slots=True)
class LibraryPage:
    """One answer about somebody's library. It is stored together with `state`, so a crash resumes after the last page kept."""

    works: tuple[tuple[str, Sighting], ...] = ()
    """With the library's own key of each."""
    rejected: tuple[Rejection, ...] = ()
    """`where` is the item's key."""
    gone: tuple[str, ...] = ()
    """Keys of items that are no longer in it."""
    state: State = field(default_factory=dict)
    last: bool = True
    """Nothing follows until the next refresh."""
    whole: bool = False
    """The last of pages that named all there is: what none of them named is gone."""


class LibraryReader(Protocol):
    """A service where people keep libraries."""

    def read(self, getter: Getter, name: AccountName, key: str, state: State, at: datetime) -> Iterator[LibraryPage]:
        """What changed since `state` ({}: everything there is). `key` is its owner's, or "".

        Raises SourceError; the pages yielded before it stay good.
        """
        ...


MOST_ITEMS = 20_000
"""Of one library; the rest is left out."""
LEFT_OUT = Rejection("the rest", f"only the first {MOST_ITEMS:,} papers are read")


Build = Callable[[str, str, Mapping[str, Any]], Source]
"""(name, base_url, the source's own options) → Source: what container looks up by kind."""
