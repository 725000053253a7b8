"""What a pool answers to readers' interests: whom a name means, how far words are met, which papers are like which."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from digest.domain.edition import Pooled
from digest.domain.identifier import Identifier
from digest.domain.identity import title_key
from digest.domain.library import Work
from digest.domain.paper import Paper, Ranked
from digest.ranking import nearness as nearnesses
from digest.ranking import pool_index as shelves
from digest.ranking.nearness import Nearness
from digest.ranking.pool_index import PoolIndex, answers_to, name_words
from tests.tables import every_row


@every_row(
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
    assert PoolIndex.is_by(author, asked) is meant


@every_row(
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
    for interest in (one, other):
        assert [each > 0 for each in pool.fulfilled("words", [interest])[0]] == [True, True, False]


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
    paper(1, "Theory of zeolites", "A study of bread.", authors=("Ann Leeson", "Bo Lindqvist")),
    paper(2, "Theory of bread", "A study of zeolites.", authors=("Bo Lindqvist", "Ann Leeson")),
    paper(3, "Zeolites at sea", "A study of ships and rust.", authors=("Bo Lindqvist", "Bo Lindqvist")),
    paper(4, "Theory of ships", "A study of rust and zinc.", authors=("***",)),
    paper(5, "Theory of rust", "A study of zinc.", ("zinc", "nails"), authors=("Leeson, Ann B.",)),
    paper(6, "Theory of nails", "A study of study."),
]


def shelf(*papers: Paper) -> PoolIndex:
    return PoolIndex([Pooled(n, Ranked(each, 1.0)) for n, each in enumerate(papers or PAPERS)])


def met(kind: str, interest: str) -> list[float]:
    [row] = shelf().fulfilled(kind, [interest])
    return [float(each) for each in row]


def test_the_title_says_it_better_than_title_and_abstract_each_a_part_of_it() -> None:
    first, second, *_ = met("words", "theory of zeolites")
    assert first > 1 > second > 0.5


def test_of_several_words_the_rare_one_counts() -> None:
    """Five of six titles say "theory"; three papers speak of zeolites."""
    _, _, rare, *common = met("words", "theory zeolite")
    assert 0 < rare < 0.5
    assert 0 < max(common) < rare, "graded: the less of it, the less it is worth"


def test_what_no_paper_says_counts_as_the_rarest_of_all() -> None:
    assert 0 < max(met("words", "zeolite phlogiston")) < max(met("words", "zeolite rust"))
    assert met("words", "phlogiston") == [0] * 6
    assert met("words", "") == [0] * 6


def test_keywords_count_as_the_text_does_and_a_word_said_often_counts_once() -> None:
    assert [each >= 1 for each in met("words", "nail zinc")] == [False, False, False, False, True, False]
    assert met("words", "study") == [1] * 6


@every_row(
    ("search", "found"),
    [
        ('"theory of zeolites"', {1}),
        ('"zeolites theory"', set()),
        ('"zeolites a"', set()),
        ('"zinc nails"', {5}),
        ("cat:cs zeolite", {1, 2, 3}),
        ("cat:cs.ro zeolite", {2}),
        ("cat:math zeolite", set()),
        ("author:leeson zeolite", {1, 2}),
        ("author:leeson author:lindqvist", {1, 2}),
        ("author:leeson since:2026-05-02", {2, 5}),
        ("like:2605.00001 zeolite", set()),
    ],
)
def test_a_search_is_met_or_not(search: str, found: set[int]) -> None:
    assert {n for n, each in enumerate(met("words", search), start=1) if each} == found


@pytest.mark.parametrize(
    ("interest", "found"),
    [("cs", {1, 2, 3, 4, 5, 6}), ("CS.CL", {1, 3, 5}), ("cs.R", set()), ("math", set()), ("math-ph", {2, 4, 6})],
)
def test_a_category_stands_for_all_below_it(interest: str, found: set[int]) -> None:
    assert met("categories", interest) == [float(n in found) for n in range(1, 7)]


@pytest.mark.parametrize(
    ("interest", "found"),
    [
        ("ann leeson", {1, 2, 5}),
        ("A. Leeson", {1, 2, 5}),
        ("Lindqvist, Bo", {1, 2, 3}),
        ("leeson lindqvist", set()),
        ("***", set()),
    ],
)
def test_an_author_is_met_once_a_paper(interest: str, found: set[int]) -> None:
    assert met("authors", interest) == [float(n in found) for n in range(1, 7)]


# ---- what is like what ---------------------------------------------------------------------------------------------------------


def near(pool: PoolIndex, names: list[str], outside: dict[str, Paper] | None = None) -> tuple[Nearness, np.ndarray]:
    nearness = Nearness(pool)
    nearness.learn(names, outside or {})
    return nearness, np.log(nearness.rows([[name] for name in names]).times(nearness.near[: len(names)]) + 1e-9)


def test_papers_of_the_window_and_others_are_told_by_what_they_say() -> None:
    outside = {"doi:10.1/x": paper(9, "Rust at sea", "Zinc.")}
    _, likeness = near(shelf(), ["arxiv:2605.00001", "doi:10.1/x"], outside)
    assert likeness[0].argmax() == 1, "a paper is not like itself"
    assert likeness[1].argmax() == 2


def test_a_work_that_nobody_knows_is_in_no_row() -> None:
    nearness = Nearness(shelf())
    nearness.learn(["doi:10.1/nobody"], {})
    assert len(nearness.rows([["doi:10.1/nobody"]]).row(0)[0]) == 0
    assert nearness.missing(["doi:10.1/nobody", "arxiv:2605.00001"]) == ["doi:10.1/nobody"]


def test_a_work_meets_a_paper_by_title_and_first_author_where_it_has_no_name_of_its_own() -> None:
    there = paper(1, "A long study of zeolites in bread", authors=("Ann Leeson",))
    pool = shelf(there, paper(2, "Theory of bread"))
    key = title_key(there)
    for identifier, position in ((Identifier("reference", "x"), 0), (Identifier("doi", "10.1/x"), -1)):
        work = Work(name=str(identifier), identifiers=(identifier,), title=there.title, authors=there.authors, title_key=key)
        nearness, _ = near(pool, [work.name], {work.name: work})
        assert nearness.met().tolist() == [position]


@pytest.mark.parametrize(
    ("authors", "about", "counts"),
    [
        (("Ann Leeson",), "Theory of bread and zeolites", (0.3, 1.0)),
        (("Ann Leeson",), "Galaxies far away", (0.0, 0.0)),
        (("Wei Wang",), "Theory of bread and zeolites", (0.0, 0.11)),
        (("Wei Wang",), "Galaxies far away", (0.0, 0.0)),
        (("Ann Leeson", "Wei Wang"), "Galaxies far away", (1.0, 1.0)),
        (("Wei Wang", "Jun Li"), "Galaxies far away", (0.0, 0.0)),
    ],
    ids=["on topic", "elsewhere", "a namesake on topic", "a namesake", "the same people", "two namesakes"],
)
def test_an_author_counts_as_far_as_it_is_the_same_person(
    authors: tuple[str, ...], about: str, counts: tuple[float, float]
) -> None:
    pool = shelf(paper(1, "Bread of zeolites", authors=("Ann Leeson", "Wei Wang", "Jun Li")), *PAPERS[1:])
    nearness, _ = near(pool, ["doi:10.1/x"], {"doi:10.1/x": paper(9, about, authors=authors)})
    least, most = counts
    assert least <= nearness.rows([["doi:10.1/x"]]).times_sparse(nearness.authored())[0, 0] <= most


def test_what_was_asked_before_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little is kept of it."""
    monkeypatch.setattr(shelves, "MOST_KEPT", 12)
    monkeypatch.setattr(nearnesses, "MOST_NEAR", 12)
    pool, interests = shelf(), ["zeolite", "rust", "zeolite", "theory of bread", "zinc"]
    names = [f"arxiv:2605.{n:05}" for n in (1, 2, 3, 1)]
    for some in (interests[:1], interests[:3], interests, interests[::-1]):
        assert pool.fulfilled("words", some).tolist() == shelf().fulfilled("words", some).tolist()
        assert pool.fulfilled("authors", some).tolist() == shelf().fulfilled("authors", some).tolist()
    nearness = Nearness(pool)
    for known in (names[:3], names[1::-1], names[:1], names[:3]):
        nearness.missing(known)
        nearness.learn(known, {})
        rows = nearness.rows([[name] for name in known]).times(nearness.near[: nearness.rows([known]).width])
        assert np.allclose(np.log(rows), near(shelf(), known)[1], atol=1e-5)
    assert pool.fulfilled("words", []).shape == (0, 6)
