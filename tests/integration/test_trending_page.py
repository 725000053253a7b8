"""Trending by day, week and month: the order is that of the votes gained in the window, and the three lead to each other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import html

from digest.domain.paper import Signal
from tests.servers.website import NOON, Website, sightings, stock, website

HISTORIES = {
    # first seen days ago: (days ago, votes) …
    "fresh": (0.5, ((0.5, 2), (0.1, 30))),
    "risen": (5, ((5, 10), (2, 20), (1, 50), (0.1, 70))),
    "faded": (20, ((20, 0), (19, 200), (8, 290), (6.9, 290), (0.1, 291))),
    "taken back": (3, ((3, 80), (2, 5), (0.1, 5))),
    "unread": (1, ()),
    "old": (60, ((60, 0), (0.1, 900))),
}
"""The old one was first seen too long before any window to be looked at."""


@pytest.fixture
def site(tmp_path: Path) -> object:
    shown = []
    for (name, (days, readings)), each in zip(HISTORIES.items(), sightings(len(HISTORIES)), strict=True):
        votes = tuple(Signal("upvotes", float(value), NOON - timedelta(days=ago), "hub") for ago, value in readings)
        shown.append(replace(each, title=f"The {name} one", seen_at=NOON - timedelta(days=days), signals=votes))
    with website(tmp_path, stock(tmp_path, shown)) as running:
        yield running


def trending(site: Website, window: str) -> dict[str, str]:
    """Title → what is said of its votes, in order."""
    found = html.fromstring(site.get(f"/trending?window={window}").content)
    cards = found.xpath("//article")
    return {each.xpath("string(h2)"): " ".join(each.xpath("string(p[@class='because'])").split()) for each in cards}


def test_the_order_is_that_of_the_votes_gained(site: Website) -> None:
    assert trending(site, "day") == {"The fresh one": "▲ 30 today", "The risen one": "▲ 70 (+20 today)"}
    assert trending(site, "week") == {
        "The risen one": "▲ 70 this week",
        "The fresh one": "▲ 30 this week",
        "The taken back one": "▲ 5 this week",
        "The faded one": "▲ 291 (+1 this week)",
    }
    assert list(trending(site, "month").items())[:2] == [
        ("The faded one", "▲ 291 this month"),
        ("The risen one", "▲ 70 this month"),
    ]


def test_the_three_lead_to_each_other(site: Website) -> None:
    for window in ("day", "week", "month"):
        [nav] = html.fromstring(site.get(f"/trending?window={window}").content).xpath("//nav[@aria-label='Period']")
        assert nav.xpath(".//@href") == [f"/trending?window={each}" for each in ("day", "week", "month")]
        assert nav.xpath(".//a[@aria-current]/@href") == [f"/trending?window={window}"]
    assert site.get("/trending").content == site.get("/trending?window=day").content


def test_home_says_what_this_is_and_leads_there(site: Website) -> None:
    home = html.fromstring(site.get("/").content)
    assert "finds the new research papers that readers vote for most" in home.text_content()
    assert {"/trending", "/trending?window=week", "/lists/daily", "/papers"} <= set(home.xpath("//a/@href"))


@pytest.mark.parametrize("window", ["year", "", "day%00", "DAY", "1" * 900])
def test_another_window_is_refused_in_words(site: Website, window: str) -> None:
    answer = site.get(f"/trending?window={window}")
    assert answer.status_code == 400
    assert "choose day, week, month" in answer.text


def test_a_day_without_votes_says_so(tmp_path: Path) -> None:
    with website(tmp_path, stock(tmp_path, [replace(each, signals=()) for each in sightings(2)])) as running:
        assert "No votes were counted in the last 24 hours" in running.get("/trending").text
