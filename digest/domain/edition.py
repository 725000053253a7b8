"""Lists, and the dated digests they become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from digest.domain.paper import Ranked
from digest.domain.schedule import EVERY_DAY


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open: `start` ≤ instant < `end`. Aware, in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperList:
    """What one subscribes to. The configuration is its truth; the store keeps it so that rows can refer to it."""

    name: str
    """A slug (a-z, 0-9, hyphen): part of addresses, of the List-Id and of links."""
    title: str
    description: str = ""
    picks: int = 10
    cutoff: time = time(5, 0)
    timezone: str = "UTC"
    weekdays: frozenset[int] = EVERY_DAY
    """Days an edition is made, Monday = 0: daily, working days or weekly is a matter of this set."""
    candidates_for: timedelta = timedelta(days=7)
    """How long after it was first seen a paper may still be picked."""
    pool: int = 300
    """How many ranked papers have their cards rendered as an edition is frozen; personal picks choose from all of the window."""
    sources: frozenset[str] = frozenset()
    """Only papers seen by one of these sources; empty: all."""
    categories: frozenset[str] = frozenset()
    """Only papers in one of these categories ("cs.CL", or "cs" for all below it); empty: all."""
    style: str = "full"
    """"full" or "compact"."""
    send_empty: bool = False
    """Whether a day without picks sends a short "nothing new, because …"."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A paper featured by an edition. `rank` counts from 1."""

    rank: int
    ranked: Ranked


@dataclass(frozen=True, slots=True)
class Pooled:
    """A paper in an edition's frozen pool. `position` counts from 0 in order of score.

    `featured_before`: an earlier edition of the list picked it, so only a reader who did not get it may still be shown it.
    """

    position: int
    ranked: Ranked
    featured_before: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What became of a paper that an earlier edition of the list featured. Each kind is told once of a paper."""

    identifier: str
    kind: str
    """"withdrawn", "venue", "code" or "version"."""
    title: str
    what: str
    """"accepted at NeurIPS 2026"."""
    url: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A paper that was considered and not picked, and why."""

    paper_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Card:
    """One paper as the mail shows it: fragments of the inlined document, ready to be put in any order.

    `title` and `reasons` are plain text, and the default for readers who have no reasons of their own.
    """

    paper_id: int
    html: str
    text: str
    identifier: str = ""
    title: str = ""
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """An edition as mail, rendered and CSS-inlined once. What differs per reader is marked (render/edition/markers.py)."""

    subject: str
    html: str
    """The shell: a document with one marker where the cards go, and markers for what is personal."""
    text: str
    cards: Sequence[Card]
    """One per pooled paper, in order of `Pooled.position`; without html for a paper whose card is made when it is needed."""
    nonce: str
    """What the markers are spelled with: `Markers(rendered.nonce)` finds them."""
    picks: tuple[int, ...] = ()
    """The list's own choice: positions in `cards`, best first."""
    preheader: str = ""
    """Said in the inbox where no pick's title can be: on an empty day."""
    style: str = "full"
    brevity: int = 0
    """How much shorter than designed its cards are (render/edition/views.py)."""
    other: Rendered | None = None
    """The same edition in the other style, for readers who chose that: cards at the same positions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One dated digest of a list. Once frozen it never changes: UNIQUE(list, date)."""

    id: int
    list: str
    date: date
    window: Window
    frozen_at: datetime
    picks: tuple[Pick, ...]
    pool: tuple[Pooled, ...] = ()
    """Loaded only where asked for."""
    notes: tuple[str, ...] = ()
    """What a reader should know: a stale source, why the day is empty."""
    updates: tuple[Update, ...] = ()
    """"Since you read": at most three lines about papers already sent."""
    content_hash: str = ""
    """sha256 over what every reader may be shown, hexadecimal."""
    state: str = "frozen"
    """"frozen", or "cancelled" by an operator."""
    corrects: int | None = None
    """A correction: the id of the edition it is about, whose readers it goes to. It has no papers of its own."""

    @property
    def is_empty(self) -> bool:
        return not self.picks
