"""What comes back: bounces, complaints, wishes to stop, and who may no longer be mailed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digest.domain.subscriber import Address


class FeedbackKind(StrEnum):
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    CONFIRM = "confirm"
    """A reply that confirms a subscription."""
    AUTO_REPLY = "auto-reply"
    OTHER = "other"


class BounceClass(StrEnum):
    HARD = "hard"
    """The mailbox does not exist: suppress now."""
    SOFT = "soft"
    """Full, busy, too large: score, suppress at a limit."""
    SENDER = "sender"
    """Policy, block, spam: our fault; alarm, never punish the reader."""
    DELAYED = "delayed"
    """Still trying: nothing to do."""


@dataclass(frozen=True, slots=True)
class Returned:
    """One recipient of a returned notice. `status` is the enhanced code ("5.1.1") or empty."""

    address: str
    status: str
    bounce: BounceClass | None
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class Feedback:
    """A mail that came back, understood. `message_id` and `verp` point at the delivery where the mail gives them away."""

    kind: FeedbackKind
    recipients: tuple[Returned, ...] = ()
    message_id: str = ""
    """Of the mail of ours it is about, without angle brackets."""
    verp: str = ""
    """The address of ours it came to, as given: a delivery's envelope sender, or the mailbox that unsubscribes it."""
    token: str = ""
    """What a mail that confirms carries as proof, as given; nobody has checked it yet."""
    reason: str = ""
    """How it was recognised, in one line."""


class ReturnKind(StrEnum):
    """What is remembered of a delivery that came back."""

    HARD = "hard"
    SOFT = "soft"
    SENDER = "sender"
    COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True)
class DeliveryRecipient:
    """Whom a delivery was for."""

    delivery_id: int
    subscription_id: int
    subscriber_id: int
    address: Address
    list: str
    former: bool = False
    """It went to another address, which the reader has left since: what came back of it says nothing about `address`."""


class SuppressionReason(StrEnum):
    BOUNCE = "hard bounce"
    SOFT_BOUNCES = "too many soft bounces"
    COMPLAINT = "complaint"
    OPERATOR = "operator"
    ASKED = "asked for no more mail"
    """By the link of a mail that was sent once."""
    ERASED = "erased"


LIFTED_BY_READER = frozenset(SuppressionReason) - {SuppressionReason.OPERATOR}
"""What a reader lifts by a link in a mail of ours: that it reached them proves that the mailbox is theirs and works."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address we no longer mail, kept as a keyed hash only."""

    address_hash: str
    reason: SuppressionReason
    at: datetime
    detail: str = ""
