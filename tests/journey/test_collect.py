"""Sources into the store: one source's fault is its own, a crash resumes, silence is told from a weekend."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from digest.domain.errors import SourceThrottled, SourceUnreachable
from digest.domain.identifier import Identifier
from digest.domain.instant import isoformat
from digest.domain.paper import Sighting, Signal
from digest.services.papers.collect import FRESHNESS, HEALTH, LAST_GOOD, STATE, CollectReport, collect
from digest.sources.http import HttpPolicy, PoliteGetter
from digest.sources.huggingface import HuggingFace
from digest.sources.port import Batch, Getter, Reading, Rejection
from digest.sources.publishing_schedule import PublishingSchedule
from digest.store.unit_of_work import Store
from tests.servers.scripted_http import ScriptedServer, drip, hang_up, reply

THURSDAY = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def named(number: int) -> Identifier:
    return Identifier("arxiv", f"2603.{number:05}")


def batch(*numbers: int, at: datetime = THURSDAY, **state: Any) -> Batch:
    shown = [
        Sighting(
            source="s",
            identifiers=(named(n),),
            title=f"Paper {n}",
            seen_at=at,
            signals=(Signal("upvotes", n, at, "s"),),
        )
        for n in numbers
    ]
    return Batch(tuple(shown), state=state)


@dataclass
class Scripted:
    """Yields what it is given; an exception in the list is raised there."""

    name: str = "s"
    script: list[Batch | Exception] = field(default_factory=list)
    rhythm: PublishingSchedule = PublishingSchedule.ARXIV
    base_url: str = "http://source.test"
    began_from: list[Mapping[str, Any]] = field(default_factory=list)

    def collect(self, getter: Getter, state: Mapping[str, Any], at: datetime) -> Iterator[Batch]:
        self.began_from.append(state)
        for each in self.script:
            if isinstance(each, Exception):
                raise each
            yield each


class NoGetter:
    def get(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("scripted sources ask nobody")

    post = get


def run(store: Store, *sources: Any, at: datetime = THURSDAY) -> list[CollectReport]:
    return collect(sources, NoGetter(), store, at)


def test_counts_and_twice_changes_nothing(store: Store) -> None:
    source = Scripted(script=[batch(1, 2, page=1), batch(2, 3, page=2)])
    assert run(store, source) == [CollectReport("s", papers_new=3, papers_unchanged=1, signals=3)]
    assert run(store, source) == [CollectReport("s", papers_unchanged=4)]
    assert source.began_from == [{}, {"page": 2}]


def test_one_source_that_fails_does_not_stop_the_others(store: Store) -> None:
    reports = run(
        store,
        Scripted("a", [batch(1), SourceThrottled("a", "HTTP 429")]),
        Scripted("b", [ValueError("a bug")]),
        Scripted("c", [batch(2)]),
    )
    assert [(r.source, r.papers_new, r.error) for r in reports] == [
        ("a", 1, "source a: HTTP 429"),
        ("b", 0, "source b: a fault in this program: ValueError: a bug"),
        ("c", 1, None),
    ]


def test_what_came_before_the_fault_is_kept_with_the_state_to_go_on_from(store: Store) -> None:
    source = Scripted(script=[batch(1, token="t1"), batch(2, token="t2"), SourceUnreachable("s", "gone")])
    run(store, source)
    source.script = [batch(3, token="t3")]
    assert run(store, source)[0].papers_new == 1
    assert source.began_from[1] == {"token": "t2"}


def test_neither_papers_without_state_nor_state_without_papers(store: Store) -> None:
    bad = Sighting(source="s", identifiers=(named(7),), title="T", seen_at=THURSDAY)
    unkeepable = Batch((bad,), state={"token": object()})
    (report,) = run(store, Scripted(script=[batch(1, token="t1"), unkeepable, batch(2)]))
    assert (report.papers_new, report.error is None) == (1, False)
    with store.read() as unit:
        assert unit.sources.load("s", STATE) == {"token": "t1"}
        assert unit.papers.find(named(7)) is None
        assert unit.papers.find(named(1)) is not None


def test_rejections_and_readings(store: Store) -> None:
    known = Reading(named(1), Signal("citations", 4, THURSDAY, "s"))
    unknown = Reading(named(99), Signal("citations", 4, THURSDAY, "s"))
    rejected = (Rejection("row 3", "title: is missing"),)
    (report,) = run(store, Scripted(script=[batch(1), Batch((), rejected, (known, unknown))]))
    assert report.signals == 2
    assert [(r.file, r.where, r.reason) for r in report.rejected] == [("http://source.test", "row 3", "title: is missing")]


def test_what_a_source_removed_is_kept_as_withdrawn_until_it_shows_it_again(store: Store) -> None:
    run(store, Scripted(script=[batch(1, 2)]))
    (report,) = run(store, Scripted(script=[Batch(gone=(named(1), named(99)))]), at=THURSDAY + DAY)
    assert (report.papers_new, report.papers_updated, report.rejected) == (0, 1, ())

    def withdrawn() -> list[bool]:
        with store.read() as unit:
            papers = [unit.papers.find(named(n)) for n in (1, 2)]
            assert unit.papers.find(named(99)) is None
        assert [paper.title for paper in papers if paper] == ["Paper 1", "Paper 2"]
        return [paper.withdrawn for paper in papers if paper]

    assert withdrawn() == [True, False]
    again = Batch(gone=(named(1),))
    assert run(store, Scripted(script=[again]), at=THURSDAY + 2 * DAY)[0].papers_updated == 0
    run(store, Scripted(script=[batch(1, at=THURSDAY + 3 * DAY)]), at=THURSDAY + 3 * DAY)
    assert withdrawn() == [False, False]


def test_silence_is_judged_by_unseen_ids_and_the_calendar(store: Store) -> None:
    """arXiv: the batch of Wednesday evening came on Thursday. Then the same stale batch is served again and again."""
    source = Scripted(script=[batch(1, 2)])
    told = [run(store, source, at=THURSDAY + hours * timedelta(hours=1))[0].stale for hours in (0, 12, 18, 20, 24)]
    assert told == [False, False, False, True, True], "the next one is due at 01:00 on Friday, with six hours of grace"
    source.script = [batch(2, 3)]
    friday = THURSDAY + DAY
    assert run(store, source, at=friday)[0].stale is False
    source.script = [Batch()]
    weekend = [run(store, source, at=friday + n * DAY)[0].stale for n in (1, 2)]
    assert weekend == [False, False]
    assert run(store, source, at=friday + 3 * DAY)[0].stale is True


def test_a_paper_others_showed_first_is_still_unseen_here(store: Store) -> None:
    run(store, Scripted("other", [batch(1)]))
    assert run(store, Scripted("s", [batch(1)]))[0].stale is False


def test_a_source_that_never_worked_is_stale_and_one_that_promises_nothing_is_not(store: Store) -> None:
    reports = run(store, Scripted("a", [SourceUnreachable("a", "no")]), Scripted("b", [], rhythm=PublishingSchedule.IRREGULAR))
    assert [r.stale for r in reports] == [True, False]


def test_health_is_there_for_who_tells_of_it(store: Store) -> None:
    run(store, Scripted(script=[batch(1), SourceUnreachable("s", "gone")]))
    with store.read() as unit:
        assert unit.sources.load("s", HEALTH) == {
            "at": "2026-03-05T12:00:00Z",
            "stale": False,
            "error": "source s: gone",
            "failing_since": "2026-03-05T12:00:00Z",
            "rhythm": "arxiv",
        }
        freshness = unit.sources.load("s", FRESHNESS)
    assert freshness == {"last_unseen_at": "2026-03-05T12:00:00Z", "ids": ["arxiv:2603.00001"]}


def test_when_a_source_was_well_last_outlives_a_failure(store: Store) -> None:
    source = Scripted(script=[SourceUnreachable("s", "gone")])
    run(store, source, at=THURSDAY)
    with store.read() as unit:
        assert unit.sources.load("s", LAST_GOOD) is None
    source.script = [batch(1)]
    run(store, source, at=THURSDAY + DAY)
    source.script = [SourceUnreachable("s", "gone again")]
    run(store, source, at=THURSDAY + 2 * DAY)
    with store.read() as unit:
        assert unit.sources.load("s", LAST_GOOD) == {"at": isoformat(THURSDAY + DAY)}


def test_the_hub_over_http_with_its_moods(store: Store) -> None:
    """503, then a page; a connection dropped, then the next; then a day that is no JSON; then one cut short for ever."""
    row = {"paper": {"id": "2603.00001", "title": "A paper", "upvotes": 5}, "numComments": 0}
    other = {"paper": {"id": "2603.00002", "title": "Another", "upvotes": 1}, "numComments": 0}
    acts = [
        reply("503 Service Unavailable", Retry_After="2"),
        reply(body=json.dumps([row, {"paper": {"id": "2603.00009"}}]).encode()),
        hang_up,
        reply(body=json.dumps([other]).encode()),
        reply(body=b"<html>down for maintenance</html>", Content_Type="text/html"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n[", b" ", every=0.05),
    ]
    slept: list[float] = []
    getter = PoliteGetter(HttpPolicy(deadline=2, retries=2), sleep=slept.append, jitter=lambda: 0.0)
    with ScriptedServer(acts) as server:
        source = HuggingFace("huggingface", server.url, days=4)
        (report,) = collect([source], getter, store, THURSDAY)
        getter.close()
    assert (report.papers_new, report.signals) == (2, 4)
    assert [(r.where, r.reason) for r in report.rejected] == [("row 2", "title: is missing")]
    assert report.error is not None
    assert "not complete after 2 s" in report.error
    assert [a.target.split("date=")[1][:10] for a in server.asked] == [
        "2026-03-05", "2026-03-05", "2026-03-04", "2026-03-04", "2026-03-03", "2026-03-02",
    ]  # fmt: skip
    assert 2.0 in slept
    with store.read() as unit:
        assert sorted((unit.sources.load("huggingface", STATE) or {})["taken"]) == ["2026-03-04", "2026-03-05"]
