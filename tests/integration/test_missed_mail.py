"""A mail that did not arrive: the reader's page says why, and the next day's mail has one line about it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from digest.domain.delivery import DeliveryState
from digest.links import Purpose
from digest.store.schema import deliveries
from tests.servers.website import NOON, Website

LINE = "Yesterday’s email could not be delivered: the mail server refused it: “550 5.7.1 <no> & never”."


def morning(site: Website, days: int) -> None:
    site.now = NOON + timedelta(days=days, hours=20)
    site.container.scheduler.tick(site.now)
    site.container.delivery.deliver(lambda: site.now)


def became(site: Website, state: DeliveryState, reason: str, day: int = 0) -> None:
    """The last delivery was another's outcome; or was of so many days before."""
    with site.container.adapters.store.begin() as unit:
        subscription = unit.subscribers.subscriptions(site.container.adapters.address("ada@example.org"))[0]
        last = unit.deliveries.of_subscription(subscription.id)[0]
        assert last.day
        row = {"state": state.value, "reason": reason, "day": last.day - timedelta(days=day)}
        unit.connection.execute(update(deliveries).where(deliveries.c.id == last.id).values(row))


def second(site: Website, state: DeliveryState, reason: str, day: int = 0) -> tuple[str, bytes]:
    """The text and the bytes of the mail after one that ended so."""
    site.reader()
    morning(site, 0)
    before = len(site.letters(1))
    became(site, state, reason, day)
    morning(site, 1)
    return site.letters(before + 1)[-1][1], site.container.transport.envelopes[-1].data


def test_the_mail_after_a_missed_one_says_so_in_one_line(site: Website) -> None:
    text, data = second(site, DeliveryState.FAILED, "550 5.7.1 <no> & never")
    assert " ".join(text.split()).count(LINE) == 1
    html = data.replace(b"=\r\n", b"").decode()
    assert "&lt;no&gt; &amp; never" in html
    page = site.get(site.link(Purpose.MANAGE)).text
    assert "not sent, because the mail server refused it: “550 5.7.1 &lt;no&gt; &amp; never”" in page
    assert "accepted on 27 May 2026 at 12:00 by the mail server" in page, "by the fake transport's clock"
    assert "Next email: " in page


QUIET = [
    (DeliveryState.ACCEPTED, "250 ok", 0),
    (DeliveryState.WITHHELD, "the reader paused it until 2026-05-29", 0),
    (DeliveryState.FAILED, "550 5.1.1 gone", 1),
    (DeliveryState.EXPIRED, "not sent before 2026-05-28T05:00:00Z, when the next edition was due", 2),
]


@pytest.mark.parametrize(("state", "reason", "day"), QUIET)
def test_only_of_the_day_before_and_only_where_it_failed(site: Website, state: DeliveryState, reason: str, day: int) -> None:
    text, _ = second(site, state, reason, day)
    assert "could not be delivered" not in text


def test_the_line_is_there_after_one_that_came_too_late(site: Website) -> None:
    text, _ = second(site, DeliveryState.EXPIRED, "not sent before 2026-05-28T05:00:00Z, when the next edition was due")
    assert "could not be delivered: it could not be sent before the next one was due." in " ".join(text.split())


def test_who_had_none_is_told_when_the_first_comes(site: Website) -> None:
    site.reader()
    page = site.get(site.link(Purpose.MANAGE)).text
    assert "No email has been due yet." in page
    assert "Next email: " in page
