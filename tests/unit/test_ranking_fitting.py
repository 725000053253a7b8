"""What a history teaches: which words draw votes, which figures foretell growth, and what no history should teach.

The histories here are made so that one thing decides. Nothing hangs on the constants of the fit, but that they shrink.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import groupby
from random import Random
from statistics import fmean, pstdev

import pytest

from digest.domain.paper import Paper
from digest.ranking import fitting
from digest.ranking.features import FORMULA
from digest.ranking.fitting import JudgedPaper, Row, fit_growth, fit_text_prior
from digest.ranking.model import Model
from digest.ranking.text_prior import TextPrior
from tests.servers.stocked import DAY, NOW, arxiv

DAYS, A_DAY = 42, 20


def paper(number: int, title: str, abstract: str = "Some words.", authors: tuple[str, ...] = ()) -> Paper:
    seen = NOW + number // A_DAY * DAY
    return Paper(
        id=number, identifiers=(arxiv(number),), title=title, first_seen_at=seen, abstract=abstract, authors=tuple(authors)
    )


def history(told: Callable[[int], tuple[Paper, float]]) -> list[JudgedPaper]:
    """`told` makes a paper and its votes of a number; so many a day."""
    made = [told(number) for number in range(DAYS * A_DAY)]
    return [JudgedPaper(each, each.first_seen_at.toordinal(), votes) for each, votes in made]


# ---- what words draw votes -----------------------------------------------------------------------------------------------------


def agents_draw_votes(number: int) -> tuple[Paper, float]:
    """Half the titles are on agents and get five times the votes; of these and the others, each second says "benchmark"."""
    agents, benchmark = number % 2 == 0, number // 2 % 2 == 0
    title = f"Study of {'agents' if agents else 'glaciers'}"
    abstract = f"Some {'benchmark' if benchmark else 'thoughts'} on it."
    return paper(number, title, abstract), (25.0 if agents else 5.0) * (2 if benchmark else 1)


def test_words_that_draw_votes_speak_for_a_paper_and_those_that_tell_nothing_are_left_out() -> None:
    appeal, _ = fit_text_prior(history(agents_draw_votes))
    assert set(appeal.title) == {"agents", "glaciers"}, "what is in every title tells nothing"
    assert set(appeal.abstract) == {"benchmark", "thoughts"}
    assert appeal.title["agents"] > 0 > appeal.title["glaciers"]
    assert appeal.abstract["benchmark"] > 0 > appeal.abstract["thoughts"]
    best, worst = paper(0, "Agents", "A benchmark."), paper(1, "Glaciers", "Thoughts.")
    assert appeal.of(best) > 0.3
    assert appeal.of(worst) < -0.3
    assert appeal.of(best) < math.log(10), "never more than what was seen: the fit shrinks"


def rising_with_the_crew(number: int) -> tuple[Paper, float]:
    """More authors, more votes; a third of the papers do not tell their authors, and get what is usual."""
    crew = (0, 2, 18)[number % 3]
    agents = number // 3 % 4 == 0
    title = f"Study {'of agents' if agents else 'of many other things'}"
    abstract = "Some words. " * (1 + number % 5)
    return paper(number, title, abstract, tuple(f"A{n}" for n in range(crew))), (6.0 * crew or 36.0) * (3 if agents else 1)


@pytest.mark.parametrize("told", [agents_draw_votes, rising_with_the_crew])
def test_the_average_paper_has_an_appeal_of_0_and_each_is_judged_alike_with_and_without_its_day(
    told: Callable[[int], tuple[Paper, float]],
) -> None:
    """Every day is like the others, so that leaving one out changes little."""
    known = history(told)
    appeal, unseen = fit_text_prior(known)
    own = {each.paper.id: appeal.of(each.paper) for each in known}
    assert fmean(own.values()) == pytest.approx(0, abs=0.01)
    assert pstdev(own.values()) > 0.2
    assert unseen.keys() == own.keys()
    assert max(abs(unseen[each] - own[each]) for each in own) < 0.06


def test_the_shape_of_a_paper_speaks_for_it_too() -> None:
    appeal, _ = fit_text_prior(history(rising_with_the_crew))
    alone, crowd, untold = (paper(0, "Study", authors=tuple(f"A{n}" for n in range(crew))) for crew in (1, 18, 0))
    assert appeal.of(crowd) > appeal.of(untold) > appeal.of(alone)
    usual, weight = appeal.shape["authors"]
    assert usual == pytest.approx(fmean([math.log(2), math.log(18)]), abs=1e-3), "of the papers that tell them"
    assert weight > 0.1
    assert appeal.shape["title_colon"][1] == 0, "no title had one"


def test_a_word_must_be_in_enough_papers_to_count() -> None:
    def told(number: int) -> tuple[Paper, float]:
        rare = "eclipse" if number < fitting.IN_TITLES else "comet" if number % 50 == 1 else "stone"
        title = f"Study of {rare}"
        shadow = "shadow" if number % 2 and number < 2 * fitting.IN_ABSTRACTS else "light" if number % 20 == 0 else "night"
        return paper(number, title, f"On {shadow}."), 1.0 if rare == "stone" and shadow == "night" else 99.0

    known = history(told)
    appeal, _ = fit_text_prior(known)
    assert 0 < sum("comet" in each.paper.title for each in known) == fitting.IN_TITLES + 1
    assert {"comet", "eclipse"} <= appeal.title.keys()
    assert "shadow" in appeal.abstract
    fewer = [each for each in known if each.paper.id not in (0, 1, 51, 101)]
    appeal, _ = fit_text_prior(fewer)
    assert {"comet", "eclipse"}.isdisjoint(appeal.title)
    assert "shadow" not in appeal.abstract
    assert "light" not in appeal.abstract


def test_a_day_on_which_everything_got_votes_teaches_nothing_about_its_words() -> None:
    def told(number: int) -> tuple[Paper, float]:
        made, votes = agents_draw_votes(number)
        if number // A_DAY % 7:
            return made, votes
        return paper(number, made.title.replace("Study", "Conference"), made.abstract), votes * 20

    appeal, _ = fit_text_prior(history(told))
    assert abs(appeal.title.get("conference", 0.0)) < 0.02
    assert appeal.title["agents"] > 0.1


def test_a_paper_is_judged_as_though_its_own_day_were_unknown() -> None:
    """An eclipse drew all votes on one day; what the other days teach says nothing of it."""

    def told(number: int) -> tuple[Paper, float]:
        made, votes = agents_draw_votes(number)
        if not 200 <= number < 200 + A_DAY or number % 4 > 1:
            return made, votes
        return paper(number, made.title.replace("Study", "Eclipse"), made.abstract), votes * 500

    known = [each for each in history(told) for _ in range(2)]  # often enough to count
    appeal, unseen = fit_text_prior(known)
    assert appeal.title["eclipse"] > 0.1
    assert unseen[200] == pytest.approx(unseen[200 + A_DAY], abs=0.05)
    assert appeal.of(known[400].paper) > unseen[200] + 0.1


def test_too_few_papers_teach_nothing_and_those_without_abstract_do_not_count() -> None:
    known = history(agents_draw_votes)[: 2 * fitting.IN_ABSTRACTS]
    assert fit_text_prior(known)[0].title
    assert fit_text_prior(known[1:]) == (TextPrior(), {})
    bare = [JudgedPaper(paper(1000 + n, "Study of agents", abstract=""), known[0].day, 9999.0) for n in range(500)]
    assert fit_text_prior([*known[1:], *bare]) == (TextPrior(), {})
    assert fit_text_prior([*known, *bare]) == fit_text_prior(known)


# ---- what foretells growth -----------------------------------------------------------------------------------------------------

NAMES = ("good", "noise", FORMULA, "never", "weather")
"""What decides, what does not, the formula, a figure that is always the same, and one that is the same for a whole morning."""


def mornings(gain: Callable[[float, float], float], count: int = 60, size: int = 12) -> list[Row]:
    """`gain` of the good figure and the formula's."""
    chance = Random(3)
    rows = []
    for morning in range(count):
        weather = chance.gauss(0, 1)
        for n in range(size):
            good, noise, formula = (chance.gauss(0, 1) for _ in range(3))
            gained = gain(good, formula) * math.exp(weather)
            rows.append(Row(morning * 7, morning * size + n, (3 + 2 * good, noise, formula, 4.0, weather), gained))
    return rows


TASTE = TextPrior(title={"agents": 0.5})


def fitted(rows: Sequence[Row]) -> Model:
    return fit_growth(NAMES, rows, TASTE, {"until": "then"})


def expected(model: Model, row: Row) -> float:
    """As the head of the file has it."""
    return math.exp(
        model.base + sum(model.weights[name] * value for name, value in zip(NAMES, row.vector, strict=True)) / model.power
    )


def test_the_figure_that_foretells_growth_gets_the_weight() -> None:
    rows = mornings(lambda good, formula: math.exp(good + formula))
    weights = fitted(rows).weights
    assert list(weights) == list(NAMES)
    assert weights["good"] > 0.02
    assert abs(weights["noise"]) < weights["good"] / 10
    assert weights["never"] == 0, "what is always the same tells nothing"
    assert abs(weights["weather"]) < weights["good"] / 10, "nor does what is the same for all papers of a morning"
    down = fitted(mornings(lambda good, formula: math.exp(formula - good))).weights
    assert down["good"] == pytest.approx(-weights["good"], abs=0.02)


@pytest.mark.parametrize("trusted", [1.0, 50.0])
def test_all_votes_expected_are_as_many_as_came(trusted: float) -> None:
    rows = mornings(lambda good, formula: trusted * math.exp(good + formula))
    model = fitted(rows)
    assert math.fsum(expected(model, row) for row in rows) == pytest.approx(math.fsum(row.gain for row in rows), rel=1e-3)


@pytest.mark.parametrize("nothing", [0.0, 5.0])
def test_where_nothing_is_to_learn_the_formula_decides(nothing: float) -> None:
    """Mornings on which nobody, or everybody alike, gained."""
    rows = mornings(lambda *_: nothing)
    model = fitted(rows)
    assert math.isfinite(model.base)
    some = sorted(rows, key=lambda row: expected(model, row))
    by_formula = sorted(rows, key=lambda row: row.vector[2])
    assert [row.paper_id for row in some[-5:]] == [row.paper_id for row in by_formula[-5:]]
    assert 0 < model.weights[FORMULA] / model.power < 1, "it is a part of the score: the rest is what was fitted"
    assert (model.appeal, model.fitted_on, model.power) == (TASTE, {"until": "then"}, fitting.POWER)


def test_one_runaway_paper_does_not_decide_everything() -> None:
    usual = mornings(lambda good, formula: math.exp(good + formula))
    runaway = [Row(999, 1, (3 - 2 * 2.0, 0.0, 0.0, 4.0, 0.0), 1e7), *(Row(999, n, usual[n].vector, 1.0) for n in range(2, 12))]
    assert fitted([*usual, *runaway]).weights["good"] > 0.75 * fitted(usual).weights["good"]


def unlikeness(weights: dict[str, float], rows: Sequence[Row]) -> float:
    """What the fit makes least, written down without matrices: how far the chances are from the shares, plus the ridge."""
    names = [name for name in NAMES if name != FORMULA]
    columns = {name: [row.vector[NAMES.index(name)] for row in rows] for name in names}
    spread = {name: pstdev(columns[name]) or 1.0 for name in names}
    loss = fitting.RIDGE / 2 * sum((weights[name] / fitting.TRUST * spread[name]) ** 2 for name in names)
    for _, group in groupby(rows, key=lambda row: row.morning):
        own = list(group)
        scores = [sum(weights[name] / fitting.TRUST * row.vector[NAMES.index(name)] for name in names) for row in own]
        whole = math.log(sum(map(math.exp, scores)))
        shares = [row.gain**fitting.POWER for row in own]
        chosen = sum(share * (score - whole) for share, score in zip(shares, scores, strict=True))
        loss -= fitting.MORNING_WEIGHT * chosen / sum(shares)
    return loss


def test_no_other_weights_are_more_like_what_was_gained() -> None:
    """Days of unlike size, one of them without any gain but one."""
    rows = mornings(lambda good, formula: max(0.0, good + formula) ** 2 + 0.01)
    rows = [row for row in rows if row.paper_id % 12 < 4 + row.morning // 7 % 8]
    found = dict(fitted(rows).weights)
    least = unlikeness(found, rows)
    for name in ("good", "noise", "weather"):
        for step in (-0.005, 0.005):
            assert unlikeness({**found, name: found[name] + step}, rows) > least, (name, step)
