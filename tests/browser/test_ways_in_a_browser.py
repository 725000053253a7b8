"""Two people's ways in a real browser, by what README and docs/how-to name: an operator's installation with PostgreSQL behind a
path prefix, as its readers meet it; and a reader in Auckland with a phone at night.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from digest.domain.identifier import Identifier
from digest.domain.paper import Sighting
from digest.links import Purpose
from digest.mail.inbound.message_parts import parts_of
from tests.browser.test_web_browser import _press, _sideways, visiting
from tests.command_line import clean_environment, command
from tests.servers.path_proxy import path_proxy
from tests.servers.running import free_port, listening, running, until
from tests.servers.smtp import SmtpServer
from tests.servers.website import Website, sightings, website

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = (ROOT / "docs/how-to/operations.md").read_text("utf-8")


def heading(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


# ---- the operator: PostgreSQL, a proxy at a path, readers through it ---------------------------------------------------------


class Installation:
    """The page's settings and commands in a folder, with loopback's ports for those of the page."""

    def __init__(self, folder: Path, relay: SmtpServer, database: str) -> None:
        self.folder, self.relay = folder, relay
        self.port, behind = free_port(), free_port()
        self.behind = f"http://127.0.0.1:{behind}"
        [path] = re.findall(r'^    base_url = "https://example\.org(/.+)"$', OPERATIONS, re.MULTILINE)
        self.path, self.base = path, f"http://127.0.0.1:{self.port}{path}"
        [settings] = re.findall(r"^```toml\n(.*?)^```$", OPERATIONS, re.MULTILINE | re.DOTALL)
        (folder / "config").mkdir()
        (folder / "papers").mkdir()
        (folder / "config/digest.toml").write_text(
            settings.replace("https://digest.example.org", self.base)
            .replace("port = 25\n", f"port = {relay.port}\n")
            .replace("[web]\n", f"[web]\nport = {behind}\n")
            + f'\n[database]\nurl = "{database}"\n'
            + '\n[[sources]]\nname = "papers"\nkind = "folder"\noptions = { path = "papers" }\n'
            + "\n[look_ups]\narxiv_url = ''\n"
        )
        self.environment = clean_environment()
        yesterday = datetime.now(UTC) - timedelta(days=1)
        rows = [
            {
                "id": f"doi:10.1000/{n}",
                "title": f"Work {n} on graphs",
                "abstract": "We do.",
                "published_at": f"{yesterday:%FT%TZ}",
            }
            for n in range(12)
        ]
        (folder / "papers/new.jsonl").write_text("\n".join(map(json.dumps, rows)))

    def types(self, *lines: str) -> str:
        """As on the page, each of them; what the last printed."""
        out = ""
        for line in lines:
            assert " ".join(line.split()[1:3]) in OPERATIONS, f"the page does not name {line}"
            done = command(self.folder, *shlex.split(line)[2:], environment=self.environment)
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            out = done.stdout
        return out

    @contextmanager
    def runs(self) -> Iterator[None]:
        started = ["env", "-C", self.folder, *(f"{name}={value}" for name, value in self.environment.items())]
        daemon = [*started, sys.executable, "-m", "digest", "run"]
        with running(daemon, lambda: listening(int(self.behind.rpartition(":")[2])), self.folder / "log"):
            yield

    def mail(self, to: str, subject: str = "") -> str:
        """The plain text of the newest one, waited for."""
        found: list[str] = []

        def came() -> bool:
            for each in self.relay.accepted():
                read = message_from_bytes(each.data, policy=policy.default)
                if read["To"] == to and subject in str(read["Subject"]):
                    found.append(parts_of(each.data)[1])
            return bool(found)

        until(came, f"a mail to {to}: {subject}")
        return found[-1]

    def link(self, text: str, what: str) -> str:
        [link] = set(re.findall(rf"{re.escape(self.base)}/{what}/\S+", text))
        return str(link)


@pytest.mark.parametrize("strips", [False, True], ids=["passes the path on", "strips the path"])
def test_the_operator(browser: Browser, tmp_path: Path, empty_postgresql_url: str, strips: bool) -> None:
    """From an empty PostgreSQL to readers who come, choose and leave; every page and link is under the prefix."""
    with SmtpServer(tmp_path / "kept") as relay:
        ours = Installation(tmp_path, relay, empty_postgresql_url)
        explained = ours.types(
            "./run digest migrate",
            "./run digest collect",
            "./run digest subscribe you@example.org --confirmed --hour 00:00",
            "./run digest tick",
            "./run digest deliver",
            "./run digest status",
            "./run digest explain you@example.org",
        )
        assert "state accepted" in explained
        host = urlsplit(ours.base).netloc
        with (
            ours.runs(),
            path_proxy(ours.port, ours.path, ours.behind, strips=strips),
            visiting(browser, 1280, "light", host, java_script_enabled=False) as page,
        ):
            places: list[str] = []
            page.on("framenavigated", lambda frame: places.append(frame.url))
            assert page.goto(ours.base)
            page.get_by_role("link", name=re.compile("Subscribe|subscribe")).first.click()
            page.get_by_label("Your email address").fill("eve@example.org")
            _press(page, "Subscribe")
            assert heading(page) == "Check your inbox"
            page.goto(ours.link(ours.mail("eve@example.org"), "confirm"))
            _press(page, "Confirm my subscription")
            assert heading(page) == "You're subscribed"

            page.goto(ours.link(ours.mail("eve@example.org", "Welcome"), "manage"))
            page.get_by_label("Delivery time").fill("06:15")
            page.get_by_role("button", name="Save", exact=True).first.click()
            assert "06:15" in page.inner_text("main")
            page.get_by_label("New address").fill("eve2@example.org")
            _press(page, "Change address")
            page.goto(ours.link(ours.mail("eve2@example.org"), "address"))
            _press(page, "Use this address")

            edition = ours.mail("you@example.org")
            links = set(re.findall(rf"{re.escape(ours.base)}[^\s<>)]*", edition))
            assert len(links) > 3
            for link in sorted(links):
                assert page.request.get(link).status == 200, link
            page.goto(ours.link(edition, "unsubscribe"))
            _press(page, "Unsubscribe")
            assert heading(page) == "You’re unsubscribed"
            assert [place for place in places if not place.startswith(ours.base)] == []
        assert [mail for mail in relay.accepted() if b"127.0.0.1" in mail.data and ours.path.encode() not in mail.data] == []
        assert "state ended" in ours.types("./run digest explain you@example.org")


# ---- a reader in Auckland, with a phone, at night ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.servers.website import stock

    return stock(tmp_path_factory.mktemp("stocked"), sightings(60))


def morning(site: Website, day: int, at: time = time(19, 1)) -> None:
    """What the daemon does of itself at an instant of a UTC day of May or June 2026 (19:01 is 07:01 in Auckland)."""
    site.now = datetime.combine(date(2026, 5, 27) + timedelta(days=day), at, UTC)
    container = site.container
    with container.adapters.store.begin() as unit:
        unit.papers.merge(list(sightings_of(site.now)))
    container.scheduler.tick(site.now)
    container.delivery.deliver(lambda: site.now)


def sightings_of(at: datetime) -> Iterator[Sighting]:
    """A dozen papers that were not there the day before."""
    for number, each in enumerate(sightings(), 1):
        yield replace(
            each,
            identifiers=(Identifier("arxiv", f"26{at:%m.%d}{number:03}"),),
            title=f"{each.title} ({at:%d %B})",
            published_at=at - timedelta(hours=2),
            seen_at=at - timedelta(minutes=30),
            signals=(),
        )


def editions(site: Website, reader: str) -> list[str]:
    """The plain text of each edition's mail to a reader."""
    letters = [letter for letter in site.container.transport.envelopes if letter.recipient == reader]
    return [parts_of(letter.data)[1] for letter in letters if b"List-Archive" in letter.data]


def test_a_reader_in_auckland_at_night(browser: Browser, tmp_path: Path, stocked: Path) -> None:
    """375 pixels and dark: the link from the mail, another hour, a pause, "where is my mail?", and out."""
    phone = {"is_mobile": True, "has_touch": True, "timezone_id": "Pacific/Auckland", "locale": "en-NZ"}
    with (
        website(tmp_path, stocked, own_base=True) as site,
        visiting(browser, 375, "dark", urlsplit(site.url).netloc, visits=7, **phone) as page,
    ):
        site.container.transport.clock = lambda: site.now
        reader = "mere@example.org"
        page.goto(f"{site.url}/subscribe")
        page.get_by_label("Your email address").fill(reader)
        page.get_by_label("Time zone").select_option("Pacific/Auckland")
        page.get_by_label("Delivery time").fill("07:00")
        _press(page, "Subscribe")
        page.goto(site.url + site.path_in(site.letters(1)[-1][1], "confirm"))
        _press(page, "Confirm my subscription")
        assert "28 May 2026 at 07:00 (Pacific/Auckland)" in page.inner_text("main")
        site.letters(2)
        [first] = editions(site, reader)
        page.goto(site.url + site.path_in(first, "manage"))
        site.now = datetime(2026, 5, 27, 19, 1, tzinfo=UTC)
        page.reload()
        told = where_is_my_mail(page)
        assert "Next email: Friday, 29 May" in told, "nothing was collected since: none comes now"
        morning(site, 0)
        assert len(editions(site, reader)) == 2

        page.goto(site.url + site.path_in(first, "manage"))
        assert background(page) < 60, "dark, as the phone is"
        assert _sideways(page) == 0
        told = where_is_my_mail(page)
        assert "28 May 2026: accepted on 28 May 2026 at 07:01 by the mail server fake." in told
        assert "Next email: Friday, 29 May 2026 at 07:00 (Pacific/Auckland)." in told

        page.get_by_label("Delivery time").fill("21:30")
        page.get_by_role("button", name="Save", exact=True).first.click()
        assert "Friday, 29 May 2026 at 21:30 (Pacific/Auckland)" in where_is_my_mail(page)
        morning(site, 1)
        assert len(editions(site, reader)) == 2, "not at the old hour"
        morning(site, 2, time(9, 31))
        assert len(editions(site, reader)) == 3

        page.get_by_label("Pause until").fill("2026-06-02")
        page.get_by_role("button", name="Save", exact=True).first.click()
        assert "2 June 2026 at 21:30" in where_is_my_mail(page)
        for day in (3, 4, 5):
            morning(site, day, time(9, 31))
        assert len(editions(site, reader)) == 3, "paused"
        morning(site, 6, time(9, 31))
        assert len(editions(site, reader)) == 4

        page.goto(site.url + site.path_in(editions(site, reader)[-1], "unsubscribe"))
        assert background(page) < 60
        assert _sideways(page) == 0
        page.get_by_role("button", name="Unsubscribe").tap()
        page.get_by_role("heading", name="You’re unsubscribed").wait_for()
        morning(site, 7, time(9, 31))
        assert len(editions(site, reader)) == 4
        page.goto(site.url + site.link(Purpose.MANAGE, reader))
        assert "No email is planned." in where_is_my_mail(page)


def where_is_my_mail(page: Page) -> str:
    return page.locator("section", has=page.get_by_role("heading", name="Where is my mail?")).inner_text()


def background(page: Page) -> int:
    """How light the page is: the brightest of red, green and blue."""
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor || getComputedStyle(document.documentElement)")
    return max(int(each) for each in re.findall(r"\d+", colour)[:3])
