"""What became of a reader's email, in words for the reader. The operator's words are `Delivery.reason` itself."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo

from digest.domain.delivery import Delivery, DeliveryState
from digest.domain.phrase import Phrase, phrase

_REPLY = re.compile(r"[245]\d\d[ -]")
_TAIL = re.compile(r"; (?:the next edition comes before another try|gave up after \d+ attempts)$")
_LONGEST = 160
_WHY: dict[DeliveryState, tuple[tuple[str, Phrase], ...]] = {
    DeliveryState.WITHHELD: (
        (r"the address is suppressed", phrase("we stopped all email to your address")),
        (r"the subscription is", phrase("you had unsubscribed")),
        (r"the reader paused it", phrase("you had paused it")),
        (r"every paper of the edition", phrase("there was nothing new for you")),
        (r"(?:may have been|was) sent before the database was restored", phrase("it may have reached you before")),
        (r"", phrase("this issue was stopped")),
    ),
    DeliveryState.EXPIRED: (
        (r"held for review", phrase("many emails were refused at once, and we held yours back to find out why")),
        (r"", phrase("it could not be sent before the next one was due")),
    ),
    DeliveryState.FAILED: (
        (r"could not be composed|its row in the database", phrase("something went wrong on our side")),
        (r"", phrase("the mail server did not confirm that it took it")),
    ),
    DeliveryState.QUEUED: (
        (r"held for review", phrase("many emails were refused at once, and we are finding out why")),
        (r"waits: its domain", phrase("your mail provider takes only so many emails a minute")),
        (r".", phrase("our mail server could not take it yet; we try again")),
        (r"", phrase("its turn has not come yet")),
    ),
    DeliveryState.CLAIMED: ((r"", phrase("it is being sent right now")),),
    DeliveryState.UNCERTAIN: ((r"", phrase("the mail server did not confirm that it took it")),),
}
"""By state, how the operator's reason begins and what a reader is told; the first that fits."""


def why(state: DeliveryState, reason: str) -> Phrase:
    """Why an email was not sent, or waits: a clause. What a mail server answered is quoted."""
    known = next(words for begins, words in _WHY[state] if re.match(begins, reason))
    reply = " ".join(_TAIL.sub("", reason).split())
    if state is DeliveryState.WITHHELD or not _REPLY.match(reply):
        return known
    quoted = reply if len(reply) <= _LONGEST else f"{reply[:_LONGEST].rstrip()}…"
    if state is DeliveryState.FAILED:
        return phrase("the mail server refused it: “%(reply)s”", reply=quoted)
    if state is DeliveryState.QUEUED:
        return phrase("the mail server asked us to try again later: “%(reply)s”", reply=quoted)
    return phrase("%(why)s: “%(reply)s”", why=known, reply=quoted)


def where_it_is(delivery: Delivery, zone: tzinfo) -> str:
    """One email's state, a sentence without its end: "accepted on 30 November 2026 at 07:00 by the mail server postfix"."""
    if delivery.state is DeliveryState.ACCEPTED:
        by = f" by the mail server {delivery.relay}" if delivery.relay else ""
        return f"accepted{_at(delivery.accepted_at, zone)}{by}"
    words = why(delivery.state, delivery.reason)
    if delivery.state in (DeliveryState.QUEUED, DeliveryState.CLAIMED):
        again = _at(delivery.next_attempt_at, zone) if delivery.attempts else ""
        return f"waiting, because {words}{f'; next try{again}' if again else ''}"
    if delivery.state is DeliveryState.UNCERTAIN:
        return f"sent, but {words}"
    return f"not sent, because {words}"


def _at(instant: datetime | None, zone: tzinfo) -> str:
    if instant is None:
        return ""
    local = instant.astimezone(zone)
    return f" on {local.day} {local:%B %Y} at {local:%H:%M}"
