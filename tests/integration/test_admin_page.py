"""/admin: a reader looked up, refusals reviewed, sources, plots with axes, and no action without a way back or a question."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import html

from digest.config import SourceSettings
from digest.domain.circuit_breaker import Refusal
from digest.domain.feedback import SuppressionReason
from digest.domain.instant import isoformat
from digest.services.papers.collect import LAST_GOOD, collect
from digest.services.subscriptions.subscribe import end
from digest.sources.port import Getter
from tests.servers.website import BASIC, NOON, Website, stock, website

WORDS = "550 5.1.1 <b>no such user</b> here"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Website]:
    sources = [SourceSettings(name=name, kind="huggingface", every_minutes=30) for name in ("hub", "new")]
    with website(tmp_path, stock(tmp_path), sources=sources) as running:
        yield running


def admin(site: Website, path: str = "", **data: str) -> html.HtmlElement:
    how = {"data": data} if data else {}
    answer = site.request("POST" if data else "GET", f"/admin{path}", headers=BASIC, **how)
    assert answer.status_code == 200, answer.text
    return html.fromstring(answer.content)


def said(page: html.HtmlElement) -> str:
    return " ".join(page.text_content().split())


def test_a_reader_is_looked_up_with_the_reason(site: Website) -> None:
    nobody = said(admin(site, "/reader", email="nobody@example.org"))
    assert "has no subscription, and it is not blocked" in nobody
    ada = site.reader()
    site.reader("bob@example.org", confirmed=False)
    assert "Not confirmed yet" in said(admin(site, "/reader", email="bob@example.org"))
    site.container.scheduler.tick(NOON)
    site.container.delivery.deliver(lambda: site.now)
    known = said(admin(site, "/reader", email=" Ada@Example.org "))
    assert "accepted" in known
    assert "2026-05-27" in known
    assert "link confirmed" in known
    end(site.container.adapters.store, ada.id, "unsubscribed on the web", NOON)
    assert "Ended: unsubscribed on the web." in said(admin(site, "/reader", email="ada@example.org"))
    with site.container.adapters.store.begin() as unit:
        unit.suppressions.add(ada.address, SuppressionReason.COMPLAINT, NOON, "feedback loop")
    assert "Blocked since 2026-05-27 12:00 UTC: complaint (feedback loop)" in said(
        admin(site, "/reader", email="ada@example.org")
    )


@pytest.mark.parametrize("email", ["", "nonsense", "<script>@", "a" * 400 + "@example.org"])
def test_what_is_no_address_is_said_so(site: Website, email: str) -> None:
    answer = site.request("POST", "/admin/reader", headers=BASIC, data={"email": email})
    assert answer.status_code == 400
    assert "<script>@" not in answer.text


@pytest.mark.parametrize("path", ["/reader", "/review"])
def test_only_the_operator_may_ask(site: Website, path: str) -> None:
    assert site.post(f"/admin{path}", {"email": "ada@example.org", "action": "accept"}).status_code == 401
    assert site.post(f"/admin{path}", {"email": "ada@example.org"}, origin="https://evil.example", **BASIC).status_code == 403


def test_held_refusals_are_accepted_and_that_is_undone(site: Website) -> None:
    readers = {name: site.reader(f"{name}@example.org") for name in ("ada", "bo", "cleo")}
    store = site.container.adapters.store

    def refusals(names: tuple[str, ...], words: str) -> list[Refusal]:
        return [Refusal(readers[name].id, None, words, NOON, SuppressionReason.BOUNCE) for name in names]

    with store.begin() as unit:
        unit.refusals.add(refusals(("ada", "bo"), WORDS), held=True)
        unit.refusals.add(refusals(("cleo",), f"{WORDS} again"), held=True)

    def blocked() -> list[str]:
        with store.read() as unit:
            return [name for name, each in readers.items() if unit.suppressions.find(each.address)]

    page = admin(site)
    assert f"2 × {WORDS}" in said(page)
    assert "ada@example.org, bo@example.org" in said(page)
    assert not page.xpath("//b"), "what a server wrote stays text"
    accepted = admin(site, "/review", reply=WORDS, action="accept")
    assert "Addresses blocked: 2." in said(accepted)
    assert blocked() == ["ada", "bo"], "not those whose reply only begins so"
    [back] = accepted.xpath("//*[@role='status']//form")
    fields = {each.get("name"): each.get("value") for each in back.xpath(".//input")}
    assert "Undone" in said(admin(site, back.get("action").removeprefix("/admin"), **fields))
    assert blocked() == []
    with store.read() as unit:
        assert list(unit.refusals.held()) == [f"{WORDS} again"]
    assert "Addresses blocked: 0." in said(admin(site, "/review", reply="", action="accept"))
    assert site.request("POST", "/admin/review", headers=BASIC, data={"action": "burn", "reply": WORDS}).status_code == 400


def test_sources_say_when_they_were_well_and_are_asked_next(site: Website) -> None:
    container = site.container

    class Down:
        """A getter that reaches nobody."""

        def __getattr__(self, name: str) -> Getter:
            raise OSError("no way there")

    with container.adapters.store.begin() as unit:
        unit.sources.save("hub", "tried", {"at": isoformat(NOON)}, NOON)
        unit.sources.save("hub", LAST_GOOD, {"at": isoformat(NOON - timedelta(hours=1))}, NOON)
    for after in (0, 30):  # the second failure does not forget when it was well
        collect(container.adapters.sources(["hub"]), Down(), container.adapters.store, NOON + timedelta(minutes=after))  # type: ignore[arg-type]
    rows = {row.xpath("string(th)"): [" ".join(cell.text_content().split()) for cell in row.xpath("td")] for row in _rows(site)}
    assert rows["hub"][2:] == ["2026-05-27 11:00", "2026-05-27 12:30"]
    assert "no way there" in rows["hub"][0]
    assert rows["new"] == ["Never checked", "–", "–", "–"]


def _rows(site: Website) -> list[html.HtmlElement]:
    [table] = [each for each in admin(site).xpath("//table") if "Last good check" in each.text_content()]
    found: list[html.HtmlElement] = table.xpath(".//tbody/tr")
    return found


def test_plots_have_axes(site: Website) -> None:
    site.reader()
    plots = admin(site).xpath("//*[local-name()='svg'][@role='img']")
    assert [each.get("aria-label").partition(":")[0] for each in plots] == ["Subscribers", "New subscribers"]
    for plot in plots:
        ticks = plot.xpath(".//*[local-name()='text']/text()")
        assert ticks == ["0", "1", "29 Mar", "28 Apr", "27 May"]


def test_each_action_asks_first_or_can_be_taken_back(site: Website) -> None:
    """Whatever is sent or ends for others has a box to tick; a pause and a review have the way back on the page."""
    asked = set()
    for path in ("", "/editions/daily/2026-05-27"):
        for form in admin(site, path).xpath("//main//form"):
            if form.xpath(".//input[@name='sure'][@required][@type='checkbox']"):
                asked.add(form.xpath("string(.//button)"))
            else:
                assert form.xpath("string(.//button)") in {"Look up", "Pause"}
    assert asked == {"Send", "Cancel issue", "Send to 0 readers", "Resend"}
    site.request("POST", "/admin/pause", headers=BASIC, data={"list": "daily", "reason": "a fault"})
    assert "Resume this list" in said(admin(site))
