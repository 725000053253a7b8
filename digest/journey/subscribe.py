"""subscribe: a reader's way in, through, and out.

    request ──▶ pending ──confirm──▶ active ──end──▶ ended ──request──▶ pending …

What is sent in answer (confirmation, welcome, goodbye) is returned as a Notice for the caller to mail after the commit:
no transaction is open while we talk to a relay. With `notify` it is due from this commit on, and whoever delivers sends it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from digest.domain.errors import NotFound
from digest.domain.feedback import Suppression, SuppressionReason
from digest.domain.notice import Notice, NoticeKind
from digest.domain.subscriber import Address, Consent, Interests, Preferences, Subscription, SubscriptionState

WORDING = "2026-11b"
"""Version of the sentence beside the buttons (templates/web/_wording.html); kept with each consent."""


RECORDED = "recorded by operator"
"""The event of a consent given elsewhere."""


class Subscribers(Protocol):
    def request(
        self, address: Address, list_name: str, preferences: Preferences, interests: Interests, at: datetime
    ) -> Subscription: ...
    def confirm(self, subscription_id: int, consent: Consent, at: datetime) -> None: ...
    def end(self, subscription_id: int, reason: str, at: datetime) -> None: ...
    def change(
        self, subscription_id: int, preferences: Preferences | None = None, interests: Interests | None = None
    ) -> None: ...
    def get(self, subscription_id: int) -> Subscription | None: ...
    def subscriptions(self, address: Address) -> list[Subscription]: ...
    def erase(self, address: Address) -> bool: ...


class Suppressions(Protocol):
    def add(self, address: Address, reason: SuppressionReason, at: datetime, detail: str = "") -> None: ...
    def bare(self, address: Address) -> None: ...
    def find(self, address: Address) -> Suppression | None: ...
    def remove(self, address: Address) -> bool: ...


class Notices(Protocol):
    def owe(self, subscription_id: int, kind: NoticeKind, at: datetime, next_attempt_at: datetime) -> None: ...


class Unit(Protocol):
    @property
    def notices(self) -> Notices: ...
    @property
    def subscribers(self) -> Subscribers: ...
    @property
    def suppressions(self) -> Suppressions: ...


class Store(Protocol):
    def begin(self) -> AbstractContextManager[Unit]: ...
    def read(self) -> AbstractContextManager[Unit]: ...


@dataclass(frozen=True, slots=True)
class Step:
    """What happened: the subscription as it is now, the mail it calls for, and why there is none."""

    subscription: Subscription
    notice: Notice | None = None
    skipped: str = ""


def request(
    store: Store,
    address: Address,
    list_name: str,
    preferences: Preferences,
    interests: Interests,
    at: datetime,
    *,
    notify: bool = False,
) -> Step:
    """Starts double opt-in. Someone already active keeps what they have and gets no mail; a suppressed address gets none."""
    with store.begin() as unit:
        suppression = unit.suppressions.find(address)
        if suppression and suppression.reason is not SuppressionReason.ERASED:
            found = next((s for s in unit.subscribers.subscriptions(address) if s.list == list_name), None)
            pending = found or unit.subscribers.request(address, list_name, preferences, interests, at)
            return Step(pending, skipped=f"suppressed: {suppression.reason}")
        subscription = unit.subscribers.request(address, list_name, preferences, interests, at)
        if notify and subscription.state is not SubscriptionState.ACTIVE:
            unit.notices.owe(subscription.id, NoticeKind.CONFIRM, at, at)
    if subscription.state is SubscriptionState.ACTIVE:
        return Step(subscription, skipped="already subscribed")
    return Step(subscription, Notice(NoticeKind.CONFIRM, subscription))


def confirm(store: Store, subscription_id: int, how: str, event: str, at: datetime, *, notify: bool = False) -> Step:
    """Records the consent and starts the subscription. Confirming twice changes nothing. Raises NotFound.

    Who asked to be forgotten comes back by their own word only, never by the operator's.
    """
    with store.begin() as unit:
        before = _existing(unit, subscription_id)
        if before.state is SubscriptionState.ACTIVE:
            return Step(before, skipped="already confirmed")
        suppression = unit.suppressions.find(before.address)
        if suppression and suppression.reason is SuppressionReason.ERASED:
            if event == RECORDED:
                return Step(before, skipped="asked to be forgotten: only their own confirmation brings them back")
            unit.suppressions.remove(before.address)
        unit.subscribers.confirm(subscription_id, Consent(at, how, WORDING, event), at)
        after = _existing(unit, subscription_id)
        if notify:
            unit.notices.owe(subscription_id, NoticeKind.WELCOME, at, at)
    return Step(after, Notice(NoticeKind.WELCOME, after))


def change(
    store: Store, subscription_id: int, preferences: Preferences | None = None, interests: Interests | None = None
) -> Step:
    """Raises NotFound."""
    with store.begin() as unit:
        _existing(unit, subscription_id)
        unit.subscribers.change(subscription_id, preferences, interests)
        return Step(_existing(unit, subscription_id))


def end(store: Store, subscription_id: int, reason: str, at: datetime, *, notify: bool = False) -> Step:
    """Ends a subscription with its reason; ending it twice keeps the first reason. Raises NotFound."""
    with store.begin() as unit:
        before = _existing(unit, subscription_id)
        if before.state is SubscriptionState.ENDED:
            return Step(before, skipped="already ended")
        unit.subscribers.end(subscription_id, reason, at)
        after = _existing(unit, subscription_id)
        if notify:
            unit.notices.owe(subscription_id, NoticeKind.GOODBYE, at, at)
    return Step(after, Notice(NoticeKind.GOODBYE, after))


def end_all(store: Store, address: Address, reason: str, at: datetime, list_name: str | None = None) -> list[Step]:
    """Ends every subscription of an address (or the one to `list_name`)."""
    with store.read() as unit:
        found = unit.subscribers.subscriptions(address)
    wanted = [s for s in found if list_name in (None, s.list) and s.state is not SubscriptionState.ENDED]
    return [end(store, subscription.id, reason, at) for subscription in wanted]


def erase(store: Store, address: Address, at: datetime) -> bool:
    """Forgets a person; the keyed hash stays so that an old import cannot bring them back. Says whether they were known."""
    with store.begin() as unit:
        known = unit.subscribers.erase(address)
        unit.suppressions.add(address, SuppressionReason.ERASED, at)
        unit.suppressions.bare(address)
    return known


def _existing(unit: Unit, subscription_id: int) -> Subscription:
    subscription = unit.subscribers.get(subscription_id)
    if subscription is None:
        raise NotFound("this subscription", "it was erased; subscribe again")
    return subscription
