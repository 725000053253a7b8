"""From a ranking to a morning's picks: one story once, two papers a topic, a place for what is new, a reason for all the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.identifier import Identifier
from digest.domain.paper import LATELY, Paper, Ranked, Reason, for_readers
from digest.ranking.selection import CONSIDERED, Selection, also, select, stepped_back
from tests.tables import every_row

SEEN = datetime(2026, 3, 2, tzinfo=UTC)
VOTED, NEW = Reason("votes", "▲ 9 today"), Reason("new", "new today, no votes yet")
SUBJECTS = (
    "glaciers", "volcanoes", "robots", "enzymes", "orchestras", "comets", "bridges", "tariffs", "parrots", "compilers",
    "galaxies", "vaccines", "tractors", "sonnets", "earthquakes", "lasers", "termites", "dialects", "turbines", "fossils",
    "markets", "neurons", "zeolites", "kernels", "graphs", "proteins", "rivers", "satellites", "pendulums", "alloys",
    "beetles", "quasars", "ballads", "ferries", "looms", "marshes", "orchards", "pistons", "quarries", "reefs",
)  # fmt: skip


def paper(number: int, title: str = "", abstract: str = "", *, withdrawn: bool = False) -> Paper:
    return Paper(
        id=number,
        identifiers=(Identifier("arxiv", f"2603.{number:05}"),),
        title=title or SUBJECTS[number],
        abstract=abstract,
        first_seen_at=SEEN,
        withdrawn=withdrawn,
    )


def ranking(*papers: Paper | tuple[Paper, Reason]) -> list[Ranked]:
    """Best first; papers have votes unless told otherwise."""
    pairs = [each if isinstance(each, tuple) else (each, VOTED) for each in papers]
    return [Ranked(each, 100.0 - place, (reason,)) for place, (each, reason) in enumerate(pairs)]


def apart(count: int, **of: Reason) -> list[Ranked]:
    """Papers about different things, numbered by rank from 0; `n3=NEW` says the reason of one."""
    return ranking(*((paper(n), of.get(f"n{n}", VOTED)) for n in range(count)))


def picked(found: Selection) -> list[int]:
    return [pick.ranked.paper.id for pick in found.picks]


def why_not(found: Selection) -> dict[int, str]:
    return {left.paper_id: left.reason for left in found.left_out}


def test_the_best_are_picked_in_their_order() -> None:
    found = select(apart(12), 4, frozenset())
    assert picked(found) == [0, 1, 2, 3]
    assert [pick.rank for pick in found.picks] == [1, 2, 3, 4]
    assert why_not(found) == {n: f"ranked {n + 1}; 4 were picked" for n in range(4, 12)}


def test_fewer_papers_than_places() -> None:
    assert picked(select(apart(2), 4, frozenset())) == [0, 1]
    assert select([], 4, frozenset()) == Selection((), (), ())


def test_what_was_featured_or_withdrawn_is_not_picked_and_says_so() -> None:
    ranked = ranking(paper(0), paper(1), paper(2, withdrawn=True), paper(3), paper(4, withdrawn=True))
    found = select(ranked, 2, frozenset({0, 4}))
    assert picked(found) == [1, 3]
    assert why_not(found) == {0: "featured in an earlier edition", 2: "withdrawn", 4: "withdrawn"}
    assert [(each.position, each.ranked.paper.id, each.featured_before) for each in found.pool] == [
        (0, 0, True),
        (1, 1, False),
        (2, 3, False),
    ], "readers who missed a featured paper may have it; a withdrawn one nobody"


def test_the_pool_holds_everything_that_could_be_picked() -> None:
    found = select(apart(12, n11=NEW), 5, frozenset())
    assert picked(found) == [0, 1, 2, 3, 11]
    assert [each.ranked.paper.id for each in found.pool] == list(range(12))
    assert [each.position for each in found.pool] == list(range(12))


# ---- one story, one topic ------------------------------------------------------------------------------------------------------

STORY = "Glacier retreat measured from orbit by radar interferometry"


def test_nearly_the_same_paper_is_folded_into_the_better_one() -> None:
    ranked = ranking(paper(1, STORY), paper(2, STORY + " again"), paper(3), paper(4, STORY), paper(5))
    found = select(ranked, 3, frozenset())
    assert picked(found) == [1, 3, 5]
    assert [reason.text for reason in found.picks[0].ranked.reasons] == [VOTED.text, f"also: {STORY} again; {STORY}"]
    assert found.picks[0].ranked.reasons[-1].kind == "also"
    assert found.picks[1].ranked.reasons == (VOTED,)
    assert why_not(found) == dict.fromkeys((2, 4), f"folded into “{STORY}”, which is nearly the same")
    assert found.pool[0].ranked.reasons == found.picks[0].ranked.reasons, "the pool's card says the same as the pick's"


def test_of_many_that_are_folded_into_one_some_are_named() -> None:
    folded = [paper(n, f"{STORY}, part {n}") for n in range(1, 7)]
    assert also(folded[:3]).text == f"also: {STORY}, part 1; {STORY}, part 2; {STORY}, part 3"
    assert also(folded).text == f"also: {STORY}, part 1; {STORY}, part 2; {STORY}, part 3; and 3 more"


def test_what_is_folded_never_fills_an_empty_place() -> None:
    assert picked(select(ranking(paper(1, STORY), paper(2, STORY)), 2, frozenset())) == [1]


def test_what_was_featured_does_not_come_again_under_another_title() -> None:
    ranked = ranking(paper(1, STORY), paper(2, STORY + " again"), paper(3))
    found = select(ranked, 3, frozenset({1}))
    assert picked(found) == [3], "not even in an empty place"
    assert why_not(found)[2] == f"nearly the same as “{STORY}”, which an earlier edition featured"


def topic(*numbers: int) -> list[Paper]:
    """On one topic, each with something of its own."""
    return [paper(n, f"Glacier retreat: {SUBJECTS[n]}", f"Orbit radar, {SUBJECTS[n + 10]}, {SUBJECTS[n + 20]}.") for n in numbers]


def test_two_of_a_topic_and_then_others() -> None:
    ranked = ranking(*topic(1, 2, 3, 4), paper(35), paper(36))
    found = select(ranked, 4, frozenset())
    assert picked(found) == [1, 2, 35, 36]
    assert why_not(found) == dict.fromkeys((3, 4), "2 picks are on its topic already, such as “Glacier retreat: volcanoes”")


@pytest.mark.parametrize(
    ("earlier", "variety", "expected"),
    [
        (0, 0.2, [1, 10, 11]),
        (1, 0.0, [1, 10, 11]),
        (1, 0.005, [1, 10, 11]),  # 100 × 0.995 is still more than 99
        (1, 0.2, [10, 11, 1]),  # 80, less than 99 and 98
        (3, 0.005, [10, 1, 11]),  # 98.5, between 99 and 98
    ],
)
def test_a_topic_picked_lately_steps_back(earlier: int, variety: float, expected: list[int]) -> None:
    today, *lately = topic(1, *range(2, 2 + earlier))
    found = stepped_back(ranking(today, paper(10), paper(11)), lately, variety, 3)
    assert [each.paper.id for each in found] == expected
    stepped = next(each for each in found if each.paper.id == 1)
    reasons = [reason.text for reason in stepped.reasons if reason.kind == LATELY]
    if earlier and variety:
        assert stepped.score == pytest.approx(100 * (1 - variety) ** earlier)
        assert f"{earlier} pick" in reasons[0]
        assert lately[0].title in reasons[0]
    else:
        assert reasons == []
    assert for_readers(stepped.reasons) == (VOTED,)


def test_with_variety_0_nothing_changes() -> None:
    papers = ranking(*topic(*range(1, 6)))
    assert stepped_back(papers, topic(7, 8), 0, 3) == papers


def test_only_what_is_considered_steps_back_and_no_further() -> None:
    papers = apart(12)
    far = ranking(*(each.paper for each in papers), *topic(18))
    found = stepped_back(far, topic(19), 0.5, 1)
    assert found[CONSIDERED:] == far[CONSIDERED:]
    assert stepped_back(far, [far[0].paper], 0.5, 1) == far, "a paper is not on its own topic"


def test_papers_not_in_order_of_score_keep_their_order() -> None:
    """As those nobody has spoken of, which are spread over their categories."""
    spread = [replace(each, score=score) for each, score in zip(apart(4), (3.0, 1.0, 2.0, -1.0), strict=True)]
    assert stepped_back(spread, [paper(30)], 0.3, 4) == spread


def test_better_two_alike_than_an_empty_place() -> None:
    found = select(ranking(*topic(1, 2, 3, 4, 5)), 4, frozenset())
    assert picked(found) == [1, 2, 3, 4]
    assert set(why_not(found)) == {5}


def test_no_spread_is_worth_a_paper_far_down() -> None:
    """Three picks look at 30 papers; the rest keep their place."""
    few = [*topic(1, 2, 3), *(paper(100 + n, STORY) for n in range(27)), paper(30), paper(31)]
    found = select(ranking(*few), 3, frozenset())
    assert picked(found) == [1, 2, 3], "30 and 31 come too late"
    assert why_not(found)[30] == "ranked 31; 3 were picked"


# ---- what is new ---------------------------------------------------------------------------------------------------------------


@every_row(
    ("picks", "new", "expected"),
    [
        (4, {20}, [0, 1, 2, 3]),
        (5, {20}, [0, 1, 2, 3, 20]),
        (5, {20, 25}, [0, 1, 2, 3, 20]),
        (5, {2, 20}, [0, 1, 2, 3, 4]),
        (10, {38, 39}, [*range(9), 38]),
        (19, {38, 39}, [*range(18), 38]),
        (20, {38, 39}, [*range(18), 38, 39]),
        (5, set(), [0, 1, 2, 3, 4]),
    ],
    ids=["too few picks", "one place", "one place is one", "there is one already", "10", "19", "20", "none is new"],
)
def test_one_place_in_ten_is_for_what_is_new(picks: int, new: set[int], expected: list[int]) -> None:
    found = select(apart(40, **{f"n{n}": NEW for n in new}), picks, frozenset())
    assert picked(found) == expected


def test_a_place_kept_for_what_is_new_and_not_needed_goes_to_the_next_best() -> None:
    """The only new paper tells the story of the first again."""
    found = select(ranking(*(paper(n) for n in range(8)), (paper(20, SUBJECTS[0]), NEW)), 5, frozenset())
    assert picked(found) == [0, 1, 2, 3, 4]
    assert why_not(found)[20] == f"folded into “{SUBJECTS[0]}”, which is nearly the same"


def test_what_is_new_comes_from_however_far_down() -> None:
    """Far below what is looked at for its votes; and a new one that tells a story again makes way for the next."""
    filler = [paper(100 + n, f"word{n}a word{n}b") for n in range(60)]
    far = [(paper(70, "word0a word0b"), NEW), (paper(71, "Something else entirely"), NEW)]
    found = select(ranking(*filler, *far), 5, frozenset())
    assert picked(found) == [100, 101, 102, 103, 71]
    assert found.picks[-1].ranked.reasons == (NEW,)
    assert why_not(found)[70] == "folded into “word0a word0b”, which is nearly the same"


def test_a_new_paper_looked_at_twice_is_named_once() -> None:
    """Among the best for its votes, and again for being new: both times it tells the story of the first."""
    ranked = ranking(paper(0, STORY), (paper(1, f"{STORY} again"), NEW), *(paper(n) for n in range(2, 8)))
    found = select(ranked, 5, frozenset())
    assert picked(found) == [0, 2, 3, 4, 5]
    assert [reason.text for reason in found.picks[0].ranked.reasons] == [VOTED.text, f"also: {STORY} again"]


# ---- properties ----------------------------------------------------------------------------------------------------------------

SUBJECT = st.integers(0, 9).map(lambda n: f"Glacier retreat: {SUBJECTS[n]}") | st.sampled_from([STORY, *SUBJECTS[10:30]])
DRAWN = st.lists(st.tuples(SUBJECT, st.sampled_from([VOTED, NEW])), max_size=16)
WORDINGS = st.sampled_from(["", "new", "folded", "nearly the same", "a reason"])


@given(drawn=DRAWN, picks=st.integers(1, 8), had=st.sets(st.integers(0, 15), max_size=4), odd=WORDINGS)
def test_no_choice_hangs_on_how_anything_is_worded(drawn: list[tuple[str, Reason]], picks: int, had: set[int], odd: str) -> None:
    ranked = ranking(*((paper(n, title), reason) for n, (title, reason) in enumerate(drawn)))
    reworded = [replace(each, reasons=tuple(replace(reason, text=odd) for reason in each.reasons)) for each in ranked]
    found = select(ranked, picks, frozenset(had))
    assert picked(select(reworded, picks, frozenset(had))) == picked(found)
    assert {*picked(found), *why_not(found)} == set(range(len(drawn))), "each paper is picked or told why not"
    titles = {n: title for n, (title, _) in enumerate(drawn)}
    for pick in found.picks:
        named = [reason for reason in pick.ranked.reasons if reason.kind == "also"]
        folded = [n for n, why in why_not(found).items() if why == FOLDED.format(titles[pick.ranked.paper.id])]
        assert bool(named) <= bool(folded), "what is named was left out, and says into what"


FOLDED = "folded into “{}”, which is nearly the same"
