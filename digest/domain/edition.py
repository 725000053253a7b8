"""Lists, and the dated digests they become."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from digest.domain.paper import Paper, Ranked
from digest.domain.schedule import EVERY_DAY, Cutoffs, Frequency, Timetable, due_on


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
    cutoff_every: timedelta = timedelta(hours=1)
    """How long after a cutoff of a day the next one is."""
    weekdays: frozenset[int] = EVERY_DAY
    """Days an edition is made, Monday = 0."""
    frequency: Frequency = Frequency.DAILY
    """Weekly: on the first of `weekdays`; monthly: on the first of them in a month."""
    includes: tuple[PaperList, ...] = ()
    """The lists whose papers it has, a section each; then it has none of its own."""
    candidates_for: timedelta = timedelta(days=7)
    """How long after it was first seen a paper may still be picked."""
    pool: int = 300
    """How many ranked papers readers without interests choose from; their cards are made with the edition. Personal picks choose
    from all of its window.
    """
    sources: frozenset[str] = frozenset()
    """Only papers seen by one of these sources; empty: all."""
    categories: frozenset[str] = frozenset()
    """Only papers in one of these categories ("cs.CL", or "cs" for all below it); empty: all."""
    topics: tuple[tuple[str, float], ...] = ()
    """What a topic counts, by primary category ("cs.CL", or "cs" for all below it); 1 where none is named."""
    variety: float = 0.0
    """The share of its score that a paper loses for each pick of the last seven days on its topic; 0: none."""
    style: str = "full"
    """"full" or "compact"."""
    language: str = "en"
    """Of its mail, where a reader chose none (BCP 47)."""
    send_empty: bool = False
    """Whether a day without picks sends a short "nothing new, because …"."""

    @property
    def cutoffs(self) -> Cutoffs:
        return Cutoffs(Timetable(self.cutoff, self.zone, self.weekdays, self.frequency), self.cutoff_every)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def takes(self, paper: Paper) -> bool:
        """Whether a paper is from its sources and in its categories; of a list made of lists, from those of one of them."""
        if self.includes:
            return any(each.takes(paper) for each in self.includes)
        if self.sources and not self.sources.intersection(paper.sources):
            return False
        wanted = self.categories
        return not wanted or any(each in wanted or each.partition(".")[0] in wanted for each in paper.categories)

    def window_start(self, cutoff: datetime, frequency: Frequency) -> datetime:
        """When the day, week or month that ends at a cutoff began, by the list's clock."""
        local = cutoff.astimezone(self.zone)
        if frequency is Frequency.MONTHLY:
            last_of_previous = local.date().replace(day=1) - timedelta(days=1)
            day = last_of_previous.replace(day=min(local.day, last_of_previous.day))
        else:
            day = local.date() - timedelta(days=7 if frequency is Frequency.WEEKLY else 1)
        return due_on(day, local.time(), self.zone)

    def topic_weight(self, categories: Sequence[str]) -> float:
        """By the first of a paper's categories; "cs.CL" goes before "cs"."""
        weights = dict(self.topics)
        primary = categories[0] if categories else ""
        return weights.get(primary, weights.get(primary.partition(".")[0], 1.0))


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
    section: str = ""
    """Title of the included list that it is in; empty where the list is not made of lists."""


AUTHORS_WORDS = "-x-authors"
"""What stands after a language (BCP 47, private use) where a mail has no words of a model."""


def variant_of(language: str, *, authors_words: bool) -> str:
    """What an edition's mail in a language is kept as: "de", or "de-x-authors" with the authors' words only."""
    return language + AUTHORS_WORDS if authors_words else language


def language_of(variant: str) -> str:
    return variant.removesuffix(AUTHORS_WORDS)


def foremost(pool: Sequence[Pooled], most: int, picked: Collection[int] = ()) -> tuple[Pooled, ...]:
    """Of a pool the best, `most` in all and of each section as many, and the papers in `picked`, wherever they are ranked."""
    met, sections = Counter[str](), {each.section for each in pool}
    found = []
    for each in pool:
        met[each.section] += 1
        if met[each.section] <= max(1, most // len(sections)) or each.ranked.paper.id in picked:
            found.append(each)
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What became of a paper that an earlier edition of the list featured. Each kind is told once of a paper."""

    identifier: str
    kind: str
    """"withdrawn", "venue", "code" or "version"."""
    title: str
    what: str
    """"accepted at NeurIPS 2026"; may be a `Phrase`."""
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
    section: str = ""


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
    language: str = "en"
    brevity: int = 0
    """How much shorter than designed its cards are (render/edition/views.py)."""
    period: str = ""
    """What a week's or month's covers; empty for a day's."""
    other: Rendered | None = None
    """The same edition in the other style, for readers who chose that: cards at the same positions."""
    nothing: Rendered | None = None
    """Where the list itself picked none of the cards: the mail that says so."""

    def with_cards(self, positions: Collection[int]) -> Rendered:
        """With these cards alone: the others are made again when somebody needs them."""
        cards = [card if n in positions else Card(card.paper_id, "", "") for n, card in enumerate(self.cards)]
        return replace(self, cards=tuple(cards), other=self.other and self.other.with_cards(positions))


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One dated digest of a list. Once frozen it never changes: UNIQUE(list, window start, cutoff)."""

    id: int
    list: str
    date: date
    """The list's day that it is of: a day may have several, the last of which is on its page."""
    window: Window
    cutoff: datetime
    """From when on it is the newest; `frozen_at` may be later, after downtime."""
    frozen_at: datetime
    frequency: Frequency = Frequency.DAILY
    """What its window is: a day, a week or a month."""
    on_pages: bool = True
    """False for one made for readers who get fewer mails than the list has editions."""
    considered: int = 0
    """How many papers were weighed."""
    max_picks: int = 10
    """How many a reader gets who asked for no number of their own."""
    max_pool: int = 300
    """How many of its pool readers without interests choose from."""
    picks: tuple[Pick, ...]
    pool: tuple[Pooled, ...] = ()
    """Loaded only where asked for."""
    notes: tuple[str, ...] = ()
    """What a reader should know: a stale source, why the day is empty; may be `Phrase`s."""
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
        """Nothing that earlier days did not feature. Readers who were not sent all that still get a mail."""
        return not self.picks

    @property
    def has_papers(self) -> bool:
        """Whether anybody may get a mail with papers."""
        return bool(self.picks) or self.considered > 0

    @property
    def slug(self) -> str:
        return slug(self.date, self.cutoff, self.frequency)


def slug(day: date, cutoff: datetime, frequency: Frequency) -> str:
    """What an edition is called in addresses and commands: "2026-11-30T1100", "2026-11-30T1100-weekly"."""
    exact = f"{day.isoformat()}T{cutoff.astimezone(UTC):%H%M}"
    return exact if frequency is Frequency.DAILY else f"{exact}-{frequency}"


@dataclass(frozen=True, slots=True)
class Appearance:
    """An edition on a list's pages that picked a paper, and on which rank."""

    list: str
    date: date
    slug: str
    rank: int
