"""What mails a reader is owed for what they did on the web: the confirmation, the welcome with its edition, and no other."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from digest.domain.subscriber import SubscriptionState
from digest.links import Purpose
from digest.mail.inbound.message_parts import parts_of
from tests.servers.running import PATIENCE, until
from tests.servers.stocked import sighting
from tests.servers.website import BEARER, NOON, Website

ADA = "ada@example.org"


def test_the_welcome_brings_the_current_edition_once(site: Website) -> None:
    """One mail with all its papers; the day's delivery is then done, and the outbox sends nothing twice."""
    from digest.mail.lint.lint import lint

    site.reader("ada@example.org", confirmed=False)
    site.post(site.link(Purpose.CONFIRM))
    site.letters(1)
    (letter,) = site.container.transport.envelopes
    assert lint(letter.data).errors == ()
    html, text = parts_of(letter.data)
    titles = [pick["title"] for pick in site.get("/api/v1/lists/daily/editions/2026-05-27").json()["picks"]]
    assert len(titles) == 10
    assert [title for title in titles if title not in " ".join(text.split())] == []
    assert [title for title in titles if title not in html] == []
    assert "You are in" in html
    assert "While you wait: the papers of 27 May 2026" in " ".join(text.split())
    found = site.subscription()
    assert found
    with site.container.adapters.store.read() as unit:
        (delivery,) = unit.deliveries.of_subscription(found.id)
    assert str(delivery.state) == "accepted"
    site.now += timedelta(hours=7)
    site.container.scheduler.tick(site.now)
    site.container.delivery.deliver(lambda: site.now)
    assert len(site.container.transport.envelopes) == 1


def test_who_comes_back_the_same_day_gets_no_paper_twice(site: Website) -> None:
    site.reader("ada@example.org", confirmed=False)
    confirm, unsubscribe = site.link(Purpose.CONFIRM), site.link(Purpose.UNSUBSCRIBE)
    site.post(confirm)
    site.letters(1)
    site.post(unsubscribe)
    site.letters(2)
    site.now += timedelta(minutes=1)
    site.post("/subscribe", {"email": ADA})
    site.post(site.path_in(site.letters(3)[2][1], "confirm"))
    welcome_back = site.letters(4)[3][1]
    assert "You are in" in welcome_back
    assert "While you wait" not in welcome_back


def test_a_welcome_that_no_relay_took_is_made_up_for(site: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    from digest.domain.errors import RelayUnreachable

    tried = threading.Event()

    def down(envelopes: Any, **_: Any) -> Any:
        tried.set()
        raise RelayUnreachable("postman", "is ill")

    site.reader("ada@example.org", confirmed=False)
    with monkeypatch.context() as ill:
        ill.setattr(site.container.transport, "send_many", down)
        assert site.post(site.link(Purpose.CONFIRM)).status_code == 200
        assert tried.wait(PATIENCE)
    assert site.container.transport.envelopes == []
    site.now += timedelta(minutes=6)
    site.container.delivery.deliver(lambda: site.now)
    ((to, text),) = site.letters(1)
    assert to == "ada@example.org"
    assert "not all you need" in text


def test_a_confirmation_no_relay_took_is_owed_and_comes(site: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody who asked while the relay was down waits for nothing: it is tried again, once."""
    from digest.domain.errors import RelayUnreachable

    tried = threading.Event()

    def down(envelopes: Any, **_: Any) -> Any:
        tried.set()
        raise RelayUnreachable("postman", "is ill")

    with monkeypatch.context() as ill:
        ill.setattr(site.container.transport, "send_many", down)
        assert site.post("/subscribe", {"email": ADA}).status_code == 200
        assert tried.wait(PATIENCE)
        until(lambda: any("12:01:00" in row for row in site.tables()["notices"]))  # put off by a minute
        site.now += timedelta(minutes=2)
        with pytest.raises(RelayUnreachable):
            site.container.notices.send_queued(lambda: site.now)
    assert site.container.notices.send_queued(lambda: site.now) == 0, "not before it is time"
    site.now += timedelta(minutes=2)
    assert site.container.notices.send_queued(lambda: site.now) == 1
    ((to, text),) = site.letters(1)
    assert to == ADA
    site.post(site.path_in(text, "confirm"))
    assert site.state() is SubscriptionState.ACTIVE
    until(lambda: len(site.container.transport.envelopes) == 2 and not site.queued())  # the welcome goes out after the answer
    site.now += timedelta(hours=1)
    assert site.container.notices.send_queued(lambda: site.now) == 0


def test_what_is_owed_fits_what_is_so(site: Website) -> None:
    """Nobody who left is asked to confirm, nobody is welcomed who left, nobody suppressed is mailed."""
    from digest.domain.feedback import SuppressionReason
    from digest.domain.notice import NoticeKind
    from digest.services.subscriptions.subscribe import end

    left, blocked = site.reader("left@example.org"), site.reader("blocked@example.org", confirmed=False)
    late = site.reader("late@example.org", confirmed=False)
    end(site.container.adapters.store, left.id, "test", NOON)
    with site.container.adapters.store.begin() as unit:
        unit.suppressions.add(blocked.address, SuppressionReason.OPERATOR, NOON)
        for each, kind in ((left, NoticeKind.WELCOME), (blocked, NoticeKind.CONFIRM)):
            unit.notices.queue(each.id, kind, NOON, NOON)
        unit.notices.queue(late.id, NoticeKind.CONFIRM, NOON - timedelta(days=5), NOON)
        unit.notices.queue(999, NoticeKind.CONFIRM, NOON, NOON)
    assert site.container.notices.send_queued(lambda: site.now) == 0
    assert (site.queued(), site.container.transport.envelopes) == (0, [])


def test_one_notice_that_cannot_be_composed_holds_up_no_other(site: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    from digest.domain.errors import TemplateError
    from digest.domain.notice import Notice, NoticeKind

    compose = site.container.notice_composer.envelope

    def composed(notice: Notice, at: Any) -> Any:
        if notice.kind is NoticeKind.GOODBYE:
            raise TemplateError("mail/goodbye/body.html", "is broken")
        return compose(notice, at)

    monkeypatch.setattr(site.container.notice_composer, "envelope", composed)
    gone, asks = site.reader("gone@example.org"), site.reader("asks@example.org", confirmed=False)
    with site.container.adapters.store.begin() as unit:
        unit.subscribers.end(gone.id, "test", NOON)
        unit.notices.queue(gone.id, NoticeKind.GOODBYE, NOON, NOON - timedelta(hours=1))
        unit.notices.queue(asks.id, NoticeKind.CONFIRM, NOON, NOON)
    with pytest.raises(TemplateError, match="goodbye"):
        site.container.notices.send_queued(lambda: site.now)
    assert [to for to, _ in site.letters(1)] == ["asks@example.org"]
    assert site.queued() == 1


def test_who_was_forgotten_may_come_back_and_gets_mail(site: Website) -> None:
    """By their own word; neither a list nor the operator brings them back."""
    from digest.services.subscriptions.subscribe import RECORDED, confirm, request

    old = site.reader()
    site.post(f"{site.link(Purpose.MANAGE)}/erase", {"sure": "yes"})
    assert site.subscription() is None
    roster = site.request(
        "POST", "/api/v1/subscriptions/import?confirmed=true", content=b"email\nada@example.org\n", headers=BEARER
    ).json()
    assert (roster["added"], roster["unchanged"], site.subscription()) == (0, 1, None)
    again = request(site.container.adapters.store, old.address, "daily", old.preferences, old.interests, site.now).subscription
    assert "forgotten" in confirm(site.container.adapters.store, again.id, "api", RECORDED, site.now).skipped
    assert site.state() is SubscriptionState.PENDING
    site.post(site.link(Purpose.CONFIRM))
    assert site.state() is SubscriptionState.ACTIVE
    welcome = site.letters(1)[0][1]
    assert "not all you need" in welcome
    until(lambda: not site.queued())
    with site.container.adapters.store.read() as unit:
        (delivery,) = unit.deliveries.of_subscription(again.id)
    assert str(delivery.state) == "accepted"


def test_who_was_suppressed_by_mistake_is_readmitted(site: Website) -> None:
    """By the operator, and only then does the form send them anything; to be forgotten is theirs to undo."""
    from digest.domain.feedback import SuppressionReason
    from digest.services.subscriptions.subscribe import erase

    blocked, gone = site.container.adapters.address("blocked@example.org"), site.container.adapters.address("gone@example.org")
    with site.container.adapters.store.begin() as unit:
        unit.suppressions.add(blocked, SuppressionReason.OPERATOR, NOON)
    erase(site.container.adapters.store, gone, NOON)
    assert site.container.subscriptions.unsuppress([gone], NOON) == {}
    site.post("/subscribe", {"email": str(blocked)})
    until(lambda: site.state(str(blocked)) is not None)
    assert site.container.transport.envelopes == []
    assert list(site.container.subscriptions.unsuppress([blocked], NOON).values()) == ["operator"]
    assert site.container.subscriptions.unsuppress([blocked], NOON) == {}
    site.post("/subscribe", {"email": str(blocked)})
    assert [to for to, _ in site.letters(1)] == [str(blocked)]


def test_a_roster_that_is_not_confirmed_asks_each_once(site: Website) -> None:
    site.reader("active@example.org")
    roster = b"email\n" + b"".join(b"r%d@example.org\n" % n for n in range(150)) + b"active@example.org\nnobody\n"
    for added in (150, 0):
        told = site.request("POST", "/api/v1/subscriptions/import", content=roster, headers=BEARER).json()
        assert (told["added"], told["unchanged"], [each["line"] for each in told["rejected"]]) == (added, 151 - added, [153])
    assert len({to for to, _ in site.letters(150)}) == 150
    until(lambda: not site.queued())
    assert len(site.container.transport.envelopes) == 150
    assert site.state("r7@example.org") is SubscriptionState.PENDING


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Europe/Berlin", "UTC", "America/Los_Angeles"])
def test_the_next_mail_comes_when_the_page_says(site: Website, zone: str) -> None:
    """Where papers keep coming in, as they do: what the welcome brought is not promised again, and what is promised comes."""
    site.post("/subscribe", {"email": ADA, "timezone": zone, "hour": "06:00"})
    told = re.search(r"arrives on (\w+), (\d+) May", site.post(site.path_in(site.letters(1)[0][1], "confirm")).text)
    site.letters(2)
    assert told
    managed = site.get(site.link(Purpose.MANAGE)).text
    assert f"Next email: {told[1]}, {told[2]} May" in managed
    while len(site.container.transport.envelopes) < 3 and site.now < NOON + timedelta(days=4):
        site.now += timedelta(hours=1)
        with site.container.adapters.store.begin() as unit:
            unit.papers.merge([sighting(site.now.day * 100 + site.now.hour, seen_at=site.now)])
        site.container.scheduler.tick(site.now)
        site.container.delivery.deliver(lambda: site.now)
    assert f"{site.now.astimezone(ZoneInfo(zone)):%A %d %H:%M}" == f"{told[1]} {told[2]} 06:00"
