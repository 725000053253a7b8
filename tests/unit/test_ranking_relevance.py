"""What a reader gets of a pool, and why."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from digest.domain.edition import Pooled
from digest.domain.identifier import Identifier
from digest.domain.paper import Paper, Ranked, Reason
from digest.domain.subscriber import Interests
from digest.ranking.relevance import Reader, personal_picks

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


def picks(interests: Interests, wanted: int = 5, already: frozenset[int] = frozenset(), **kwargs: str) -> list[int]:
    [chosen] = personal_picks(pool(), [Reader(interests, wanted, already)], kwargs)
    return [pick.position for pick in chosen]


def test_without_interests_it_is_the_ranking_less_what_was_had() -> None:
    assert picks(Interests(), already=frozenset({1, 3})) == [1, 3, 4, 5, 6]


def test_two_words_are_enough_and_one_place_is_left_to_chance() -> None:
    assert picks(Interests(words=("graph theory",))) == [4, 10, 16, 22, 0]


def test_the_reasons_say_what_matched() -> None:
    [chosen] = personal_picks(pool(), [Reader(Interests(words=("graph theory",), categories=("cs.RO",)), 5)])
    assert chosen[0].reasons[0].text == "because: graph theory, cs.RO"
    assert chosen[0].reasons[1].text == "+96 upvotes"


def test_a_followed_author_is_found_however_the_name_is_written() -> None:
    assert picks(Interests(authors=("grace lovelace",)), 1) == [20]


@pytest.mark.parametrize("muted", [{"muted_words": ("graph theories",)}, {"muted_authors": ("Ada Author4",)}])
def test_mutes_are_absolute(muted: dict[str, tuple[str, ...]]) -> None:
    assert 4 not in picks(Interests(words=("graph theory",), **muted), 30)


def test_a_liked_paper_brings_its_like_and_not_itself_first() -> None:
    liked = picks(Interests(liked=("arxiv:2605.00002",)), 4)
    assert set(liked) <= {8, 14, 20, 26, 2, 0}
    assert 8 in liked[:2]


def test_what_was_disliked_sinks() -> None:
    assert picks(Interests(disliked=("arxiv:2605.00000",)), 3)[0] != 6


def test_each_reader_of_a_batch_gets_what_they_would_get_alone() -> None:
    readers = [Reader(Interests(words=(subject,)), 5) for subject in SUBJECTS]
    together = personal_picks(pool(), readers)
    assert together == [personal_picks(pool(), [reader])[0] for reader in readers]
