"""Hugging Face's daily papers: pages of every year against what a person reads in them, and the loop that fetches them."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.domain.errors import SourceError, SourceRefused, SourceUnreachable, UnreadableAnswer
from digest.domain.identifier import Identifier
from digest.domain.paper import Signal, Summary
from digest.sources.huggingface import HuggingFace, parse
from digest.sources.port import Answer, Parsed
from tests.shared_data import SHARED, needs_shared

SEEN = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
PAGES = SHARED / "data/api_responses/hf_daily_papers"


def read(data: bytes) -> Parsed:
    return parse(data, source="huggingface", seen_at=SEEN)


# file, papers, then of one row: place, id, title, first authors, their number, published, listed, votes, stars, comments,
# code, project page, beginning of the summary, first keyword. Read off the files.
ROWS: list[tuple[Any, ...]] = [
    ("2024-05-28", 15, 0, "2405.17247", "An Introduction to Vision-Language Modeling",
     ("Florian Bordes", "Richard Yuanzhe Pang"), 41, "2024-05-27T15:01:23Z", None, 33, None, 3, "", "", "", ""),
    ("2024-05-28", 15, -1, "2405.17414", "Collaborative Video Diffusion: Consistent Multi-video Generation with Camera Control",
     ("Zhengfei Kuang", "Shengqu Cai", "Hao He"), 7, "2024-05-27T17:58:01Z", None, 4, None, 0, "", "", "", ""),
    ("2024-10-11", 22, -1, "2410.08159", "DART: Denoising Autoregressive Transformer for Scalable Text-to-Image Generation",
     ("Jiatao Gu", "Yuyang Wang"), 8, "2024-10-10T17:41:54Z", None, 1, None, 1, "", "", "", ""),
    ("2025-03-05", 12, 0, "2503.02682", "MPO: Boosting LLM Agents with Meta Plan Optimization",
     ("Weimin Xiong", "Yifan Song"), 7, "2025-03-04T14:54:45Z", None, 12, None, 1,
     "https://github.com/WeiminXiong/MPO", "", "", ""),
    ("2025-07-22", 16, 0, "2507.14683",
     "MiroMind-M1: An Open-Source Advancement in Mathematical Reasoning via Context-Aware Multi-Stage Policy Optimization",
     ("Xingxuan Li", "Yao Xiao"), 18, "2025-07-19T16:21:23Z", "2025-07-22T01:41:01.897Z", 63, None, 1, "", "",
     "The MiroMind-M1 series of open-source reasoning", "reasoning language models"),
    ("2025-12-12", 16, 0, "2512.10949", "Are We Ready for RL in Text-to-3D Generation? A Progressive Investigation",
     ("Yiwen Tang", "Zoey Guo"), 14, "2025-12-11T18:59:52Z", "2025-12-12T00:49:43.850Z", 30, 18, 1,
     "https://github.com/Ivan-Tang-3D/3DGen-R1", "", "This study investigates reinforcement learning", "reinforcement learning"),
    ("2026-02-10", 33, 0, "2602.07026",
     "Modality Gap-Driven Subspace Alignment Training Paradigm For Multimodal Large Language Models",
     ("Xiaomin Yu", "Yi Xin", "Wenjie Zhang"), 15, "2026-02-02T13:59:39Z", "2026-02-10T00:01:56.908Z", 78, 26, 1,
     "https://github.com/Yu-xm/ReVision", "", "Researchers address the modality gap", "multimodal contrastive learning"),
    ("2026-02-10", 33, -1, "2602.07040", "Aster: Autonomous Scientific Discovery over 20x Faster Than Existing Methods",
     ("Emmett Bicker",), 1, "2026-02-03T19:01:23Z", "2026-02-10T02:44:58.980Z", 0, None, 0, "", "https://www.asterlab.ai/",
     "Aster is an AI agent", "AI agent"),
    ("2026-04-20", 19, 0, "2604.16044", "Elucidating the SNR-t Bias of Diffusion Probabilistic Models",
     ("Meng Yu", "Lei Sun"), 5, "2026-04-17T00:00:00Z", "2026-04-20T07:56:13.917Z", 47, None, 1,
     "https://github.com/AMAP-ML/DCW", "", "Diffusion probabilistic models suffer", "diffusion probabilistic models"),
]  # fmt: skip


@needs_shared
@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} row {row[2]}" for row in ROWS])
def test_a_page_of_each_year(row: tuple[Any, ...]) -> None:
    page, papers, place, name, title, first, authors, published, listed, votes, stars, comments, code, project, summary, word = (
        row
    )
    parsed = read((PAGES / f"{page}.json").read_bytes())
    assert (len(parsed.sightings), parsed.rejected, parsed.undated) == (papers, (), True)
    shown = parsed.sightings[place]
    assert shown.identifiers == (Identifier("arxiv", name),)
    assert shown.title == title
    assert (shown.authors[: len(first)], len(shown.authors)) == (first, authors)
    assert shown.published_at == datetime.fromisoformat(published)
    assert shown.listed_at == (datetime.fromisoformat(listed) if listed else None)
    counted = {"upvotes": votes, "github_stars": stars, "comments": comments}
    expected = {Signal(kind, value, SEEN, "huggingface") for kind, value in counted.items() if value is not None}
    assert set(shown.signals) == expected
    assert (shown.code_url, shown.project_url) == (code, project)
    assert (shown.summary.text if shown.summary else "").startswith(summary)
    assert (shown.summary is None) == (not summary)
    assert "".join(shown.keywords[:1]) == word
    assert shown.url == f"https://huggingface.co/papers/{name}"
    assert len(shown.abstract) > 300


@needs_shared
def test_pages_saved_as_text_are_refused_with_the_reason() -> None:
    with pytest.raises(UnreadableAnswer, match=r"each row should be an object with a paper, these are text \(a Python repr"):
        read((PAGES / "2024-12-25.json").read_bytes())


@needs_shared
def test_every_page_of_the_history_is_read_or_refused_by_name() -> None:
    """446 pages; those saved as text (30 lists and one wrapped in an object) are refused, and no row of the others is lost."""
    refused, kept, rows = [], 0, 0
    with tarfile.open(SHARED / "data/hf_history/raw_api_daily_papers.tar.xz") as archive:
        for member in archive:
            if not member.isfile() or (file := archive.extractfile(member)) is None:
                continue
            data = file.read()
            try:
                parsed = read(data)
            except UnreadableAnswer as error:
                refused.append(error.reason)
                continue
            assert parsed.rejected == ()
            kept += len(parsed.sightings)
            rows += len(json.loads(data))
    assert (len(refused), kept) == (31, rows)
    assert kept == 6937
    assert sum("Python repr" in reason for reason in refused) == 30


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


@pytest.mark.parametrize(
    "data", [b"", b" ", b"<html>", b"[{", b"{}", b'{"error":"Invalid date"}', b'["a"]', b"3", b"[[]]", b"\xff"]
)
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
@settings(max_examples=400, deadline=None)
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
