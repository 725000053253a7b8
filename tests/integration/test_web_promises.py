"""What a link opens, whose words count, and what is promised to whom: by the web pages, over a store."""

from __future__ import annotations

import json
import re
from datetime import time, timedelta
from html import unescape

import pytest
from sqlalchemy import text

from digest.domain.feedback import SuppressionReason
from digest.domain.subscriber import Interests, SubscriptionState
from digest.links import Purpose
from digest.services.subscriptions.subscribe import confirm, end
from tests.servers.running import until
from tests.servers.website import BEARER, NOON, Website

ADA = "ada@example.org"
PAPER = "arxiv:2605.00001"


def _ask(site: Website, **fields: str) -> str:
    """Asks on the form; the path that the mail leads to."""
    before = len(site.container.transport.envelopes)
    assert site.post("/subscribe", {"email": ADA, **fields}).status_code == 200
    return site.path_in(site.letters(before + 1)[before][1], "confirm")


# ---- links ----


def test_no_page_of_a_weaker_link_hands_out_the_readers_own(site: Website) -> None:
    site.reader()
    feedback, leave = site.token(Purpose.FEEDBACK, _of(site)), site.link(Purpose.UNSUBSCRIBE)
    shown = [site.get(f"/more/{feedback}/{PAPER}"), site.post(f"/more/{feedback}/{PAPER}")]
    shown += [
        site.get(leave),
        site.post(f"/feedback/{feedback}/link"),
        site.post(f"{leave}/link"),
    ]
    site.letters(1)  # the goodbye would overtake it
    shown += [site.post(leave), site.get(leave)]
    site.reader("bo@example.org", confirmed=False)
    confirm = site.link(Purpose.CONFIRM, "bo@example.org")
    shown += [site.get(confirm), site.post(confirm), site.get(confirm)]
    assert [answer.status_code for answer in shown] == [200] * len(shown)
    for answer in shown:
        assert "/manage/" not in answer.text
    mailed = [plain for to, plain in site.letters(2) if to == ADA]
    assert site.path_in(mailed[0], "manage") == site.link(Purpose.MANAGE), "to the reader's own mailbox it goes"


def test_a_link_of_a_number_unsubscribes_who_was_there_at_the_upgrade(site: Website) -> None:
    reader, later = site.reader(), site.reader("bo@example.org")
    number = {each.id: site.container.adapters.links.token(Purpose.UNSUBSCRIBE, f"{each.id}") for each in (reader, later)}
    with site.container.adapters.store.engine.begin() as connection:
        connection.execute(
            text("UPDATE subscriptions SET numbered_until = :until WHERE id = :id"),
            {"until": "2026-06-20 00:00:00.000000", "id": reader.id},
        )
    for purpose, path in ((Purpose.MANAGE, "/manage/{}"), (Purpose.FEEDBACK, "/more/{}/" + PAPER)):
        assert site.get(path.format(site.container.adapters.links.token(purpose, f"{reader.id}"))).status_code == 403
    assert site.post(f"/unsubscribe/{number[later.id]}").status_code == 403, "a number given out since the upgrade"
    assert site.state("bo@example.org") is SubscriptionState.ACTIVE
    site.now = NOON + timedelta(days=60)
    assert site.post(f"/unsubscribe/{number[reader.id]}").status_code == 403, "too old"
    assert site.state() is SubscriptionState.ACTIVE
    site.now = NOON
    assert site.get(f"/unsubscribe/{number[reader.id]}").status_code == 200
    assert site.post(f"/unsubscribe/{number[reader.id]}", {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert site.state() is SubscriptionState.ENDED


def _of(site: Website):  # type: ignore[no-untyped-def]
    found = site.subscription()
    assert found
    return found


# ---- whose words count ----


@pytest.mark.parametrize("mine_first", [True, False])
def test_what_is_confirmed_is_what_that_mail_was_asked_with(site: Website, mine_first: bool) -> None:
    mine = {"hour": "08:00", "timezone": "Europe/Berlin", "interests": "graph neural networks"}
    theirs = {"hour": "03:00", "timezone": "Asia/Tokyo", "interests": "-graph, buy pills"}
    paths = [_ask(site, **each) for each in ((mine, theirs) if mine_first else (theirs, mine))]
    own = paths[0 if mine_first else 1]
    assert "08:00 (Europe/Berlin)" in site.get(own).text
    assert "subscribed" in site.post(own).text
    found = _of(site)
    assert (found.preferences.hour, found.preferences.timezone) == (time(8), "Europe/Berlin")
    assert found.interests == Interests(words=("graph neural networks",))
    site.post(paths[1 if mine_first else 0])
    assert _of(site).interests == found.interests, "the other's link changes nothing any more"


@pytest.mark.parametrize(("asked", "mailed"), [("a@xn--fa-hia.example", "a@fass.example"), ("ß@example.org", "ss@example.org")])
def test_mail_goes_to_the_address_that_was_asked_with(site: Website, asked: str, mailed: str) -> None:
    for address in (asked, mailed):
        _ask(site, email=address)
    assert [to for to, _ in site.letters(2)] == [asked, mailed]


def test_a_stranger_changes_nothing_of_who_left(site: Website) -> None:
    site.reader(interests=Interests(words=("proteins",), liked=(PAPER,)))
    site.post(site.link(Purpose.UNSUBSCRIBE))
    left = _of(site)
    site.letters(1)
    stranger = _ask(site, hour="03:00", interests="spam")
    assert _of(site) == left
    assert "Subscribe again" in site.get(site.link(Purpose.MANAGE)).text
    back = site.post(f"{site.link(Purpose.MANAGE)}/back")
    assert "Welcome back" in site.get(back.headers["location"]).text
    assert (_of(site).state, _of(site).interests) == (SubscriptionState.ACTIVE, left.interests)
    site.now += timedelta(minutes=1)
    site.post(site.link(Purpose.UNSUBSCRIBE))
    assert site.get(stranger).status_code == 404, "who left after it was asked for is not brought back by it"
    assert site.post(stranger).status_code == 404
    assert site.state() is SubscriptionState.ENDED


# ---- promises ----

STOPPED = [reason for reason in SuppressionReason if reason is not SuppressionReason.ERASED]


def _suppress(site: Website, reason: SuppressionReason) -> None:
    with site.container.adapters.store.begin() as unit:
        unit.suppressions.add(
            site.container.adapters.address(ADA), reason, NOON - timedelta(days=3), f"550 5.1.1 <{ADA}> unknown"
        )


@pytest.mark.parametrize("reason", STOPPED)
def test_a_reader_is_told_that_mail_is_stopped_and_how_to_lift_it(site: Website, reason: SuppressionReason) -> None:
    site.reader()
    _suppress(site, reason)
    manage = site.link(Purpose.MANAGE)
    page = site.get(manage).text
    assert "We stopped all email to this address on 24 May 2026" in page
    assert "Next email: " not in page
    told = site.request("GET", f"/api/v1/subscriptions?email={ADA}", headers=BEARER).json()
    assert told[0]["suppressed"].startswith(str(reason))
    again = site.get(site.post(f"{manage}/back").headers["location"]).text
    lifted = reason is not SuppressionReason.OPERATOR
    assert ("Next email: " in again) is lifted
    assert ("Only we can start it again" in again) is not lifted


@pytest.mark.parametrize("reason", STOPPED)
def test_who_confirms_anew_gets_mail_or_is_told_why_not(site: Website, reason: SuppressionReason) -> None:
    site.reader(confirmed=False)
    confirm = site.link(Purpose.CONFIRM)
    _suppress(site, reason)
    lifted = reason is not SuppressionReason.OPERATOR
    assert "We stopped all email" in site.get(confirm).text
    done = site.post(confirm).text
    assert ("You're subscribed" in done) is lifted
    assert site.state() is (SubscriptionState.ACTIVE if lifted else SubscriptionState.PENDING)
    assert len(site.letters(1 if lifted else 0)) == lifted


@pytest.mark.parametrize("reason", STOPPED)
def test_a_stopped_address_is_asked_once_a_week_at_most(site: Website, reason: SuppressionReason) -> None:
    _suppress(site, reason)
    for _ in range(3):
        site.post("/subscribe", {"email": ADA})
    until(lambda: site.subscription() is not None)
    wanted = int(reason is not SuppressionReason.OPERATOR)
    site.letters(wanted)
    assert len(site.container.transport.envelopes) == wanted


def test_mails_to_one_address_are_limited(site: Website) -> None:
    site.reader()
    leave, manage = site.link(Purpose.UNSUBSCRIBE), site.link(Purpose.MANAGE)
    for turn in range(6):
        site.post(leave)
        site.letters(turn + 1)
        until(lambda: site.queued() == 0)
        site.post(f"{manage}/back")
    assert "No email sent" in site.post(f"{leave}/link").text
    for _ in range(6):
        site.post(leave)
        site.post(f"{manage}/back")
    assert len(site.letters(6)) == 6


def test_a_mail_that_was_overtaken_counts_for_none(site: Website) -> None:
    """Who presses a button again and again is told how it ended."""
    store, reader = site.container.adapters.store, site.reader()
    for _ in range(20):
        confirm(store, reader.id, "test", "link confirmed", NOON, notify=True)
        end(store, reader.id, "changed their mind", NOON, notify=True)
    assert site.container.notices.send_queued(lambda: NOON) == 1
    [(_, plain)] = site.letters(1)
    assert "no longer gets" in plain


def test_a_full_domain_is_owed_its_mail_or_told(site: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    from digest.services.subscriptions import request_limits

    small = tuple(
        request_limits.RequestLimit(each.scope, 2 if each.scope is request_limits.Scope.DOMAIN else 99, each.per)
        for each in request_limits.LIMITS
    )
    monkeypatch.setattr(request_limits, "LIMITS", small)
    monkeypatch.setattr(request_limits, "AHEAD", 2)
    codes = [site.post("/subscribe", {"email": f"r{number}@uni.example"}).status_code for number in range(5)]
    assert codes == [200, 200, 200, 200, 429]
    until(lambda: site.subscription("r3@uni.example") is not None)
    assert {to for to, _ in site.letters(2)} == {"r0@uni.example", "r1@uni.example"}
    until(lambda: site.queued() == 2)
    with site.container.adapters.store.begin() as unit:
        assert unit.notices.take(NOON + timedelta(minutes=59), 9, timedelta(hours=1)) == []
        assert len(unit.notices.take(NOON + timedelta(hours=1), 9, timedelta(hours=1))) == 2


# ---- feedback has the form's limits ----

AUTHORS = [
    "LeCun, Yann",
    'Al "Bob" Smith',
    "O; Semi",
    "-dash",
    'a" b',
    "author: x",
    "“Quoted”",
    "not: me",
    "李 明",
    "\u202eevil",
    "x\u00a0y",
]


def _saved(site: Website) -> int:
    manage = site.link(Purpose.MANAGE)
    shown = re.search(r'<textarea id="interests"[^>]*>(.*?)</textarea>', site.get(manage).text, re.DOTALL)
    assert shown
    return site.post(f"{manage}/interests", {"interests": unescape(shown[1])}).status_code


@pytest.mark.parametrize("author", AUTHORS)
def test_an_author_left_out_by_a_click_can_be_saved_by_the_form(site: Website, author: str) -> None:
    site.reader()
    less = f"/less/{site.token(Purpose.FEEDBACK, _of(site))}/{PAPER}"
    assert site.post(less, {"mute_author": author}).status_code == 200
    kept = _of(site).interests
    assert len(kept.muted_authors) == 1
    assert _saved(site) == 200
    assert _of(site).interests == kept


@pytest.mark.parametrize(
    "fields", [{"mute_author": "x" * 101}, {"mute_author": "..."}, {"mute_author": '"'}, {"mute_words": "y" * 101}]
)
def test_what_no_form_could_save_is_refused(site: Website, fields: dict[str, str]) -> None:
    site.reader()
    less = f"/less/{site.token(Purpose.FEEDBACK, _of(site))}/{PAPER}"
    assert site.post(less, fields).status_code == 400
    assert not _of(site).interests


def test_clicks_do_not_grow_beyond_the_form(site: Website) -> None:
    site.reader()
    less = f"/less/{site.token(Purpose.FEEDBACK, _of(site))}/{PAPER}"
    codes = [site.post(less, {"mute_words": ",".join(f"w{turn}x{n}" for n in range(20))}).status_code for turn in range(11)]
    assert codes == [200] * 10 + [400]
    assert _saved(site) == 200


# ---- what is kept of strangers' words; guesses ----


def test_no_alarm_or_suppression_keeps_an_address(site: Website) -> None:
    from digest.services.monitoring.alerts import Finding

    words = f"550 5.7.1 <{ADA}> blocked; 'ada'@example.org, ada%40example.org, \"a b\"@example.org, ada@[192.0.2.1]"
    site.container.monitoring.alarm([Finding(f"relay {ADA}", "Refused", (words,))], NOON)
    site.reader()
    _suppress(site, SuppressionReason.BOUNCE)
    tables = site.tables()
    for name in ("alarms", "suppressions"):
        assert "example.org" not in json.dumps(tables[name])
        assert "192.0.2.1" not in json.dumps(tables[name])
    assert "550 5.7.1" in json.dumps(tables["alarms"])


@pytest.mark.parametrize("hour", ["07:00+05:00", "07:00Z", "23:30-08:00", "07:00:00+00:00", "07:00+00:30"])
def test_an_hour_with_an_offset_is_refused(site: Website, hour: str) -> None:
    answer = site.request("POST", "/api/v1/subscriptions", json={"email": ADA, "hour": hour}, headers=BEARER)
    assert answer.status_code in (400, 422)
    assert site.subscription() is None


def test_guesses_at_once_are_counted_before_any_is_looked_at(site: Website) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def guess(number: int) -> int:
        return site.get("/admin", authorization=f"Bearer wrong{number}").status_code

    with ThreadPoolExecutor(20) as together:
        codes = list(together.map(guess, range(60)))
    assert (codes.count(401), codes.count(429)) == (10, 50)
    assert site.get("/admin", **BEARER).status_code == 429, "a right one has to wait as well"
