"""What is trending: growth beats what has been, bought votes do not, and the future plays no part."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import isfinite
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import InvalidInput
from digest.domain.identifier import Identifier
from digest.domain.paper import Candidate, Paper, Ranked, Signal
from digest.ranking.baselines import FORMULAS
from digest.ranking.features import observe
from digest.ranking.model import PLAIN, Model, parse, written
from digest.ranking.trending import Ranker, Trending

NOW = datetime(2026, 3, 3, 7, tzinfo=UTC)
"""A Tuesday."""
HOUR = timedelta(hours=1)
SHIPPED = parse((Path(__file__).resolve().parents[2] / "config/trending.toml").read_text("utf-8"), "config/trending.toml")
RANKERS: dict[str, Ranker] = {"shipped": Trending(SHIPPED), "plain": Trending(), **FORMULAS}


def candidate(number: int, age: float = 24, *readings: tuple[str, float, float], source: str = "hub") -> Candidate:
    """Readings are (kind, hours ago, value); a kind may be "kind@source"."""
    seen = NOW - age * HOUR
    paper = Paper(id=number, identifiers=(Identifier("arxiv", f"2603.{number:05}"),), title=f"Paper {number}", first_seen_at=seen)
    signals = []
    for kind, ago, value in readings:
        name, _, who = kind.partition("@")
        signals.append(Signal(name, value, NOW - ago * HOUR, who or source))
    return Candidate(paper, tuple(signals))


def order(*candidates: Candidate, ranker: Ranker = RANKERS["shipped"]) -> list[int]:
    return [each.paper.id for each in ranker(candidates, NOW)]


def reasons(*candidates: Candidate) -> dict[int, list[str]]:
    return {each.paper.id: [reason.text for reason in each.reasons] for each in RANKERS["shipped"](candidates, NOW)}


GROWING = candidate(1, 30, ("upvotes", 28, 4), ("upvotes", 16, 20), ("upvotes", 1, 60))
DONE = candidate(2, 150, ("upvotes", 140, 40), ("upvotes", 100, 90), ("upvotes", 1, 92))
SLOW = candidate(3, 30, ("upvotes", 28, 2), ("upvotes", 1, 5))
SILENT = candidate(4, 2)
FIRST_VOTES = candidate(5, 3, ("upvotes", 2, 1), ("upvotes", 1, 9))


@pytest.mark.parametrize("better", [GROWING, FIRST_VOTES])
@pytest.mark.parametrize("worse", [DONE, SLOW, SILENT])
def test_what_grows_beats_what_has_grown(better: Candidate, worse: Candidate) -> None:
    assert order(worse, better)[0] == better.paper.id


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("github_stars", 1.0, 900.0), "stars of the last day"),
        (("comments", 1.0, 12.0), "comments"),
        (("upvotes@elsewhere", 1.0, 90.0), "the source that shows most"),
    ],
)
def test_several_signals_count(more: tuple[str, float, float], told: str) -> None:
    start = [("github_stars", 26.0, 10.0)]
    one = candidate(1, 30, ("upvotes", 28, 4), ("upvotes", 1, 30), *start, more)
    other = candidate(2, 30, ("upvotes", 28, 4), ("upvotes", 1, 30), *start)
    assert order(other, one) == [1, 2], told


def test_one_burst_from_one_source_does_not_outrank_broad_growth() -> None:
    """400 votes at once while nothing else moves, among papers that are also talked about and starred."""
    crowd = [
        candidate(n, 30, ("upvotes", 28, 3), ("upvotes", 16, 10 + n), ("upvotes", 1, 30 + n), ("comments", 1, 3))
        for n in range(10, 22)
    ]
    broad = candidate(
        1, 30, ("upvotes", 28, 5), ("upvotes", 16, 30), ("upvotes", 1, 70), ("comments", 1, 6), ("github_stars", 1, 40)
    )
    stuffed = candidate(2, 30, ("upvotes", 28, 3), ("upvotes", 1, 400))
    assert order(stuffed, broad, *crowd)[0] == 1
    assert order(stuffed, broad, *crowd).index(2) > 5
    assert any("382 upvotes do not count" in text for text in reasons(stuffed, broad, *crowd)[2])
    supported = candidate(2, 30, ("upvotes", 28, 3), ("upvotes", 1, 400), ("comments", 28, 0), ("comments", 1, 14))
    assert order(supported, broad, *crowd)[0] == 2, "what is talked about as well is believed"


def test_a_paper_its_source_no_longer_reads_falls_behind() -> None:
    """The same votes at the same hours; the second was left out of the readings of the last day."""
    kept = candidate(1, 60, ("upvotes", 58, 10), ("upvotes", 26, 40), ("upvotes", 1, 41))
    dropped = candidate(2, 60, ("upvotes", 58, 10), ("upvotes", 26, 41))
    assert order(dropped, kept) == [1, 2]
    unread = {each.paper.id: each.unread for each in observe([kept, dropped], NOW, lambda _: 0.0)}
    assert unread == {1: 0, 2: pytest.approx(25)}
    known = candidate(2, 60, ("upvotes", 58, 10), ("upvotes", 26, 41), ("upvotes@elsewhere", 20, 40))
    [_, elsewhere] = observe([kept, known], NOW, lambda _: 0.0)
    assert elsewhere.unread == 0, "the other source has read nobody since"


def test_a_source_that_is_down_has_dropped_nobody() -> None:
    papers = [candidate(n, 60, ("upvotes", 58, 10), ("upvotes", 26, 40 + n)) for n in range(1, 6)]
    assert {each.unread for each in observe(papers, NOW, lambda _: 0.0)} == {0}


def test_reasons_have_words_and_figures() -> None:
    crowd = [candidate(n, 27, ("upvotes", 26, 2), ("upvotes", 1, 16)) for n in range(10, 30)]
    star = candidate(1, 30, ("upvotes", 28, 4), ("upvotes", 1, 60), ("github_stars", 24, 10), ("github_stars", 2, 320))
    told = reasons(
        star, *crowd, SILENT, candidate(6, 60, ("upvotes", 50, 7)), candidate(7, 100, ("upvotes", 90, 31), ("upvotes", 1, 31))
    )
    assert told[1] == ["▲ 60 (+48 today) · ★ 320 (+310 today)"]
    assert told[10] == ["▲ 16 (+13 today)"]
    assert told[4] == ["New"]
    assert told[6] == []
    assert told[7] == ["▲ 31"]


def test_the_plot_has_a_value_a_day_oldest_first() -> None:
    [ranked] = RANKERS["shipped"](
        [candidate(1, 70, ("upvotes", 66, 2), ("upvotes", 48, 10), ("upvotes", 24, 40), ("upvotes", 0, 45))], NOW
    )
    assert ranked.growth == (10.0, 30.0, 5.0)


# ---- properties ------------------------------------------------------------------------------------------------------------

KINDS = st.sampled_from(["upvotes", "upvotes@elsewhere", "github_stars", "comments", "something new", "citations"])
VALUES = st.one_of(st.integers(0, 10**6).map(float), st.sampled_from([0.0, 1e18, -5.0, 0.5]))
READINGS = st.lists(st.tuples(KINDS, st.floats(-100, 300), VALUES), max_size=8)
Drawn = list[tuple[float, list[tuple[str, float, float]]]]
PAPERS = st.lists(st.tuples(st.floats(-5, 200), READINGS), max_size=12)


def made(papers: Drawn) -> list[Candidate]:
    return [candidate(n, age, *readings) for n, (age, readings) in enumerate(papers, 1)]


def known(given: Candidate, at: datetime) -> Candidate:
    return Candidate(given.paper, tuple(signal for signal in given.signals if signal.observed_at <= at))


@pytest.mark.parametrize("name", list(RANKERS))
@given(papers=PAPERS, chance=st.randoms(use_true_random=False))
def test_later_readings_and_the_order_of_things_play_no_part(name: str, papers: Drawn, chance: Random) -> None:
    ranker, candidates = RANKERS[name], made(papers)
    ranked = ranker(candidates, NOW)
    assert repr(ranked) == repr(ranker([known(each, NOW) for each in candidates], NOW)), "byte for byte"
    shuffled = [Candidate(each.paper, tuple(chance.sample(each.signals, len(each.signals)))) for each in candidates]
    chance.shuffle(shuffled)
    assert repr(ranked) == repr(ranker(shuffled, NOW))
    assert sorted(each.paper.id for each in ranked) == [each.paper.id for each in candidates]


@given(PAPERS)
def test_every_score_is_a_number(papers: Drawn) -> None:
    ranked: list[Ranked] = RANKERS["shipped"](made(papers), NOW)
    assert all(isfinite(each.score) and all(map(isfinite, each.growth)) for each in ranked)


# ---- the file --------------------------------------------------------------------------------------------------------------


def test_a_model_comes_back_from_its_file() -> None:
    assert parse(written(SHIPPED), "again") == SHIPPED
    assert parse(written(PLAIN), "plain") == PLAIN
    assert SHIPPED.fitted_on["until"] == "2026-03-27T00:00:00Z"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("weights = 3", "weights: should be a table"),
        ("[weights]\nvotes = 'many'", "weights.votes: 'many' should be a number"),
        ("[weights]\nvotes = nan", "should be a number"),
        ("[weights]\nfame = 1", "weights.fame: is no feature; there are votes,"),
        ("", "weights: is missing; run `digest train`"),
        ("[weights]\nvotes = 1\n[growth]\npower = 0", "growth.power: should be above 0"),
        ("[weights", "is not TOML"),
    ],
)
def test_a_broken_file_is_told_by_its_line(text: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=r"mine\.toml") as caught:
        parse(text, "mine.toml")
    assert told in str(caught.value)


def test_the_score_is_finite_whatever_the_weights() -> None:
    [ranked] = Trending(Model({"votes": 1e300}))([GROWING], NOW)
    assert isfinite(ranked.score)
