"""The web servers of docs/how-to/operations.md in front of the pages: its blocks are run as they stand there."""

from __future__ import annotations

from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from lxml import html

from digest.links import Purpose
from tests.servers.running import PATIENCE, free_port
from tests.servers.web_server import SERVERS
from tests.servers.website import BEARER, Website, stock, website

NUMBERS = (
    "/metrics",
    "/metrics/",
    "//metrics",
    "/%6detrics",
    "/metrics?x",
    "/x/../metrics",
    "/METRICS",
    "/de/metrics",
    "/DE/de/metrics",
)


@pytest.mark.parametrize("strips", [False, True], ids=["passes the path on", "strips the path"])
@pytest.mark.parametrize("name", SERVERS)
def test_its_block(tmp_path: Path, name: str, strips: bool) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}/digest"
    with (
        website(tmp_path, stock(tmp_path, base=base), base=base) as site,
        SERVERS[name](port, urlsplit(site.url).port or 0, strips=strips),
    ):
        site.url = base
        site.reader()
        every_link_of_a_readers_page_leads_to_a_page(site)
        numbers_are_not_for_everybody(port)
        a_file_of_20_megabytes_comes_through(site)
        who_asked_is_whom_the_web_server_saw(site)


def every_link_of_a_readers_page_leads_to_a_page(site: Website) -> None:
    host = urlsplit(site.base).netloc
    for path in ("", site.link(Purpose.MANAGE)):
        page = site.client.get(site.base + path, follow_redirects=True)
        assert page.status_code == 200
        links = {str(link) for link in html.fromstring(page.content).xpath("//@href")}
        ours = {f"http://{host}{link}" if link.startswith("/") else link for link in links}
        ours = {link.partition("#")[0] for link in ours if urlsplit(link).netloc == host}
        assert len(ours) > 3
        for link in ours:
            assert link.startswith(site.base), link
            assert site.client.get(link, follow_redirects=True).status_code == 200, link


def numbers_are_not_for_everybody(port: int) -> None:
    for path in NUMBERS:
        with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as asked:  # a better client would tidy the path up
            asked.request("GET", f"/digest{path}")
            answer = asked.getresponse()
            assert b"digest_" not in answer.read(), path
            assert answer.status in (308, 403, 404), path


def a_file_of_20_megabytes_comes_through(site: Website) -> None:
    """A list of subscribers may be that large; a web server's own limit is often one megabyte."""
    file = b"email,note\n" + b"".join(b"eve%d@example.org,%s\n" % (n, b"x" * 100_000) for n in range(200))
    where = f"{site.base}/api/v1/subscriptions/import?list=daily"
    answer = site.client.post(where, content=file, headers=BEARER, timeout=PATIENCE)
    assert (answer.status_code, answer.json()["added"]) == (200, 200)


def who_asked_is_whom_the_web_server_saw(site: Website) -> None:
    """Whoever guesses the operator's token cannot call himself another with each guess."""
    wrong = [site.get("/admin", **{"authorization": f"Bearer guess{n}", "x-forwarded-for": f"203.0.113.{n}"}) for n in range(12)]
    assert [answer.status_code for answer in wrong] == [401] * 10 + [429] * 2
