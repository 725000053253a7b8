"""What a reader typed, as the system understood it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.interest import merged, one_interest, understand, written
from digest.domain.query import ASK_FOR_SOMETHING, parse_query
from digest.domain.subscriber import Interests
from tests.tables import every_row

PREFERENCE_COLUMNS = [
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
    ('author:"LeCun, Yann"', Interests(authors=("lecun, yann",)), "follow author lecun, yann"),
    ("-author: “LeCun, Yann”", Interests(muted_authors=("lecun, yann",)), "mute author lecun, yann"),
    ('graph author:"LeCun, Yann"', Interests(words=('graph author:"lecun, yann"',)), "search: graph, by yann lecun"),
    ("Diffusion -video", Interests(words=("diffusion -video",)), "search: diffusion, without video"),
    ("search: -video diffusion", Interests(words=("-video diffusion",)), "search: diffusion, without video"),
    ("-video diffusion", Interests(muted_words=("video diffusion",)), "mute video diffusion"),
    (
        "graph -author:ho -cat:cs.CV",
        Interests(words=("graph -author:ho -cat:cs.cv",)),
        "search: graph, without by ho or in cs.cv",
    ),
    ("-cat:cs.CV", Interests(muted_words=("cat:cs.cv",)), "mute category cs.CV"),
    ("-cs.CV", Interests(muted_words=("cat:cs.cv",)), "mute category cs.CV"),
    ("--video", Interests(muted_words=("video",)), "mute video"),
    ("mute: -author: Ho", Interests(muted_authors=("ho",)), "mute author ho"),
    ("X-ray GPT-4", Interests(words=("x-ray gpt-4",)), "words: x-ray gpt-4"),
]


@every_row(("typed", "interests", "told"), PREFERENCE_COLUMNS)
def test_each_wish_is_told_back(typed: str, interests: Interests, told: str) -> None:
    understood = understand(typed)
    assert (understood.interests, understood.descriptions, understood.rejected) == (interests, (told,), ())


def test_wishes_are_separated_and_repeats_fall_away() -> None:
    understood = understand("robots, cs.RO; robots\nspeech", mute="cats")
    assert understood.interests == Interests(words=("robots", "speech"), categories=("cs.RO",), muted_words=("cats",))


def test_wishes_are_separated_as_other_keyboards_do() -> None:
    assert understand("图神经网络，扩散模型、robots；cs.CL,author：„LeCun, Yann“") == understand(
        '图神经网络, 扩散模型, robots; cs.CL, author: "LeCun, Yann"'
    )


@pytest.mark.parametrize("typed", ["search: -video", "word: -a -cat:cs"])
def test_a_wish_that_only_leaves_out_says_what_to_add(typed: str) -> None:
    understood = understand(f"{typed}, robots")
    assert understood.rejected == (f"{typed!r}: {ASK_FOR_SOMETHING}",)
    assert understood.interests == Interests(words=("robots",))


def test_what_is_newly_wanted_is_no_longer_muted() -> None:
    before = Interests(words=("cats",), muted_words=("robots",))
    assert merged(before, Interests(words=("robots",))) == Interests(words=("cats", "robots"))
    assert merged(before, Interests(muted_words=("cats",))) == Interests(muted_words=("robots", "cats"))


@given(st.text(max_size=300))
def test_any_text_is_understood_or_rejected(text: str) -> None:
    understood = understand(text)
    assert all(len(line) < 200 for line in (*understood.descriptions, *understood.rejected))
    assert merged(understood.interests, understood.interests) == merged(Interests(), understood.interests)


def test_what_nobody_types_is_left_out() -> None:
    read = understand("x\x00y, rank\u202eing, a\x1b[31mb\r\nnext, \u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645")
    assert read.interests.words == ("xy", "ranking", "a[31mb", "next", "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645")


SYNTAX = [
    "-",
    '"',
    "“",
    "”",
    ",",
    ";",
    ":",
    " ",
    "\n",
    "\t",
    "author:",
    "cat:",
    "category: ",
    "mute:",
    "not: ",
    "word:",
    "search: ",
]
SAID = [
    "like:",
    "since:2026",
    "cs.CL",
    "math",
    "a",
    "Ho",
    "LeCun, Yann",
    "x-ray",
    "2510.19278",
    "İ",
    "ß.ß",
    "ﬁ",
    "\u200c",
    "\u202e",
]
HOSTILE = st.lists(st.one_of(st.sampled_from([*SYNTAX, *SAID]), st.text(max_size=4)), max_size=14).map("".join)


@given(HOSTILE)
def test_what_is_saved_is_shown_and_saved_again_as_it_was(typed: str) -> None:
    """The form shows what it will read the same, a line an interest."""
    saved = replace(understand(typed).interests, liked=())
    shown = written(saved)
    again = understand(shown)
    assert (again.interests, again.rejected) == (saved, ())
    assert written(again.interests) == shown
    assert shown.count("\n") == max(len(again.descriptions) - 1, 0)


@given(HOSTILE)
def test_a_search_is_at_most_one_wish_and_never_a_mute(typed: str) -> None:
    understood = understand(one_interest(typed))
    assert len(understood.descriptions) + len(understood.rejected) <= 1
    assert understood.interests.muted_words == understood.interests.muted_authors == ()


@pytest.mark.parametrize("typed", ['graph author:"LeCun, Yann"', "-video Diffusion", '"a, b" c; -author:"Ho, J"', "x-ray -gpt-4"])
def test_a_search_as_a_wish_asks_the_same(typed: str) -> None:
    (interest,) = understand(one_interest(typed)).interests.words
    assert parse_query(interest) == parse_query(typed)


@every_row("typed", [typed for typed, interests, _ in PREFERENCE_COLUMNS if not interests.liked])
def test_what_is_written_is_understood_the_same(typed: str) -> None:
    interests = understand(typed).interests
    assert understand(written(interests)).interests == interests


def test_a_reader_finds_in_the_form_what_they_typed() -> None:
    """Nothing is spelled out that need not be: only what would be read as another kind of interest has its name before it."""
    typed = "robots, cs.RO, cat: math, author: Ho, -cats, -author: Bore"
    assert written(understand(typed).interests) == "robots\ncs.RO\ncategory: math\nauthor: ho\n-cats\n-author: bore"
    like_a_category = Interests(words=("cs.ro",))
    assert written(like_a_category) == "word: cs.ro"
    assert understand(written(like_a_category)).interests == like_a_category
