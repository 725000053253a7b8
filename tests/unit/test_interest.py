"""What a reader typed, as the system understood it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.interest import merged, understand, written
from digest.domain.subscriber import Interests

WISHES = [
    ("test-time scaling", Interests(words=("test-time scaling",)), "words: test-time scaling"),
    ("cs.cl", Interests(categories=("cs.CL",)), "category cs.CL"),
    ("physics.AO-PH", Interests(categories=("physics.ao-ph",)), "category physics.ao-ph"),
    ("cat: stat", Interests(categories=("stat",)), "category stat"),
    ("author: Yann LeCun", Interests(authors=("yann lecun",)), "follow author yann lecun"),
    ("-quantum", Interests(muted_words=("quantum",)), "mute quantum"),
    ("mute: medical imaging", Interests(muted_words=("medical imaging",)), "mute medical imaging"),
    ("-author: A. Bore", Interests(muted_authors=("a. bore",)), "mute author a. bore"),
    ("2510.19278v2", Interests(liked=("arxiv:2510.19278",)), "like arxiv:2510.19278"),
    ("doi:10.1000/XYZ", Interests(liked=("doi:10.1000/xyz",)), "like doi:10.1000/xyz"),
    ("category:cs.CL author:ho", Interests(words=("category:cs.cl author:ho",)), "search: by ho, in cs.cl"),
    ("math", Interests(words=("math",)), "words: math"),
    ("diffusion cat:cs.CV", Interests(words=("diffusion cat:cs.cv",)), "search: diffusion, in cs.cv"),
    ('"Graph Theory"', Interests(words=('"graph theory"',)), "search: “graph theory”"),
    ("search: author:Ho", Interests(words=("author:ho",)), "search: by ho"),
    ("author:ho since:2026", Interests(words=("author:ho since:2026",)), "search: by ho, since 2026-01-01"),
    ("cat:cs.CL author:ho", Interests(words=("cat:cs.cl author:ho",)), "search: by ho, in cs.cl"),
    ('-"deep learning"', Interests(muted_words=('"deep learning"',)), "mute “deep learning”"),
]


@pytest.mark.parametrize(("typed", "interests", "told"), WISHES)
def test_each_wish_is_told_back(typed: str, interests: Interests, told: str) -> None:
    understood = understand(typed)
    assert (understood.interests, understood.told, understood.rejected) == (interests, (told,), ())


def test_wishes_are_separated_and_repeats_fall_away() -> None:
    understood = understand("robots, cs.RO; robots\nspeech", mute="cats")
    assert understood.interests == Interests(words=("robots", "speech"), categories=("cs.RO",), muted_words=("cats",))


def test_what_is_newly_wanted_is_no_longer_muted() -> None:
    before = Interests(words=("cats",), muted_words=("robots",))
    assert merged(before, Interests(words=("robots",))) == Interests(words=("cats", "robots"))
    assert merged(before, Interests(muted_words=("cats",))) == Interests(muted_words=("robots", "cats"))


@given(st.text(max_size=300))
def test_any_text_is_understood_or_rejected(text: str) -> None:
    understood = understand(text)
    assert all(len(line) < 200 for line in (*understood.told, *understood.rejected))
    assert merged(understood.interests, understood.interests) == merged(Interests(), understood.interests)


def test_what_nobody_types_is_left_out() -> None:
    read = understand("x\x00y, rank\u202eing, a\x1b[31mb\r\nnext, \u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645")
    assert read.interests.words == ("xy", "ranking", "a[31mb", "next", "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645")


@pytest.mark.parametrize("typed", [typed for typed, interests, _ in WISHES if not interests.liked])
def test_what_is_written_is_understood_the_same(typed: str) -> None:
    interests = understand(typed).interests
    assert understand(written(interests)).interests == interests


def test_a_reader_finds_in_the_form_what_they_typed() -> None:
    """Nothing is spelled out that need not be: only what would be read as another kind of wish has its name before it."""
    typed = "robots, cs.RO, cat: math, author: Ho, -cats, -author: Bore"
    assert written(understand(typed).interests) == "robots\ncs.RO\ncategory: math\nauthor: ho\n-cats\n-author: bore"
    like_a_category = Interests(words=("cs.ro",))
    assert written(like_a_category) == "word: cs.ro"
    assert understand(written(like_a_category)).interests == like_a_category
