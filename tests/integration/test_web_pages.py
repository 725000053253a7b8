"""Pages for anybody: what they say, what stands around them, what they refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from lxml import etree, html

from digest.domain.paper import Sighting, Signal
from digest.domain.schedule import Frequency
from digest.mail.inbound.message_parts import parts_of
from digest.services.editions.build_edition import edit
from tests.servers.website import NOON, Website, sightings, stock, website

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Website]:
    folder = tmp_path_factory.mktemp("web")
    with website(folder, stock(folder)) as running:
        yield running


PUBLIC = [
    ("/", 200, "text/html"),
    ("/lists/daily", 200, "text/html"),
    ("/lists/daily/2026-05-27", 200, "text/html"),
    ("/lists/daily/2026-W22", 200, "text/html"),
    ("/lists/daily/2026-05", 200, "text/html"),
    ("/lists/daily/feed.atom", 200, "application/atom+xml"),
    ("/lists/daily/feed.json", 200, "application/feed+json"),
    ("/lists/daily/2026-05-27.bib", 200, "application/x-bibtex"),
    ("/papers", 200, "text/html"),
    ("/papers?q=diffusion", 200, "text/html"),
    ("/papers/feed.atom?q=diffusion", 200, "application/atom+xml"),
    ("/papers/feed.json?q=diffusion", 200, "application/feed+json"),
    ("/subscribe", 200, "text/html"),
    ("/subscribe?list=nope", 200, "text/html"),
    ("/privacy", 200, "text/html"),
    ("/style.css", 200, "text/css"),
    ("/script.js", 200, "text/javascript"),
    ("/robots.txt", 200, "text/plain"),
    ("/healthz", 200, "text/plain"),
    ("/readyz", 200, "text/plain"),
    ("/metrics", 200, "text/plain"),
    ("/nope", 404, "text/html"),
    ("/docs", 404, "text/html"),
    ("/lists/nope", 404, "text/html"),
    ("/lists/daily/2026-05-28", 404, "text/html"),
    ("/lists/daily/2026-13", 404, "text/html"),
    ("/lists/daily/9999-W53", 404, "text/html"),
    ("/lists/daily/0001-01-01", 404, "text/html"),
    ("/lists/daily/9999-12-31", 404, "text/html"),
    ("/lists/daily/9999-12", 404, "text/html"),
    ("/lists/daily/2026-W22.bib", 404, "text/html"),
    ("/lists/daily/..%2f..%2fetc", 404, "text/html"),
    ("/lists/daily/%00", 404, "text/html"),
    ("/papers?q=%00%ff%22%27%20OR%20NEAR(a*%29", 200, "text/html"),
    ("/papers?q=" + "a%20" * 3000, 200, "text/html"),
    ("/confirm/forged", 403, "text/html"),
    ("/manage/1.forged", 403, "text/html"),
    ("/unsubscribe/" + "a" * 5000, 403, "text/html"),
    ("/more/1.x/arxiv:2605.00001", 403, "text/html"),
]


@pytest.mark.parametrize(("path", "status", "kind"), PUBLIC)
def test_every_answer_is_what_it_says_and_guarded(site: Website, path: str, status: int, kind: str) -> None:
    answer = site.get(path)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (status, kind)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "set-cookie" not in answer.headers
    assert len(answer.content) < 100_000
    head = site.request("HEAD", path)
    assert (head.status_code, head.content) == (status, b"")


def test_the_page_says_what_the_mail_says(site: Website) -> None:
    """Same papers, same order, same words and addresses."""
    container = site.container
    edition = container.editions.edition(container.adapters.paper_list("daily"), NOON.date(), NOON)
    html, _ = parts_of(container.editions.preview(edition, container.adapters.paper_list("daily"), None, NOON).data)
    mail, page = _Cards.of(html), _Cards.of(site.get("/lists/daily/2026-05-27").text)
    assert len(page.headings) == 10
    assert page.headings == mail.headings
    assert [address for address in mail.addresses if "arxiv.org" in address or "github.com" in address] == [
        address for address in page.addresses if "arxiv.org" in address or "github.com" in address
    ]


def test_the_way_in_stands_after_the_first_paper(site: Website) -> None:
    home = site.get("/").text
    first, box, second = (home.index(words) for words in ('class="number">1<', 'action="/subscribe"', 'class="number">2<'))
    assert first < box < second
    assert 'action="/subscribe"' not in site.get("/lists/daily/2026-05-27").text


def test_what_a_source_says_stays_text(site: Website, tmp_path: Path) -> None:
    evil = '<script>alert("1")</script> {{ 7*7 }} \N{RIGHT-TO-LEFT OVERRIDE}gnp.exe'
    nasty = [
        replace(each, title=f"{evil} {n}", authors=(evil,), url="javascript:alert(1)") for n, each in enumerate(sightings(3))
    ]
    with website(tmp_path, stock(tmp_path, nasty)) as poisoned:
        for path in ("/", "/lists/daily", "/papers?q=gnp", "/lists/daily/2026-05-27.bib", "/lists/daily/feed.json"):
            answer = poisoned.get(path)
            assert answer.status_code == 200
            said = answer.text
            if "html" in answer.headers["content-type"]:
                assert said.count("<script") == said.count('<script src="/script.js" defer></script>') == 1
            assert "javascript:" not in said
            assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in said
        entries = etree.fromstring(poisoned.get("/lists/daily/feed.atom").content).findall(f"{ATOM}entry")
        assert len(entries) == 3
        assert all("<script" not in (entry.findtext(f"{ATOM}content") or "") for entry in entries)


def test_feeds_hold_the_editions_papers(site: Website) -> None:
    atom = etree.fromstring(site.get("/lists/daily/feed.atom").content)
    titles = [entry.findtext(f"{ATOM}title") for entry in atom.findall(f"{ATOM}entry")]
    feed = json.loads(site.get("/lists/daily/feed.json").text)
    assert titles == [item["title"] for item in feed["items"]] == _Cards.of(site.get("/").text).headings
    assert len({item["id"] for item in feed["items"]}) == 10
    for required in ("id", "title", "updated"):
        assert all(entry.findtext(f"{ATOM}{required}") for entry in [atom, *atom.findall(f"{ATOM}entry")])
    assert feed["version"] == "https://jsonfeed.org/version/1.1"


def test_bibtex_is_read_back(site: Website) -> None:
    from digest.sources import bibtex

    read = bibtex.parse(site.get("/lists/daily/2026-05-27.bib").content, source="ours", seen_at=NOON)
    assert not read.rejected
    titles = [sighting.title.replace("{", "").replace("}", "") for sighting in read.sightings]
    assert titles == _Cards.of(site.get("/").text).headings
    assert {str(sighting.identifiers[0]) for sighting in read.sightings} <= {f"arxiv:2605.{n:05}" for n in range(1, 13)}


def test_search_finds_and_says_when_it_does_not(site: Website) -> None:
    assert (
        _Cards.of(site.get("/papers?q=diffusion").text).headings
        == [
            "Diffusion is not all you need, part 11",
            "Diffusion is not all you need, part 1",
        ]
        or len(_Cards.of(site.get("/papers?q=diffusion").text).headings) == 2
    )
    assert "No results for “unheardof”" in site.get("/papers?q=unheardof").text


def test_a_page_that_did_not_change_is_not_sent_again(site: Website) -> None:
    first = site.get("/lists/daily/2026-05-27")
    again = site.get("/lists/daily/2026-05-27", **{"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = site.get("/", **{"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    packed = site.get("/", **{"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == plain.text


def test_a_cancelled_edition_is_gone(tmp_path: Path) -> None:
    with website(tmp_path, stock(tmp_path)) as site:
        with site.container.adapters.store.begin() as unit:
            found = unit.editions.find("daily", NOON.date())
            assert found
            unit.editions.cancel(found.id)
        assert site.get("/lists/daily/2026-05-27").status_code == 404
        assert "first issue will appear" in site.get("/").text


def test_numbers_for_prometheus(site: Website) -> None:
    numbers = dict(line.rsplit(" ", 1) for line in site.get("/metrics").text.splitlines() if not line.startswith("#"))
    assert float(numbers["digest_papers"]) == 12
    assert float(numbers['digest_edition_picks{list="daily"}']) == 10
    assert float(numbers['digest_deliveries{state="queued"}']) == 0


SLASHED = [
    ("/lists/daily/", "/lists/daily"),
    ("/papers/?q=a%20b", "/papers?q=a%20b"),
    ("//evil.example/", "/evil.example"),
    ("//evil.example//", "/evil.example"),
    ("/%5Cevil.example/", "/%5Cevil.example"),
    ("/api/v1/lists/", "/api/v1/lists"),
]


@pytest.mark.parametrize(("path", "place"), SLASHED)
def test_no_way_leads_to_another_host(site: Website, path: str, place: str) -> None:
    """Whatever host the request names, and however many slashes: a redirect is a path of ours."""
    answer = site.get(path, host="evil.example", **{"x-forwarded-host": "evil.example", "x-forwarded-proto": "ftp"})
    assert (answer.status_code, answer.headers["location"]) == (308, place)


@pytest.mark.parametrize("path", ["/lists/daily/2026-05-27", "/api/v1/lists/daily/editions"])
def test_what_breaks_is_told_calmly_and_guarded(site: Website, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """An error of ours nobody foresaw: a page (or JSON) of ours, with everything that guards the others, and no trace."""
    from digest.store.editions.editions import Editions

    def broken(*given: object) -> None:
        raise RuntimeError("secret inside")

    for name in ("find", "dates", "history"):
        monkeypatch.setattr(Editions, name, broken)
    answer = site.get(path)
    assert answer.status_code == 500
    assert "try again" in answer.text
    assert "secret" not in answer.text
    assert answer.headers["content-type"].startswith("application/json" if "/api/" in path else "text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


class _Cards(HTMLParser):
    """Headings of papers and the addresses outside, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.addresses: list[str] = []
        self._in_heading = False

    @classmethod
    def of(cls, html: str) -> _Cards:
        cards = cls()
        cards.feed(html)
        cards.headings = [text for heading in cards.headings if (text := heading.strip()) and text != "Get this by email"]
        return cards

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "h2":
            self._in_heading = True
            self.headings.append("")
        if tag == "a" and (address := dict(attrs).get("href") or "").startswith("http"):
            self.addresses.append(address)

    def handle_endtag(self, tag: str) -> None:
        self._in_heading = self._in_heading and tag != "h2"

    def handle_data(self, data: str) -> None:
        if self._in_heading:
            self.headings[-1] += data


def test_an_edition_shows_how_its_picks_grew_as_it_was_known_then(tmp_path: Path) -> None:
    one, two = sightings(2)
    hours = {one: ((-9, 4), (-8, 1_250)), two: ((-9, 3),)}
    papers = [
        replace(
            each, signals=tuple(Signal("upvotes", votes, NOON + timedelta(hours=hour), "huggingface") for hour, votes in read)
        )
        for each, read in hours.items()
    ]
    with website(tmp_path, stock(tmp_path, papers)) as running:
        before = running.get("/lists/daily/2026-05-27").text
        later = Signal("upvotes", 9_999, NOON + timedelta(hours=1), "huggingface")
        with running.container.adapters.store.begin() as unit:
            unit.papers.add_signals([(each.identifiers[0], later) for each in papers])
        page = html.fromstring(running.get("/lists/daily/2026-05-27").text)
        assert html.tostring(page) == html.tostring(html.fromstring(before))
    [curve] = page.xpath("//*[local-name()='svg'][@role='img']")
    assert curve.get("aria-label") == "Upvotes grew from 4 on 27 May 03:00 to 1,250 on 27 May 04:00 UTC"
    assert "1,250 upvotes on 27 May 04:00 UTC" in page.text_content()
    assert not page.xpath("//*[@style]"), "which the Content-Security-Policy forbids"


def test_what_was_on_a_days_page_earlier_is_linked_from_feeds_and_references(tmp_path: Path, stocked: Path) -> None:
    with website(tmp_path, stocked) as site:
        with site.container.adapters.store.read() as unit:
            first = unit.editions.find("daily", NOON.date())
        assert first
        earlier = f"{site.base}/lists/daily/{first.slug}"
        assert earlier not in site.get("/lists/daily/feed.atom").text
        later = NOON + timedelta(hours=7)
        adapters = site.container.adapters
        with adapters.store.begin() as unit:
            [paper] = unit.papers.by_ids([first.picks[0].ranked.paper.id]).values()
            told = Sighting(source="huggingface", identifiers=paper.identifiers, title=paper.title, seen_at=later)
            unit.papers.merge([replace(told, signals=(Signal("upvotes", 999.0, later, "huggingface"),))])
        edit(
            adapters.paper_list("daily"), NOON.date(), adapters.store, adapters.edition_renderer, later, frequency=Frequency.DAILY
        )
        site.now = later + timedelta(hours=1)
        link = f'<p>Earlier that day: <a href="{earlier}">{first.cutoff:%H:%M}</a></p>'
        atom = etree.fromstring(site.get("/lists/daily/feed.atom").content)
        assert {link in str(entry.findtext(f"{ATOM}content")) for entry in atom.findall(f"{ATOM}entry")} == {True}
        assert all(link in item["content_html"] for item in json.loads(site.get("/lists/daily/feed.json").text)["items"])
        assert f"% earlier that day: {earlier}.bib\n" in site.get(f"/lists/daily/{NOON.date()}.bib").text
