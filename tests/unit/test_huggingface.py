"""Hugging Face's daily papers: pages of every year against what a person reads in them, and the loop that fetches them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import SourceError, SourceRefused, SourceUnreachable, UnreadableAnswer
from digest.domain.paper import Signal, Summary
from digest.sources.huggingface import HuggingFace, parse
from digest.sources.port import Answer, Parsed
from tests.tables import every_row

SEEN = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def read(data: bytes) -> Parsed:
    return parse(data, source="huggingface", seen_at=SEEN)


def row(**paper: Any) -> dict[str, Any]:
    return {"paper": {"id": "2603.00001", "title": "A title", "upvotes": 3} | paper, "numComments": 1}


REJECTED = [
    ({"paper": {"id": "2603.00001", "upvotes": 1}}, "title: is missing"),
    (row(title="   "), "title: is missing"),
    (row(title=7), "title: is missing"),
    (row(id="not-an-id"), "should be an arXiv id"),
    (row(id=None), "should be an arXiv id"),
    ({"title": "no paper"}, "paper: is missing"),
    (None, "paper: is missing"),
]


@pytest.mark.parametrize(("bad", "reason"), REJECTED)
def test_a_bad_row_is_named_and_the_rest_kept(bad: Any, reason: str) -> None:
    parsed = read(json.dumps([row(id="2603.00002"), bad, row(id="2603.00003")]).encode())
    assert [str(s.identifiers[0]) for s in parsed.sightings] == ["arxiv:2603.00002", "arxiv:2603.00003"]
    (rejection,) = parsed.rejected
    assert rejection.where == "row 2"
    assert reason in rejection.reason


def test_odd_values_say_nothing_rather_than_something_wrong() -> None:
    odd = row(
        upvotes=-1, githubStars="many", publishedAt="yesterday", submittedOnDailyAt="3026-01-01T00:00:00Z",
        withdrawnAt="2026-03-02", githubRepo="javascript:alert(1)", ai_summary="Short.",
        authors=[{"name": "Ann"}, {"name": "Bo", "hidden": True}, "x", None],
    )  # fmt: skip
    (shown,) = read(json.dumps([odd]).encode()).sightings
    assert shown.signals == (Signal("comments", 1, SEEN, "huggingface"),)
    assert (shown.published_at, shown.listed_at, shown.code_url) == (None, None, "")
    assert (shown.withdrawn, shown.authors) == (True, ("Ann",))
    assert shown.summary == Summary(text="Short.", provenance="huggingface")


@every_row("data", [b"", b" ", b"<html>", b"[{", b"{}", b'{"error":"Invalid date"}', b'["a"]', b"3", b"[[]]", b"\xff"])
def test_what_is_no_page_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        read(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["2603.00001", "2026-01-01", "https://a.b/"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
        ["paper", "id", "title", "authors", "name", "publishedAt", "upvotes", "ai_keywords", "githubStars", "summary", "error"]
    ), inner, max_size=6),
    max_leaves=30,
)  # fmt: skip


@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()) | st.lists(json_values).map(
    lambda papers: json.dumps([{"paper": paper} for paper in papers]).encode()))  # fmt: skip
def test_nothing_escapes_but_the_source_s_own_error(data: bytes) -> None:
    try:
        parsed = read(data)
    except UnreadableAnswer:
        return
    assert all(s.title and s.identifiers for s in parsed.sightings)


class Pages:
    """Answers by day and page number; an exception given for a day is raised."""

    def __init__(self, days: Mapping[str, Any]) -> None:
        self.days = days
        self.asked: list[tuple[str, int]] = []

    def get(self, source: str, url: str, *, params: Mapping[str, str] | None = None, **_: Any) -> Answer:
        assert params is not None
        assert url == "http://hub.test/api/daily_papers"
        day, page = params["date"], int(params["p"])
        self.asked.append((day, page))
        rows = self.days.get(day, [])
        if isinstance(rows, Exception):
            raise rows
        return Answer(url, json.dumps(rows[page * 100 : page * 100 + 100]).encode())

    def post(self, *_: Any, **__: Any) -> Answer:
        raise AssertionError("nothing is posted")


HUB = HuggingFace("huggingface", "http://hub.test", days=3)
AT = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def papers(number: int) -> list[dict[str, Any]]:
    return [row(id=f"2603.{n:05}") for n in range(number)]


def collected(pages: Pages, state: Mapping[str, Any], at: datetime) -> tuple[int, Mapping[str, Any], SourceError | None]:
    shown, error = 0, None
    try:
        for batch in HUB.collect(pages, state, at):
            shown, state = shown + len(batch.sightings), batch.state
    except SourceError as failure:
        error = failure
    return shown, state, error


def test_the_first_collect_reads_some_days_to_their_last_page() -> None:
    pages = Pages({"2026-03-04": papers(230), "2026-03-03": papers(5)})
    shown, state, error = collected(pages, {}, AT)
    assert (shown, error) == (235, None)
    assert pages.asked == [("2026-03-04", 0), ("2026-03-04", 1), ("2026-03-04", 2), ("2026-03-03", 0), ("2026-03-02", 0)]
    assert sorted(state["taken"]) == ["2026-03-02", "2026-03-03", "2026-03-04"]
    assert json.loads(json.dumps(state)) == state


def test_recent_days_are_read_again_more_often_than_older_ones() -> None:
    pages = Pages({})
    _, state, _ = collected(pages, {}, AT)
    asked = {}
    for hours in range(1, 24 * 40):
        pages.asked.clear()
        _, state, _ = collected(pages, state, AT + timedelta(hours=hours))
        for day, _page in pages.asked:
            asked.setdefault(day, []).append(hours)
    of_one_day = asked["2026-03-10"]
    age = [(AT + timedelta(hours=h)).date() - date(2026, 3, 10) for h in of_one_day]
    by_age = [sum(a.days == n for a in age) for n in range(32)]
    assert by_age[:2] == [24, 24]
    assert by_age[2:4] == [8, 8]
    assert all(n <= 2 for n in by_age[4:])
    assert sum(by_age[15:31]) in range(4, 8)
    assert by_age[31] == 0


def test_after_an_outage_every_day_missed_is_read() -> None:
    _, state, _ = collected(Pages({}), {}, AT)
    pages = Pages({})
    collected(pages, state, AT + timedelta(days=2))
    assert {"2026-03-05", "2026-03-06"} <= {day for day, _ in pages.asked}


@pytest.mark.parametrize("fault", [UnreadableAnswer("huggingface", "garbage"), SourceRefused("huggingface", "HTTP 400")])
def test_one_bad_day_does_not_keep_the_others_back(fault: SourceError) -> None:
    pages = Pages({"2026-03-04": fault, "2026-03-03": papers(5)})
    shown, state, error = collected(pages, {}, AT)
    assert shown == 5
    assert "2026-03-04" not in state["taken"]
    assert type(error) is type(fault)
    assert str(error) == f"source huggingface: 2026-03-04: {fault.reason}"


def test_an_unreachable_server_is_not_asked_for_the_other_days() -> None:
    pages = Pages({"2026-03-03": SourceUnreachable("huggingface", "no"), "2026-03-04": papers(2)})
    shown, state, error = collected(pages, {}, AT)
    assert (shown, sorted(state["taken"]), type(error)) == (2, ["2026-03-04"], SourceUnreachable)
    assert len(pages.asked) == 2


def test_a_server_that_ignores_the_page_number_ends_the_day() -> None:
    class Same(Pages):
        def get(self, source: str, url: str, *, params: Mapping[str, str] | None = None, **more: Any) -> Answer:
            return super().get(source, url, params={**(params or {}), "p": "0"}, **more)

    pages = Same({"2026-03-04": papers(100)})
    collected(pages, {}, AT)
    assert [day for day, _ in pages.asked].count("2026-03-04") == 2
