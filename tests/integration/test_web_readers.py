"""A reader's way in, through and out on the web, and what others may not do with it."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time as time_of_day
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest
from servers.website import ADMIN, NOON, Website, stock, website

from digest.config import Relay
from digest.domain.subscriber import Interests, SubscriptionState
from digest.links import Purpose
from digest.mail.reading import parts_of

ADA = "ada@example.org"
BEARER = {"authorization": f"Bearer {ADMIN}"}


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stock(tmp_path_factory.mktemp("stocked"))


@pytest.fixture
def site(tmp_path: Path, stocked: Path) -> Iterator[Website]:
    with website(tmp_path, stocked) as running:
        yield running


def _state(site: Website, address: str = ADA) -> SubscriptionState | None:
    found = site.subscription(address)
    return found.state if found else None


def _link(site: Website, purpose: Purpose, address: str = ADA) -> str:
    found = site.subscription(address)
    assert found
    return f"/{purpose}/{site.wiring.links.token(purpose, found.id, site.now)}"


def test_in_through_and_out(site: Website) -> None:
    """One reader's story, each step through the link in the mail before."""
    asked = site.post("/subscribe", {"email": ADA, "timezone": "Europe/Berlin", "hour": "06:45", "interests": "diffusion"})
    assert asked.status_code == 200
    assert "Look in your inbox" in asked.text
    ((to, text),) = site.letters(1)
    assert to == ADA
    assert "diffusion" not in text.lower()
    assert _state(site) is SubscriptionState.PENDING

    confirm = site.path_in(text, "confirm")
    assert "Confirm my subscription" in site.get(confirm).text
    assert _state(site) is SubscriptionState.PENDING
    assert "Friday, 29 May 2026 at 06:45 (Europe/Berlin)" in site.post(confirm).text
    subscription = site.subscription()
    assert subscription
    assert subscription.consent
    assert (subscription.state, subscription.consent.how, subscription.consent.at) == (SubscriptionState.ACTIVE, "web form", NOON)

    welcome = site.letters(2)[1][1]
    manage = site.path_in(welcome, "manage")
    saved = site.post(
        f"{manage}/when",
        {
            "timezone": "America/New_York",
            "hour": "21:05",
            "weekdays": ["mon", "fri"],
            "picks": "5",
            "style": "compact",
            "paused_until": "2026-06-10",
        },
    )
    assert (saved.status_code, saved.headers["location"]) == (303, f"{manage}?saved=when")
    assert "Friday, 12 June 2026 at 21:05 (America/New_York)" in site.get(manage).text
    wishes = "Diffusion\ncs.CL\nauthor: Ada Lovelace\n-benchmark"
    shown = site.post(f"{manage}/interests", {"interests": wishes, "papers": "2605.00001, arXiv:2605.00002v3"}).text
    for understood in (
        "words: diffusion",
        "category cs.CL",
        "follow author ada lovelace",
        "mute benchmark",
        "More like these 2 papers",
    ):
        assert understood in shown
    changed = site.subscription()
    assert changed
    assert (changed.preferences.hour, changed.preferences.weekdays) == (time(21, 5), frozenset({0, 4}))
    assert (changed.preferences.picks, changed.preferences.style, changed.preferences.paused_until) == (
        5,
        "compact",
        date(2026, 6, 10),
    )
    assert changed.interests.liked == ("arxiv:2605.00001", "arxiv:2605.00002")

    leave = site.path_in(welcome, "unsubscribe")
    assert "One click, and Trending papers no longer goes to a…@example.org" in site.get(leave).text
    assert _state(site) is SubscriptionState.ACTIVE
    assert "You have left" in site.post(leave, {"why": "often"}).text
    ended = site.subscription()
    assert ended
    assert (ended.state, ended.end_reason) == (SubscriptionState.ENDED, "unsubscribed on the web: too many mails")
    assert "You have left" in site.letters(3)[2][1] or "no longer gets" in site.letters(3)[2][1]

    assert "This subscription has ended" in site.get(manage).text
    site.post(f"{manage}/back")
    assert _state(site) is SubscriptionState.ACTIVE


WORDINGS = {"2026-11b": "f5e38bb94667679c"}
"""By version of the consent, the sentence that stood beside the buttons (sha256): never change one, add the next."""


def test_the_words_agreed_to_have_a_version(site: Website) -> None:
    from digest.journey.subscribe import WORDING
    from digest.parts import shipped

    sentence = (shipped("templates") / "web/_wording.html").read_bytes()
    assert hashlib.sha256(sentence).hexdigest()[:16] == WORDINGS[WORDING]
    site.reader(confirmed=False)
    for path in ("/", "/subscribe", _link(site, Purpose.CONFIRM)):
        assert "so that Trending papers can come to you" in site.get(path).text
    site.post(_link(site, Purpose.CONFIRM))
    found = site.subscription()
    assert found
    assert found.consent
    assert (found.consent.wording, found.consent.event) == (WORDING, "link confirmed")


def test_every_link_of_a_mail_may_be_fetched_by_anything_that_only_looks(site: Website) -> None:
    """Scanners, previews, prefetchers: GET and HEAD, several times, in any order."""
    subscription = site.reader(interests=Interests(words=("diffusion",)))
    wiring = site.wiring
    edition = wiring.edition(wiring.paper_list("daily"), NOON.date(), NOON)
    mail = wiring.one_off(edition, wiring.paper_list("daily"), subscription.address, NOON).data.replace(b"=\r\n", b"").decode()
    links = sorted(set(re.findall(rf"{re.escape(site.base)}(/[^\s\">,)\]]+)", mail.replace("=3D", "="))))
    links.append(_link(site, Purpose.CONFIRM))
    assert sum("/more/" in link or "/less/" in link for link in links) >= 10
    assert any("/unsubscribe/" in link for link in links)
    before = [site.subscription(), _tables(site)]
    for order in (links, links[::-1]):
        for path in order:
            for method in ("HEAD", "GET", "GET"):
                assert site.request(method, path).status_code == 200, path
            assert site.request("OPTIONS", path).status_code in (200, 405)
    assert [site.subscription(), _tables(site)] == before


def _tables(site: Website) -> dict[str, list[str]]:
    """Every row of every table but the search index."""
    from sqlalchemy import text

    with site.wiring.store.engine.connect() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'papers_words%'"))
        return {name: sorted(map(str, connection.execute(text(f'SELECT * FROM "{name}"')))) for name in names.scalars().all()}


MULTIPART = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
ONE_CLICKS = [
    ("urlencoded", b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
    ("multipart", MULTIPART, "multipart/form-data; boundary=b"),
    ("no body", b"", ""),
    ("broken multipart", MULTIPART[:60], "multipart/form-data; boundary=b"),
    ("multipart without boundary", MULTIPART, "multipart/form-data"),
    ("unknown kind", b"\xff\x00", "application/octet-stream"),
    ("json", b"{}", "application/json"),
    ("not utf-8", b"List-Unsubscribe=%ff%fe", "application/x-www-form-urlencoded; charset=latin-1"),
]


@pytest.mark.parametrize(("name", "body", "kind"), ONE_CLICKS, ids=[case[0] for case in ONE_CLICKS])
def test_one_click_unsubscribes(site: Website, name: str, body: bytes, kind: str) -> None:
    """RFC 8058: from anywhere, no cookie, no redirect, again and again."""
    site.reader()
    path = _link(site, Purpose.UNSUBSCRIBE)
    elsewhere = {"content-type": kind, "origin": "https://mail.example", "sec-fetch-site": "cross-site"}
    for _ in range(3):
        answer = site.request("POST", path, content=body, headers=elsewhere)
        assert answer.status_code == 200
        assert "location" not in answer.headers
        assert "set-cookie" not in answer.headers
    assert _state(site) is SubscriptionState.ENDED


def test_one_click_works_for_old_mails_and_for_people_already_forgotten(site: Website) -> None:
    site.reader()
    path, manage = _link(site, Purpose.UNSUBSCRIBE), _link(site, Purpose.MANAGE)
    site.now = NOON + timedelta(days=4000)
    assert site.post(f"{manage}/erase", {"sure": "yes"}).status_code == 200
    assert site.subscription() is None
    assert site.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert site.get(manage).status_code == 404


def test_one_click_reaches_mail_that_is_queued(site: Website) -> None:
    site.reader()
    site.now = NOON + timedelta(hours=20)
    site.wiring.tick(site.now)
    site.post(_link(site, Purpose.UNSUBSCRIBE), {"List-Unsubscribe": "One-Click"})
    goodbye = site.letters(1)
    site.wiring.deliver(lambda: site.now)
    assert site.letters(1) == goodbye


def test_the_answer_does_not_say_who_is_known(site: Website) -> None:
    """Unknown, waiting, active, ended, suppressed, over the limit: one page, byte for byte, but for the address."""
    from digest.domain.feedback import SuppressionReason
    from digest.journey.subscribe import end

    names = ["new", "waiting", "active", "ended", "blocked", "flooded"]
    site.reader("waiting@example.org", confirmed=False)
    site.reader("active@example.org")
    end(site.wiring.store, site.reader("ended@example.org").id, "test", NOON)
    with site.wiring.store.begin() as unit:
        unit.suppressions.add(site.wiring.address("blocked@example.org"), SuppressionReason.COMPLAINT, NOON)
    for _ in range(4):
        site.post("/subscribe", {"email": "flooded@example.org"})
    answers = {name: site.post("/subscribe", {"email": f"{name}@example.org"}) for name in names}
    assert {answer.status_code for answer in answers.values()} == {200}
    assert len({answer.text.replace(name, "X") for name, answer in answers.items()}) == 1
    mailed = [to.partition("@")[0] for to, _ in site.letters(6)]
    assert sorted(mailed) == ["ended", "flooded", "flooded", "flooded", "new", "waiting"]


def test_nothing_is_looked_up_before_the_answer_is_out(site: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the time an answer takes cannot tell: every answer comes while the looking up is still held back."""
    from digest.web import subscribe

    site.reader("active@example.org")
    gate, lookup = threading.Event(), subscribe.request

    def held(*given: Any) -> Any:
        assert gate.wait(20)
        return lookup(*given)

    monkeypatch.setattr(subscribe, "request", held)
    for name in ("new", "active"):
        assert site.post("/subscribe", {"email": f"{name}@example.org"}).status_code == 200
    assert site.subscription("new@example.org") is None
    gate.set()
    assert [to for to, _ in site.letters(1)] == ["new@example.org"]


def test_the_welcome_brings_the_current_edition_once(site: Website) -> None:
    """One mail with all its papers; the day's delivery is then done, and the outbox sends nothing twice."""
    from digest.mail.lint import lint

    site.reader("ada@example.org", confirmed=False)
    site.post(_link(site, Purpose.CONFIRM))
    site.letters(1)
    (letter,) = site.wiring.postman.letters
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
    with site.wiring.store.read() as unit:
        (delivery,) = unit.deliveries.of_subscription(found.id)
    assert str(delivery.state) == "accepted"
    site.now += timedelta(hours=7)
    site.wiring.tick(site.now)
    site.wiring.deliver(lambda: site.now)
    assert len(site.wiring.postman.letters) == 1


def test_who_comes_back_the_same_day_gets_no_paper_twice(site: Website) -> None:
    site.reader("ada@example.org", confirmed=False)
    confirm, unsubscribe = _link(site, Purpose.CONFIRM), _link(site, Purpose.UNSUBSCRIBE)
    site.post(confirm)
    site.letters(1)
    site.post(unsubscribe)
    site.letters(2)
    site.post(confirm)
    welcome_back = site.letters(3)[2][1]
    assert "You are in" in welcome_back
    assert "While you wait" not in welcome_back


def test_a_welcome_that_no_relay_took_is_made_up_for(site: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    from digest.domain.errors import RelayUnreachable

    tried = threading.Event()

    def down(envelopes: Any) -> Any:
        tried.set()
        raise RelayUnreachable("postman", "is ill")

    site.reader("ada@example.org", confirmed=False)
    with monkeypatch.context() as ill:
        ill.setattr(site.wiring.postman, "hand_over", down)
        assert site.post(_link(site, Purpose.CONFIRM)).status_code == 200
        assert tried.wait(10)
    assert site.wiring.postman.letters == []
    site.now += timedelta(minutes=6)
    site.wiring.deliver(lambda: site.now)
    ((to, text),) = site.letters(1)
    assert to == "ada@example.org"
    assert "not all you need" in text


def test_a_confirmation_no_relay_took_is_owed_and_comes(site: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody who asked while the relay was down waits for nothing: it is tried again, once."""
    from digest.domain.errors import RelayUnreachable

    tried = threading.Event()

    def down(envelopes: Any) -> Any:
        tried.set()
        raise RelayUnreachable("postman", "is ill")

    relays = (Relay(host="127.0.0.1", port=1, tls="none"),)
    site.wiring.settings = site.wiring.settings.model_copy(update={"relays": relays})
    monkeypatch.setattr(site.wiring, "post", lambda *how, **more: site.wiring.postman)
    with monkeypatch.context() as ill:
        ill.setattr(site.wiring.postman, "hand_over", down)
        assert site.post("/subscribe", {"email": ADA}).status_code == 200
        assert tried.wait(10)
        _until(lambda: any("12:01:00" in row for row in _tables(site)["notices"]))  # put off by a minute
        site.now += timedelta(minutes=2)
        with pytest.raises(RelayUnreachable):
            site.wiring.mail_owed(lambda: site.now)
    assert site.wiring.mail_owed(lambda: site.now) == 0, "not before it is time"
    site.now += timedelta(minutes=2)
    assert site.wiring.mail_owed(lambda: site.now) == 1
    ((to, text),) = site.letters(1)
    assert to == ADA
    site.post(site.path_in(text, "confirm"))
    assert _state(site) is SubscriptionState.ACTIVE
    _until(lambda: len(site.wiring.postman.letters) == 2 and not _owed(site))  # the welcome goes out after the answer
    site.now += timedelta(hours=1)
    assert site.wiring.mail_owed(lambda: site.now) == 0


def _until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time_of_day.monotonic() + seconds
    while not condition():
        assert time_of_day.monotonic() < deadline, "it never came so far"
        time_of_day.sleep(0.01)


def _owed(site: Website) -> int:
    with site.wiring.store.read() as unit:
        return unit.notices.count()


def test_what_is_owed_fits_what_is_so(site: Website) -> None:
    """Nobody who left is asked to confirm, nobody is welcomed who left, nobody suppressed is mailed."""
    from digest.domain.feedback import SuppressionReason
    from digest.domain.notice import NoticeKind
    from digest.journey.subscribe import end

    relays = (Relay(host="127.0.0.1", port=1, tls="none"),)
    site.wiring.settings = site.wiring.settings.model_copy(update={"relays": relays})
    site.wiring.post = lambda *how, **more: site.wiring.postman  # type: ignore[method-assign]
    left, blocked = site.reader("left@example.org"), site.reader("blocked@example.org", confirmed=False)
    late = site.reader("late@example.org", confirmed=False)
    end(site.wiring.store, left.id, "test", NOON)
    with site.wiring.store.begin() as unit:
        unit.suppressions.add(blocked.address, SuppressionReason.COMPLAINT, NOON)
        for each, kind in ((left, NoticeKind.WELCOME), (blocked, NoticeKind.CONFIRM)):
            unit.notices.owe(each.id, kind, NOON, NOON)
        unit.notices.owe(late.id, NoticeKind.CONFIRM, NOON - timedelta(days=5), NOON)
        unit.notices.owe(999, NoticeKind.CONFIRM, NOON, NOON)
    assert site.wiring.mail_owed(lambda: site.now) == 0
    assert (_owed(site), site.wiring.postman.letters) == (0, [])


def test_one_notice_that_cannot_be_composed_holds_up_no_other(site: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    from digest.domain.errors import TemplateError
    from digest.domain.notice import Notice, NoticeKind

    relays = (Relay(host="127.0.0.1", port=1, tls="none"),)
    site.wiring.settings = site.wiring.settings.model_copy(update={"relays": relays})
    monkeypatch.setattr(site.wiring, "post", lambda *how, **more: site.wiring.postman)
    compose = site.wiring.notifier.envelope

    def composed(notice: Notice, at: Any) -> Any:
        if notice.kind is NoticeKind.GOODBYE:
            raise TemplateError("mail/goodbye/body.html", "is broken")
        return compose(notice, at)

    monkeypatch.setattr(site.wiring.notifier, "envelope", composed)
    gone, asks = site.reader("gone@example.org"), site.reader("asks@example.org", confirmed=False)
    with site.wiring.store.begin() as unit:
        unit.subscribers.end(gone.id, "test", NOON)
        unit.notices.owe(gone.id, NoticeKind.GOODBYE, NOON, NOON - timedelta(hours=1))
        unit.notices.owe(asks.id, NoticeKind.CONFIRM, NOON, NOON)
    with pytest.raises(TemplateError, match="goodbye"):
        site.wiring.mail_owed(lambda: site.now)
    assert [to for to, _ in site.letters(1)] == ["asks@example.org"]
    assert _owed(site) == 1


def test_who_was_forgotten_may_come_back_and_gets_mail(site: Website) -> None:
    """By their own word; neither a list nor the operator brings them back."""
    from digest.journey.subscribe import RECORDED, confirm, request

    old = site.reader()
    site.post(f"{_link(site, Purpose.MANAGE)}/erase", {"sure": "yes"})
    assert site.subscription() is None
    roster = site.request(
        "POST", "/api/v1/subscriptions/import?confirmed=true", content=b"email\nada@example.org\n", headers=BEARER
    ).json()
    assert (roster["added"], roster["unchanged"], site.subscription()) == (0, 1, None)
    again = request(site.wiring.store, old.address, "daily", old.preferences, old.interests, site.now).subscription
    assert "forgotten" in confirm(site.wiring.store, again.id, "api", RECORDED, site.now).skipped
    assert _state(site) is SubscriptionState.PENDING
    site.post(_link(site, Purpose.CONFIRM))
    assert _state(site) is SubscriptionState.ACTIVE
    welcome = site.letters(1)[0][1]
    assert "not all you need" in welcome
    _until(lambda: not _owed(site))
    with site.wiring.store.read() as unit:
        (delivery,) = unit.deliveries.of_subscription(again.id)
    assert str(delivery.state) == "accepted"


def test_who_was_suppressed_by_mistake_is_readmitted(site: Website) -> None:
    """By the operator, and only then does the form send them anything; to be forgotten is theirs to undo."""
    from digest.domain.feedback import SuppressionReason
    from digest.journey.subscribe import erase, readmit

    blocked, gone = site.wiring.address("blocked@example.org"), site.wiring.address("gone@example.org")
    with site.wiring.store.begin() as unit:
        unit.suppressions.add(blocked, SuppressionReason.COMPLAINT, NOON)
    erase(site.wiring.store, gone, NOON)
    assert readmit(site.wiring.store, gone) is None
    site.post("/subscribe", {"email": str(blocked)})
    _until(lambda: _state(site, str(blocked)) is not None)
    assert site.wiring.postman.letters == []
    assert readmit(site.wiring.store, blocked) == "complaint"
    assert readmit(site.wiring.store, blocked) is None
    site.post("/subscribe", {"email": str(blocked)})
    assert [to for to, _ in site.letters(1)] == [str(blocked)]


def test_a_roster_that_is_not_confirmed_asks_each_once(site: Website) -> None:
    relays = (Relay(host="127.0.0.1", port=1, tls="none"),)
    site.wiring.settings = site.wiring.settings.model_copy(update={"relays": relays})
    site.wiring.post = lambda *how, **more: site.wiring.postman  # type: ignore[method-assign]
    site.reader("active@example.org")
    roster = b"email\n" + b"".join(b"r%d@example.org\n" % n for n in range(500)) + b"active@example.org\nnobody\n"
    for added in (500, 0):
        told = site.request("POST", "/api/v1/subscriptions/import", content=roster, headers=BEARER).json()
        assert (told["added"], told["unchanged"], [each["line"] for each in told["rejected"]]) == (added, 501 - added, [503])
    assert len({to for to, _ in site.letters(500)}) == 500
    _until(lambda: not _owed(site))
    assert len(site.wiring.postman.letters) == 500
    assert _state(site, "r7@example.org") is SubscriptionState.PENDING


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Europe/Berlin", "UTC", "America/Los_Angeles"])
def test_the_next_mail_comes_when_the_page_says(site: Website, zone: str) -> None:
    """The welcome has brought today's edition, so the next hour before the next edition brings nothing, and is not promised."""
    site.post("/subscribe", {"email": ADA, "timezone": zone, "hour": "06:00"})
    told = re.search(r"comes next on (\w+), (\d+) May", site.post(site.path_in(site.letters(1)[0][1], "confirm")).text)
    site.letters(2)
    assert told
    managed = site.get(_link(site, Purpose.MANAGE)).text
    assert f"due on {told[1]}, {told[2]} May" in managed
    while len(site.wiring.postman.letters) < 3 and site.now < NOON + timedelta(days=4):
        site.now += timedelta(hours=1)
        site.wiring.tick(site.now)
        site.wiring.deliver(lambda: site.now)
    assert f"{site.now.astimezone(ZoneInfo(zone)):%A %d %H:%M}" == f"{told[1]} {told[2]} 06:00"


def test_a_confirmation_carries_nothing_a_visitor_typed(site: Website) -> None:
    """Not even the address, which can say something too: it stands where it must, in the envelope and under To."""
    typed = {"email": "ada+win-now.example.com@example.org", "interests": "spamword", "timezone": "Asia/Tokyo", "hour": "03:21"}
    site.post("/subscribe", typed)
    site.letters(1)
    (letter,) = site.wiring.postman.letters
    told = " ".join(parts_of(letter.data))
    assert "Confirm my subscription" in told
    assert [word for word in ("win-now", "spamword", "Tokyo", "03:21", "ada") if word in told] == []
    head = letter.data.partition(b"\r\n\r\n")[0].decode()
    assert [line for line in head.splitlines() if "win-now" in line] == ["To: ada+win-now.example.com@example.org"]


def test_a_network_that_floods_is_stopped_and_told(site: Website) -> None:
    codes = [site.post("/subscribe", {"email": f"victim{n}@example{n}.org"}).status_code for n in range(25)]
    assert codes == [200] * 20 + [429] * 5
    assert site.post("/subscribe", {"email": "one@more.example.org"}).headers["retry-after"] == "3600"
    assert len(site.letters(20)) == 20
    site.now += timedelta(hours=1)
    assert site.post("/subscribe", {"email": "late@example.org"}).status_code == 200


FORWARDED = [
    (("127.0.0.1",), "203.0.{n}.7", 200),
    (("127.0.0.1",), "198.51.{n}.1, 203.0.113.7", 429),  # what stands further left anybody can write
    (("10.0.0.0/8",), "203.0.{n}.7", 429),  # our neighbour is no proxy of ours
    ((), "203.0.{n}.7", 429),
]


@pytest.mark.parametrize(("proxies", "header", "status"), FORWARDED)
def test_behind_a_proxy_the_readers_network_counts(
    tmp_path: Path, stocked: Path, proxies: tuple[str, ...], header: str, status: int
) -> None:
    with website(tmp_path, stocked, proxies=proxies) as site:
        for n in range(21):
            sent = {"email": f"reader{n}@example{n}.org"}
            last = site.post("/subscribe", sent, **{"x-forwarded-for": header.format(n=n)})
        assert last.status_code == status


CROSS_SITE = [
    ({"origin": "https://evil.example"}, 403),
    ({"origin": "null"}, 403),
    ({"origin": "http://["}, 403),
    ({"sec-fetch-site": "cross-site"}, 403),
    ({"sec-fetch-site": "same-site"}, 403),
    ({"sec-fetch-site": "cross-site", "origin": "own"}, 403),
    ({"sec-fetch-site": "same-origin"}, 200),
    ({"origin": "own"}, 200),
    ({}, 200),
]


@pytest.mark.parametrize(("headers", "status"), CROSS_SITE)
def test_another_site_cannot_post_here(site: Website, headers: dict[str, str], status: int) -> None:
    sent = {name: site.url if value == "own" else value for name, value in headers.items()}
    assert site.post("/subscribe", {"email": ADA}, **sent).status_code == status
    assert len(site.letters(1 if status == 200 else 0)) == (status == 200)
    assert (site.subscription() is None) is (status == 403)


def test_every_other_form_is_closed_to_other_sites(site: Website) -> None:
    site.reader(interests=Interests(words=("kept",)))
    before = site.subscription()
    paths = [_link(site, Purpose.CONFIRM)]
    paths += [f"{_link(site, Purpose.MANAGE)}/{form}" for form in ("when", "interests", "back", "erase")]
    feedback = site.wiring.links.token(Purpose.FEEDBACK, before.id if before else 0)
    paths += [f"/{verb}/{feedback}/arxiv:2605.00001" for verb in ("more", "less")]
    for path in paths:
        assert site.post(path, {"sure": "yes", "interests": "x"}, **{"sec-fetch-site": "cross-site"}).status_code == 403, path
    assert site.subscription() == before


HOSTILE_ADDRESSES = [
    "",
    "plain",
    "a@b@c",
    "ada@example.org\r\nBcc: victim@example.org",
    "ada@example.org\nX: y",
    "ada@exam\x00ple.org",
    "\N{RIGHT-TO-LEFT OVERRIDE}ada@example.org",
    "ada@example.org, bob@example.org",
    "Ada <ada@example.org>",
    "ada@[127.0.0.1]",
    "a" * 65 + "@example.org",
    "a@" + "b" * 250 + ".org",
    '"><script>alert(1)</script>@example.org',
]


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_what_is_no_address_is_refused_beside_its_field(site: Website, address: str) -> None:
    answer = site.post("/subscribe", {"email": address})
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    assert 'class="wrong"' in answer.text
    assert "<script>" not in answer.text
    assert site.wiring.postman.letters == []


@pytest.mark.parametrize("address", ["josé@example.org", "ada@bücher.example", "用户@例子.example", "a+b.c@sub.example.org"])
def test_international_addresses_get_in(site: Website, address: str) -> None:
    assert site.post("/subscribe", {"email": address}).status_code == 200
    assert len(site.letters(1)) == 1


WRONG_FIELDS = [
    ("when", {"timezone": "Mars/Olympus"}, "timezone-wrong"),
    ("when", {"timezone": "../../etc/passwd"}, "timezone-wrong"),
    ("when", {"hour": "25:00"}, "hour-wrong"),
    ("when", {"hour": "07:00+02:00"}, "hour-wrong"),
    ("when", {"weekdays": ["someday"]}, "weekdays-wrong"),
    ("when", {"with-weekdays": "1"}, "weekdays-wrong"),
    ("when", {"picks": "0"}, "picks-wrong"),
    ("when", {"picks": "٣"}, "picks-wrong"),
    ("when", {"picks": "9" * 5000}, "picks-wrong"),
    ("when", {"paused_until": "tomorrow"}, "paused-wrong"),
    ("interests", {"interests": "x" * 101}, "interests-wrong"),
    ("interests", {"interests": "\n".join(f"word{n}" for n in range(300))}, "interests-wrong"),
    ("interests", {"papers": "no paper at all"}, "papers-wrong"),
    ("erase", {}, "sure-wrong"),
]


@pytest.mark.parametrize(("form", "fields", "place"), WRONG_FIELDS)
def test_a_wrong_field_says_so_and_changes_nothing(site: Website, form: str, fields: dict[str, object], place: str) -> None:
    site.reader(interests=Interests(words=("kept",)))
    before = site.subscription()
    answer = site.post(f"{_link(site, Purpose.MANAGE)}/{form}", fields)
    assert answer.status_code == 400
    assert f'id="{place}"' in answer.text
    assert site.subscription() == before


BIBTEX = rb"""@article{a, title={One {\\'e}tude}, eprint={2605.00001}, archiveprefix={arXiv}}
@misc{b, title={Two}, doi={10.1000/x}}
@misc{c, note={no title at all}}"""
CSL = json.dumps(
    [
        {"id": "1", "type": "article", "title": "One", "DOI": "10.48550/arXiv.2605.00001"},
        {"type": "book", "title": "T", "DOI": "10.1000/x"},
    ]
)
BIBLIOGRAPHIES = [
    ("refs.bib", BIBTEX),
    ("Zotero export.json", CSL.encode()),
    ("ids.txt", b"2605.00001v2\nhttps://doi.org/10.1000/X"),
]


@pytest.mark.parametrize(("name", "data"), BIBLIOGRAPHIES)
def test_a_bibliography_is_uploaded_and_told_back(site: Website, name: str, data: bytes) -> None:
    site.reader(interests=Interests(words=("kept",), disliked=("arxiv:2605.00009",)))
    path = f"{_link(site, Purpose.MANAGE)}/interests"
    for _ in range(2):
        sent = site.request("POST", path, data={"interests": "kept\nkept too"}, files={"file": (name, data, "text/plain")})
        assert sent.status_code == 200
        assert "More like these 2 papers" in sent.text
        assert "not among our papers yet" in sent.text
    assert ("This we could not read" in sent.text) is (data is BIBTEX)
    found = site.subscription()
    assert found
    expected = Interests(words=("kept", "kept too"), liked=("arxiv:2605.00001", "doi:10.1000/x"), disliked=("arxiv:2605.00009",))
    assert found.interests == expected
    site.request("POST", path, data={"interests": "kept", "forget": ["arxiv:2605.00001", "arxiv:2605.00009"]})
    found = site.subscription()
    assert found
    assert found.interests == Interests(words=("kept",), liked=("doi:10.1000/x",))


NO_BIBLIOGRAPHIES = [
    b"no paper at all",
    b"\x00" * 1000,
    b"PK\x03\x04",
    b"\x1f\x8b\x08" + b"\x00" * 100,
    b"@article{" * 20_000,
    b"[" * 100_000,
    b'{"title":' * 50_000,
    b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><feed>&b;</feed>",
]


@pytest.mark.parametrize("data", NO_BIBLIOGRAPHIES)
def test_what_is_no_bibliography_is_refused_in_words(site: Website, data: bytes) -> None:
    site.reader(interests=Interests(words=("kept",)))
    before = site.subscription()
    path = f"{_link(site, Purpose.MANAGE)}/interests"
    answer = site.request("POST", path, data={"interests": "other"}, files={"file": ("x", data, "application/octet-stream")})
    assert answer.status_code == 400
    assert 'id="papers-wrong"' in answer.text
    assert "digest-upload-" not in answer.text
    assert site.subscription() == before


def test_more_and_less_like_this(site: Website) -> None:
    subscription = site.reader()
    links = site.wiring.links.for_reader(subscription.id)
    more, less = links.more.removeprefix(site.base), links.less.removeprefix(site.base)
    assert "More like this?" in site.get(f"{more}arxiv:2605.00001").text
    for _ in range(2):
        assert site.post(f"{more}arxiv:2605.00001").status_code == 200
    site.post(f"{less}arxiv:2605.00002")
    site.post(f"{less}arxiv:2605.00002", {"mute_author": "Bo Author"})
    site.post(f"{less}arxiv:2605.00002", {"mute_words": "benchmark, survey"})
    found = site.subscription()
    assert found
    expected = Interests(
        liked=("arxiv:2605.00001",),
        disliked=("arxiv:2605.00002",),
        muted_authors=("bo author",),
        muted_words=("benchmark", "survey"),
    )
    assert found.interests == expected
    site.post(f"{less}arxiv:2605.00001")
    assert replace(site.subscription() or found).interests.liked == ()
    assert site.get(f"{more}arxiv:2605.99999").status_code == 404
    assert site.get(f"{more}no-paper").status_code == 400


def test_a_token_opens_one_door(site: Website) -> None:
    subscription = site.reader(confirmed=False)
    tokens = {purpose: site.wiring.links.token(purpose, subscription.id, NOON) for purpose in Purpose}
    doors = {
        Purpose.CONFIRM: "/confirm/{}",
        Purpose.MANAGE: "/manage/{}/back",
        Purpose.UNSUBSCRIBE: "/unsubscribe/{}",
        Purpose.FEEDBACK: "/more/{}/arxiv:2605.00001",
    }
    for purpose, door in doors.items():
        for other, token in tokens.items():
            if other is not purpose:
                assert site.post(door.format(token)).status_code == 403, (purpose, other)
        assert site.post(door.format(tokens[purpose][:-1])).status_code == 403
    assert _state(site) is SubscriptionState.PENDING
    site.now = NOON + timedelta(days=8)
    assert "expired" in site.post(f"/confirm/{tokens[Purpose.CONFIRM]}").text
    assert _state(site) is SubscriptionState.PENDING


def test_personal_pages_are_kept_by_nobody(site: Website) -> None:
    site.reader()
    for path in (_link(site, Purpose.MANAGE), _link(site, Purpose.UNSUBSCRIBE), _link(site, Purpose.CONFIRM)):
        answer = site.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert "noindex" in answer.headers["x-robots-tag"]
        assert ADA not in answer.text
    held = site.get(f"{_link(site, Purpose.MANAGE)}/data.json")
    assert json.loads(held.text)["address"] == ADA
    assert held.headers["cache-control"] == "no-store"


def test_large_bodies_are_refused(site: Website) -> None:
    site.reader()
    manage = _link(site, Purpose.MANAGE)
    ten_megabytes = b"interests=" + b"x" * 10_000_000

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(ten_megabytes), 65536):
            yield ten_megabytes[start : start + 65536]

    kind = {"content-type": "application/x-www-form-urlencoded"}
    for path in ("/subscribe", f"{manage}/interests", _link(site, Purpose.UNSUBSCRIBE)):
        assert site.request("POST", path, content=ten_megabytes, headers=kind).status_code == 413
        with suppress(httpx2.TransportError):  # the server may close before it has all: then there is no answer at all
            allowed = (400, 413) if path.endswith("/interests") else (413,)  # a field can be too long before the whole is
            assert site.request("POST", path, content=chunks(), headers=kind).status_code in allowed
    with suppress(httpx2.TransportError):
        by_program = {"content-type": "application/json", "authorization": f"Bearer {ADMIN}"}
        assert site.request("POST", "/api/v1/subscriptions", content=chunks(), headers=by_program).status_code == 413
    assert _state(site) is SubscriptionState.ACTIVE
    many = "&".join(f"f{n}=1" for n in range(5000))
    assert site.request("POST", f"{manage}/when", content=many.encode(), headers=kind).status_code in (400, 413)


def test_two_buttons_pressed_at_once(site: Website) -> None:
    """Twenty confirmations at the same moment: one consent, one welcome."""
    site.reader(confirmed=False)
    path = _link(site, Purpose.CONFIRM)
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(site.post(path).status_code)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert codes == [200] * 20
    assert len(site.letters(1)) == 1
