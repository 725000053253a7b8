"""A reader's own picks: one story once, no five of a topic, a place for each interest, and in the order of their scores."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.edition import Pooled
from digest.domain.identifier import Identifier
from digest.domain.paper import Paper, Ranked, Reason
from digest.domain.subscriber import Interests
from digest.ranking.diversity import PER_TOPIC, SimilaritySets, spread, with_every_interest
from digest.ranking.relevance import Reader, personal_picks

THINGS = (
    "volcanoes", "robots", "enzymes", "orchestras", "comets", "bridges", "tariffs", "parrots", "compilers", "galaxies",
    "vaccines", "tractors", "sonnets", "earthquakes", "lasers", "termites", "dialects", "turbines", "fossils", "markets",
    "neurons", "zeolites", "kernels", "proteins", "rivers", "satellites", "pendulums", "alloys", "beetles", "quasars",
)  # fmt: skip
VOTES = Reason("votes", "▲ 9 today")


def pool(*titles: str, **of: str) -> list[Pooled]:
    """The best trending first; `p3="…"` is the abstract of the third from 0."""
    return [
        Pooled(
            n,
            Ranked(
                Paper(
                    id=n + 1,
                    identifiers=(Identifier("arxiv", f"2605.{n:05}"),),
                    title=title,
                    abstract=of.get(f"p{n}", ""),
                    authors=(f"Ada Author{n}",),
                    first_seen_at=datetime(2026, 5, 1, tzinfo=UTC),
                ),
                100.0 - n,
                (VOTES,),
            ),
        )
        for n, title in enumerate(titles)
    ]


def picks(shown: list[Pooled], interests: Interests, wanted: int, already: frozenset[int] = frozenset()) -> dict[int, list[str]]:
    [found] = personal_picks(shown, [Reader(interests, wanted, already)])
    return {pick.position: [reason.text for reason in pick.reasons] for pick in found}


def glaciers(count: int) -> list[str]:
    """On one topic, each with something of its own."""
    return [f"Glacier retreat by radar: {THINGS[n]} and {THINGS[n + 10]}" for n in range(count)]


STORY = "Glacier retreat measured from orbit by radar interferometry"


def test_of_one_story_a_reader_gets_the_better_telling_and_the_others_names() -> None:
    shown = pool(STORY, f"{STORY} again", "Glacier songs", *THINGS)
    found = picks(shown, Interests(words=("glacier",)), 3)
    assert list(found) == [0, 2, 3]
    assert found[0] == ["matches: glacier", VOTES.text, f"also: {STORY} again"]
    assert list(picks(shown, Interests(), 2)) == [0, 2], "and who has no interests too"


def test_a_story_that_was_sent_is_not_sent_again_under_another_title() -> None:
    shown = pool(STORY, f"{STORY} again", "Glacier songs", *THINGS)
    assert list(picks(shown, Interests(words=("glacier",)), 2, frozenset({1}))) == [2, 3]


def test_no_five_of_a_topic_while_there_is_anything_else() -> None:
    shown = pool(*glaciers(8), *THINGS[20:])
    found = list(picks(shown, Interests(words=("glacier",)), 8))
    assert found[:PER_TOPIC] == [0, 1, 2, 3]
    assert all(position >= 8 for position in found[PER_TOPIC:])
    only = pool(*glaciers(8))
    assert list(picks(only, Interests(words=("glacier",)), 6)) == [0, 1, 2, 3, 4, 5], "better five alike than an empty place"


def test_each_wish_that_a_paper_fulfils_has_a_place() -> None:
    shown = pool(*(f"Robots that learn {thing}" for thing in THINGS[:20]), "Slow comets", "Old ballads of parrots")
    interests = Interests(words=("robots", "ballads", "nobody writes about this"), authors=("Ada Author20",))
    found = picks(shown, interests, 4)
    assert list(found) == [0, 1, 20, 21], "half of the places at most"
    assert found[21][0] == "matches: ballads"
    assert list(picks(shown, interests, 4, frozenset({22}))) == [0, 1, 2, 20], "not what was sent already"
    assert list(picks(shown, Interests(words=("robots", "ballads"), muted_words=("parrots",)), 4)) == [0, 1, 2, 3], "nor muted"


def test_the_whole_pool_stands_in_its_order() -> None:
    """A ranking is not a choice: nothing is left out of it, nothing moved."""
    shown = pool(STORY, f"{STORY} again", *glaciers(8))
    assert list(picks(shown, Interests(words=("glacier",)), 10)) == list(range(10))


def kin(count: int, pairs: list[tuple[int, int, float]]) -> SimilaritySets:
    likeness = np.eye(count)
    for one, other, how in pairs:
        likeness[one, other] = likeness[other, one] = how
    return SimilaritySets.of(likeness)


def test_a_paper_is_no_kin_of_itself() -> None:
    assert kin(3, [(0, 1, 0.9), (1, 2, 0.3)]) == SimilaritySets(same=(2, 1, 0), alike=(2, 5, 2))


def test_two_that_wait_and_are_the_same_are_one() -> None:
    pairs = [(one, other, 0.9 if (one, other) == (4, 5) else 0.5) for one in range(7) for other in range(one)]
    pairs += [(4, 5, 0.9)]
    chosen, folded = spread(range(7), 7, kin(7, pairs), ())
    assert (chosen, folded) == ([0, 1, 2, 3, 4, 6], {})


LIKENESS = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19), st.sampled_from([0.1, 0.3, 0.9])), max_size=60)


@given(pairs=LIKENESS, wanted=st.integers(1, 20), had=st.sets(st.integers(0, 19), max_size=4), seed=st.randoms())
def test_what_spread_promises(pairs: list[tuple[int, int, float]], wanted: int, had: set[int], seed: object) -> None:
    similarity_sets = kin(20, [pair for pair in pairs if pair[0] != pair[1]])
    order = [n for n in range(20) if n not in had]
    seed.shuffle(order)  # type: ignore[attr-defined]
    chosen, folded = spread(order, wanted, similarity_sets, had)
    assert len(chosen) <= wanted
    assert chosen == [n for n in order if n in chosen], "in the order of scores, each once"
    assert not any(similarity_sets.same[one] >> other & 1 for one in chosen for other in (*chosen, *had))
    assert not {n for twins in folded.values() for n in twins}.intersection(chosen)
    assert set(folded) <= set(chosen)
    free = [n for n in order if not any(similarity_sets.same[n] >> other & 1 for other in (*chosen, *had))]
    assert len(chosen) == wanted or set(free) <= set(chosen), "no empty place while there is anything to put in it"


@pytest.mark.parametrize("places", [1, 2, 3])
def test_a_place_for_one_wish_is_not_taken_from_another(places: int) -> None:
    fulfilled = np.array([[1, 0, 0, 0], [0, 0, 0, 1]], dtype=bool)
    scores = np.array([4.0, 3.0, 2.0, 1.0])
    assert with_every_interest(range(places), fulfilled, scores) == [[0], [0, 3], [0, 1, 3]][places - 1]
