"""One edition due to one subscription, and what happened to it.

queued ──claim──▶ claimed ──┬─▶ accepted
  ▲                         ├─▶ queued (later, with a reason)
  │                         ├─▶ failed
  └──lease ran out──────────┼─▶ uncertain ──policy──▶ queued (resend) | uncertain (hold) | failed (drop)
                            ├─▶ withheld   (suppressed, or the subscription ended)
                            └─▶ expired    (the next edition made it stale)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from digest.domain.subscriber import Address, Interests


@dataclass(frozen=True, slots=True, kw_only=True)
class SentIssue:
    """An issue as one reader was sent it. `title` is its first paper's; `positions` are its papers' in the pool, in order."""

    delivery_id: int
    edition_id: int
    list: str
    date: date
    sent_at: datetime
    correction: bool
    positions: tuple[int, ...]
    reasons: tuple[tuple[tuple[str, Any], ...], ...] = ()
    """Of each paper the (kind, text) of those that are this reader's own; () where none are."""
    title: str = ""


class DeliveryState(StrEnum):
    QUEUED = "queued"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    FAILED = "failed"
    WITHHELD = "withheld"
    EXPIRED = "expired"
    UNCERTAIN = "uncertain"


FINAL = frozenset({DeliveryState.ACCEPTED, DeliveryState.FAILED, DeliveryState.WITHHELD, DeliveryState.EXPIRED})
NOT_SENT = FINAL - {DeliveryState.ACCEPTED}
"""Ended, and no relay said that it took it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The relay's code and text (RFC 5321 §4.2), with the enhanced status (RFC 3463) if any; lines joined by spaces."""

    code: int
    text: str = ""
    enhanced: str = ""
    """Like "5.1.1"; empty when the relay gave none."""

    def __str__(self) -> str:
        return " ".join(filter(None, (str(self.code), self.enhanced, self.text)))


class Stage(StrEnum):
    """How far a transaction came."""

    COMPOSE = "compose"
    """The mail itself could not be made: no relay saw anything of it."""
    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"
    """The final dot went out."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One SMTP transaction for a delivery. `reply` is None where none was seen; then `error` says what was seen instead."""

    delivery_id: int
    at: datetime
    relay: str
    stage: Stage
    reply: Reply | None
    error: str = ""
    our_domains: frozenset[str] = field(default=frozenset(), compare=False)
    """Of a refusal: the domains that the envelope says are ours, without those that the reader shares."""

    @property
    def accepted(self) -> bool:
        """The relay said 2xx to the final dot. Nothing after that (RSET, QUIT, a dropped connection) changes it."""
        return self.stage is Stage.DOT and self.reply is not None and 200 <= self.reply.code < 300

    @property
    def uncertain(self) -> bool:
        """The final dot was sent and no reply was seen (RFC 1047)."""
        return self.stage is Stage.DOT and self.reply is None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery taken under a lease, with all that composing it needs.

    `picks` are positions in the edition's pool: frozen for this delivery before its first byte goes out; None = not chosen yet.
    """

    id: int
    edition_id: int
    subscription_id: int
    subscriber_id: int
    address: Address
    attempts: int
    """How many attempts counted before this one."""
    due_at: datetime
    expires_at: datetime
    picks: tuple[int, ...] | None
    personal: bool
    """Whether this subscription has interests that choose its picks."""
    wanted: int | None
    interests: Interests
    style: str | None = None
    language: str | None = None
    authors_words: bool = False
    public_id: str = ""
    """What its subscription's links name it by; empty for an address without a subscription."""
    away: bool = False
    """It is the first after a pause."""
    missed: str = ""
    """Why the email of the reader's day before was not delivered, in words; empty where it was, or none was due."""


@dataclass(frozen=True, slots=True)
class ClaimBatch:
    """What one claim took, and what it ended instead. Nothing is left to claim when all four are nothing."""

    claimed: tuple[Claimed, ...] = ()
    withheld: int = 0
    expired: int = 0
    failed: int = 0
    """Whose row cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One edition due to one subscription, as it stands, with why."""

    id: int
    list: str
    edition_id: int
    edition_date: date
    edition_cutoff: datetime
    subscription_id: int
    state: DeliveryState
    due_at: datetime
    expires_at: datetime
    next_attempt_at: datetime
    attempts: int
    """Those that counted."""
    reason: str
    accepted_at: datetime | None = None
    relay: str = ""
    reply: Reply | None = None
    tries: tuple[Attempt, ...] = ()
    """Every attempt but the accepted one (that is `accepted_at`, `relay` and `reply`), oldest first."""
    day: date | None = None
    """The reader's local day that it is for; None for what no schedule brought: a welcome, a correction, one sent by hand."""
    correction: bool = False
    """Of a correction of the edition of `edition_date`, not of the edition itself."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A composed message and whom it is for: CRLF lines, not dot-stuffed."""

    delivery_id: int
    sender: str
    """Envelope sender (VERP)."""
    recipient: str
    pieces: Sequence[bytes]
    """What goes between DATA and the final dot. Mails share most of theirs, so one that waits for its turn takes little room."""
    smtputf8: bool = False
    ready: bool = False
    """Our composer made it: CRLF is its only line end, no line starts with a dot, and it is ASCII but for a header that
    `smtputf8` announces. So it goes out as it is, unexamined."""

    @property
    def data(self) -> bytes:
        """The pieces joined, anew each time: to be asked for when it is sent."""
        return b"".join(self.pieces)

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(map(len, self.pieces))


@dataclass(frozen=True, slots=True)
class Tally:
    """What a run of `deliver` did."""

    accepted: int = 0
    retry: int = 0
    failed: int = 0
    withheld: int = 0
    expired: int = 0
    uncertain: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryProgress:
    """How far the editions have come of which some deliveries are due or claimed now."""

    accepted: int
    retry: int
    """Tried, and waiting for another try."""
    failed: int
    remaining: int
    """Due or claimed."""
    rate: float
    """Accepted a second, over the last minute or since it began."""

    @property
    def eta_seconds(self) -> float | None:
        """Until none remains, at this rate; None where nothing moves."""
        return self.remaining / self.rate if self.rate else None
