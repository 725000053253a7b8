"""What strangers send: addresses of every kind through three doors, tokens of every kind at every door, characters that break
lines or turn them round in every field. A clear answer, the right status, nothing changed, no trace of who is known.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from sqlalchemy import text

from digest.domain.subscriber import Interests
from digest.links import Purpose
from digest.mail.inbound.message_parts import parts_of
from tests.answers import FIXTURES
from tests.doors import check_every_door, check_the_short_way
from tests.servers.running import until
from tests.servers.website import BEARER, NOON, Website


def rows(site: Website) -> dict[str, list[str]]:
    """Every row of every table there is, those of the search index too."""
    with site.container.adapters.store.engine.connect() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
        return {name: sorted(map(str, connection.execute(text(f'SELECT * FROM "{name}"')))) for name in names.scalars().all()}


# ---- addresses ----


def _addresses() -> dict[str, bool]:
    """By address: should it be taken?"""
    lines = (FIXTURES / "addresses.txt").read_text("utf-8").splitlines()
    words = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return {json.loads(address): verdict == "taken" for verdict, _, address in words}


def test_addresses_of_every_kind_through_every_door(site: Website) -> None:
    addresses = _addresses()
    assert len(addresses) > 50
    check_every_door(site, addresses)


def test_the_short_way_to_read_an_address_is_the_long_way() -> None:
    check_the_short_way(address.rpartition("@")[2] for address in _addresses())


# ---- tokens ----


def _wrong_tokens(site: Website, purpose: Purpose, right: str, others: list[str]) -> Iterator[str]:
    body, _, signature = right.rpartition(".")
    yield from others
    yield from (right[:length] for length in range(0, len(right), 7))
    yield from (signature, f".{signature}", f"{body}.", f"{body}", f"{body}.{signature[:-1]}", f"{body}.{signature}=")
    yield f"1.{signature}"
    yield f"{'B' if body[0] != 'B' else 'C'}{body[1:]}.{signature}"
    yield f"0{right}"
    yield f"-{right}"
    yield f"{body}-99999999999.{signature}"
    yield right.swapcase()
    for place in (0, len(right) // 2, len(right) - 2):
        yield right[:place] + ("A" if right[place] != "A" else "B") + right[place + 1 :]
    yield from ("%00", "%0a", "é", "a" * 5000, "..%2f..%2fetc%2fpasswd", "<script>", "1", "null", "%ff%fe", "١.x")
    from digest.links import Links

    yield Links(site.base, "the key of somebody else, long enough").token(purpose, "1", NOON)


DOORS = {
    Purpose.CONFIRM: ["/confirm/{}"],
    Purpose.MANAGE: [
        "/manage/{}",
        "/manage/{}/when",
        "/manage/{}/interests",
        "/manage/{}/back",
        "/manage/{}/erase",
        "/manage/{}/data.json",
        "/manage/{}/issues",
        "/manage/{}/issues/1",
        "/manage/{}/saved",
        "/manage/{}/saved.bib",
        "/manage/{}/saved.json",
    ],
    Purpose.UNSUBSCRIBE: ["/unsubscribe/{}"],
    Purpose.FEEDBACK: ["/more/{}/arxiv:2605.00001", "/less/{}/arxiv:2605.00001", "/save/{}/arxiv:2605.00001"],
}


@pytest.mark.parametrize("purpose", list(DOORS))
def test_only_the_right_token_opens_a_door(site: Website, purpose: Purpose) -> None:
    """Forged, cut, changed, of another purpose, of another server: refused in the same words, whoever they might be for."""
    reader = site.reader(interests=Interests(words=("kept",)), confirmed=purpose is not Purpose.CONFIRM)
    tokens = {each: site.token(each, reader) for each in Purpose}
    before, said = rows(site), set()
    fields = {"sure": "yes", "interests": "other", "hour": "01:00", "mute_words": "other", "save": "arxiv:2605.00001"}
    for token in _wrong_tokens(site, purpose, tokens[purpose], [t for each, t in tokens.items() if each is not purpose]):
        for door in DOORS[purpose]:
            path = door.format(token)
            for answer in (site.get(path), site.request("HEAD", path), site.post(path, fields)):
                assert answer.status_code in ((403, 404, 405, 308) if path.endswith("/") else (403, 404, 405)), (
                    path,
                    answer.status_code,
                )
                assert "ada" not in answer.text
                if answer.status_code == 403 and answer.content:
                    said.add(answer.text)
    assert rows(site) == before
    assert len(said) == 1, "a refusal tells one from another"
    opened = site.get(DOORS[purpose][0].format(tokens[purpose]))
    assert opened.status_code == 200


def test_a_confirmation_expires_and_says_how_to_go_on(site: Website) -> None:
    reader = site.reader(confirmed=False)
    token = site.token(Purpose.CONFIRM, reader)
    before = rows(site)
    for later, code in ((timedelta(days=7, seconds=-1), 200), (timedelta(days=7), 403), (timedelta(days=4000), 403)):
        site.now = NOON + later
        assert site.get(f"/confirm/{token}").status_code == code
    expired = site.post(f"/confirm/{token}")
    assert (expired.status_code, "subscribe again" in expired.text) == (403, True)
    assert rows(site) == before


# ---- characters ----

BREAKERS = [
    "x\r\nBcc: victim@example.org",
    "x\nSubject: y",
    "x\x00y",
    "x\x1b[31my",
    "x\N{RIGHT-TO-LEFT OVERRIDE}y",
    "x\N{LEFT-TO-RIGHT ISOLATE}y",
    "x\u2028y",
    "\ud800".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}{% x %}",
    "' OR 1=1 --",
    "%0d%0aBcc:victim@example.org",
    "x" * 3000,
]
NOWHERE = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
"""Characters that no page of ours and no stored text may hold (a tab and a line end aside)."""


@pytest.mark.parametrize("breaker", BREAKERS)
def test_characters_that_break_things_in_every_field(site: Website, breaker: str) -> None:
    subscription = site.reader()
    links = {each: site.token(each, subscription) for each in Purpose}
    manage = f"/manage/{links[Purpose.MANAGE]}"
    forms: list[tuple[str, list[str], dict[str, str]]] = [
        (
            "/subscribe",
            ["list", "timezone", "hour", "weekdays", "interests", "email", "picks", "unknown"],
            {"email": "new@example.org"},
        ),
        (f"{manage}/when", ["timezone", "hour", "weekdays", "picks", "style", "paused_until"], {}),
        (f"{manage}/interests", ["interests", "papers", "forget"], {}),
        (f"{manage}/erase", ["sure"], {}),
        (f"{manage}/saved", ["save", "forget"], {}),
        (f"/save/{links[Purpose.FEEDBACK]}/arxiv:2605.00001", ["remove"], {}),
        (f"/less/{links[Purpose.FEEDBACK]}/arxiv:2605.00001", ["mute_author", "mute_words"], {}),
        (f"/unsubscribe/{links[Purpose.UNSUBSCRIBE]}", ["why", "List-Unsubscribe"], {}),
        ("/admin/pause", ["list", "reason", "action"], {"list": "daily"}),
        ("/admin/test", ["list", "email"], {}),
    ]
    for path, names, usual in forms:
        for name in names:
            answer = site.post(path, {**usual, name: breaker}, **(BEARER if path.startswith("/admin") else {}))
            assert answer.status_code < 500, (path, name)
            assert not NOWHERE.search(answer.text), (path, name)
            assert "<script>alert" not in answer.text
    for query in (
        "/papers?q=",
        "/papers/feed.atom?q=",
        "/papers/feed.json?q=",
        "/subscribe?list=",
        "/lists/daily/",
        "/admin?said=",
    ):
        answer = site.request("GET", f"{query}{_quoted(breaker)}", headers=BEARER)
        assert answer.status_code < 500, query
        assert not NOWHERE.search(answer.text), query
    for name in ("email", "list", "timezone", "weekdays", "interests", "hour"):
        answer = site.request("POST", "/api/v1/subscriptions", json={"email": "b@example.org", name: breaker}, headers=BEARER)
        assert answer.status_code < 500, name
        assert not NOWHERE.search(answer.text), name
    site.letters(0)
    for table, kept in rows(site).items():
        if table.startswith("papers_words"):  # packed: its bytes are no text
            continue
        assert not any(
            NOWHERE.search(row) or re.search(r"\\x(?:0[0-8b-f]|1[0-9a-f]|7f)|\\u20(?:2[a-e]|6[6-9])|\\u00[01]", row)
            for row in kept
        ), table
    for letter in site.container.transport.envelopes:
        head = letter.data.partition(b"\r\n\r\n")[0]
        assert b"victim" not in head
        assert b"7 * 7" not in letter.data


def _quoted(breaker: str) -> str:
    from urllib.parse import quote

    return quote(breaker, safe="")


TEN_MEGABYTES = 10_000_000


def test_ten_megabytes_anywhere(site: Website) -> None:
    """Refused by the length it announces, as a page or as JSON; only the operator's roster may be large, and is read."""
    subscription = site.reader()
    manage = site.token(Purpose.MANAGE, subscription)
    before = rows(site)
    large: list[tuple[str, dict[str, Any]]] = [
        ("/subscribe", {"data": {"email": "a" * TEN_MEGABYTES}}),
        (f"/manage/{manage}/interests", {"files": {"file": ("big.bib", b"@" * TEN_MEGABYTES, "text/plain")}}),
        (f"/manage/{manage}/when", {"content": b"\x00" * TEN_MEGABYTES}),
        ("/api/v1/subscriptions", {"json": {"email": "a" * TEN_MEGABYTES}, "headers": BEARER}),
        ("/admin/test", {"data": {"email": "a" * TEN_MEGABYTES}, "headers": BEARER}),
    ]
    for path, how in large:
        answer = site.request("POST", path, **how)
        assert answer.status_code == 413, path
        assert answer.headers["content-type"].startswith("application/json" if "/api/" in path else "text/html")
    assert rows(site) == before
    good = b"email\n" + b"".join(b"%d@example.org,\n" % n if n % 2 else b"x" * 1000 + b"\n" for n in range(1000))
    path = "/api/v1/subscriptions/import?confirmed=true"
    assert site.request("POST", path, content=good + b"y" * TEN_MEGABYTES, headers=BEARER).status_code in (200, 400)
    assert site.request("POST", path, content=b"z" * 4 * TEN_MEGABYTES, headers=BEARER).status_code == 413


# ---- whatever only looks ----


def test_no_link_of_any_mail_does_anything_by_being_fetched(site: Website) -> None:
    """The links of every kind of mail, in its parts and its header, in any order, several times: no row changes."""
    site.post("/subscribe", {"email": "ada@example.org", "interests": "diffusion"})
    site.letters(1)
    site.post(_first(site, "confirm"))
    site.letters(2)
    site.reader("bob@example.org")
    site.now = NOON + timedelta(hours=20)
    site.container.scheduler.tick(site.now)
    site.container.delivery.deliver(lambda: site.now)
    container = site.container
    daily = container.adapters.paper_list("daily")
    container.operations.correct(
        container.editions.edition(daily, NOON.date(), NOON), "Paper 3 is about something else.", site.now
    )
    container.delivery.deliver(lambda: site.now)
    container.delivery.send(daily, NOON.date(), [container.adapters.address("stranger@example.org")], site.now, dry_run=False)
    site.post(_first(site, "unsubscribe"))
    site.letters(7)
    letters = site.container.transport.envelopes
    subjects = {str(message_from_bytes(letter.data, policy=policy.default)["subject"]).split(":")[0] for letter in letters}
    assert len(subjects) >= 5, subjects
    told = [part for letter in letters for part in (*parts_of(letter.data), _unfolded_header(letter.data))]
    links = sorted({link for part in told for link in _links(site, part)})
    kinds = {
        kind: sum(link.startswith(f"/{kind}") for link in links)
        for kind in ("confirm/", "manage/", "unsubscribe/", "unsubscribe/stop/", "more/", "save/", "lists/", "subscribe")
    }
    assert all(kinds.values()), kinds
    assert kinds["more/"] >= 10
    until(lambda: not rows(site)["notices"], "what was sent is recorded")
    before = rows(site)
    draw = random.Random(11)
    for _ in range(2):
        draw.shuffle(links)
        for path in links:
            for method in draw.sample(("GET", "HEAD", "GET", "OPTIONS"), 4):
                answer = site.request(method, path, headers={"user-agent": "a scanner", "accept": "*/*"})
                gone = path.startswith("/confirm/")  # who left is not brought back by a link of before
                assert answer.status_code in ((200, *([404] * gone)) if method != "OPTIONS" else (200, 405)), (method, path)
    assert rows(site) == before


def _unfolded_header(data: bytes) -> str:
    return data.partition(b"\r\n\r\n")[0].decode().replace("\r\n ", " ").replace("\r\n\t", " ")


def _first(site: Website, what: str) -> str:
    return next(
        site.path_in(part, what)
        for letter in site.container.transport.envelopes
        for part in [parts_of(letter.data)[1]]
        if f"/{what}/" in part
    )


def _links(site: Website, part: str) -> list[str]:
    from html import unescape

    return [unescape(link) for link in re.findall(rf"{re.escape(site.base)}(/[^\s\">)\]]+)", part)]
