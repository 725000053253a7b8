"""Mails that answer one person: what they are, and when one that no relay took is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digest.domain.feedback import LIFTED_BY_READER, SuppressionReason
from digest.domain.subscriber import Subscription, SubscriptionState


class NoticeKind(StrEnum):
    CONFIRM = "confirm"
    WELCOME = "welcome"
    GOODBYE = "goodbye"
    LINK = "link"
    """The reader's own page: asked for where only a weaker link was shown, or by subscribing again."""
    ADDRESS = "address"
    """To an address that a reader wants their mail to go to: it confirms that."""
    MOVED = "moved"
    """To the address that a reader left."""
    LIBRARY = "library"
    """A library that they connected cannot be read any more."""


_FITS = {
    NoticeKind.CONFIRM: (SubscriptionState.PENDING, SubscriptionState.ENDED),
    NoticeKind.WELCOME: (SubscriptionState.ACTIVE,),
    NoticeKind.GOODBYE: (SubscriptionState.ENDED,),
    NoticeKind.LINK: tuple(SubscriptionState),
    NoticeKind.LIBRARY: (SubscriptionState.ACTIVE,),
    NoticeKind.ADDRESS: tuple(SubscriptionState),
    NoticeKind.MOVED: tuple(SubscriptionState),
}


_LIFTING = (NoticeKind.CONFIRM, NoticeKind.LINK, NoticeKind.ADDRESS)
"""By these a reader can lift what stopped mail to them."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A mail that a step of the lifecycle calls for."""

    kind: NoticeKind
    subscription: Subscription

    @property
    def fits(self) -> bool:
        """Whether it still says what is so: nobody who left is welcomed."""
        return self.subscription.state in _FITS[self.kind]


@dataclass(frozen=True, slots=True)
class QueuedNotice:
    """One that is not sent yet."""

    notice: Notice
    owed_at: datetime
    attempts: int
    suppressed: SuppressionReason | None
    """Why the address is not to be mailed (any more)."""

    @property
    def wanted(self) -> bool:
        """Whether it may be mailed, and still says what is so."""
        lifting = self.notice.kind in _LIFTING and self.suppressed in LIFTED_BY_READER
        allowed = lifting or self.suppressed in (None, SuppressionReason.ERASED) or self.notice.kind is NoticeKind.GOODBYE
        return self.notice.fits and allowed
