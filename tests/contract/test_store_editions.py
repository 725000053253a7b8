"""Lists, and editions frozen once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from digest.domain.edition import PaperList, Window
from digest.domain.errors import NotFound
from digest.domain.retry import RetryPolicy
from digest.store.schema import edition_pool
from digest.store.unit_of_work import Store
from tests.servers.stocked import (
    COHORT,
    DAY,
    HOUR,
    MAIN,
    NOW,
    TODAY,
    arxiv,
    create_due,
    draft,
    freeze,
    know,
    papers,
    queue,
    rendered,
    replied,
    sighting,
)

OTHER = PaperList(name="other", title="Other")


def test_frozen_once(store: Store) -> None:
    know(store)
    with store.begin() as unit:
        pool = papers(unit, 4)
        first = draft(pool)
        made = unit.editions.freeze(first, rendered(pool))
        again = unit.editions.freeze(replace(draft(pool[::-1], 1), content_hash="1" * 64), rendered(pool[::-1], 1))
    assert made == replace(first, id=made.id, pool=())
    assert again == made
    with store.read() as unit:
        assert unit.editions.find("main", TODAY) == unit.editions.get(made.id) == made
        assert unit.editions.pool(made.id) == first.pool
        assert unit.editions.rendered(made.id) == rendered(pool)
        assert unit.editions.find("main", TODAY + DAY) is None
        assert unit.editions.find("other", TODAY) is None
        assert unit.editions.get(404) is None
        with pytest.raises(NotFound, match="edition 404"):
            unit.editions.rendered(404)


def test_an_edition_shows_papers_as_they_were(store: Store) -> None:
    know(store)
    edition = freeze(store)
    with store.begin() as unit:
        unit.papers.merge([sighting(1, title="Renamed", version=2, seen_at=NOW + HOUR)])
    with store.read() as unit:
        now = unit.papers.find(arxiv(1))
        assert now
        assert now.title == "Renamed"
        assert unit.editions.get(edition.id) == edition
        assert unit.editions.pool(edition.id)[0].ranked.paper.title == sighting(1).title


def test_a_paper_that_is_shown_as_before_is_kept_once(store: Store) -> None:
    know(store)
    made, pools = [], []
    for hour in range(3):
        with store.begin() as unit:
            pool = papers(unit, 4)
            if hour == 1:
                pool[0] = replace(pool[0], title="Renamed")
            edition = draft(pool[hour:] + pool[:hour])
            edition = replace(edition, cutoff=edition.cutoff + hour * HOUR, window=Window(NOW - DAY, NOW + hour * HOUR))
            made.append(unit.editions.freeze(edition, rendered(pool[hour:] + pool[:hour])).id)
            pools.append(edition.pool)
    with store.read() as unit:
        kept = dict.fromkeys(made, 0)
        for edition_id, document in unit.connection.execute(select(edition_pool.c.edition_id, edition_pool.c.paper)):
            kept[edition_id] += isinstance(document, dict)
        assert list(kept.values()) == [4, 1, 1], "all, the renamed one, and the one that has its name again"
        for edition_id, pool_of_it in zip(made, pools, strict=True):
            assert unit.editions.pool(edition_id) == pool_of_it
            edition_read = unit.editions.get(edition_id)
            assert edition_read is not None
            assert [pick.ranked for pick in edition_read.picks] == [each.ranked for each in pool_of_it[:2]]


def test_an_empty_edition(store: Store) -> None:
    know(store)
    with store.begin() as unit:
        made = unit.editions.freeze(replace(draft([]), notes=("nothing new",)), rendered([], 0))
    assert made.is_empty
    with store.read() as unit:
        assert unit.editions.find("main", TODAY) == made
        assert unit.editions.pool(made.id) == ()


def test_latest_and_history(store: Store) -> None:
    know(store, MAIN, OTHER)
    days = [freeze(store, day=TODAY + timedelta(days=n)) for n in range(4)]
    elsewhere = freeze(store, list_name="other")
    with store.begin() as unit:
        unit.editions.cancel(days[3].id)
    with store.read() as unit:
        assert unit.editions.latest("main", NOW + DAY) == days[1]
        assert unit.editions.latest("main", NOW + DAY - timedelta(microseconds=1)) == days[0]
        assert unit.editions.latest("main", NOW + 9 * DAY) == days[2]
        assert unit.editions.latest("main", NOW - DAY) is None
        assert unit.editions.history("main", 2) == [days[2], days[1]]
        assert unit.editions.history("main", 9, before=days[2].date) == [days[1], days[0]]
        assert unit.editions.history("other") == [elsewhere]


def test_what_was_featured_is_a_list_and_an_instant_apart(store: Store) -> None:
    know(store, MAIN, OTHER)
    edition = freeze(store, picks=2)
    ids = frozenset(pick.ranked.paper.id for pick in edition.picks)
    with store.read() as unit:
        assert unit.editions.featured("main", edition.frozen_at, TODAY + DAY) == frozenset()
        assert unit.editions.featured("main", edition.frozen_at + timedelta(microseconds=1), TODAY + DAY) == ids
        assert unit.editions.featured("main", edition.frozen_at + DAY, TODAY) == frozenset(), "nor is it by those of its own day"
        assert unit.editions.featured("other", NOW + DAY, TODAY + DAY) == frozenset()


def test_a_cancelled_edition_gives_its_papers_back_unless_somebody_may_have_it(store: Store) -> None:
    unsent = queue(store, 2)
    with store.begin() as unit:
        unit.editions.cancel(unsent.id)
        assert unit.editions.featured("main", NOW + DAY, TODAY + DAY) == frozenset()
        again = unit.editions.get(unsent.id)
        assert again
        assert again.state == "cancelled"
    sent = freeze(store, day=TODAY + DAY)
    at = NOW + DAY + 3 * HOUR
    with store.begin() as unit:
        create_due(unit, sent.id, COHORT, at, at + DAY, at.date())
        batch = unit.deliveries.claim(9, "me", at, HOUR)
        assert (len(batch.claimed), batch.withheld) == (2, 2)
        attempt = replied(batch.claimed[0].id, 250)
        unit.deliveries.record([(attempt, RetryPolicy().decide(attempt, 0, at + DAY))])
        unit.editions.cancel(sent.id)
        assert len(unit.editions.featured("main", NOW + 2 * DAY, TODAY + 2 * DAY)) == 2
    with pytest.raises(NotFound), store.begin() as unit:
        unit.editions.cancel(404)


def test_lists_follow_the_configuration_and_are_paused_by_hand(store: Store) -> None:
    know(store, MAIN, OTHER)
    with store.begin() as unit:
        unit.lists.pause("other", "the feed is broken", NOW)
    know(store, replace(MAIN, title="Renamed"), OTHER)
    with store.begin() as unit:
        assert unit.lists.names() == ("main", "other")
        assert unit.lists.paused("other") == "the feed is broken"
        assert unit.lists.paused("main") is None
        unit.lists.resume("other")
        assert unit.lists.paused("other") is None
    know(store, OTHER)
    with store.read() as unit:
        assert unit.lists.names() == ("other",)
    with pytest.raises(NotFound, match="list nope not found: known lists: other"), store.begin() as unit:
        unit.lists.pause("nope", "", NOW)


def test_where_a_paper_was_featured(store: Store) -> None:
    know(store)
    with store.begin() as unit:
        unit.lists.sync([MAIN, OTHER])
    first, second = freeze(store), freeze(store, day=TODAY + DAY, list_name="other")
    picked = first.picks[1].ranked.paper.id
    with store.read() as unit:
        seen = [(each.list, each.date, each.slug, each.rank) for each in unit.editions.appearances(picked)]
        assert sorted(seen) == [("main", TODAY, first.slug, 2), ("other", TODAY + DAY, second.slug, 2)]
        assert unit.editions.appearances(404) == []
    with store.begin() as unit:
        unit.editions.cancel(first.id)
    with store.read() as unit:
        assert [each.list for each in unit.editions.appearances(picked)] == ["other"]
