"""What a reader is told of why a paper is there, whatever the weights; and the places of papers nobody has spoken of."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.identifier import Identifier
from digest.domain.paper import BURST, UNVOTED, Candidate, Paper, Ranked, Reason, Signal, for_readers
from digest.ranking.burst import BELIEVED
from digest.ranking.model import PLAIN, Model
from digest.ranking.selection import also
from digest.ranking.text_prior import TextPrior
from digest.ranking.trending import ENOUGH, rank
from digest.render.edition.personalise import PREHEADER_LONGEST
from tests.tables import every_row

NOW = datetime(2026, 3, 3, 7, tzinfo=UTC)
"""A Tuesday."""
HOUR = timedelta(hours=1)

Reading = tuple[str, float, float]
"""(kind, hours ago, value)"""


def candidate(
    number: int,
    age: float,
    *readings: Reading,
    title: str = "A paper",
    abstract: str = "Words.",
    categories: tuple[str, ...] = (),
) -> Candidate:
    paper = Paper(
        id=number,
        identifiers=(Identifier("arxiv", f"2603.{number:05}"),),
        title=title,
        abstract=abstract,
        categories=categories,
        first_seen_at=NOW - age * HOUR,
    )
    return Candidate(paper, tuple(Signal(kind, value, NOW - ago * HOUR, "hub") for kind, ago, value in readings))


def votes(*readings: tuple[float, float]) -> tuple[Reading, ...]:
    return tuple(("upvotes", ago, value) for ago, value in readings)


def first(*candidates: Candidate, model: Model = PLAIN) -> Ranked:
    """What is said of the first one given."""
    return next(each for each in rank(candidates, NOW, model) if each.paper.id == candidates[0].paper.id)


def told(*candidates: Candidate, model: Model = PLAIN) -> list[tuple[str, str]]:
    return [(reason.kind, reason.text) for reason in first(*candidates, model=model).reasons]


STARS: tuple[Reading, ...] = (("github_stars", 24, 10), ("github_stars", 2, 1244))
COMMENTS: tuple[Reading, ...] = (("comments", 24, 1), ("comments", 2, 4))


@every_row(
    ("age", "readings", "said"),
    [
        (20, votes((3, 60)), [("votes", "▲ 60 today")]),
        (35, votes((30, 4), (1, 60)), [("votes", "▲ 60 (+44 today)")]),
        (36, votes((30, 4), (24, 50), (1, 60)), [("votes", "▲ 60 (+10 today)")]),
        (60, votes((24, 2000), (1, 3234)), [("votes", "▲ 3,234 (+1,234 today)")]),
        (60, votes((24, 50), (1, 51)), [("votes", "▲ 51")]),
        (60, votes((24, 45), (1, 50)), [("votes", "▲ 50 (+5 today)")]),
        (20, votes((2, 2)), []),
        (20, votes((2, 3)), [("votes", "▲ 3 today")]),
        (60, (*votes((24, 1), (1, 2)), *STARS), [("stars", "★ 1,244 (+1,234 today)")]),
        (60, (*STARS, *COMMENTS), [("stars", "★ 1,244 (+1,234 today)")]),
        (30, (*votes((1, 2)), *STARS), [("stars", "★ 1,244 (+1,234 today)")]),
        (60, (*votes((24, 60), (1, 60)), *STARS), [("stars", "▲ 60 · ★ 1,244 (+1,234 today)")]),
        (20, (("github_stars", 2, 900),), [("quiet", "★ 900")]),
        (60, votes((50, 12), (1, 12)), [("quiet", "▲ 12")]),
        (90, votes((80, 1), (36, 1500)), [("quiet", "▲ 1,500")]),
        (60, votes((50, 2), (1, 2)), []),
        (60, votes((1, 0)), []),
        (60, COMMENTS, []),
        (35, (), [("new", "New")]),
        (35, votes((30, 0), (1, 0)), [("new", "New")]),
        (36, (), []),
    ],
)
def test_a_card_says_how_a_paper_stands_and_what_today_added_or_nothing(
    age: float, readings: tuple[Reading, ...], said: list[tuple[str, str]]
) -> None:
    assert told(candidate(1, age, *readings)) == said


# ---- votes that do not count ---------------------------------------------------------------------------------------------------

TALKED = [candidate(n, 30, *votes((28, 3), (16, 10), (1, 30)), ("comments", 1, 2)) for n in range(10, 30)]
"""Others that are heard of in a second way as well."""


@pytest.mark.parametrize(
    ("burst", "said"),
    [
        (BELIEVED + 285, "285 upvotes do not count: too many came at once while little else moved"),
        (BELIEVED + 1, "1 upvote does not count: too many came at once while little else moved"),
        (BELIEVED + 0.5, ""),
        (BELIEVED, ""),
    ],
)
def test_operators_see_which_votes_do_not_count_and_readers_see_nothing_against_a_pick(burst: float, said: str) -> None:
    ranked = first(candidate(1, 30, *votes((2, burst))), *TALKED)
    assert [reason.text for reason in ranked.reasons if reason.kind == BURST] == ([said] if said else [])
    assert [reason.text for reason in for_readers(ranked.reasons)] == ([f"▲ {burst:.0f} today"] if burst >= ENOUGH else [])


@pytest.mark.parametrize(
    ("others", "least"),
    [([1, 2], 3), ([10] * 4, 10), ([*range(1, 21)], 16), ([100] * 20, 30)],
    ids=["few", "alike", "a fifth", "many"],
)
def test_a_number_is_told_that_few_papers_reach(others: list[int], least: int) -> None:
    """Of a window's papers with upvotes the upper fifth, as many as 30 always, fewer than 3 never."""
    for total in (least - 1, least):
        crowd = [candidate(n, 60, *votes((50, count), (1, count))) for n, count in enumerate(others, start=2)]
        ranked = next(
            each for each in rank([candidate(1, 60, *votes((50, total), (1, total))), *crowd], NOW) if each.paper.id == 1
        )
        assert [reason.text for reason in ranked.reasons] == ([f"▲ {total}"] if total == least else [])


def test_readers_are_told_what_speaks_for_a_paper() -> None:
    new, asked, burst = Reason(UNVOTED, "New"), Reason("interest", "matches: clocks"), Reason(BURST, "9 upvotes do not count")
    assert for_readers((asked, new, burst)) == (asked,)
    assert for_readers((new,)) == ()


# ---- what speaks for a paper before anybody does -------------------------------------------------------------------------------

TASTE = Model(
    {"votes": 1.0},
    appeal=TextPrior(title={"agents": 0.3, "memory": 0.2, "glaciers": 0.05, "is": 0.4, "and": 0.04, "rocks": -0.9}),
)


@every_row(
    ("title", "words"),
    [
        ("Agents", "“agents”"),
        ("Memory", "“memory”"),
        ("Glaciers, memory and agents", "“agents” and “memory”"),
        ("Agents of glaciers", "“agents” and “glaciers”"),
        ("Agents and", "“agents”"),
        ("What is memory", "“memory”"),
        ("Is", ""),
        ("Glaciers", ""),
        ("Rocks and agents", ""),
        ("Nothing", ""),
    ],
)
def test_of_a_new_paper_the_words_are_told_that_tend_to_be_voted_up(title: str, words: str) -> None:
    expected = [("words", f"about {words}, which readers like")] if words else []
    assert told(candidate(1, 10, title=title), model=TASTE)[1:] == expected


@pytest.mark.parametrize(
    "known",
    [
        candidate(1, 36, title="Agents"),
        candidate(1, 10, *votes((1, 3)), title="Agents"),
        candidate(1, 10, title="Agents", abstract=""),
    ],
    ids=["not new", "votes speak for it", "a title alone says too little"],
)
def test_words_are_not_told_of_others(known: Candidate) -> None:
    assert "words" not in dict(told(known, model=TASTE))
    assert "words" in dict(told(candidate(1, 10, *votes((1, 2)), title="Agents"), model=TASTE))


def test_words_of_the_abstract_raise_a_paper_but_are_not_told() -> None:
    model = Model({"appeal": 1.0}, appeal=TextPrior(abstract={"benchmark": 0.5}, centre=0.1))
    plain, raised = candidate(1, 10), candidate(2, 10, abstract="A benchmark.")
    assert [each.paper.id for each in rank([plain, raised], NOW, model)] == [2, 1]
    assert len(told(raised, model=model)) == 1


# ---- appeal --------------------------------------------------------------------------------------------------------------------


def test_appeal_adds_up_words_once_each_and_how_far_the_shape_is_from_the_usual() -> None:
    appeal = TextPrior(
        title={"agents": 0.3, "test-time": 0.2},
        abstract={"agents": 0.01, "time": 5.0},
        shape={"title_colon": (0.25, 0.4)},
        centre=0.1,
    )

    def of(title: str, abstract: str = "Words.") -> float:
        return appeal.of(candidate(1, 0, title=title, abstract=abstract).paper)

    assert of("Stones") == pytest.approx(-0.4 * 0.25 - 0.1)
    assert of("Agents and AGENTS") == pytest.approx(0.3 - 0.4 * 0.25 - 0.1)
    assert of("Agents: a study") == pytest.approx(0.3 + 0.4 * 0.75 - 0.1)
    assert of("Test-time agents", "Agents.") == pytest.approx(0.2 + 0.3 + 0.01 - 0.4 * 0.25 - 0.1), "a compound is one word"
    assert of("Agents", "") == 0


# ---- the plot ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "readings", "plotted"),
    [
        (23, votes((20, 3), (0, 9)), (9,)),
        (24, votes((24, 3), (0, 9)), (3, 6)),
        (80, votes((72, 3), (48, 3), (24, 5), (12, 5)), (3, 0, 2, 0)),
        (400, votes((192, 100), (168, 101), (24, 113), (0, 120)), (2, 2, 2, 2, 2, 2, 7)),
        (80, (("github_stars", 3, 9),), ()),
        (10, votes((2, 0)), (0,)),
    ],
)
def test_the_plot_shows_what_came_on_each_of_the_last_days(
    age: float, readings: tuple[Reading, ...], plotted: tuple[float, ...]
) -> None:
    assert first(candidate(1, age, *readings)).growth == pytest.approx(plotted)


# ---- order ---------------------------------------------------------------------------------------------------------------------


def test_papers_nobody_spoke_of_come_after_all_others_each_of_a_topic_for_less() -> None:
    """What a paper counts is multiplied by 0.85 for each of its primary category that is placed before it."""
    ml, physics, bare = (("cs.LG", "cs.AI"), ("physics",), ())
    silent = [candidate(n, 5, title="Agents", categories=own) for n, own in enumerate((ml, ml, physics, bare, bare, ml), start=1)]
    spoken = [candidate(n, 500, *votes((1, 0))) for n in (9, 8)]
    found = rank([*silent[::-1], *spoken], NOW, Model({"appeal": 1.0}, appeal=TASTE.appeal))
    assert [each.paper.id for each in found] == [8, 9, 1, 3, 4, 2, 5, 6], "of equals every topic in turn"
    assert found[0].score < found[-1].score, "whatever their words promise"


def test_the_score_is_the_votes_that_are_expected() -> None:
    """By the model's rule: e to the base and the weighted figures, tempered by the power."""
    known = [candidate(1, 10, *votes((1, 7))), candidate(2, 10, *votes((1, 31)))]
    scores = [each.score for each in rank(known, NOW, Model({"votes": 0.5}, power=0.5, base=0.0))]
    assert scores == [pytest.approx(32), pytest.approx(8)]
    assert rank(known, NOW, Model({"votes": -0.5}))[0].paper.id == 1


@pytest.mark.parametrize(("figure", "gained"), [("grown_12h", 9), ("grown_24h", 9), ("grown_48h", 9), ("stars_24h", 0)])
def test_what_a_first_reading_finds_was_gained_since_it_was_not_there_but_stars_are_older_than_it(
    figure: str, gained: float
) -> None:
    known = candidate(1, 3, *votes((2, 9)), ("github_stars", 2, 900))
    assert first(known, model=Model({figure: 1.0})).score == pytest.approx(1 + gained)


# ---- properties ----------------------------------------------------------------------------------------------------------------

KINDS = st.sampled_from(["upvotes", "upvotes", "github_stars", "comments"])
VALUES = st.sampled_from([0, 1, 16, 60, 85, 100, 1500, 10**9]) | st.integers(0, 40)
DRAWN = st.lists(st.tuples(KINDS, st.sampled_from([1, 2, 12, 20, 22, 24, 30, 40, 58]), VALUES), max_size=6)


@given(age=st.sampled_from([3, 24, 30, 36, 60, 160]), readings=DRAWN, title=st.sampled_from(["Agents", "Agents of\nmemory."]))
def test_each_reason_is_one_short_line_that_speaks_for_its_paper(age: float, readings: list[Reading], title: str) -> None:
    day = [candidate(n, age, *votes((1, n % 3))) for n in range(100, 110)]
    own = first(candidate(1, age, *readings, title=title), *TALKED, *day, model=TASTE).reasons
    twins = [candidate(n, age, title=title).paper for n in (2, 3)]
    for text in [reason.text for reason in (*for_readers(own), also(twins))]:
        assert text == " ".join(text.split())
        assert text[-1] not in ".;, "
        assert len(text) <= PREHEADER_LONGEST, "an inbox shows it beside the titles"
        assert not re.search(r"\b(no|none|not)\b|[▲★] 0|\+0", text)
