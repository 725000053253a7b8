"""send: one edition to given addresses, now, outside subscriptions. Recorded nowhere, suppressed addresses refused.

Who subscribes to the list gets their own links and picks. A stranger's mail cannot end a subscription, so its List-Unsubscribe
stops all mail to that address (RFC 8058 asks that the click does what it says), and its other links lead to the subscribe form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from digest.domain.delivery import Attempt, Claimed, Envelope
from digest.domain.edition import Edition
from digest.domain.errors import DigestError, RelayRefusedUs
from digest.domain.subscriber import Address, Subscription, SubscriptionState
from digest.services.delivery.choose_papers import Choice
from digest.services.delivery.run import Compose, Transport
from digest.services.editions.message_composer import one_off
from digest.store.unit_of_work import Store


@dataclass(frozen=True, slots=True)
class Sent:
    """`state` is "accepted", "failed", "uncertain", "suppressed" or "dry-run"; `reply` the relay's words, or ours."""

    to: str
    state: str
    reply: str


def send(
    store: Store,
    edition: Edition,
    compose: Compose,
    transport: Transport | None,
    addresses: Sequence[Address],
    at: datetime,
    choose: Callable[[Claimed], Sequence[Choice] | None] | None = None,
) -> list[Sent]:
    """Composes for each address and hands over; without a transport it is a dry run. One Sent an address, in their order."""
    outcomes: dict[Address, Sent] = {}
    envelopes: dict[int, tuple[Address, Envelope]] = {}
    with store.read() as unit:
        mine = {
            address: each for address in addresses for each in unit.subscribers.subscriptions(address) if _is_of(each, edition)
        }
        suppressed = {address: found for address in addresses if (found := unit.suppressions.find(address))}
    for address in dict.fromkeys(addresses):
        if address in suppressed:
            outcomes[address] = Sent(str(address), "suppressed", f"{suppressed[address].reason}; nothing was sent")
            continue
        try:
            claimed = one_off(address, edition, at)
            if address in mine:
                claimed = of_subscriber(claimed, mine[address])
            envelope = compose(claimed, choose(claimed) if choose and claimed.personal else None)
        except DigestError as error:
            outcomes[address] = Sent(str(address), "failed", str(error))
            continue
        outcomes[address] = Sent(str(address), "dry-run", f"{envelope.size} bytes composed, nothing sent")
        envelopes[envelope.delivery_id] = (address, envelope)
    if transport is not None:
        for address, _ in envelopes.values():
            outcomes[address] = Sent(str(address), "failed", "no relay took it")

        def wanted(delivery_id: int) -> bool:
            """Asked right before a mail is begun."""
            address, _ = envelopes[delivery_id]
            with store.read() as unit:
                suppression = unit.suppressions.find(address)
                left = address in mine and not any(_is_of(each, edition) for each in unit.subscribers.subscriptions(address))
            if suppression:
                outcomes[address] = Sent(str(address), "suppressed", f"{suppression.reason}; nothing was sent")
            elif left:
                outcomes[address] = Sent(str(address), "failed", "the subscription has ended; nothing was sent")
            return not (suppression or left)

        seen = False
        try:
            for attempt in transport.send_many([envelope for _, envelope in envelopes.values()], wanted=wanted):
                address, _ = envelopes[attempt.delivery_id]
                outcomes[address] = Sent(str(address), *_outcome(attempt))
                seen = True
        except RelayRefusedUs:
            if not seen:  # otherwise the outcomes show the relay's words
                raise
    return [outcomes[address] for address in addresses]


def of_subscriber(claimed: Claimed, mine: Subscription) -> Claimed:
    """The same delivery as their subscription would get it."""
    return replace(
        claimed,
        subscription_id=mine.id,
        public_id=mine.public_id,
        subscriber_id=mine.subscriber_id,
        interests=mine.interests,
        wanted=mine.preferences.picks,
        style=mine.preferences.style,
        language=mine.preferences.language,
        authors_words=mine.preferences.authors_words,
        personal=bool(mine.interests),
    )


def _is_of(subscription: Subscription, edition: Edition) -> bool:
    return subscription.list == edition.list and subscription.state is SubscriptionState.ACTIVE


def _outcome(attempt: Attempt) -> tuple[str, str]:
    state = "accepted" if attempt.accepted else "uncertain" if attempt.uncertain else "failed"
    return state, str(attempt.reply) if attempt.reply else f"{attempt.relay}: {attempt.error}"
