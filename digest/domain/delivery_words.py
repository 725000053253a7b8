"""What became of a reader's email, in words for the reader. The operator's words are `Delivery.reason` itself."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo

from digest.domain.delivery import Delivery, DeliveryState
from digest.domain.phrase import N_, Phrase, joined, phrase

_REPLY = re.compile(r"[245]\d\d[ -]")
_TAIL = re.compile(r"; (?:the next edition comes before another try|gave up after \d+ attempts)$")
_LONGEST = 160
_WHY: dict[DeliveryState, tuple[tuple[str, str], ...]] = {
    DeliveryState.WITHHELD: (
        (r"the address is suppressed", N_("we stopped all email to your address")),
        (r"the subscription is", N_("you had unsubscribed")),
        (r"the reader paused it", N_("you had paused it")),
        (r"every paper of the edition", N_("there was nothing new for you")),
        (r"(?:may have been|was) sent before the database was restored", N_("it may have reached you before")),
        (r"", N_("this issue was stopped")),
    ),
    DeliveryState.EXPIRED: (
        (r"held for review", N_("many emails were refused at once, and we held yours back to find out why")),
        (r"", N_("it could not be sent before the next one was due")),
    ),
    DeliveryState.FAILED: (
        (r"could not be composed|its row in the database", N_("something went wrong on our side")),
        (r"", N_("the mail server did not confirm that it took it")),
    ),
    DeliveryState.QUEUED: (
        (r"held for review", N_("many emails were refused at once, and we are finding out why")),
        (r"waits: its domain", N_("your mail provider takes only so many emails a minute")),
        (r".", N_("our mail server could not take it yet; we try again")),
        (r"", N_("its turn has not come yet")),
    ),
    DeliveryState.CLAIMED: ((r"", N_("it is being sent right now")),),
    DeliveryState.UNCERTAIN: ((r"", N_("the mail server did not confirm that it took it")),),
}
"""By state, how the operator's reason begins and what a reader is told; the first that fits."""


def why(state: DeliveryState, reason: str) -> Phrase:
    """Why an email was not sent, or waits: a clause. What a mail server answered is quoted."""
    known = next(words for begins, words in _WHY[state] if re.match(begins, reason))
    reply = " ".join(_TAIL.sub("", reason).split())
    if state is DeliveryState.WITHHELD or not _REPLY.match(reply):
        return phrase(known)
    quoted = reply if len(reply) <= _LONGEST else f"{reply[:_LONGEST].rstrip()}…"
    if state is DeliveryState.FAILED:
        return phrase("the mail server refused it: “%(reply)s”", reply=quoted)
    if state is DeliveryState.QUEUED:
        return phrase("the mail server asked us to try again later: “%(reply)s”", reply=quoted)
    return joined((phrase(known), f"“{quoted}”"), ": ")


def where_it_is(delivery: Delivery, zone: tzinfo) -> Phrase:
    """One email's state, a sentence without its end: "accepted on 30 November 2026 at 07:00 by the mail server postfix"."""
    if delivery.state is DeliveryState.ACCEPTED:
        at, relay = _at(delivery.accepted_at, zone), delivery.relay
        if not at:
            return phrase("accepted by the mail server %(relay)s", relay=relay) if relay else phrase("accepted")
        if relay:
            return phrase("accepted on %(day)s at %(time)s by the mail server %(relay)s", **at, relay=relay)
        return phrase("accepted on %(day)s at %(time)s", **at)
    words = why(delivery.state, delivery.reason)
    if delivery.state in (DeliveryState.QUEUED, DeliveryState.CLAIMED):
        waiting = phrase("waiting, because %(why)s", why=words)
        again = _at(delivery.next_attempt_at, zone) if delivery.attempts else {}
        return joined((waiting, phrase("next try on %(day)s at %(time)s", **again)), "; ") if again else waiting
    if delivery.state is DeliveryState.UNCERTAIN:
        return phrase("sent, but %(why)s", why=words)
    return phrase("not sent, because %(why)s", why=words)


def _at(instant: datetime | None, zone: tzinfo) -> dict[str, object]:
    if instant is None:
        return {}
    local = instant.astimezone(zone)
    return {"day": local.date(), "time": local.time()}
