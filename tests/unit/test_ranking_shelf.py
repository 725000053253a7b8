"""What a pool answers to readers' wishes: whom a name means, how far words are met, which papers are like which."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from digest.domain.edition import Pooled
from digest.domain.identifier import Identifier
from digest.domain.paper import Paper, Ranked
from digest.ranking import pool_index as shelves
from digest.ranking.pool_index import Shelf, answers_to, name_words


@pytest.mark.parametrize(
    ("author", "asked", "meant"),
    [
        ("Yann LeCun", "LeCun, Yann", True),
        ("Yann LeCun", "y. lecun", True),
        ("Yann LeCun", "lecun", True),
        ("Yann A. LeCun", "Yann LeCun", True),
        ("Yann André LeCun", "Y. A. LeCun", True),
        ("Yann André LeCun", "A. LeCun", True),
        ("Yann André LeCun", "André Yann LeCun", False),
        ("Yann LeCun", "Yan LeCun", False),
        ("Y. LeCun", "Yann LeCun", False),
        ("Yann LeCun", "Yann", False),
        ("Jean-Luc Godard", "J. L. Godard", True),
        ("José Núñez", "nunez, jose", True),
        ("李飞飞", "李飞飞", True),
        ("***", "lecun", False),
        ("Yann LeCun", "***", False),
    ],
)
def test_whom_a_name_means(author: str, asked: str, meant: bool) -> None:
    assert answers_to(name_words(author), name_words(asked)) is meant
    assert Shelf.is_by(author, asked) is meant


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("image", "images"),
        ("language", "languages"),
        ("node", "nodes"),
        ("agent", "agents"),
        ("study", "studies"),
        ("class", "classes"),
        ("tree", "trees"),
        ("generalisation", "generalization"),
        ("optimise", "optimizing"),
        ("behaviour", "behavior"),
        ("labours", "labors"),
        ("estimate", "estimation"),
        ("learner", "learners"),
        ("editor", "editors"),
        ("folding", "folded"),
        ("rapidly", "rapid"),
    ],
)
def test_two_forms_of_a_word_are_one_wish(one: str, other: str) -> None:
    pool = shelf(paper(1, f"Something {one}"), paper(2, f"Something {other}"), paper(3, "Something else"))
    for wish in (one, other):
        assert [each > 0 for each in pool.fulfilled("words", [wish])[0]] == [True, True, False]


@pytest.mark.parametrize(
    ("one", "other"), [("analysis", "analyst"), ("status", "statue"), ("glass", "glas"), ("model", "mode"), ("gas", "gap")]
)
def test_words_that_only_look_alike_are_two(one: str, other: str) -> None:
    pool = shelf(paper(1, f"Something {one}"), paper(2, f"Something {other}"))
    assert [each > 0 for each in pool.fulfilled("words", [one])[0]] == [True, False]


# ---- how far words are met -----------------------------------------------------------------------------------------------------


def paper(number: int, title: str, abstract: str = "", keywords: tuple[str, ...] = (), authors: tuple[str, ...] = ()) -> Paper:
    return Paper(
        id=number,
        identifiers=(Identifier("arxiv", f"2605.{number:05}"),),
        title=title,
        abstract=abstract,
        keywords=keywords,
        authors=authors,
        categories=("cs.CL",) if number % 2 else ("CS.RO", "math-ph"),
        first_seen_at=datetime(2026, 5, number, tzinfo=UTC),
    )


PAPERS = [
    paper(1, "Theory of zeolites", "A study of bread.", authors=("Ann Lee", "Bo Li")),
    paper(2, "Theory of bread", "A study of zeolites.", authors=("Bo Li", "Ann Lee")),
    paper(3, "Zeolites at sea", "A study of ships and rust.", authors=("Bo Li", "Bo Li")),
    paper(4, "Theory of ships", "A study of rust and zinc.", authors=("***",)),
    paper(5, "Theory of rust", "A study of zinc.", ("zinc", "nails"), authors=("Lee, Ann B.",)),
    paper(6, "Theory of nails", "A study of study."),
]


def shelf(*papers: Paper) -> Shelf:
    return Shelf([Pooled(n, Ranked(each, 1.0)) for n, each in enumerate(papers or PAPERS)])


def met(kind: str, wish: str) -> list[float]:
    [row] = shelf().fulfilled(kind, [wish])
    return [float(each) for each in row]


def test_the_title_says_it_better_than_title_and_abstract_together() -> None:
    first, second, *_ = met("words", "theory of zeolites")
    assert first > second == 1


def test_of_several_words_the_rare_one_counts() -> None:
    """Five of six titles say "theory"; three papers speak of zeolites."""
    _, _, rare, *common = met("words", "theory zeolite")
    assert 0 < rare < 0.5
    assert common == [0, 0, 0]
    _, rarer, *_ = met("words", "bread theory zinc sea")
    assert rarer == 0, "less than half of it"


def test_what_no_paper_says_counts_as_the_rarest_of_all() -> None:
    assert met("words", "zeolite phlogiston") == [0] * 6
    assert met("words", "zeolite theory phlogiston") == [met("words", "zeolite theory phlogiston")[0]] * 2 + [0] * 4
    assert met("words", "phlogiston") == [0] * 6
    assert met("words", "") == [0] * 6


def test_keywords_count_as_the_text_does_and_a_word_said_often_counts_once() -> None:
    assert [each >= 1 for each in met("words", "nail zinc")] == [False, False, False, False, True, False]
    assert met("words", "study") == [1] * 6


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ('"theory of zeolites"', {1}),
        ('"zeolites theory"', set()),
        ('"zeolites a"', set()),
        ('"zinc nails"', {5}),
        ("cat:cs zeolite", {1, 2, 3}),
        ("cat:cs.ro zeolite", {2}),
        ("cat:math zeolite", set()),
        ("author:lee zeolite", {1, 2}),
        ("author:lee author:li", {1, 2}),
        ("author:lee since:2026-05-02", {2, 5}),
        ("like:2605.00001 zeolite", set()),
    ],
)
def test_a_search_is_met_or_not(search: str, found: set[int]) -> None:
    assert {n for n, each in enumerate(met("words", search), start=1) if each} == found


@pytest.mark.parametrize(
    ("wish", "found"),
    [("cs", {1, 2, 3, 4, 5, 6}), ("CS.CL", {1, 3, 5}), ("cs.R", set()), ("math", set()), ("math-ph", {2, 4, 6})],
)
def test_a_category_stands_for_all_below_it(wish: str, found: set[int]) -> None:
    assert met("categories", wish) == [float(n in found) for n in range(1, 7)]


@pytest.mark.parametrize(
    ("wish", "found"), [("ann lee", {1, 2, 5}), ("A. Lee", {1, 2, 5}), ("Li, Bo", {1, 2, 3}), ("lee li", set()), ("***", set())]
)
def test_an_author_is_met_once_a_paper(wish: str, found: set[int]) -> None:
    assert met("authors", wish) == [float(n in found) for n in range(1, 7)]


# ---- what is like what ---------------------------------------------------------------------------------------------------------


def test_papers_of_the_pool_and_others_are_told_by_what_they_say_and_who_wrote_them() -> None:
    pool = shelf()
    outside = {"doi:10.1/x": paper(9, "Rust at sea", "Zinc.", authors=("Bo Li", "Ann Lee", "Bo Li", "Some Stranger"))}
    named = ["arxiv:2605.00001", "doi:10.1/x", "doi:10.1/nobody"]
    vectors, people, likeness = pool.others(outside, named)
    assert likeness.shape == (3, 6)
    assert likeness[0, 0] == 0, "a paper is not like itself"
    assert likeness[0].argmax() == 1
    assert likeness[1].argmax() == 2
    assert (likeness[2] == 0).all()
    assert [len(vectors.row(row)[0]) for row in range(3)] == [3, 3, 0], "words without meaning do not count"
    names = [sorted(author for author in ("Ann Lee", "Bo Li") if pool.author_among(0, {column}) == author) for column in range(2)]
    assert names == [["Ann Lee"], ["Bo Li"]]
    assert [sorted(people.row(row)[0].tolist()) for row in range(3)] == [[0, 1], [0, 1], []]


def test_the_first_author_who_is_meant_is_named() -> None:
    pool = shelf()
    assert pool.author_among(0, {0, 1}) == "Ann Lee"
    assert pool.author_among(1, {0, 1}) == "Bo Li"
    assert pool.author_among(1, {0}) == "Ann Lee"


def test_what_was_asked_before_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little is kept of it."""
    monkeypatch.setattr(shelves, "MOST_KEPT", 2)
    pool, wishes = shelf(), ["zeolite", "rust", "zeolite", "theory of bread", "zinc"]
    names = [f"arxiv:2605.{n:05}" for n in (1, 2, 3, 1)]
    for some in (wishes[:1], wishes[:3], wishes, wishes[::-1]):
        assert pool.fulfilled("words", some).tolist() == shelf().fulfilled("words", some).tolist()
        assert pool.fulfilled("authors", some).tolist() == shelf().fulfilled("authors", some).tolist()
    for known in (names, names[::-1], names[:1]):
        assert pool.others({}, known)[2].tolist() == shelf().others({}, known)[2].tolist()
    assert pool.fulfilled("words", []).shape == (0, 6)
