"""Likeness by what texts mean: blended with that of words where both texts have a vector, on the same scale, and else as ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from digest.domain.edition import Pooled
from digest.domain.identifier import Identifier
from digest.domain.library import Work
from digest.domain.paper import Paper, Ranked
from digest.domain.subscriber import Interests
from digest.ranking.pool_index import PoolIndex
from digest.ranking.relevance import Reader, Window, personal_picks
from digest.ranking.selection import ALIKE, SAME
from digest.ranking.sentence_vectors import CURVE, LEAST, SHARE, SLOPE, SentenceVectors
from digest.ranking.similar import most_alike

SIZE = 64
MANY = 40


def vector(*, near: int | None = None, seed: int, how_near: float = 0.9) -> bytes:
    """A direction of its own, or one near another's."""
    own = np.random.default_rng(seed).normal(size=SIZE)
    if near is not None:
        other = np.random.default_rng(near).normal(size=SIZE)
        own = how_near * other + (1 - how_near) * own
    return np.rint(own * (127 / np.abs(own).max())).astype(np.int8).tobytes()


def paper(n: int, title: str = "") -> Paper:
    return Paper(
        id=n + 1,
        identifiers=(Identifier("arxiv", f"2605.{n:05}"),),
        title=title or f"Thing{n} about matter{n}",
        abstract=f"Thing{n} and matter{n}, with stuff{n}.",
        first_seen_at=datetime(2026, 5, 1, tzinfo=UTC),
    )


def pool(*titles: str) -> list[Pooled]:
    return [Pooled(n, Ranked(paper(n, titles[n] if n < len(titles) else ""), 100.0 - n)) for n in range(MANY)]


VECTORS = {n + 1: vector(seed=n) for n in range(MANY)}
WORK = Work(
    name="doi:10.1/w",
    identifiers=(Identifier("doi", "10.1/w"),),
    title="Words that no paper has",
    abstract="Nothing in common.",
    vector=vector(near=7, seed=1000),
)
READER = Reader(Interests(liked=(WORK.name,)), MANY)


def order(vectors: dict[int, bytes] | None, work: Work = WORK) -> list[int]:
    [found] = personal_picks(Window(PoolIndex(pool(), vectors)), [READER], {work.name: work})
    return [pick.position for pick in found]


def test_a_paper_that_means_the_same_in_other_words_comes_first() -> None:
    assert order(VECTORS)[0] == 7
    assert order(None)[0] == 0, "and without vectors the order is that of the trend"


def test_the_reason_names_the_work_though_no_word_is_shared() -> None:
    [found] = personal_picks(Window(PoolIndex(pool(), VECTORS)), [READER], {WORK.name: WORK})
    assert [reason.text for reason in found[0].reasons] == ["like “Words that no paper has”, which you liked"]


@pytest.mark.parametrize(
    ("vectors", "work"),
    [
        pytest.param({}, WORK, id="no paper has one"),
        pytest.param({n: VECTORS[n] for n in range(1, LEAST)}, WORK, id="too few to say what all share"),
        pytest.param({n + 1000: each for n, each in VECTORS.items()}, WORK, id="those of other papers"),
        pytest.param(VECTORS, replace(WORK, vector=b""), id="the work has none"),
    ],
)
def test_where_one_side_has_no_vector_it_is_as_without(vectors: dict[int, bytes], work: Work) -> None:
    with_them, without = (Window(PoolIndex(pool(), each)).nearness for each in (vectors, None))
    for nearness in (with_them, without):
        nearness.learn([work.name], {work.name: work})
    assert np.array_equal(with_them.near, without.near)
    assert order(vectors, work) == order(None, work)


def test_a_paper_without_vector_keeps_the_likeness_of_its_words() -> None:
    some = {n: each for n, each in VECTORS.items() if n != 8}
    work = replace(WORK, title="Thing7 about matter7")
    blended, words = (Window(PoolIndex(pool(), each)).nearness for each in (some, None))
    for nearness in (blended, words):
        nearness.learn([work.name], {work.name: work})
    assert blended.near[0, 7] == words.near[0, 7] > 1
    assert blended.near[0, 8] != words.near[0, 8]


def test_a_paper_of_the_window_that_is_liked_brings_its_own_vector() -> None:
    near = VECTORS | {21: vector(near=3, seed=2000)}
    window = Window(PoolIndex(pool(), near))
    [found] = personal_picks(window, [Reader(Interests(liked=("arxiv:2605.00003",)), MANY)])
    assert found[0].position == 20


def test_the_scale_is_that_of_words() -> None:
    """Quantiles of a year's pairs, likeness of vectors and that of words beyond what all share."""
    measured = {0.20: 0.027, 0.31: 0.052, 0.395: 0.078, 0.476: 0.111, 0.541: 0.145, 0.602: 0.185, 0.65: 0.226}
    for cosine, words in measured.items():
        assert cosine * (SLOPE + CURVE * cosine**2) == pytest.approx(words, rel=0.05)


def test_the_same_text_is_as_like_whatever_it_is_encoded_with() -> None:
    vectors = SentenceVectors([VECTORS[n + 1] for n in range(MANY)])
    words, common = np.zeros((2, MANY)), np.zeros(MANY)
    together = vectors.blended(words, [WORK.vector, VECTORS[3]], common)
    alone = vectors.blended(words[:1], [WORK.vector], common)
    assert together[0] == pytest.approx(alone[0], abs=1e-6)
    assert together[1, 2] == pytest.approx(SHARE * (SLOPE + CURVE), abs=1e-6), "that of a text to itself"


def test_a_topic_is_one_in_other_words_but_a_story_is_one_by_its_words() -> None:
    """With a vector in common and half of the words, papers are on one topic; nearly the same they are not."""
    titles = ("Glacier retreat seen by radar from orbit", "Ice loss in fjords of the north")
    for near, alike in ((VECTORS, False), (VECTORS | {2: VECTORS[1]}, True)):
        sets = PoolIndex(pool(*titles), near).similarity_sets
        assert sets.alike[0] >> 1 & 1 == alike
        assert not sets.same[0] >> 1 & 1
    assert ALIKE < SHARE * (SLOPE + CURVE) < SAME


def test_similar_papers_are_those_that_mean_the_same() -> None:
    one, others = paper(100, "Thing1 thing2 thing3"), [paper(n) for n in range(MANY)]
    vectors = {**VECTORS, 101: vector(near=30, seed=3000)}
    assert [found.id for found, _ in most_alike(one, others, 1, vectors)] == [31]
    assert most_alike(one, others, 5, {}) == most_alike(one, others, 5)
    assert most_alike(one, others, 5, VECTORS) == most_alike(one, others, 5), "it has no vector itself"
