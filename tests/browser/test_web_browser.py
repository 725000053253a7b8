"""The pages in a real browser: a reader's whole way over real mail without JavaScript, and what axe finds.

Phone and desktop, light and dark; no page weighs more than 100 kB in all, and none asks another host for anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from digest.config import Relay
from digest.links import Purpose
from digest.mail.inbound.message_parts import parts_of
from digest.services.subscriptions.subscribe import end
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix
from tests.servers.running import PATIENCE
from tests.servers.website import ADMIN, NOON, Website, website

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

VIEWS = [(width, scheme) for width in (375, 1280) for scheme in ("light", "dark")]
MOST_OCTETS = 100_000


@contextmanager
def visiting(browser: Browser, width: int, scheme: str, host: str, visits: int = 1, **how: object) -> Iterator[Page]:
    """A page in a context of its own; in the end: nothing came from elsewhere, no page weighed too much, nothing was blocked."""
    elsewhere: list[str] = []
    complaints: list[str] = []
    weights: dict[str, int] = {}
    size = {"width": width, "height": 900}
    with browser.new_context(viewport=size, color_scheme=scheme, **how) as context:  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        page.on("request", lambda asked: elsewhere.append(asked.url) if urlsplit(asked.url).netloc not in ("", host) else None)
        page.on("console", lambda message: complaints.append(message.text))

        def weigh(finished: object) -> None:
            place = page.url
            weights[place] = weights.get(place, 0) + int(finished.sizes()["responseBodySize"])  # type: ignore[attr-defined]

        page.on("requestfinished", weigh)
        yield page
        assert elsewhere == []
        assert [said for said in complaints if "Content Security Policy" in said] == []
        assert max(weights.values()) <= visits * MOST_OCTETS, weights


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_a_readers_whole_way_over_real_mail(
    browser: Browser,
    postfix_server: Postfix,
    dovecot_server: Dovecot,
    tmp_path: Path,
    stocked: Path,
    width: int,
    scheme: str,
) -> None:
    relay = Relay(host="127.0.0.1", port=postfix_server.port, tls="none")
    reader = f"grace-{width}-{scheme}@example.org"
    with (
        website(tmp_path, stocked, relays=[relay], own_base=True) as site,
        visiting(browser, width, scheme, urlsplit(site.url).netloc, java_script_enabled=False) as page,
    ):
        page.goto(site.url)
        page.get_by_label("Your email address").fill(reader)
        page.get_by_role("button", name="Subscribe").click()
        assert page.get_by_role("heading", level=1).inner_text() == "Check your inbox"

        page.goto(_link(dovecot_server, reader, 1, site, "confirm"))
        page.get_by_role("button", name="Confirm my subscription").click()
        assert page.get_by_role("heading", level=1).inner_text() == "You're subscribed"

        page.goto(_link(dovecot_server, reader, 2, site, "manage"))
        page.get_by_label("Delivery time").fill("06:15")
        page.get_by_label("Time zone").select_option("Asia/Tokyo")
        page.get_by_label("Sat").uncheck()
        page.get_by_label("Sun").uncheck()
        page.get_by_label(re.compile("Your interests")).fill("diffusion\n-robots")
        page.get_by_role("button", name="Save", exact=True).click()
        assert "Thursday, 28 May 2026 at 06:15 (Asia/Tokyo)" in page.inner_text("main")
        assert "words: diffusion" in page.inner_text("[role=status]")
        assert "mute robots" in page.inner_text("[role=status]")

        site.container.scheduler.tick(site.now)
        page.goto(_link(dovecot_server, reader, 2, site, "unsubscribe"))
        page.get_by_role("button", name="Unsubscribe").click()
        assert page.get_by_role("heading", level=1).inner_text() == "You’re unsubscribed"
        ended = site.subscription(reader)
        assert ended
        assert str(ended.state) == "ended"
        assert _sideways(page) == 0


def test_a_little_script_helps(browser: Browser, tmp_path: Path, stocked: Path) -> None:
    """The browser's time zone, a word before edits are lost, feedback without another page. All else is tested without script."""
    with website(tmp_path, stocked, own_base=True) as site:
        reader, host = site.reader(), urlsplit(site.url).netloc
        with visiting(browser, 375, "light", host, timezone_id="Asia/Tokyo") as page:
            page.goto(f"{site.url}/subscribe")
            zone = page.get_by_label("Time zone")
            assert zone.input_value() == "Asia/Tokyo"
            page.get_by_label("Your email address").fill("short@example.org")
            zone.select_option("Europe/Paris")
            page.get_by_label("Your interests").fill("x" * 101)
            _press(page, "Subscribe")
            assert zone.input_value() == "Europe/Paris"  # what was chosen is not guessed again
            page.goto(site.url)
            page.get_by_label("Your email address").fill("short@example.org")
            _press(page, "Subscribe")
            site.letters(1)
            assert "Asia/Tokyo" in site.get(site.link(Purpose.CONFIRM, "short@example.org")).text

            asked: list[str] = []
            page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
            page.goto(f"{site.url}/manage/{site.token(Purpose.MANAGE, reader)}")
            page.get_by_role("link", name="Download your data").focus()
            page.get_by_label("Your interests").fill("graphs")
            page.get_by_role("link", name="Search").click(no_wait_after=True)
            page.wait_for_timeout(300)
            assert (asked, "/manage/" in page.url) == (["beforeunload"], True)
            _press(page, "Save")
            page.get_by_role("link", name="Search").click()
            page.wait_for_url("**/papers")
            assert asked == ["beforeunload"]

            place = f"{site.url}/more/{site.token(Purpose.FEEDBACK, reader)}/arxiv:2605.00001"
            page.goto(place)
            assert site.subscription().interests.liked == ()  # type: ignore[union-attr]
            page.get_by_role("button", name="More like this").click()
            page.get_by_role("status").get_by_text("You’ll see more papers like this").wait_for()
            assert site.subscription().interests.liked == ("arxiv:2605.00001",)  # type: ignore[union-attr]
            page.get_by_role("button", name="Less like this instead").click()
            page.get_by_role("status").get_by_text("You’ll see fewer papers like this").wait_for()
            assert site.subscription().interests.disliked == ("arxiv:2605.00001",)  # type: ignore[union-attr]
            assert page.url == place
            assert page.get_by_role("heading", level=2).first.is_visible()  # the paper's own card stands where it stood


def _link(dovecot: Dovecot, reader: str, number: int, site: Website, what: str) -> str:
    """The address under /`what`/ in the reader's mail `number`, as it came out of the mailbox."""
    letters = dovecot.messages(reader, at_least=number)
    assert len(letters) >= number
    return site.url + site.path_in(parts_of(letters[number - 1])[1], what)


def _sideways(page: Page) -> int:
    """How far the page would scroll sideways, in pixels; it can be asked without JavaScript on the page too."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize(("width", "scheme", "other"), [(375, "light", "dark"), (1280, "dark", "light")])
def test_axe_finds_nothing(browser: Browser, tmp_path: Path, stocked: Path, width: int, scheme: str, other: str) -> None:
    """On every page there is, those that answer a form too; and none is wider than the window. Each width and each scheme has
    every rule once; in the other scheme a page can differ in contrast only.
    """
    axe = pytest.importorskip("axe_playwright_python.base", reason="axe-playwright-python is not installed")
    with website(tmp_path, stocked, own_base=True) as site:
        how = {"bypass_csp": True, "http_credentials": {"username": "operator", "password": ADMIN}}
        seen: list[str] = []
        with visiting(browser, width, scheme, urlsplit(site.url).netloc, **how) as page:
            page.add_init_script(axe.AXE_SCRIPT)
            for place in chain(_opened(page, site), _answered(page, site)):
                assert page.evaluate(VIOLATIONS, {}) == [], place
                page.emulate_media(color_scheme=other)  # type: ignore[arg-type]
                assert page.evaluate(VIOLATIONS, {"runOnly": ["color-contrast"]}) == [], (place, other)
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                assert _sideways(page) == 0, place
                seen.append(page.get_by_role("heading", level=1).inner_text())
        assert len(seen) == 50
        assert len(set(seen)) == 30, seen


VIOLATIONS = """options => axe.run({resultTypes: ["violations"], ...options}).then(
    found => found.violations.map(each => [each.id, each.nodes[0].html])
)"""


def _opened(page: Page, site: Website) -> Iterator[str]:
    """Pages that are there to be opened."""
    ada, gone, waiting = site.reader(), site.reader("gone@example.org"), site.reader("bob@example.org", confirmed=False)
    end(site.container.adapters.store, gone.id, "unsubscribed on the web", NOON)
    links = {(each, purpose): site.token(purpose, each) for each in (ada, gone, waiting) for purpose in Purpose}
    site.container.scheduler.tick(site.now)
    site.container.delivery.deliver(lambda: site.now)
    (issue,) = site.container.editions.past_issues(ada, 2)
    site.container.libraries.save_paper(ada.id, "arxiv:2605.00001", site.now)
    stop = site.container.adapters.links.for_stranger(site.container.adapters.address("x@example.org"), "daily").unsubscribe
    paths = [
        "/",
        "/lists/daily",
        "/lists/daily/2026-05-27",
        "/lists/daily/2026-W22",
        "/lists/daily/2026-05",
        "/papers",
        "/papers?q=diffusion",
        "/papers?q=unheardof",
        "/papers?q=diffusion&topic=cs.LG&period=year",
        "/papers/arxiv:2605.00012",
        "/trending?window=week",
        "/subscribe",
        "/privacy",
        "/nope",
        "/manage/1.forged",
        f"/confirm/{links[waiting, Purpose.CONFIRM]}",
        f"/confirm/{links[ada, Purpose.CONFIRM]}",
        f"/manage/{links[ada, Purpose.MANAGE]}",
        f"/manage/{links[ada, Purpose.MANAGE]}?saved=interests",
        f"/manage/{links[gone, Purpose.MANAGE]}",
        f"/manage/{links[gone, Purpose.MANAGE]}/issues",
        f"/manage/{links[ada, Purpose.MANAGE]}/issues",
        f"/manage/{links[ada, Purpose.MANAGE]}/issues/{issue.delivery_id}",
        f"/manage/{links[gone, Purpose.MANAGE]}/saved",
        f"/manage/{links[ada, Purpose.MANAGE]}/saved",
        f"/manage/{links[ada, Purpose.MANAGE]}/profile",
        f"/manage/{links[ada, Purpose.MANAGE]}/profile?paper=2605.00001",
        f"/manage/{links[ada, Purpose.MANAGE]}/profile?paper=nonsense",
        f"/save/{links[ada, Purpose.FEEDBACK]}/arxiv:2605.00001",
        f"/manage/{links[waiting, Purpose.MANAGE]}",
        f"/unsubscribe/{links[ada, Purpose.UNSUBSCRIBE]}",
        f"/unsubscribe/{links[gone, Purpose.UNSUBSCRIBE]}",
        f"/more/{links[ada, Purpose.FEEDBACK]}/arxiv:2605.00001",
        f"/less/{links[ada, Purpose.FEEDBACK]}/arxiv:2605.00001",
        "/admin",
        "/admin/editions/daily/2026-05-27",
        stop.removeprefix(site.base),
    ]
    for path in paths:
        page.goto(site.url + path)
        yield path


def _answered(page: Page, site: Website) -> Iterator[str]:
    """Pages that a form is answered with."""
    page.goto(f"{site.url}/admin")
    page.get_by_label("Email address").fill("ada@example.org")
    _press(page, "Look up")
    yield "a reader looked up"
    page.goto(f"{site.url}/subscribe")
    page.get_by_label("Your email address").fill("new@example.org")
    page.get_by_label(re.compile("Your interests")).fill("x" * 101)
    _press(page, "Subscribe")
    yield "an interest too long"
    page.get_by_label(re.compile("Your interests")).fill("diffusion")
    already = len(site.letters(0))
    _press(page, "Subscribe")
    yield "asked"
    site.letters(already + 1)
    new = site.subscription("new@example.org")
    assert new
    token = {purpose: site.token(purpose, new) for purpose in Purpose}
    page.goto(f"{site.url}/confirm/{token[Purpose.CONFIRM]}")
    _press(page, "Confirm")
    yield "confirmed"
    page.goto(f"{site.url}/less/{token[Purpose.FEEDBACK]}/arxiv:2605.00001")
    page.get_by_role("button", name="Less like this", exact=True).click()
    page.get_by_role("status").wait_for()
    yield "reacted"
    page.goto(f"{site.url}/save/{token[Purpose.FEEDBACK]}/arxiv:2605.00001")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("status").wait_for()
    yield "saved"
    page.goto(f"{site.url}/manage/{token[Purpose.MANAGE]}")
    page.get_by_label("Papers you like").fill("2605.00002, 2605.99999, nonsense")
    _press(page, "Save")
    yield "interests understood"
    page.get_by_label("New address").fill("new@example.org")
    _press(page, "Change address")
    yield "an address that is the old one"
    page.get_by_label("New address").fill("newer@example.org")
    already = len(site.letters(1))
    _press(page, "Change address")
    yield "a new address asked for"
    page.goto(site.url + site.path_in(site.letters(already + 1)[-1][1], "address"))
    yield "a new address"
    _press(page, "Use this address")
    yield "moved"
    page.goto(f"{site.url}/unsubscribe/{token[Purpose.UNSUBSCRIBE]}")
    _press(page, "Unsubscribe")
    yield "unsubscribed"
    page.goto(f"{site.url}/manage/{token[Purpose.MANAGE]}")
    page.get_by_label(re.compile("Delete all my data")).check()
    _press(page, "Delete my data")
    yield "erased"


def _press(page: Page, button: str, nth: int = 0) -> None:
    """Until the answer is there with its style sheet: a click alone does not wait for it, and axe would see a page half made."""
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name=button).nth(nth).click()
