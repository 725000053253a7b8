"""A search is narrowed down by topic, period and source, without script, and says votes, authors and date of each hit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import html

from digest.config import SourceSettings
from tests.servers.website import NOON, Website, sightings, stock, website

PLACES = [  # number, source, category, published days ago
    ("hub", "cs.LG", 2),
    ("hub", "cs.CL", 20),
    ("other", "math.CO", 200),
    ("other", "cs.CL", 600),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Website]:
    folder: Path = tmp_path_factory.mktemp("facets")
    shown = [
        replace(
            each,
            source=source,
            categories=(category,),
            published_at=NOON - timedelta(days=days),
            title=f"Shared words, part {number}",
            authors=("Ada Writer",),
        )
        for number, ((source, category, days), each) in enumerate(zip(PLACES, sightings(len(PLACES)), strict=True), 1)
    ]
    sources = [SourceSettings(name=name, kind="huggingface") for name in ("hub", "other")]
    with website(folder, stock(folder, shown), sources=sources) as running:
        yield running


def found(site: Website, asked: str) -> list[int]:
    cards = html.fromstring(site.get(f"/papers?{asked}").content).xpath("//article/h2")
    return sorted(int(each.text_content().rsplit(" ", 1)[1]) for each in cards)


CHOICES = [
    ("q=shared", [1, 2, 3, 4]),
    ("q=shared&topic=cs.CL", [2, 4]),
    ("q=shared&topic=cs", [1, 2, 4]),
    ("topic=cs.CL&q=", [2, 4]),
    ("q=shared&period=week", [1]),
    ("q=shared&period=month", [1, 2]),
    ("q=shared&period=year", [1, 2, 3]),
    ("q=shared&period=2026", [1, 2]),
    ("q=shared&period=2025", [3]),
    ("q=shared&source=other", [3, 4]),
    ("q=&source=hub", [1, 2]),
    ("q=shared&source=other&topic=cs&period=year", []),
    ("q=shared&source=nobody&topic=%27&period=ever", [1, 2, 3, 4]),
    ("q=shared&topic=&period=&source=", [1, 2, 3, 4]),
    ("q=", []),
]


@pytest.mark.parametrize(("asked", "numbers"), CHOICES)
def test_choices_narrow_a_search(site: Website, asked: str, numbers: list[int]) -> None:
    assert found(site, asked) == numbers


def test_the_form_offers_what_there_is_and_keeps_what_was_chosen(site: Website) -> None:
    page = html.fromstring(site.get("/papers?q=shared&topic=cs.CL&period=2025&source=other").content)
    chosen = {each.get("name"): each.xpath("option[@selected]/@value") for each in page.xpath("//select")}
    assert chosen == {"topic": ["cs.CL"], "period": ["2025"], "source": ["other"]}
    assert page.xpath("//input[@name='q']/@value") == ["shared"]
    offered = html.fromstring(site.get("/papers?q=shared").content).xpath("//select[@name='topic']/option/@value")
    assert offered[:2] == ["", "cs.CL"], "the topic of most results first"
    assert {"math.CO", "cs.LG", "stat"} <= set(offered)
    [link] = [each for each in page.xpath("//a/@href") if each.startswith("/papers/feed.atom")]
    assert "cat%3Acs.CL" in link
    assert "source%3Aother" in link, "what is followed is what was chosen"


def test_a_hit_says_its_votes_authors_and_date(site: Website) -> None:
    for query in ("shared", "like:2605.00001"):
        [*cards] = html.fromstring(site.get(f"/papers?q={query}").content).xpath("//article")
        assert cards
        for card in cards:
            text = card.text_content()
            assert "Ada Writer" in text
            assert "20" in card.xpath("string(p[@class='meta'])"), "a year"
            assert " vote" in card.xpath("string(p[@class='because'])")


def test_the_archive_links_an_editions_first_papers(site: Website, tmp_path: Path) -> None:
    with website(tmp_path, stock(tmp_path)) as running:
        page = html.fromstring(running.get("/lists/daily").content)
        links = page.xpath("//ol[@class='titles']//a")
        home = html.fromstring(running.get("/").content)
        assert [each.text for each in links] == [each.text_content() for each in home.xpath("//article/h2")][:5]
        assert all(running.get(each.get("href")).status_code == 200 for each in links)
        assert "and 5 more" in page.text_content()
