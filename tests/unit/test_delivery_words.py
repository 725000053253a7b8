"""What a reader is told of an email, for every way in which one can stand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from digest.domain.delivery import Delivery, DeliveryState
from digest.domain.delivery_words import where_it_is, why
from tests.tables import every_row

AT = datetime(2026, 11, 30, 6, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
DELIVERY = Delivery(
    id=1,
    list="daily",
    edition_id=1,
    edition_date=date(2026, 11, 30),
    edition_cutoff=AT,
    subscription_id=1,
    state=DeliveryState.ACCEPTED,
    due_at=AT,
    expires_at=AT + timedelta(days=1),
    next_attempt_at=AT,
    attempts=0,
    reason="",
)
W, X, F, Q = DeliveryState.WITHHELD, DeliveryState.EXPIRED, DeliveryState.FAILED, DeliveryState.QUEUED
WHY = [
    (W, "the address is suppressed: hard bounce", "we stopped all email to your address"),
    (W, "the subscription is ended: unsubscribed on the web", "you had unsubscribed"),
    (W, "the reader paused it until 2026-12-24", "you had paused it"),
    (W, "every paper of the edition that they could get was sent to this reader before", "there was nothing new for you"),
    (W, "was sent before the database was restored at 2026-11-30T06:00:00Z", "it may have reached you before"),
    (W, "wrong links", "this issue was stopped"),
    (
        X,
        "not sent before 2026-11-30T06:00:00Z, when the next edition was due",
        "it could not be sent before the next one was due",
    ),
    (
        X,
        "451 4.7.1 try again later; the next edition comes before another try",
        "it could not be sent before the next one was due: “451 4.7.1 try again later”",
    ),
    (X, "held for review, and not sent before 2026", "many emails were refused at once, and we held yours back to find out why"),
    (F, "550 5.1.1 no such\r\n user", "the mail server refused it: “550 5.1.1 no such user”"),
    (F, "452 4.2.2 full; gave up after 12 attempts", "the mail server refused it: “452 4.2.2 full”"),
    (F, f"550 {'x' * 500}", f"the mail server refused it: “550 {'x' * 156}…”"),
    (F, "could not be composed: mail/edition/body.html: is broken", "something went wrong on our side"),
    (
        F,
        "postfix: no reply after the final dot (timed out); dropped by policy",
        "the mail server did not confirm that it took it",
    ),
    (Q, "", "its turn has not come yet"),
    (Q, "451 4.3.0 busy", "the mail server asked us to try again later: “451 4.3.0 busy”"),
    (Q, "postfix: connection refused", "our mail server could not take it yet; we try again"),
    (Q, "waits: its domain has had as many as it may have a minute", "your mail provider takes only so many emails a minute"),
    (Q, "held for review", "many emails were refused at once, and we are finding out why"),
]


@every_row(("state", "reason", "words"), WHY)
def test_why_is_plain(state: DeliveryState, reason: str, words: str) -> None:
    assert why(state, reason) == words


@pytest.mark.parametrize("state", DeliveryState)
def test_every_state_has_words(state: DeliveryState) -> None:
    assert where_it_is(replace(DELIVERY, state=state, reason="what nobody foresaw"), UTC)


def test_it_is_told_by_the_readers_clock() -> None:
    accepted = replace(DELIVERY, accepted_at=AT, relay="postfix")
    assert where_it_is(accepted, BERLIN) == "accepted on 30 November 2026 at 07:00 by the mail server postfix"
    waiting = replace(DELIVERY, state=Q, reason="451 busy", attempts=1, next_attempt_at=AT + timedelta(minutes=30))
    assert where_it_is(waiting, BERLIN) == (
        "waiting, because the mail server asked us to try again later: “451 busy”; next try on 30 November 2026 at 07:30"
    )
    assert where_it_is(replace(DELIVERY, state=F, reason="550 no"), BERLIN) == (
        "not sent, because the mail server refused it: “550 no”"
    )
