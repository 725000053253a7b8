"""A reader's way in, through, and out.

    request ──▶ pending ──confirm──▶ active ──end──▶ ended ──request──▶ pending …

What is sent in answer (confirmation, welcome, goodbye) is returned as a Notice for the caller to mail after the commit:
no transaction is open while we talk to a relay. With `notify` it is due from this commit on, and whoever delivers sends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from digest.domain.errors import NotFound
from digest.domain.feedback import LIFTED_BY_READER, SuppressionReason
from digest.domain.notice import Notice, NoticeKind
from digest.domain.phrase import N_, phrase
from digest.domain.subscriber import Address, Consent, Interests, Preferences, Subscription, SubscriptionState
from digest.services.subscriptions.request_limits import STOPPED, notices_used_up
from digest.store.unit_of_work import Store, UnitOfWork

END_REASONS = (
    N_("unsubscribed with one click"),
    N_("unsubscribed on the web"),
    N_("unsubscribed on the web: too many emails"),
    N_("unsubscribed on the web: not relevant to me"),
    N_("unsubscribed on the web: another reason"),
    N_("unsubscribed by mail"),
    N_("complaint: marked as spam"),
    N_("unsubscribed by the operator (api)"),
    N_("ended by the operator"),
)
"""Those that are kept, in English, and that a reader is shown."""
WORDING = "2026-11d"
"""Version of the sentence beside the buttons (templates/web/_wording.html); kept with each consent."""


RECORDED = "recorded by operator"
"""The event of a consent given elsewhere."""


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
    mail_at: datetime | None = None,
    remind: bool = False,
) -> Step:
    """Starts double opt-in. Someone already active keeps what they have, and gets the link to their own page where mail to them
    was stopped or, with `remind`, in any case.

    A stopped address gets no mail that the reader cannot lift the stop by, and one that they can only once in a while.
    `notify`: the mail is queued in the same transaction, to be sent from `mail_at` on; else it is the caller's to send.
    """
    with store.begin() as unit:
        suppression = unit.suppressions.find(address)
        subscription = unit.subscribers.request(address, list_name, preferences, interests, at)
        active = subscription.state is SubscriptionState.ACTIVE
        if suppression and suppression.reason is not SuppressionReason.ERASED:
            barred = suppression.reason not in LIFTED_BY_READER
            if barred or unit.rate_limits.use(f"stopped/{address.key}", at, STOPPED.per) > STOPPED.most:
                return Step(subscription, skipped=f"suppressed: {suppression.reason}")
        elif active and not remind:
            return Step(subscription, skipped="already subscribed")
        return _step(unit, NoticeKind.LINK if active else NoticeKind.CONFIRM, subscription, at, notify=notify, mail_at=mail_at)


def confirm(
    store: Store,
    subscription_id: int,
    how: str,
    event: str,
    at: datetime,
    request: str = "",
    *,
    notify: bool = False,
    active_from: datetime | None = None,
) -> Step:
    """Records the consent and starts the subscription, with what `request` asked for. Twice changes nothing. Raises NotFound.

    A reader's own confirmation lifts what stopped mail to them (LIFTED_BY_READER). An operator's lifts nothing: who asked to be
    forgotten comes back by their own word only. `active_from`: an earlier instant, so that what was due since then is sent too.
    """
    with store.begin() as unit:
        before = _existing(unit, subscription_id)
        suppression = unit.suppressions.find(before.address)
        if suppression and (event == RECORDED or suppression.reason not in LIFTED_BY_READER):
            erased = suppression.reason is SuppressionReason.ERASED
            why = "asked to be forgotten: only their own confirmation brings them back"
            return Step(before, skipped=why if erased else f"suppressed: {suppression.reason}")
        if suppression:
            unit.suppressions.remove(before.address)
        if before.state is SubscriptionState.ACTIVE:
            return Step(before, skipped="already confirmed")
        unit.subscribers.confirm(subscription_id, Consent(at, how, WORDING, event), active_from or at, request)
        return _step(unit, NoticeKind.WELCOME, _existing(unit, subscription_id), at, notify=notify)


def send_link(store: Store, subscription_id: int, at: datetime, *, notify: bool = False) -> Step:
    """Mails the reader the link to their own page. Raises NotFound."""
    with store.begin() as unit:
        return _step(unit, NoticeKind.LINK, _existing(unit, subscription_id), at, notify=notify)


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
        return _step(unit, NoticeKind.GOODBYE, _existing(unit, subscription_id), at, notify=notify)


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
        unit.suppressions.redact(address)
    return known


def notice_for(unit: UnitOfWork, kind: NoticeKind, subscription: Subscription, at: datetime) -> Notice | None:
    """The mail that a step calls for; None where the address was sent as many as it may be."""
    return None if notices_used_up(unit.rate_limits, subscription.address, at) else Notice(kind, subscription)


def _step(
    unit: UnitOfWork,
    kind: NoticeKind,
    subscription: Subscription,
    at: datetime,
    *,
    notify: bool = False,
    mail_at: datetime | None = None,
) -> Step:
    notice = notice_for(unit, kind, subscription, at)
    if notice and notify:
        unit.notices.queue(subscription.id, kind, at, max(mail_at or at, at), subscription.request)
    return Step(subscription, notice, "" if notice else "too many mails to this address lately")


def _existing(unit: UnitOfWork, subscription_id: int) -> Subscription:
    subscription = unit.subscribers.get(subscription_id)
    if subscription is None:
        raise NotFound(phrase("this subscription"), phrase("it was erased; subscribe again"))
    return subscription
