"""Readers, what they asked for, and the proof that they did."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum

from digest.domain.errors import InvalidAddress
from digest.domain.phrase import phrase
from digest.domain.schedule import EVERY_DAY, Frequency


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox, `local@domain`, domain in lower case and in Unicode where it is international.

    Holds no control, line-break, bidi or space character: this is the last gate before headers and the envelope (the adapters
    that read addresses check far more).
    """

    text: str

    def __post_init__(self) -> None:
        local, at, domain = self.text.rpartition("@")
        if not (local and at and domain) or len(self.text) > 254:
            raise InvalidAddress(
                phrase("address %(given)s", given=repr(self.text[:80])), phrase("should be like name@example.org")
            )
        if not self.text.isprintable() or " " in self.text:  # that is: a character of category C or Z
            raise InvalidAddress(
                phrase("address %(given)s", given=repr(self.text[:80])),
                phrase("holds a space or control character; should be like a@b.org"),
            )

    @property
    def key(self) -> str:
        """What two spellings of one mailbox share, for uniqueness and suppression: lower case, NFC, the domain as IDNA 2008 has
        it in ASCII (not transitional: "faß.de" is another domain than "fass.de").

        Letters alone are put in lower case: "ß" and "ss", "ﬁ" and "fi" may be two people. Who writes a domain in ASCII
        ("xn--fa-hia.de") means the same mailbox.
        """
        if self.text.isascii():
            return self.text.lower()
        local, _, domain = _composed(_composed(self.text).lower()).rpartition("@")
        return f"{local}@{'.'.join(map(_a_label, domain.split('.')))}"

    @property
    def folded_key(self) -> str:
        """What was the key before migration 0011: two people could share one. Suppressions made with it still count."""
        return unicodedata.normalize("NFKC", self.text).casefold()

    @property
    def domain(self) -> str:
        return self.text.rpartition("@")[2]

    def __str__(self) -> str:
        return self.text


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _a_label(label: str) -> str:
    """RFC 5890 §2.3.2.1, for a label that is mapped already (UTS 46), as `Address` has it."""
    return label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}"


@dataclass(frozen=True, slots=True)
class AddressChange:
    """A reader wants their mail to go to another address, which has not confirmed it yet."""

    subscription_id: int
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Interests:
    """What a reader cares about, as the system understood it. All text is lower-cased where case carries nothing."""

    words: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    muted_words: tuple[str, ...] = ()
    muted_authors: tuple[str, ...] = ()
    liked: tuple[str, ...] = ()
    """Identifiers ("arxiv:…") of papers uploaded or marked "more like this"; each known to the store."""
    disliked: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any((self.words, self.categories, self.authors, self.muted_words, self.muted_authors, self.liked, self.disliked))


@dataclass(frozen=True, slots=True)
class Consent:
    """The proof that a reader asked for this: when, how, under which wording, what confirmed it. No more than that."""

    at: datetime
    how: str
    """"web form", "command line", "csv import", "api"."""
    wording: str
    """Version of the text the reader agreed to."""
    event: str
    """"link confirmed", "reply confirmed", "recorded by operator"."""


class SubscriptionState(StrEnum):
    PENDING = "pending"
    """Asked for, not confirmed: gets nothing but the confirmation."""
    ACTIVE = "active"
    ENDED = "ended"
    """With a reason; never deleted but by erasure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """When and how much."""

    timezone: str = "UTC"
    hour: time = time(7, 0)
    weekdays: frozenset[int] = EVERY_DAY
    frequency: Frequency = Frequency.DAILY
    picks: int | None = None
    """None: as many as the list has."""
    style: str | None = None
    language: str | None = None
    """BCP 47; None: the list's."""
    authors_words: bool = False
    """Whether papers are summed up by a sentence of their authors, never by a model."""
    paused_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Subscriber × list. `public_id` is what links name it by: random, so that it is never given to another reader."""

    id: int
    public_id: str
    subscriber_id: int
    address: Address
    list: str
    state: SubscriptionState
    preferences: Preferences = field(default_factory=Preferences)
    interests: Interests = field(default_factory=Interests)
    requested_at: datetime
    confirmed_at: datetime | None = None
    consent: Consent | None = None
    ended_at: datetime | None = None
    end_reason: str = ""
    request: str = ""
    """The request that it was looked up by: each confirmation link names one, with the preferences that it asked for."""


@dataclass(frozen=True, slots=True, order=True)
class Cohort:
    """Subscriptions of a list that are due at the same instants: they are dispatched together."""

    list: str
    timezone: str
    hour: time
    weekdays: frozenset[int]
    frequency: Frequency = Frequency.DAILY


@dataclass(frozen=True, slots=True)
class NewReader:
    """Somebody an operator brings along, with consent given elsewhere."""

    address: Address
    list: str
    preferences: Preferences = field(default_factory=Preferences)
    interests: Interests = field(default_factory=Interests)


@dataclass(frozen=True, slots=True)
class AddedReaders:
    added: int
    """Made, or waiting for a confirmation until now."""
    unchanged: int
    """Active already (their own interests stay), or ended: a list of addresses does not undo somebody's goodbye."""

    def __add__(self, other: AddedReaders) -> AddedReaders:
        return AddedReaders(self.added + other.added, self.unchanged + other.unchanged)
