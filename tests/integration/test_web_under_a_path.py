"""The pages under a path of a host that serves other things too: no link, form or redirect leaves it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest
from lxml import etree, html

from digest.links import Purpose
from tests.servers.path_proxy import path_proxy
from tests.servers.running import PATIENCE, free_port
from tests.servers.website import BASIC, Website, stock, website

PATHS = ("/a/b-c.d", "/papers", "/unsubscribe")
"""The last two are names of our own pages, too."""
LINKS = "//@href | //@action | //@formaction | //@src"


@pytest.fixture(
    scope="module",
    params=[(path, strips) for path in PATHS for strips in (False, True)],
    ids=lambda given: f"{given[0]}-{given[1]}",
)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Website]:
    """As readers meet it: its `url` is the proxy's."""
    path, strips = request.param
    folder = tmp_path_factory.mktemp("under")
    port = free_port()
    base = f"http://127.0.0.1:{port}{path}"
    with website(folder, stock(folder, base=base), base=base) as site, path_proxy(port, path, site.url, strips=strips):
        site.url = base
        yield site


def ours(site: Website, answer: httpx2.Response) -> set[str]:
    """The links of a page that lead to this host; every one has to begin with the base."""
    page, at = html.fromstring(answer.content), str(answer.url)
    links = {urljoin(at, str(link)).partition("#")[0] for link in page.xpath(LINKS)}
    return {link for link in links if urlsplit(link).netloc == urlsplit(site.base).netloc}


def test_every_link_of_every_page_leads_to_a_page(site: Website) -> None:
    site.reader()
    waiting = {f"{site.base}/", site.base, site.base + site.link(Purpose.MANAGE), site.base + site.link(Purpose.UNSUBSCRIBE)}
    waiting |= {f"{site.base}{site.link(Purpose.FEEDBACK).replace('/feedback/', '/more/')}/arxiv:2605.00001"}
    waiting |= {f"{site.base}/admin", f"{site.base}/papers?q=diffusion", f"{site.base}/lists/daily/2026-05"}
    seen: set[str] = set()
    posted: set[str] = set()
    while waiting:
        address = waiting.pop()
        assert address.partition("?")[0] == site.base or address.startswith(f"{site.base}/"), address
        seen.add(address)
        answer = site.client.get(address, headers={"authorization": BASIC["authorization"]})
        assert answer.status_code == 200, address
        if answer.headers["content-type"].startswith("text/html") and "/admin/mail" not in address and len(seen) < 60:
            posted |= {
                urljoin(address, str(action))
                for action in html.fromstring(answer.content).xpath("//form[@method='post']/@action | //button/@formaction")
            }
            waiting |= ours(site, answer) - seen - posted
    assert len(seen) > 20
    assert all(action.startswith(f"{site.base}/") for action in posted)


def test_a_readers_way(site: Website) -> None:
    """The form, the mail, the confirmation, preferences, one click, one's data, and the end."""
    subscribed = site.post("/subscribe", {"email": "eve@example.org"})
    assert subscribed.status_code == 200
    confirm = site.base + site.path_in(site.letters()[0][1], "confirm")
    asked = html.fromstring(site.client.get(confirm).content)
    assert urljoin(confirm, asked.xpath("//form/@action")[0]) == confirm
    assert "subscribed" in site.client.post(confirm).text.lower() or site.state("eve@example.org") == "active"
    welcome = next(text for _, text in site.letters(2)[1:])
    links = set(re.findall(rf"https?://{re.escape(urlsplit(site.base).netloc)}[^\s<>]*", welcome))
    assert links
    assert all(link.startswith(site.base) for link in links)

    manage = site.link(Purpose.MANAGE, "eve@example.org")
    saved = site.post(f"{manage}/when", {"hour": "08:00", "timezone": "UTC", "days": "daily"})
    assert saved.status_code in (303, 400)
    if saved.status_code == 303:
        assert saved.headers["location"] == f"{urlsplit(site.base).path}{manage}?saved=when"
    again = site.post(f"{manage}/back")
    assert site.client.get(urljoin(site.base, again.headers["location"])).status_code == 200
    assert site.get(f"{manage}/data.json").json()

    one_click = site.link(Purpose.UNSUBSCRIBE, "eve@example.org")
    assert site.post(one_click, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert site.state("eve@example.org") == "ended"


def test_feeds_redirects_and_the_api_say_the_whole_address(site: Website) -> None:
    root = urlsplit(site.base).path
    slash = site.get("/lists/daily/?x=1")
    assert (slash.status_code, slash.headers["location"]) == (308, f"{root}/lists/daily?x=1")
    feed = etree.fromstring(site.get("/lists/daily/feed.atom").content)
    assert {link.get("href") for link in feed.findall("{*}link")} == {
        f"{site.base}/lists/daily",
        f"{site.base}/lists/daily/feed.atom",
    }
    assert site.get("/papers/feed.json?q=diffusion").json()["feed_url"] == f"{site.base}/papers/feed.json?q=diffusion"
    described = json.loads(site.get("/api/v1/openapi.json").content)
    assert [server["url"] for server in described["servers"]] == [f"{root}/api/v1"]
    assert site.get("/api/v1/lists").json()[0]["name"] == "daily"
    assert "error" in site.get("/api/v1/papers/arxiv:9999.99999").json()
    assert f"Disallow: {root}/manage/" in site.get("/robots.txt").text
    assert site.get("/manage/1.forged").headers["cache-control"] == "no-store"
    paused = site.request("POST", "/admin/pause", data={"list": "daily", "action": "pause"}, headers=BASIC)
    assert paused.headers["location"] == f"{root}/admin"
    assert site.client.get(f"http://{urlsplit(site.base).netloc}/", timeout=PATIENCE).status_code == 418
