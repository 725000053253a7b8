"""What a reader gets of a pool, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.edition import Pooled
from digest.domain.identifier import Identifier
from digest.domain.paper import Paper, Ranked, Reason
from digest.domain.query import describe as told_search
from digest.domain.query import parse_query
from digest.domain.subscriber import Interests
from digest.ranking.relevance import PersonalPick, Reader, Window, personal_picks
from tests.tables import every_row

SUBJECTS = ["protein folding", "test-time scaling", "robot grasping", "speech recognition", "graph theory", "image generation"]


def pool(count: int = 30) -> list[Pooled]:
    """Papers on six subjects in turn, the best trending first."""
    made = []
    for n in range(count):
        subject = SUBJECTS[n % len(SUBJECTS)]
        paper = Paper(
            id=n + 1,
            identifiers=(Identifier("arxiv", f"2605.{n:05}"),),
            title=f"Study {n} of {subject}",
            abstract=f"A study of {subject}.",
            authors=(f"Ada Author{n}", "Lovelace, Grace") if n == 20 else (f"Ada Author{n}",),
            categories=("cs.CL",) if n % 2 else ("cs.RO",),
            first_seen_at=datetime(2026, 5, 1, tzinfo=UTC),
        )
        made.append(Pooled(n, Ranked(paper, 100.0 - n, (Reason("votes", f"+{100 - n} upvotes"),))))
    return made


def picks(
    interests: Interests, wanted: int = 5, already: frozenset[int] = frozenset(), outside: dict[str, Paper] | None = None
) -> list[int]:
    return [pick.position for pick in chosen(interests, wanted, already, outside)]


def chosen(
    interests: Interests, wanted: int = 5, already: frozenset[int] = frozenset(), outside: dict[str, Paper] | None = None
) -> tuple[PersonalPick, ...]:
    [found] = personal_picks(pool(), [Reader(interests, wanted, already)], outside)
    return found


def told(interests: Interests, position: int, outside: dict[str, Paper] | None = None) -> str:
    """The first reason for a paper, wherever it comes."""
    return next(pick for pick in chosen(interests, 30, outside=outside) if pick.position == position).reasons[0].text


def test_without_interests_it_is_the_ranking_less_what_was_had() -> None:
    assert picks(Interests(), already=frozenset({1, 3})) == [1, 3, 4, 5, 6]


def test_two_words_are_enough_and_one_place_is_left_to_chance() -> None:
    assert picks(Interests(words=("graph theory",))) == [4, 10, 16, 22, 0]


def test_the_reasons_say_what_matched_and_why_it_trends() -> None:
    best = chosen(Interests(words=("graph theory",), categories=("cs.RO",)))[0]
    assert [(reason.kind, reason.text) for reason in best.reasons] == [
        ("interest", "matches: graph theory, cs.RO"),
        ("votes", "+96 upvotes"),
    ]


@pytest.mark.parametrize("name", ["grace lovelace", "Lovelace, Grace", "G. Lovelace", "lovelace", "Grâce Lovelace"])
def test_a_followed_author_is_found_however_the_name_is_written(name: str) -> None:
    interests = Interests(authors=(name,))
    assert picks(interests, 1) == [20]
    assert told(interests, 20) == "by Lovelace, Grace, whom you follow"


@pytest.mark.parametrize("name", ["ada lovelace", "grace", "love", "X. Lovelace", "--"])
def test_somebody_else_is_not_the_author(name: str) -> None:
    assert picks(Interests(authors=(name,)), 1) == [0]


@pytest.mark.parametrize(
    "muted",
    [{"muted_words": ("graph theories",)}, {"muted_words": ('"graph theory"',)}, {"muted_authors": ("A. Author4",)}],
)
def test_mutes_are_absolute(muted: dict[str, tuple[str, ...]]) -> None:
    wanting = Interests(words=("graph theory",), authors=("Ada Author4",), liked=("arxiv:2605.00010",))
    assert picks(wanting, 1) == [4]
    assert 4 not in picks(replace(wanting, **muted), 30)


def test_a_mute_needs_all_of_its_words() -> None:
    assert 0 in picks(Interests(muted_words=("protein grasping",)), 30)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ('"graph theory" cat:cs.RO', {4, 10, 16, 22, 28}),
        ("cat:cs.CL graph", set()),
        ("author:lovelace protein", set()),
        ('author:"grace lovelace" since:2026-05', {20}),
        ("author:lovelace since:2026-06", set()),
        ('"theory graph"', set()),
    ],
)
def test_a_saved_search_is_a_wish_like_any_other(search: str, found: set[int]) -> None:
    wanted = chosen(Interests(words=(search,)), 30)
    assert {pick.position for pick in wanted if pick.reasons[0].text == f"matches: {told_search(parse_query(search))}"} == found
    assert {pick.position for pick in wanted[: len(found)]} == found


def test_a_wish_half_fulfilled_is_better_than_none_and_nothing_is_said_of_it() -> None:
    interests = Interests(words=("robot folding",))
    halves = {pick.position: pick.parts["words"] for pick in chosen(interests, 30) if "words" in pick.parts}
    assert {position % 6 for position in halves} == {0, 2}
    assert all(0 < part < 0.6 for part in halves.values())
    assert told(interests, 2) == "+98 upvotes"


@pytest.mark.parametrize(
    ("abstract", "said"),
    [
        ("It is about protein that is folding.", "matches: protein folding"),
        ("Folding of a protein is studied.", "matches: protein folding"),
        ("Protein is food. A chair is for folding.", "+1 upvote"),
        ("Protein is food.", "+1 upvote"),
    ],
)
def test_words_match_where_they_stand_together(abstract: str, said: str) -> None:
    paper = Paper(
        id=1,
        identifiers=(Identifier("arxiv", "2605.00001"),),
        title="A study",
        abstract=abstract,
        first_seen_at=datetime(2026, 5, 1, tzinfo=UTC),
    )
    pooled = [Pooled(0, Ranked(paper, 1.0, (Reason("votes", "+1 upvote"),)))]
    [[pick]] = personal_picks(pooled, [Reader(Interests(words=("protein folding",)), 1)])
    assert pick.reasons[0].text == said


def test_a_liked_paper_brings_its_like_and_comes_last_itself() -> None:
    interests = Interests(liked=("arxiv:2605.00002",))
    assert set(picks(interests, 4)) <= {8, 14, 20, 26, 0}
    assert picks(interests, 30)[-1] == 2
    assert told(interests, 8) == "like “Study 2 of robot grasping”, which you liked"


def test_a_liked_paper_from_elsewhere_brings_its_subject_and_its_authors() -> None:
    elsewhere = replace(pool()[3].ranked.paper, id=99, identifiers=(Identifier("doi", "10.1/x"),), authors=("Ada Author8",))
    outside = {"doi:10.1/x": replace(elsewhere, title="Hearing voices", abstract="Speech recognition, heard again.")}
    interests = Interests(liked=("doi:10.1/x",))
    assert set(picks(interests, 4, outside=outside)) <= {0, 3, 9, 15, 21, 27}
    assert told(interests, 9, outside) == "like “Hearing voices”, which you liked"
    assert picks(interests) == picks(Interests()), "a paper that nobody knows says nothing"


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Hearing speech", "“Hearing speech”"),
        (f"Hearing speech {'v' * 45}", f"“Hearing speech {'v' * 45}”"),
        (f"Hearing speech {'v' * 46}", "“Hearing speech…”"),
        ("", "“doi:10.1/x”"),
    ],
    ids=["short", "as long as may be", "too long", "unknown"],
)
def test_a_liked_paper_is_named_by_its_title_cut_between_words(title: str, shown: str) -> None:
    liked = replace(pool()[3].ranked.paper, id=99, identifiers=(Identifier("doi", "10.1/x"),), title=title)
    assert told(Interests(liked=("doi:10.1/x",)), 3, {"doi:10.1/x": liked}) == f"like {shown}, which you liked"


def test_a_name_alone_causes_no_pick_and_the_same_people_do() -> None:
    bread = replace(pool()[3].ranked.paper, id=99, title="Bread", abstract="Rye.", authors=("Ada Author20", "A. Stranger"))
    interests = Interests(liked=("doi:10.1/x",))
    assert picks(interests, 3, outside={"doi:10.1/x": bread}) == picks(Interests(), 3)
    group = replace(bread, authors=("Ada Author20", "Grace Lovelace"))
    twenty = replace(pool()[20].ranked, paper=replace(pool()[20].ranked.paper, authors=group.authors))
    papers = [replace(each, ranked=twenty) if each.position == 20 else each for each in pool()]
    [found] = personal_picks(papers, [Reader(interests, 3)], {"doi:10.1/x": group})
    assert found[0].position == 20


def test_of_several_papers_liked_the_most_alike_is_named() -> None:
    near = replace(pool()[3].ranked.paper, id=99, identifiers=(Identifier("doi", "10.1/x"),), title="Speech recognition, heard")
    interests = Interests(liked=("arxiv:2605.00002", "doi:10.1/x", "arxiv:2605.00004"))
    outside = {"doi:10.1/x": near}
    assert told(interests, 9, outside) == "like “Speech recognition, heard”, which you liked"
    assert told(interests, 8, outside) == "like “Study 2 of robot grasping”, which you liked"
    assert told(interests, 10, outside) == "like “Study 4 of graph theory”, which you liked"
    assert told(interests, 1, outside) == "+99 upvotes"


def test_three_reasons_are_enough_and_one_of_them_is_a_paper_liked() -> None:
    wanting = Interests(words=("graph theory", "theory", "graphs"), categories=("cs.RO", "cs"), authors=("A. Author10",))
    assert told(wanting, 10) == "matches: graph theory, theory, graphs"
    assert told(replace(wanting, liked=("arxiv:2605.00004",)), 10) == ("matches: graph theory, theory")
    assert told(replace(wanting, words=("bread",)), 10) == "matches: cs.RO, cs", "in the order they were made"


def test_what_is_unknown_among_papers_liked_changes_nothing() -> None:
    known = Interests(liked=("arxiv:2605.00002", "arxiv:2605.00004"), words=("speech",))
    blurred = replace(known, liked=("doi:10.9/a", "arxiv:2605.00002", "doi:10.9/b", "arxiv:2605.00004", "doi:10.9/c"))
    assert chosen(blurred, 30) == chosen(known, 30)


def test_all_papers_liked_count_as_much_as_one() -> None:
    """Whoever likes many papers of one subject is still shown the other that they ask for."""
    one = Interests(liked=("arxiv:2605.00002",), words=("graph theory",))
    many = replace(one, liked=tuple(f"arxiv:2605.{n:05}" for n in (2, 8, 14, 20, 26)))
    for interests in (one, many):
        own = picks(interests, 8)
        assert len({4, 10, 16, 22, 28}.intersection(own)) >= 2, own
    twice = replace(one, liked=("arxiv:2605.00002",) * 2)
    assert chosen(twice, 30) == chosen(one, 30), "to like a paper twice is to like it once"


def test_what_everybody_writes_about_is_not_what_a_reader_likes() -> None:
    """All write of large language models; who liked a paper on them in medicine likes medicine."""
    subjects = ["medicine", "law", "school", "trade", "farming", "sports", "medicine", "travel"]
    papers = [
        Paper(
            id=n + 1,
            identifiers=(Identifier("arxiv", f"2605.{n:05}"),),
            title=f"{subject.title()} case {n}" if n == 6 else f"Chatbot prompts and tokens for {subject}",
            abstract="Hospital wards." if subject == "medicine" else "Chatbot prompts and tokens.",
            first_seen_at=datetime(2026, 5, 1, tzinfo=UTC),
        )
        for n, subject in enumerate(subjects)
    ]
    ranked = [Pooled(n, Ranked(each, 9.0 - n)) for n, each in enumerate(papers)]
    [found] = personal_picks(ranked, [Reader(Interests(liked=("arxiv:2605.00000",)), 3)])
    assert found[0].position == 6


@pytest.mark.parametrize(("wanted", "had", "expected"), [(2, 30, 0), (4, 28, 2), (30, 0, 30), (40, 0, 30), (0, 0, 0)])
def test_nobody_gets_more_than_there_is_or_than_they_want(wanted: int, had: int, expected: int) -> None:
    for interests in (Interests(), Interests(words=("graph theory",))):
        assert len(picks(interests, wanted, frozenset(range(1, had + 1)))) == expected


def test_the_stranger_at_the_end_is_the_best_that_speaks_against_nothing_asked() -> None:
    interests = Interests(words=("graph theory",), disliked=("arxiv:2605.00006",))
    assert picks(interests) == [4, 10, 16, 22, 1], "0 is like what was disliked"
    assert picks(interests, already=frozenset({2})) == [4, 10, 16, 22, 2], "1 was had"
    assert picks(replace(interests, muted_words=("test-time",))) == [4, 10, 16, 22, 2]
    assert picks(interests, 6) == [4, 10, 16, 22, 1, 2], "the rest may be strangers anyway"
    assert picks(Interests(categories=("cs",))) == [0, 1, 2, 3, 4], "nothing is outside"


def test_what_was_disliked_sinks_at_once() -> None:
    wanting = Interests(words=("graph theory", "robot grasping"))
    assert picks(wanting, 4) == [2, 4, 8, 10]
    assert picks(replace(wanting, disliked=("arxiv:2605.00010",)), 4) == [2, 8, 14, 20]
    assert picks(replace(wanting, disliked=("arxiv:2605.00010",)), 30)[-1] == 10


def test_one_pick_in_the_end_is_from_outside_and_never_what_was_disliked() -> None:
    interests = Interests(words=("graph theory",), disliked=("arxiv:2605.00000",))
    assert picks(interests)[-1] == 1
    assert chosen(interests)[-1].reasons == (Reason("votes", "+99 upvotes"),), "it is told by what it is, not by what it is not"
    assert picks(interests, 4) == [4, 10, 16, 22], "too few picks to spare one"


def test_a_withdrawn_paper_is_nobodys_pick() -> None:
    gone = [replace(each, ranked=replace(each.ranked, paper=replace(each.ranked.paper, withdrawn=True))) for each in pool()[:2]]
    [picked] = personal_picks([*gone, *pool()[2:]], [Reader(Interests(words=("protein",)), 30)])
    assert {0, 1}.isdisjoint(pick.position for pick in picked)


PREFERENCE_COLUMNS = st.sampled_from(["graph theory", "speech", "cat:cs.CL image", '"test-time"', "none such", ""])
PAPERS = st.sampled_from([f"arxiv:2605.{n:05}" for n in (0, 3, 7, 20, 99)])
INTERESTS = st.builds(
    Interests,
    words=st.lists(PREFERENCE_COLUMNS, max_size=3).map(tuple),
    authors=st.lists(st.sampled_from(["lovelace", "Ada Author3", ""]), max_size=2).map(tuple),
    categories=st.lists(st.sampled_from(["cs", "cs.CL", "math"]), max_size=2).map(tuple),
    muted_words=st.lists(PREFERENCE_COLUMNS, max_size=1).map(tuple),
    liked=st.lists(PAPERS, max_size=3).map(tuple),
    disliked=st.lists(PAPERS, max_size=2).map(tuple),
)


@given(st.lists(st.builds(Reader, INTERESTS, st.integers(0, 12), st.frozensets(st.integers(1, 30), max_size=5)), max_size=6))
def test_each_reader_of_a_batch_gets_what_they_would_get_alone(readers: list[Reader]) -> None:
    together = personal_picks(WINDOW, readers)
    assert together == [personal_picks(pool(), [reader])[0] for reader in readers]
    for reader, own in zip(readers, together, strict=True):
        positions = [pick.position for pick in own]
        assert len(set(positions)) == len(positions) <= reader.wanted
        assert not reader.already & {position + 1 for position in positions}


WINDOW = Window(pool())


def test_an_empty_pool_and_nobody() -> None:
    assert personal_picks([], [Reader(Interests(words=("x",), liked=("arxiv:1",)), 5)]) == [()]
    assert personal_picks(pool(), []) == []


_MANY = """Yang Liu; Wei Wang; Hao Wang; Hao Chen; Lei Zhang; Jian Yang; Yu Wang; Min Zhang; Jie Zhou; Xiang Li; Jing Zhang;
    Li, Wei; Chen Chen; Y. Zhang; John Smith; Rajesh Kumar; David Kim; Muhammad Khan; Jose Garcia; Nguyen, Minh"""
COMMON_NAMES = [name.strip() for name in _MANY.split(";")]


@every_row("name", [*COMMON_NAMES, "Guangtao Zhai"])
def test_a_name_that_many_share_causes_no_pick_alone(name: str) -> None:
    """Asked for, or the author of a work in a library, about something else. One that few have does."""
    papers = pool(200)
    theirs = {8, 25, 60, 120}
    papers = [
        replace(each, ranked=replace(each.ranked, paper=replace(each.ranked.paper, authors=(name, f"Ada Author{n}"))))
        if n in theirs
        else each
        for n, each in enumerate(papers)
    ]
    work = Paper(
        id=999, identifiers=(Identifier("doi", "10.1/w"),), title="Zinc and the sea", abstract="Of zinc in the sea.",
        authors=(name,), first_seen_at=datetime(2026, 5, 1, tzinfo=UTC),
    )  # fmt: skip

    def got(**interests: tuple[str, ...]) -> list[int]:
        [found] = personal_picks(papers, [Reader(Interests(**interests), 8)], {"doi:10.1/w": work})
        return [pick.position for pick in found]

    nobody = got()
    assert not theirs & set(nobody)
    assert (got(authors=(name,)) == nobody) == (name in COMMON_NAMES)
    assert got(liked=("doi:10.1/w",)) == nobody, "elsewhere than on the topic of the work"
