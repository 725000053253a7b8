"""What papers without votes are judged by is what was known at the instant asked about, whatever the store learned since."""

from __future__ import annotations

from datetime import datetime

from digest.domain.edition import PaperList
from digest.domain.paper import TrackRecord
from digest.store.unit_of_work import Store
from tests.servers.stocked import DAY, HOUR, MAIN, NOW, arxiv, freeze, know, sighting, upvotes

ALL = PaperList(name="main", title="Trending papers", topics=(("cs", 2.0),))


def track_record(store: Store, number: int, at: datetime, *, silent: bool = False) -> TrackRecord:
    with store.read() as unit:
        found = unit.papers.candidates(at, at - 7 * DAY, ALL, silent=silent)
    assert all(each.topic_weight == 2 for each in found)
    return next(each.track_record for each in found if each.paper.identifier == arxiv(number))


def test_a_paper_counts_for_its_authors_once_it_was_voted_up(store: Store) -> None:
    with store.begin() as unit:
        unit.papers.merge([
            sighting(1, authors=("Ada Byron",), title="Glaciers", abstract="ice", seen_at=NOW - 30 * DAY),
            sighting(2, authors=("Ada Byron",), title="Radar of glaciers", abstract="ice", seen_at=NOW - 3 * DAY),
            sighting(3, authors=("Byron, Ada",), title="Radar of glaciers", abstract="ice", seen_at=NOW),
            sighting(4, authors=("Someone Else",), title="Sonnets", abstract="words", seen_at=NOW),
            sighting(5, authors=("Ada Byron",), seen_at=NOW - 400 * DAY),
        ])  # fmt: skip
        unit.papers.add_signals([
            (arxiv(1), upvotes(9, NOW - 29 * DAY)), (arxiv(1), upvotes(10, NOW - DAY)),
            (arxiv(2), upvotes(9, NOW - 2 * DAY)), (arxiv(2), upvotes(10, NOW + DAY)),
            (arxiv(5), upvotes(99, NOW - 399 * DAY)),
        ])  # fmt: skip
    assert track_record(store, 3, NOW) == TrackRecord(1, 0.0), (
        "the second has nine, the fifth is too long ago, the first not of late"
    )
    assert track_record(store, 4, NOW) == TrackRecord()
    tomorrow = track_record(store, 3, NOW + DAY)
    assert tomorrow.authors == 2
    assert tomorrow.likeness > track_record(store, 4, NOW + DAY).likeness == 0
    assert track_record(store, 2, NOW + DAY) == TrackRecord(), "who has votes is judged by them …"
    assert track_record(store, 2, NOW + DAY, silent=True).authors == 1, "… but where it is asked as if nobody had spoken"
    with store.begin() as unit:  # later versions, by other people and in other words
        new = {"authors": ("Bo New",), "title": "Parrots", "abstract": "feathers", "version": 2}
        again = [sighting(n, seen_at=NOW + 2 * DAY, **new) for n in (1, 2)]
        unit.papers.merge(again)
    assert track_record(store, 3, NOW) == TrackRecord(1, 0.0)
    assert track_record(store, 3, NOW + DAY) == tomorrow
    assert track_record(store, 3, NOW + 2 * DAY) == TrackRecord()


def test_what_an_edition_featured_counts_from_then_on(store: Store) -> None:
    know(store, MAIN)
    frozen_at = freeze(store, count=4, picks=2).frozen_at
    with store.begin() as unit:
        unit.papers.merge([sighting(50, authors=("Bo Writer",), seen_at=frozen_at)])
    assert track_record(store, 50, frozen_at).authors == 0, "the edition itself comes out the same again"
    assert track_record(store, 50, frozen_at + HOUR).authors == 2
