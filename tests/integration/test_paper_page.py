"""A paper's own page: what it says, the ways to it, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import html

from digest.domain.identifier import Identifier
from digest.domain.paper import Sighting, Signal
from digest.sources import bibtex
from tests.servers.website import NOON, Website, sightings, stock, website

FIRST = "arxiv:2605.00012"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Website]:
    folder = tmp_path_factory.mktemp("paper")
    with website(folder, stock(folder)) as running:
        yield running


def page(site: Website, path: str) -> html.HtmlElement:
    answer = site.get(path)
    assert answer.status_code == 200, path
    return html.fromstring(answer.content)


def test_it_says_what_is_known_of_the_paper(site: Website) -> None:
    paper = site.container.papers.paper(FIRST)
    found = page(site, f"/papers/{FIRST}")
    [title] = found.xpath("//h1")
    assert title.text_content() == paper.title
    text = " ".join(found.text_content().split())
    shown = (*paper.authors, paper.abstract[:60], "Machine Learning", "Featured in")
    assert [part for part in shown if part not in text] == []
    addresses = found.xpath("//main//a/@href")
    assert {paper.url, paper.pdf_url} <= set(addresses)
    assert [each for each in addresses if each.startswith("/lists/daily/2026-05-27")], "the edition that picked it"
    similar = [each for each in addresses if each.startswith("/papers/arxiv:")]
    assert similar
    assert f"/papers/{FIRST}" not in similar
    for address in similar[:2]:
        assert site.get(address).status_code == 200


def test_it_can_be_shared_and_cited(site: Website) -> None:
    found = page(site, f"/papers/{FIRST}")
    permalink = f"{site.base}/papers/{FIRST}"
    assert found.xpath("//link[@rel='canonical']/@href") == [permalink]
    assert found.xpath("//meta[@property='og:url']/@content") == [permalink]
    assert found.xpath("//meta[@property='og:title']/@content") == [found.xpath("string(//h1)")]
    [description] = found.xpath("//meta[@name='description']/@content")
    assert 20 < len(description) <= 200
    assert found.xpath("//meta[@name='citation_arxiv_id']/@content") == ["2605.00012"]
    assert not found.xpath("//script[not(@src)] | //*[@style] | //img")
    reference = site.get(f"/papers/{FIRST}.bib")
    assert reference.headers["content-type"].startswith("application/x-bibtex")
    assert reference.text == found.xpath("string(//pre)")
    [read] = bibtex.parse(reference.content, source="ours", seen_at=NOON).sightings
    assert str(read.identifiers[0]) == FIRST


@pytest.mark.parametrize(
    "name", ["2605.00012", "2605.00012v3", "arXiv:2605.00012", "https://arxiv.org/abs/2605.00012", "10.48550/arXiv.2605.00012"]
)
def test_other_spellings_lead_to_the_one_address(site: Website, name: str) -> None:
    answer = site.get(f"/papers/{name}")
    assert (answer.status_code, answer.headers["location"]) == (302, f"/papers/{FIRST}")


@pytest.mark.parametrize("name", ["nope", "arxiv:2605.09999", "hub:never", "10.1000/nobody", "..%2f..%2fetc", "a" * 3000])
def test_what_is_no_paper_of_ours_is_not_found(site: Website, name: str) -> None:
    for path in (f"/papers/{name}", f"/papers/{name}.bib"):
        answer = site.get(path)
        assert answer.status_code == 404
        assert "Not found" in answer.text


def test_every_way_to_a_paper_leads_there(site: Website) -> None:
    """From an edition, a day, a search and the feeds."""
    for path in ("/", "/lists/daily/2026-05-27", "/papers?q=diffusion"):
        details = page(site, path).xpath("//a[text()='Details']")
        assert details, path
        assert site.get(details[0].get("href")).status_code == 200
    for feed in ("/lists/daily/feed.atom", "/lists/daily/feed.json", "/papers/feed.atom?q=diffusion"):
        assert f"{site.base}/papers/arxiv:2605.000" in site.get(feed).text, feed


def test_votes_are_drawn_with_axes(tmp_path: Path) -> None:
    one, two, three = sightings(3)
    grown = [Signal("upvotes", votes, NOON - timedelta(hours=hours), "hub") for hours, votes in ((60, 4), (30, 90), (2, 145))]
    stars = Signal("github_stars", 1_204, NOON - timedelta(hours=2), "hub")
    papers = [
        replace(one, signals=(*grown, stars)),
        replace(two, signals=(Signal("upvotes", 1, NOON - timedelta(hours=2), "hub"),)),
        replace(three, signals=()),
    ]
    with website(tmp_path, stock(tmp_path, papers)) as running:
        first, second, third = (page(running, f"/papers/{each.identifiers[0]}") for each in papers)
        [plot] = first.xpath("//*[local-name()='svg'][@role='img']")
        assert plot.get("aria-label") == "Votes over time: 4 on 25 May, 145 on 27 May"
        ticks = [each.text for each in plot.xpath(".//*[local-name()='text']")]
        assert ticks == ["0", "100", "200", "25 May", "26 May", "27 May"]
        assert "145 votes · 1,204 GitHub stars" in first.text_content()
        assert "1 vote" in second.text_content()
        assert not second.xpath("//*[local-name()='svg']"), "one reading is no line"
        assert "Votes over time" not in third.text_content()
        running.now = NOON - timedelta(hours=20)
        assert "90 votes" in page(running, f"/papers/{papers[0].identifiers[0]}").text_content(), "as was known by then"


def test_odd_papers(tmp_path: Path) -> None:
    """Thousands of authors, an address in the name, no abstract, markup in everything, withdrawn: one calm page each."""
    evil = '<script>alert("1")</script> {{ 7*7 }} \N{RIGHT-TO-LEFT OVERRIDE}gnp.exe'
    plain, *_ = sightings(1)
    crowd = replace(plain, authors=tuple(f"Given Family-{n}" for n in range(3_000)), abstract="Long. " * 9_000)
    bare = Sighting(source="hub", identifiers=(Identifier("hub", "a/b?c#d%2e&é"),), title="A title alone", seen_at=NOON)
    nasty = replace(
        bare,
        identifiers=(Identifier("doi", "10.1000/<x>;2-y"),),
        title=f"Nasty {evil}",
        abstract=evil,
        authors=(evil,),
        url="javascript:alert(1)",
        withdrawn=True,
    )
    with website(tmp_path, stock(tmp_path, [crowd, bare, nasty])) as running:
        links = running.container.adapters.links
        paths = [links.paper(str(each.identifiers[0])).removeprefix(running.base) for each in (crowd, bare, nasty)]
        many, few, marked = (running.get(path) for path in paths)
        assert [each.status_code for each in (many, few, marked)] == [200, 200, 200]
        assert len(many.content) < 100_000
        assert "and 2,940 more" in many.text
        assert "gives no abstract" in few.text
        assert "Withdrawn by its source" in marked.text
        assert not html.fromstring(marked.content).xpath("//script[not(@src)] | //a[starts-with(@href, 'javascript')]")
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in marked.text
