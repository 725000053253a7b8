"""A reader's subscriptions go to another mailbox once a link that was mailed there is used.

    ask ──▶ a link to the new address ──confirm──▶ moved, and one notice to the old address

Public ids, interests and history stay. Who asks learns nothing of the new address: the answer is the same for every one.
"""

from __future__ import annotations

from datetime import datetime

from digest.domain.errors import InvalidInput, NotFound
from digest.domain.feedback import LIFTED_BY_READER, SuppressionReason
from digest.domain.notice import NoticeKind
from digest.domain.phrase import phrase
from digest.domain.subscriber import Address, AddressChange, Subscription
from digest.services.subscriptions.request_limits import STOPPED, notices_used_up
from digest.store.unit_of_work import Store, UnitOfWork


def ask(store: Store, subscription: Subscription, address: Address, at: datetime, mail_at: datetime) -> bool:
    """Queues the link to the new address, to be sent from `mail_at` on; says whether one is queued.

    None is for an address that mail to is stopped, unless its reader can lift that; then one in a while, as for a request.
    """
    with store.begin() as unit:
        suppression = unit.suppressions.find(address)
        if suppression and suppression.reason is not SuppressionReason.ERASED:
            barred = suppression.reason not in LIFTED_BY_READER
            if barred or unit.rate_limits.use(f"stopped/{address.key}", at, STOPPED.per) > STOPPED.most:
                return False
        if notices_used_up(unit.rate_limits, address, at):
            return False
        change = unit.address_changes.ask(subscription.id, address, at)
        unit.notices.queue(subscription.id, NoticeKind.ADDRESS, at, max(mail_at, at), change, address)
    return True


def find(store: Store, public_id: str) -> tuple[AddressChange, Subscription]:
    """What a link confirms. Raises NotFound."""
    with store.read() as unit:
        return _found(unit, public_id)


def confirm(store: Store, public_id: str, at: datetime) -> Subscription:
    """Moves the reader and lifts what stopped mail to the new address. The old one is told once.

    Raises NotFound for a link that is used up, InvalidInput where the new address has a subscription of its own or is blocked.
    """
    with store.begin() as unit:
        change, subscription = _found(unit, public_id)
        suppression = unit.suppressions.find(change.address)
        if suppression and suppression.reason not in LIFTED_BY_READER:
            raise InvalidInput(phrase("this address"), phrase("we send no email to it, because we blocked it"))
        if change.address.key != subscription.address.key and unit.address_changes.has_subscriptions(change.address):
            raise InvalidInput(
                phrase("this address"),
                phrase("has a subscription of its own; delete its data first, or use that subscription"),
            )
        if suppression:
            unit.suppressions.remove(change.address)
        unit.address_changes.move(subscription.subscriber_id, change.address, at)
        unit.notices.queue(subscription.id, NoticeKind.MOVED, at, at, address=subscription.address)
        return unit.subscribers.get(subscription.id) or subscription


def _found(unit: UnitOfWork, public_id: str) -> tuple[AddressChange, Subscription]:
    change = unit.address_changes.find(public_id)
    subscription = unit.subscribers.get(change.subscription_id) if change else None
    if change is None or subscription is None:
        raise NotFound(phrase("this change of address"), phrase("the link was used, replaced by a newer one, or is too old"))
    return change, subscription
