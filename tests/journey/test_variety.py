"""A topic that filled the editions of the last days steps back in the next one, by what the list's variety says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from digest.domain.edition import Edition, PaperList
from digest.domain.paper import LATELY
from digest.services.editions.build_edition import edit
from digest.store.unit_of_work import Store
from tests.journey.test_edition_notes import Blank, see
from tests.servers.stocked import DAY, HOUR, MAIN, NOW, arxiv, know, sighting, upvotes

GLACIERS = "Radar of glaciers by satellite"
OTHERS = ("Tariffs on timber", "Fossils of beetles", "Vaccines for cattle", "Sounds of rivers underground")
RIVERS = OTHERS[3]


def morning(store: Store, day: int, paper_list: PaperList) -> Edition:
    """The edition of a day that brought a paper on glaciers, and one on something else with a vote less."""
    at, one, other = NOW + day * DAY, 2 * day + 1, 2 * day + 2
    told = {one: f"{GLACIERS}, {day}", other: OTHERS[day % len(OTHERS)]}
    see(store, *(sighting(n, title=title, abstract=title, seen_at=at - 3 * HOUR) for n, title in told.items()))
    with store.begin() as unit:
        unit.papers.add_signals([(arxiv(one), upvotes(40, at - HOUR)), (arxiv(other), upvotes(38, at - HOUR))])
    made = edit(paper_list, at.date(), store, Blank(), at)
    assert made.edition is not None
    return made.edition


@pytest.mark.parametrize(("variety", "first"), [(0.0, GLACIERS), (0.2, RIVERS)])
def test_a_topic_of_the_last_days_steps_back(store: Store, variety: float, first: str) -> None:
    know(store)
    varied = replace(MAIN, picks=2, candidates_for=timedelta(days=1), variety=variety)
    editions = [morning(store, day, varied) for day in range(4)]
    titles = [each.picks[0].ranked.paper.title for each in editions]
    assert titles[0].startswith(GLACIERS)
    assert titles[3].startswith(first)
    why = {each.ranked.paper.title[:5]: [r.text for r in each.ranked.reasons if r.kind == LATELY] for each in editions[3].picks}
    assert bool(why[GLACIERS[:5]]) == bool(variety)
    assert why[RIVERS[:5]] == []
    later = morning(store, 30, varied)
    assert later.picks[0].ranked.paper.title.startswith(GLACIERS), "nothing of the topic was picked in the week before"
