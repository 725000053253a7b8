"""What an edition says besides its papers: silent sources, and what became of papers it sent before."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from digest.domain.edition import Edition, PaperList, Rendered
from digest.domain.paper import Sighting
from digest.services.editions.build_edition import edit
from digest.services.editions.edition_notes import healths
from digest.services.papers.collect import FRESHNESS, HEALTH
from digest.sources.publishing_schedule import silence_note
from digest.store.unit_of_work import Store
from tests.servers.stocked import DAY, HOUR, MAIN, NOW, arxiv, know, rendered, sighting

ONE_PICK = replace(MAIN, picks=1, candidates_for=timedelta(days=2))


class Blank:
    """A press that prints nothing."""

    def render(self, draft: Edition, paper_list: PaperList, *, brevity: int = 0) -> Rendered:
        return rendered([each.ranked.paper for each in draft.pool], len(draft.picks))

    def proof(self, draft: Edition, paper_list: PaperList, mail: Rendered) -> tuple[str, ...]:
        return ()


def see(store: Store, *shown: Sighting) -> None:
    with store.begin() as unit:
        unit.papers.merge(shown)


def morning(store: Store, day: int, paper_list: PaperList = ONE_PICK) -> Edition:
    """The edition of the day, with one new paper of its own."""
    at = NOW + day * DAY
    see(store, sighting(100 + day, seen_at=at - HOUR))
    made = edit(paper_list, at.date(), store, Blank(), at)
    assert made.edition is not None
    return made.edition


def lines(edition: Edition) -> list[tuple[str, str]]:
    return [(each.identifier, each.what) for each in edition.updates]


def test_each_update_is_told_once_and_only_of_what_was_sent(store: Store) -> None:
    know(store)
    sent, other = sighting(100, seen_at=NOW - HOUR, version=1), sighting(7, seen_at=NOW - 3 * DAY, version=1)
    see(store, other)
    first = morning(store, 0)
    assert [str(pick.ranked.paper.identifier) for pick in first.picks] == [str(arxiv(100))]
    later = NOW + DAY - 2 * HOUR
    see(store, *(replace(each, code_url="https://github.com/a/b", version=2, seen_at=later) for each in (sent, other)))
    assert lines(morning(store, 1)) == [(str(arxiv(100)), "code released")]
    assert lines(morning(store, 2)) == []
    gone = replace(sent, code_url="https://github.com/a/b", version=3, withdrawn=True, seen_at=NOW + 3 * DAY - 2 * HOUR)
    see(store, gone)
    assert lines(morning(store, 3)) == [(str(arxiv(100)), "withdrawn")]
    with store.read() as unit:
        kept = unit.editions.find("main", (NOW + 3 * DAY).date())
    assert kept is not None
    assert lines(kept) == [(str(arxiv(100)), "withdrawn")]
    assert lines(morning(store, 200)) == []


def test_at_most_three_and_the_rest_the_next_day(store: Store) -> None:
    know(store)
    see(store, *(sighting(n, seen_at=NOW - 2 * HOUR) for n in range(1, 5)))
    many = replace(ONE_PICK, picks=5)
    assert len(morning(store, 0, many).picks) == 5
    see(store, *(sighting(n, code_url="https://github.com/a/b", seen_at=NOW + HOUR) for n in range(1, 5)))
    told = [lines(morning(store, day, many)) for day in (1, 2, 3)]
    assert [len(each) for each in told] == [3, 1, 0]
    assert len({identifier for each in told for identifier, _ in each}) == 4


def test_what_was_learned_later_is_not_told_of_an_earlier_morning(store: Store) -> None:
    know(store)
    morning(store, 0)
    see(store, sighting(100, withdrawn=True, seen_at=NOW + DAY + HOUR))
    assert lines(morning(store, 1)) == []
    assert lines(morning(store, 2)) == [(str(arxiv(100)), "withdrawn")]


def test_an_edition_nobody_is_sent_tells_nothing_so_the_next_does(store: Store) -> None:
    know(store)
    morning(store, 0)
    see(store, sighting(100, withdrawn=True, seen_at=NOW + HOUR))
    for day in (3, 4):
        made = edit(ONE_PICK, (NOW + day * DAY).date(), store, Blank(), NOW + day * DAY)
        assert made.edition is not None
        assert (made.edition.picks, made.edition.updates) == ((), ())
    assert lines(morning(store, 5)) == [(str(arxiv(100)), "withdrawn")]


THURSDAY = datetime.fromisoformat("2026-03-05T12:00:00+00:00")
SILENCES: list[tuple[str, list[tuple[str, str, str | None, str | None]], str]] = [
    ("all is well", [("arxiv", "arxiv", "2026-03-05T01:10", None)], ""),
    ("one failed a moment ago", [("arxiv", "arxiv", "2026-03-05T01:10", "2026-03-05T11:00")], ""),
    ("Wednesday evening's batch did not come", [("arxiv", "arxiv", "2026-03-04T01:10", None)], "arxiv since 4 March"),
    ("nothing ever came", [("arxiv", "arxiv", None, None)], "arxiv so far"),
    ("a feed that promises nothing", [("blog", "irregular", "2026-01-01T00:00", None)], ""),
    (
        "a feed that cannot be read for a day",
        [("blog", "irregular", "2026-03-01T00:00", "2026-03-04T09:00")],
        "blog since 1 March",
    ),
    (
        "two of three",
        [
            ("hub", "workdays", "2026-03-02T08:00", None),
            ("arxiv", "arxiv", "2026-03-03T08:00", None),
            ("b", "irregular", None, None),
        ],
        "arxiv since 3 March and hub since 2 March",
    ),
]


@pytest.mark.parametrize(("states", "said"), [case[1:] for case in SILENCES], ids=[case[0] for case in SILENCES])
def test_silence(sqlite_store: Store, states: list[tuple[str, str, str | None, str | None]], said: str) -> None:
    with sqlite_store.begin() as unit:
        for name, rhythm, last, failing in states:
            told: dict[str, Any] = {"at": "2026-03-05T11:00:00Z", "stale": False, "error": None, "rhythm": rhythm}
            unit.sources.save(name, HEALTH, told | {"failing_since": f"{failing}:00Z" if failing else None}, THURSDAY)
            unit.sources.save(name, FRESHNESS, {"last_unseen_at": f"{last}:00Z" if last else None, "ids": []}, THURSDAY)
        found = healths(unit.sources)
    note = silence_note(found, THURSDAY)
    assert note.removeprefix("Nothing new from ").partition(":")[0] == said
    assert silence_note(found, THURSDAY + 5 * DAY) == "", "asked by nobody for days: no longer configured"
    assert silence_note(found, THURSDAY - DAY) == "", "of an earlier morning this says nothing"


def test_the_edition_says_so_for_the_lists_that_read_the_source(store: Store) -> None:
    know(store, ONE_PICK, replace(ONE_PICK, name="hub", sources=frozenset({"hub"})))
    with store.begin() as unit:
        health = {"at": "2026-03-02T04:00:00Z", "stale": True, "error": None, "rhythm": "arxiv", "failing_since": None}
        unit.sources.save("arxiv", HEALTH, health, NOW)
        unit.sources.save("arxiv", FRESHNESS, {"last_unseen_at": "2026-02-26T01:10:00Z", "ids": []}, NOW)
    assert [note.partition(":")[0] for note in morning(store, 0).notes] == ["Nothing new from arxiv since 26 February"]
    made = edit(replace(ONE_PICK, name="hub", sources=frozenset({"hub"})), NOW.date(), store, Blank(), NOW)
    assert made.edition is not None
    assert all("arxiv" not in note for note in made.edition.notes)
