"""What is known of a paper at an instant: growth between readings, bursts that nothing supports, its day's papers beside it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from digest.domain.identifier import Identifier
from digest.domain.paper import Candidate, Paper, Signal
from digest.ranking.burst import BACKED, BELIEVED
from digest.ranking.features import FEATURES, FORMULA, Figures, formula, observe, vector
from digest.ranking.signal_history import SignalHistory, signal_history

NOW = datetime(2026, 3, 3, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)

Reading = tuple[str, float, float]
"""(kind@source, hours ago, value)"""


def signals(*readings: Reading) -> tuple[Signal, ...]:
    parts = [(kind.partition("@"), ago, value) for kind, ago, value in readings]
    return tuple(Signal(kind, value, NOW - ago * HOUR, source or "hub") for (kind, _, source), ago, value in parts)


def candidate(number: int, age: float, *readings: Reading) -> Candidate:
    name = Identifier("arxiv", f"2603.{number:05}")
    paper = Paper(id=number, identifiers=(name,), title=f"Paper {number}", first_seen_at=NOW - age * HOUR)
    return Candidate(paper, signals(*readings))


def votes(*readings: tuple[float, float], source: str = "hub") -> tuple[Reading, ...]:
    return tuple((f"upvotes@{source}", ago, value) for ago, value in readings)


# ---- readings ------------------------------------------------------------------------------------------------------------------


def heard_votes(*readings: Reading) -> SignalHistory:
    return signal_history(signals(*readings), NOW)["upvotes"]


@pytest.mark.parametrize(
    ("hours", "gained", "told"),
    [
        (10, 10, "a third of the way back to the reading of 4 hours ago"),
        (4, 0, "nothing since the last"),
        (22, 30, "as at the reading itself"),
        (25, 33, "a quarter of the way to the first"),
        (34, 42, "all but what the first reading found"),
        (90, 42, "which may have come long before"),
    ],
)
def test_growth_between_readings_is_even(hours: float, gained: float, told: str) -> None:
    found = heard_votes(*votes((34, 8), (22, 20), (4, 50)))
    assert found.grown(hours) == pytest.approx(gained), told


def test_what_a_first_reading_finds_may_count_as_gained_in_full() -> None:
    found = heard_votes(*votes((34, 8), (4, 50)))
    assert found.grown(90, before=0.0) == 50
    assert found.grown(20, before=0.0) == found.grown(20), "between readings there is no question"


def test_a_count_that_was_taken_back_never_was() -> None:
    """90 votes, of which all but 12 were taken back: nothing grew since, and nothing before either."""
    found = heard_votes(*votes((40, 10), (30, 90), (20, 12), (4, 15)))
    assert found.main.values == (10, 12, 12, 15)
    assert (found.last, found.grown(25), found.grown(40)) == (15, 3, 5)


def test_of_several_sources_the_one_that_shows_most_speaks() -> None:
    found = heard_votes(*votes((40, 10), (4, 30), source="small"), *votes((40, 20), (6, 90), source="great"))
    assert (found.last, found.main.source, found.read) == (90, "great", -4)
    assert found.value_at(-40) == 20
    assert found.grown(40) == 70
    even = heard_votes(*votes((4, 30), source="once"), *votes((40, 1), (4, 30), source="often"))
    assert even.main.source == "often", "it was read more often"


def test_of_two_readings_at_one_instant_the_higher_counts_and_one_below_nothing_is_a_mistake() -> None:
    assert heard_votes(*votes((4, 30), (4, 31), (4, 29))).last == 31
    assert signal_history(signals(("upvotes", 4, -1.0)), NOW) == {}
    assert heard_votes(*votes((4, 0))).last == 0
    assert heard_votes(*votes((0, 7), (-1, 90))).last == 7, "what is read now counts, what is read later does not"


# ---- bursts --------------------------------------------------------------------------------------------------------------------

CROWD = [candidate(n, 30, *votes((28, 3), (16, 10 + n), (1, 30 + n)), ("comments", 1, 3)) for n in range(10, 22)]
"""Papers that are talked about, so that silence means something."""
LEAP = votes((28, 5), (16, 25), (10, 225), (1, 230))
"""200 votes came within six hours."""


def figures(*readings: Reading, crowd: list[Candidate] = CROWD, age: float = 30) -> Figures:
    return observe([candidate(1, age, *readings), *crowd], NOW, lambda _: 0.0)[0]


def test_a_leap_that_nothing_supports_counts_as_few_votes() -> None:
    found = figures(*LEAP)
    assert found.votes == 30 + BELIEVED
    assert found.set_aside == 200 - BELIEVED
    assert found.grown_3h == pytest.approx(5 * 2 / 9), "what came after it counts"
    assert found.grown[1] == pytest.approx(found.votes - (5 + 20 * 4 / 12))


@pytest.mark.parametrize(
    "support",
    [
        ("comments", 2, 5),
        ("github_stars", 12, 5),
        ("upvotes@elsewhere", 12, 9),
        ("something new", 1, 5),
    ],
)
def test_anything_that_moved_since_the_reading_before_it_supports_a_leap(support: Reading) -> None:
    assert (figures(*LEAP, support).votes, figures(*LEAP, support).set_aside) == (230, 0)


def test_a_comment_supports_some_of_a_leap_and_not_all_that_may_be_bought_with_it() -> None:
    assert figures(*LEAP, ("comments", 2, 1)).set_aside == 200 - BELIEVED - BACKED
    assert (
        figures(*LEAP, ("comments", 16, 2), ("comments", 2, 3), ("github_stars", 2, 1)).set_aside == 200 - BELIEVED - 2 * BACKED
    )


@pytest.mark.parametrize(
    ("readings", "aside"),
    [
        (votes((20, 5), (6, 105), (5, 205), (4, 305)), 300 - BELIEVED),
        (votes((20, 5), *((4 - n / 30, 5 + 10 * n) for n in range(1, 31))), 300 - BELIEVED),
        (votes((20, 5), (7, 55), (6, 105), (5, 155), (4, 205), (3, 255), (2, 305), (1, 306)), 300 - BELIEVED),
        (votes((25, 5), (19, 105), (10, 205), (1, 305)), 0),
    ],
    ids=["three hours", "an hour", "five hours, and the day after", "a day"],
)
def test_a_leap_in_several_readings_is_one(readings: tuple[Reading, ...], aside: float) -> None:
    found = figures(*readings)
    assert found.set_aside == pytest.approx(aside)
    assert found.votes == pytest.approx(readings[-1][2] - aside)
    main = found.voices["upvotes"].main
    assert list(main.values) == [value for _, _, value in readings], "what was read stays as it was read"


def test_what_is_believed_of_a_leap_came_as_it_did() -> None:
    found = figures(*votes((20, 5), (6, 105), (5, 205), (2, 305)))
    assert found.votes == 5 + BELIEVED
    assert found.grown_3h == pytest.approx(BELIEVED / 3 / 3), "an hour of the three of its last third"
    assert found.grown[0] == pytest.approx(BELIEVED - BELIEVED / 3 * 8 / 14)


@pytest.mark.parametrize("before", [("comments", 17, 9), ("github_stars", 16, 3), ("comments", 1, 0)])
def test_what_moved_before_or_not_at_all_does_not(before: Reading) -> None:
    assert figures(*LEAP, before).set_aside == 200 - BELIEVED


def test_a_first_reading_may_be_a_leap_and_anything_said_of_the_paper_supports_it() -> None:
    assert figures(*votes((20, 400), (1, 410))).set_aside == 400 - BELIEVED
    assert figures(*votes((20, 400), (1, 410)), ("comments", 25, 10)).set_aside == 0


@pytest.mark.parametrize(
    ("readings", "aside"),
    [
        (votes((20, 10), (10, 80), (1, 95)), 0),
        (votes((20, 10), (10, 80), (1, 90)), 70 - BELIEVED),
        (votes((20, BELIEVED), (1, BELIEVED)), 0),
        (votes((20, BELIEVED + 1), (1, BELIEVED + 2)), 1),
        (votes((20, 0), (1, 0)), 0),
    ],
    ids=["three in four came otherwise", "no more than one in four did", "few votes", "one more than few", "none"],
)
def test_a_leap_holds_most_of_the_votes_and_more_than_a_few(readings: tuple[Reading, ...], aside: float) -> None:
    assert figures(*readings).set_aside == aside


def test_where_nobody_is_talked_about_silence_means_nothing() -> None:
    quiet = [Candidate(each.paper, tuple(s for s in each.signals if s.kind == "upvotes")) for each in CROWD]
    assert figures(*LEAP, crowd=quiet).votes == 230
    assert figures(*LEAP, crowd=quiet[:8] + CROWD[:4]).votes == 230, "4 of 13 are heard of otherwise"
    assert figures(*LEAP, crowd=quiet[:7] + CROWD[:5]).votes == 30 + BELIEVED, "5 of 13 are"
    small = [candidate(n, 30, *votes((28, 1), (1, BELIEVED))) for n in range(30, 60)]
    assert figures(*LEAP, crowd=CROWD + small).votes == 30 + BELIEVED, "papers with few votes need not be talked about"
    assert figures(*LEAP, crowd=[]).votes == 230


# ---- figures -------------------------------------------------------------------------------------------------------------------


def test_the_figures_of_a_paper_by_hand() -> None:
    stars = [("github_stars", ago, value) for ago, value in ((28, 100), (22, 160), (2, 190))]
    comments: list[Reading] = [("comments", 3, 4)]
    found = figures(*votes((58, 4), (47, 15), (24, 38), (12, 50), (3, 59), (0, 62)), *stars, *comments, age=60)
    assert (found.age, found.votes, found.set_aside, found.comments) == (60, 62, 0, 4)
    assert found.grown == (12, 24, pytest.approx(62 - 14))
    assert found.grown_3h == 3
    assert found.stars == pytest.approx(190 - 140), "of the last day"
    assert not found.is_silent


def test_a_paper_nobody_spoke_of_has_nothing_and_one_seen_later_no_age_below_0() -> None:
    [found] = observe([candidate(1, -5)], NOW, lambda paper: 0.5)
    assert found.is_silent
    assert (found.age, found.votes, found.set_aside, found.unread, found.comments, found.stars) == (0, 0, 0, 0, 0, 0)
    assert (found.grown, found.grown_3h, found.usual, found.appeal) == ((0, 0, 0), 0, 0, 0.5)
    talked = figures(("comments", 1, 3), ("github_stars", 30, 10), ("github_stars", 1, 12))
    assert not talked.is_silent
    assert (talked.votes, talked.comments, talked.unread, talked.grown_3h) == (0, 3, 0, 0)
    assert talked.stars == pytest.approx(12 - (10 + 2 * 6 / 29))


def test_a_paper_is_compared_with_those_of_its_own_day() -> None:
    yesterday = [candidate(n, 20, *votes((1, count))) for n, count in ((1, 0), (2, 3), (3, 8))]
    day_before = [candidate(n, 40, *votes((1, count))) for n, count in ((4, 63),)]
    found = observe([*yesterday, *day_before, candidate(5, 41)], NOW, lambda _: 0.0)
    assert [each.usual for each in found[:3]] == [pytest.approx((math.log(1) + math.log(4) + math.log(9)) / 3)] * 3
    assert [each.usual for each in found[3:]] == [pytest.approx(math.log(64) / 2)] * 2, "without votes counts as none"


def test_what_a_source_left_out_is_measured_by_its_own_readings() -> None:
    """The hub read others an hour ago and this one 25 hours ago; the other source was last read 30 hours ago altogether."""
    others = [candidate(n, 60, *votes((26, 1), (1, 2))) for n in (5, 6)]
    left = candidate(1, 60, *votes((58, 2), (26, 9)))
    shown = candidate(2, 60, *votes((58, 2), (26, 9)), *votes((30, 9), source="elsewhere"))
    both = candidate(3, 60, *votes((26, 9)), *votes((50, 9), source="elsewhere"))
    unread = [each.unread for each in observe([left, shown, both, *others], NOW, lambda _: 0.0)]
    assert unread == [25, 0, 20, 0, 0]


def test_a_model_weighs_every_figure_by_its_name_and_they_are_numbers_for_any_paper() -> None:
    for found in (figures(*LEAP), figures(), figures(*votes((1, 1e12)), age=4000)):
        weighed = dict(zip(FEATURES, vector(found), strict=True))
        assert all(map(math.isfinite, weighed.values()))
        assert weighed[FORMULA] == formula(found)


def test_the_formula_is_for_many_votes_and_against_great_age() -> None:
    def at(count: float, age: float) -> float:
        return formula(figures(*votes((0, count)), ("comments", 0, 1), age=age))

    assert at(40, 10) > at(20, 10) > at(20, 20) > at(20, 90)
    assert at(0, 10) == at(0, 90), "without votes age takes nothing away"
    assert at(0, 10) < at(1, 60)
    # e^score is votes over a power of the age, but for the little that none have
    little = math.exp(at(0, 1))
    fewer, more = (math.exp(at(count, 10)) - little for count in (20, 40))
    assert more == pytest.approx(2 * fewer)


def test_age_weighs_by_how_far_it_is_past_a_mark() -> None:
    ages = {
        name: [FEATURES[name](figures(age=age)) for age in (0, 5, 6, 20, 72, 200)]
        for name in ("age", "age_past_6h", "age_past_72h")
    }
    assert [value > 0 for value in ages["age"]] == [False, True, True, True, True, True]
    assert [value > 0 for value in ages["age_past_6h"]] == [False, False, False, True, True, True]
    assert [value > 0 for value in ages["age_past_72h"]] == [False] * 5 + [True]
    assert all(values == sorted(values) for values in ages.values())
    assert ages["age"][5] - ages["age"][4] == pytest.approx(ages["age_past_72h"][5]), "after a mark as steep as before"
