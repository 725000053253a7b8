"""Mails that answer one person: what they are, and when one that no relay took is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digest.domain.subscriber import Subscription, SubscriptionState


class NoticeKind(StrEnum):
    CONFIRM = "confirm"
    WELCOME = "welcome"
    GOODBYE = "goodbye"


_FITS = {
    NoticeKind.CONFIRM: SubscriptionState.PENDING,
    NoticeKind.WELCOME: SubscriptionState.ACTIVE,
    NoticeKind.GOODBYE: SubscriptionState.ENDED,
}


@dataclass(frozen=True, slots=True)
class Notice:
    """A mail that a step of the lifecycle calls for."""

    kind: NoticeKind
    subscription: Subscription

    @property
    def fits(self) -> bool:
        """Whether it still says what is so: nobody who left is welcomed."""
        return self.subscription.state is _FITS[self.kind]


@dataclass(frozen=True, slots=True)
class OwedNotice:
    """One that is not sent yet."""

    notice: Notice
    owed_at: datetime
    attempts: int
    suppressed: bool
    """Whether the address is not to be mailed (any more)."""
