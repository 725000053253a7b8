"""A reader's way in their own language in a real browser, and pages from right to left."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest

from digest.translation import PSEUDO, translation
from digest.web.language import OFFERED
from tests.browser.test_web_browser import VIOLATIONS, _opened, _press, _sideways, visiting
from tests.servers.website import ADMIN, NOON, Website, stock, website

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

OPERATOR = {"username": "operator", "password": ADMIN}


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stock(tmp_path_factory.mktemp("stocked"))


@pytest.mark.parametrize(
    ("language", "locale", "width", "scheme", "script"),
    [
        ("en", "en-GB", 375, "light", False),
        ("de", "de-AT", 1280, "dark", False),
        ("de", "de-DE", 375, "light", True),
        ("zh-Hans", "zh-CN", 375, "dark", True),
        ("zh-Hans", "zh-CN", 1280, "light", False),
    ],
)
def test_a_readers_way_in_their_language(
    browser: Browser, tmp_path: Path, stocked: Path, language: str, locale: str, width: int, scheme: str, script: bool
) -> None:
    """Subscribe, confirm, choose, get mail, save, say what is liked, ask where the mail is, pause, leave."""
    spoken = translation(language)
    said, save = spoken.gettext, spoken.pgettext("button", "Save")
    with (
        website(tmp_path, stocked, own_base=True) as site,
        visiting(browser, width, scheme, urlsplit(site.url).netloc, visits=2, locale=locale, java_script_enabled=script) as page,
    ):

        def shows(title: str) -> None:
            assert page.get_by_role("heading", level=1).inner_text() == said(title)
            assert page.locator("html").get_attribute("lang") == language
            assert _sideways(page) == 0

        page.goto(site.url)
        page.get_by_label(said("Your email address")).fill("ada@example.org")
        _press(page, said("Subscribe"))
        shows("Check your inbox")
        page.goto(site.url + site.path_in(site.letters(1)[0][1], "confirm"))
        shows("Confirm your subscription")
        _press(page, said("Confirm my subscription"))
        shows("You're subscribed")

        page.goto(site.url + site.path_in(site.letters(2)[1][1], "manage"))
        shows("Your preferences")
        assert page.get_by_label(said("Language")).input_value() == ("" if language == "en" else language)
        page.get_by_label(said("Delivery time")).fill("06:15")
        page.get_by_label(said("Time zone")).select_option("Asia/Tokyo")
        page.get_by_label(said("Your interests")).fill("diffusion")
        _press(page, save)
        shows("Your preferences")
        assert spoken.gettext("words: %(words)s", words="diffusion") in page.inner_text("[role=status]")
        preferences = page.url

        site.now += timedelta(days=1)
        site.container.editions.edition(site.container.adapters.paper_list("daily"), site.now.date(), site.now)
        site.container.scheduler.tick(site.now)
        site.container.delivery.deliver(lambda: site.now)
        mail = site.letters(3)[2][1]
        page.goto(site.url + site.path_in(mail, "save"))
        shows("Save this paper?")
        _answer(page, save, said("Saved"), script=script)
        page.goto(site.url + site.path_in(mail, "less"))
        shows("Less like this?")
        _answer(page, said("Less like this"), said("You’ll see fewer papers like this from the next email on."), script=script)

        page.goto(preferences)
        where = page.locator("section", has=page.get_by_role("heading", name=said("Where is my mail?")))
        sent = NOON.astimezone(ZoneInfo("Asia/Tokyo"))  # the clock of the mail server stands still
        accepted = "accepted on %(day)s at %(time)s by the mail server %(relay)s"
        assert said(accepted, day=sent.date(), time=sent.time(), relay="fake") in where.inner_text()
        page.get_by_label(said("Pause until")).fill("2026-08-31")
        _press(page, save)
        assert spoken.date(date(2026, 8, 31), "full") in page.inner_text("main")
        page.goto(site.url + site.path_in(mail, "unsubscribe"))
        shows("Unsubscribe")
        _press(page, said("Unsubscribe"))
        shows("You’re unsubscribed")
        ended = site.subscription()
        assert ended
        assert (str(ended.state), ended.preferences.language) == ("ended", None if language == "en" else language)


def _answer(page: Page, button: str, answer: str, *, script: bool) -> None:
    if script:  # in place, without another page
        page.get_by_role("button", name=button, exact=True).click()
        page.get_by_role("status").get_by_text(answer).first.wait_for()
    else:
        with page.expect_navigation(wait_until="load"):
            page.get_by_role("button", name=button, exact=True).click()
        page.get_by_text(answer).first.wait_for()


@pytest.mark.parametrize(
    ("language", "locale", "width", "scheme"), [("de", "de-DE", 375, "dark"), ("zh-Hans", "zh-CN", 1280, "light")]
)
def test_axe_finds_nothing_in_another_language(
    browser: Browser, tmp_path: Path, stocked: Path, language: str, locale: str, width: int, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.base", reason="axe-playwright-python is not installed")
    spoken = 0
    with (
        website(tmp_path, stocked, own_base=True) as site,
        visiting(
            browser, width, scheme, urlsplit(site.url).netloc, bypass_csp=True, locale=locale, http_credentials=OPERATOR
        ) as page,
    ):
        page.add_init_script(axe.AXE_SCRIPT)
        for place in _opened(page, site):
            spoken += page.locator("html").get_attribute("lang") == language
            assert page.evaluate(VIOLATIONS, {}) == [], place
            assert _sideways(page) == 0, place
    assert spoken > 30


def test_pages_from_right_to_left(browser: Browser, tmp_path: Path, stocked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page of a phone lies the other way round, and none scrolls sideways; a paper's own words stay from left to right."""
    monkeypatch.setitem(OFFERED, PSEUDO, "Pseudo")
    with (
        website(tmp_path, stocked, own_base=True) as site,
        visiting(browser, 375, "light", urlsplit(site.url).netloc, http_credentials=OPERATOR) as page,
    ):
        turned = 0
        for place in _opened(page, in_pseudo(site)):
            assert _sideways(page) == 0, place
            if page.locator("html").get_attribute("lang") == PSEUDO:
                turned += 1
                assert page.evaluate("getComputedStyle(document.body).direction") == "rtl", place
                title = page.locator("article.card h2").first
                assert not title.count() or title.evaluate("each => getComputedStyle(each).direction") == "ltr", place
        assert turned > 30


def in_pseudo(site: Website) -> Website:
    """The same site, whose pages are opened in the pseudo-language."""
    return replace(site, url=f"{site.url}/{PSEUDO}")


def test_the_browsers_time_zone_is_offered_to_who_has_chosen_none(browser: Browser, tmp_path: Path, stocked: Path) -> None:
    with website(tmp_path, stocked, own_base=True) as site:
        reader, host = site.reader(), urlsplit(site.url).netloc
        place = f"{site.url}/manage/{site.token('manage', reader)}"  # type: ignore[arg-type]
        with visiting(browser, 375, "light", host, timezone_id="Asia/Tokyo") as page:
            page.goto(place)
            zone = page.get_by_label("Time zone")
            assert zone.input_value() == "UTC"  # nothing is changed without being asked
            page.get_by_role("button", name="Use the time zone of this browser: Asia/Tokyo").click()
            assert zone.input_value() == "Asia/Tokyo"
            assert _sideways(page) == 0
            _press(page, "Save")
            found = site.subscription()
            assert found
            assert found.preferences.timezone == "Asia/Tokyo"
            assert not page.get_by_role("button", name="Use the time zone").count()
        with visiting(browser, 375, "light", host, timezone_id="Europe/Paris") as page:
            page.goto(place)
            assert not page.get_by_role("button", name="Use the time zone").count()  # a zone was chosen
