"""A reader's way in, through and out on the web; every link may be looked at, and one click is enough to leave."""

from __future__ import annotations

import hashlib
import re
import threading
from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from digest.domain.subscriber import Interests, SubscriptionState
from digest.links import Purpose
from tests.servers.running import PATIENCE
from tests.servers.website import NOON, Website

ADA = "ada@example.org"


def test_in_through_and_out(site: Website) -> None:
    """One reader's story, each step through the link in the mail before."""
    asked = site.post("/subscribe", {"email": ADA, "timezone": "Europe/Berlin", "hour": "06:45", "interests": "diffusion"})
    assert asked.status_code == 200
    assert "Check your inbox" in asked.text
    ((to, text),) = site.letters(1)
    assert to == ADA
    assert "diffusion" not in text.lower()
    assert site.state() is SubscriptionState.PENDING

    confirm = site.path_in(text, "confirm")
    assert "Confirm my subscription" in site.get(confirm).text
    assert site.state() is SubscriptionState.PENDING
    assert "Thursday, 28 May 2026 at 06:45 (Europe/Berlin)" in site.post(confirm).text
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
    interests = "Diffusion\ncs.CL\nauthor: Ada Lovelace\n-benchmark"
    shown = site.post(f"{manage}/interests", {"interests": interests, "papers": "2605.00001, arXiv:2605.00002v3"}).text
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
    assert "Unsubscribe a…@example.org from Trending papers?" in site.get(leave).text
    assert site.state() is SubscriptionState.ACTIVE
    assert "You’re unsubscribed" in site.post(leave, {"why": "often"}).text
    ended = site.subscription()
    assert ended
    assert (ended.state, ended.end_reason) == (SubscriptionState.ENDED, "unsubscribed on the web: too many emails")
    assert "You have left" in site.letters(3)[2][1] or "no longer gets" in site.letters(3)[2][1]

    assert "This subscription has ended" in site.get(manage).text
    site.post(f"{manage}/back")
    assert site.state() is SubscriptionState.ACTIVE


WORDINGS = {"2026-11b": "f5e38bb94667679c", "2026-11c": "6bc7b81a57cf56cb", "2026-11d": "70182df88be10ca8"}
"""By version of the consent, the sentence that stood beside the buttons (sha256): never change one, add the next."""


def test_the_words_agreed_to_have_a_version(site: Website) -> None:
    from digest.adapters import shipped
    from digest.services.subscriptions.subscribe import WORDING

    sentence = (shipped("templates") / "web/_wording.html").read_bytes()
    for mark, words in (
        (rb"{% (?:end)?trans\b.*?%}", b""),
        (rb"{{ title }}", b"{{ list.title }}"),
        (rb"{{ privacy }}", b"/privacy"),
    ):
        sentence = re.sub(mark, words, sentence)  # how it is put together is no word of it
    assert hashlib.sha256(sentence).hexdigest()[:16] == WORDINGS[WORDING]
    site.reader(confirmed=False)
    for path in ("/", "/subscribe", site.link(Purpose.CONFIRM)):
        assert "preferences only to send you Trending papers" in site.get(path).text
    site.post(site.link(Purpose.CONFIRM))
    found = site.subscription()
    assert found
    assert found.consent
    assert (found.consent.wording, found.consent.event) == (WORDING, "link confirmed")


def test_every_link_of_a_mail_may_be_fetched_by_anything_that_only_looks(site: Website) -> None:
    """Scanners, previews, prefetchers: GET and HEAD, several times, in any order."""
    subscription = site.reader(interests=Interests(words=("diffusion",)))
    container = site.container
    edition = container.editions.edition(container.adapters.paper_list("daily"), NOON.date(), NOON)
    mail = (
        container.editions.preview(edition, container.adapters.paper_list("daily"), subscription.address, NOON)
        .data.replace(b"=\r\n", b"")
        .decode()
    )
    links = sorted(set(re.findall(rf"{re.escape(site.base)}(/[^\s\">,)\]]+)", mail.replace("=3D", "="))))
    links.append(site.link(Purpose.CONFIRM))
    assert sum("/more/" in link or "/less/" in link for link in links) >= 10
    assert any("/unsubscribe/" in link for link in links)
    before = [site.subscription(), site.tables()]
    for order in (links, links[::-1]):
        for path in order:
            for method in ("HEAD", "GET", "GET"):
                assert site.request(method, path).status_code == 200, path
            assert site.request("OPTIONS", path).status_code in (200, 405)
    assert [site.subscription(), site.tables()] == before


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
    path = site.link(Purpose.UNSUBSCRIBE)
    elsewhere = {"content-type": kind, "origin": "https://mail.example", "sec-fetch-site": "cross-site"}
    for _ in range(3):
        answer = site.request("POST", path, content=body, headers=elsewhere)
        assert answer.status_code == 200
        assert "location" not in answer.headers
        assert "set-cookie" not in answer.headers
    assert site.state() is SubscriptionState.ENDED


def test_one_click_works_for_old_mails_and_for_people_already_forgotten(site: Website) -> None:
    site.reader()
    path, manage = site.link(Purpose.UNSUBSCRIBE), site.link(Purpose.MANAGE)
    site.now = NOON + timedelta(days=4000)
    assert site.post(f"{manage}/erase", {"sure": "yes"}).status_code == 200
    assert site.subscription() is None
    assert site.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert site.get(manage).status_code == 404


def test_one_click_reaches_mail_that_is_queued(site: Website) -> None:
    site.reader()
    site.now = NOON + timedelta(hours=20)
    site.container.scheduler.tick(site.now)
    site.post(site.link(Purpose.UNSUBSCRIBE), {"List-Unsubscribe": "One-Click"})
    goodbye = site.letters(1)
    site.container.delivery.deliver(lambda: site.now)
    assert site.letters(1) == goodbye


def test_more_and_less_like_this(site: Website) -> None:
    subscription = site.reader()
    links = site.container.adapters.links.for_reader(subscription.public_id)
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


def test_two_buttons_pressed_at_once(site: Website) -> None:
    """Twenty confirmations at the same moment: one consent, one welcome."""
    site.reader(confirmed=False)
    path = site.link(Purpose.CONFIRM)
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(site.post(path).status_code)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert codes == [200] * 20
    assert len(site.letters(1)) == 1
