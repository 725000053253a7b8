"""What others may not do with a reader's pages: find out who is known, flood, post from another site, use one link as another."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from digest.domain.subscriber import Interests, SubscriptionState
from digest.links import Purpose
from digest.mail.inbound.message_parts import parts_of
from tests.servers.running import PATIENCE, until
from tests.servers.website import ADMIN, NOON, Website, website

ADA = "ada@example.org"


def test_the_answer_does_not_say_who_is_known(site: Website) -> None:
    """Unknown, waiting, active, ended, suppressed, over the limit: one page, byte for byte, but for the address."""
    from digest.domain.feedback import SuppressionReason
    from digest.services.subscriptions.subscribe import end

    names = ["new", "waiting", "active", "ended", "blocked", "flooded"]
    site.reader("waiting@example.org", confirmed=False)
    site.reader("active@example.org")
    end(site.container.adapters.store, site.reader("ended@example.org").id, "test", NOON)
    with site.container.adapters.store.begin() as unit:
        unit.suppressions.add(site.container.adapters.address("blocked@example.org"), SuppressionReason.COMPLAINT, NOON)
    for _ in range(4):
        site.post("/subscribe", {"email": "flooded@example.org"})
    answers = {name: site.post("/subscribe", {"email": f"{name}@example.org"}) for name in names}
    assert {answer.status_code for answer in answers.values()} == {200}
    assert len({answer.text.replace(f"{name}@", "X@") for name, answer in answers.items()}) == 1
    wanted = {"active", "blocked", "ended", "flooded", "new", "waiting"}

    def mailed() -> Counter[str]:
        return Counter(to.partition("@")[0] for to, _ in site.letters(5))

    until(lambda: set(mailed()) >= wanted)
    assert set(mailed()) == wanted
    assert mailed()["flooded"] <= 3  # who asks again before the mail went out gets one


def test_nothing_is_looked_up_before_the_answer_is_out(site: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the time an answer takes cannot tell: every answer comes while the looking up is still held back."""
    from digest.services.subscriptions import service as subscriptions

    site.reader("active@example.org")
    gate, lookup = threading.Event(), subscriptions.steps.request

    def held(*given: Any, **how: Any) -> Any:
        assert gate.wait(PATIENCE)
        return lookup(*given, **how)

    monkeypatch.setattr(subscriptions.steps, "request", held)
    for name in ("new", "active"):
        assert site.post("/subscribe", {"email": f"{name}@example.org"}).status_code == 200
    assert site.subscription("new@example.org") is None
    gate.set()
    assert sorted(to for to, _ in site.letters(2)) == ["active@example.org", "new@example.org"], "one confirms, one has a link"


def test_a_confirmation_carries_nothing_a_visitor_typed(site: Website) -> None:
    """Not even the address, which can say something too: it stands where it must, in the envelope and under To."""
    typed = {"email": "ada+win-now.example.com@example.org", "interests": "spamword", "timezone": "Asia/Tokyo", "hour": "03:21"}
    site.post("/subscribe", typed)
    site.letters(1)
    (letter,) = site.container.transport.envelopes
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
    paths = [site.link(Purpose.CONFIRM)]
    paths += [f"{site.link(Purpose.MANAGE)}/{form}" for form in ("when", "interests", "back", "erase")]
    feedback = site.token(Purpose.FEEDBACK, before) if before else ""
    paths += [f"/{verb}/{feedback}/arxiv:2605.00001" for verb in ("more", "less")]
    for path in paths:
        assert site.post(path, {"sure": "yes", "interests": "x"}, **{"sec-fetch-site": "cross-site"}).status_code == 403, path
    assert site.subscription() == before


def test_a_token_opens_one_door(site: Website) -> None:
    subscription = site.reader(confirmed=False)
    tokens = {purpose: site.token(purpose, subscription) for purpose in Purpose}
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
    assert site.state() is SubscriptionState.PENDING
    site.now = NOON + timedelta(days=8)
    assert "expired" in site.post(f"/confirm/{tokens[Purpose.CONFIRM]}").text
    assert site.state() is SubscriptionState.PENDING


def test_personal_pages_are_kept_by_nobody(site: Website) -> None:
    site.reader()
    for path in (site.link(Purpose.MANAGE), site.link(Purpose.UNSUBSCRIBE), site.link(Purpose.CONFIRM)):
        answer = site.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert "noindex" in answer.headers["x-robots-tag"]
        assert ADA not in answer.text
    held = site.get(f"{site.link(Purpose.MANAGE)}/data.json")
    assert json.loads(held.text)["address"] == ADA
    assert held.headers["cache-control"] == "no-store"


def test_large_bodies_are_refused(site: Website) -> None:
    site.reader()
    manage = site.link(Purpose.MANAGE)
    ten_megabytes = b"interests=" + b"x" * 10_000_000

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(ten_megabytes), 65536):
            yield ten_megabytes[start : start + 65536]

    kind = {"content-type": "application/x-www-form-urlencoded"}
    for path in ("/subscribe", f"{manage}/interests", site.link(Purpose.UNSUBSCRIBE)):
        assert site.request("POST", path, content=ten_megabytes, headers=kind).status_code == 413
        with suppress(httpx2.TransportError):  # the server may close before it has all: then there is no answer at all
            allowed = (400, 413) if path.endswith("/interests") else (413,)  # a field can be too long before the whole is
            assert site.request("POST", path, content=chunks(), headers=kind).status_code in allowed
    with suppress(httpx2.TransportError):
        by_program = {"content-type": "application/json", "authorization": f"Bearer {ADMIN}"}
        assert site.request("POST", "/api/v1/subscriptions", content=chunks(), headers=by_program).status_code == 413
    assert site.state() is SubscriptionState.ACTIVE
    many = "&".join(f"f{n}=1" for n in range(5000))
    assert site.request("POST", f"{manage}/when", content=many.encode(), headers=kind).status_code in (400, 413)
