"""The one line of a card: the source's own, or the sentence of the abstract that says what is new."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.identifier import Identifier
from digest.domain.paper import Paper, Summary
from digest.ranking.summary import LONGEST, sentences, shortened, summarise


def paper(abstract: str, summary: Summary | None = None, title: str = "A title") -> Paper:
    seen = datetime(2026, 3, 2, tzinfo=UTC)
    return Paper(
        id=1,
        identifiers=(Identifier("arxiv", "2603.00001"),),
        title=title,
        first_seen_at=seen,
        abstract=abstract,
        summary=summary,
    )


def line(abstract: str, title: str = "A title") -> str:
    found = summarise(paper(abstract, title=title))
    assert found is not None
    assert found.provenance == "abstract"
    return found.text


def test_the_sources_own_line_comes_first() -> None:
    own = Summary(text="Glaciers, seen from above.", provenance="huggingface")
    assert summarise(paper("We propose a radar. It works.", own)) is own
    blank = Summary(text="  ", provenance="huggingface")
    assert summarise(paper("We propose a radar for glaciers and rivers alike.", blank)) == Summary(
        text="We propose a radar for glaciers and rivers alike.", provenance="abstract"
    )
    assert summarise(paper(" \n ")) is None


# ---- where a sentence ends -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("One thing. Another thing.", ["One thing.", "Another thing."]),
        ("Is it so? Yes! It is", ["Is it so?", "Yes!", "It is"]),
        ("Folded\n  over\tlines. And more.", ["Folded over lines.", "And more."]),
        ("No end here", ["No end here"]),
        ("", []),
        ("lower. case goes on. Here not.", ["lower. case goes on.", "Here not."]),
        ("It costs 3.5 Euro. 42 is enough.", ["It costs 3.5 Euro.", "42 is enough."]),
        ("See Fig. 3 and Eq. 4. Then stop.", ["See Fig. 3 and Eq. 4.", "Then stop."]),
        ("Smith et al. Show it. Others, e.g. Jones, do not.", ["Smith et al. Show it.", "Others, e.g. Jones, do not."]),
        ("As J. S. Bach did. So do we.", ["As J. S. Bach did.", "So do we."]),
        ("“It works.” They said so. (It did.) Now.", ["“It works.”", "They said so.", "(It did.)", "Now."]),
        ("We set $a. B$ first. Then $\\alpha$ is left. $x$ goes.",
         ["We set $a. B$ first.", "Then $\\alpha$ is left.", "$x$ goes."]),
        ("Take \\(p. Q\\) now. Or \\[p. Q\\] then. Or $$p. Q$$ last.",
         ["Take \\(p. Q\\) now.", "Or \\[p. Q\\] then.", "Or $$p. Q$$ last."]),
        ("Read \\emph{Vol. One. Two} here. \\textbf{Bold} starts.",
         ["Read \\emph{Vol. One. Two} here.", "\\textbf{Bold} starts."]),
    ],
)  # fmt: skip
def test_sentences(text: str, found: list[str]) -> None:
    assert sentences(text) == found
    assert " ".join(sentences(text)) == " ".join(text.split()), "nothing is lost"


ABBREVIATIONS = (
    "e.g.",
    "i.e.",
    "et al.",
    "etc.",
    "vs.",
    "cf.",
    "fig.",
    "eq.",
    "sec.",
    "tab.",
    "approx.",
    "resp.",
    "w.r.t.",
    "no.",
)


@pytest.mark.parametrize("word", ABBREVIATIONS)
def test_an_abbreviation_ends_no_sentence(word: str) -> None:
    for written in (word, word.upper()):
        assert sentences(f"This is {written} Something. Next.") == [f"This is {written} Something.", "Next."]


# ---- which sentence ------------------------------------------------------------------------------------------------------------

BACKGROUND = "However, existing instruments fail in the long polar night of winter."
RESULTS = "Experiments on nine glaciers in three countries are the basis of all numbers."
CODE = "We release our code and models, which are publicly available at https://example.org/code."


@pytest.mark.parametrize(
    "said",
    [
        "In this paper, we look at glaciers through a radar in orbit.",
        "With this work we look at glaciers through a radar in orbit.",
        "We propose a radar that sees glaciers through clouds at night.",
        "We therefore introduce a radar that sees glaciers through clouds.",
        "I present a radar that sees glaciers through clouds at night.",
        "This paper presents a radar that sees glaciers through clouds.",
        "This survey systematically reviews radars that see glaciers.",
        "We show that a radar sees glaciers through clouds at night.",
        "We empirically demonstrate that radars see glaciers at night.",
        "A radar that sees glaciers through clouds is proposed, for nights.",
        "It is a unified instrument, dubbed GlacierEye, for polar nights.",
        "The instrument is the first that sees glaciers at night by radar.",
        "Our radar outperforms the human eye on glaciers in the night.",
        "Our radar improves the accuracy of maps by some 40% at night.",
    ],
)
def test_the_sentence_that_says_what_is_new_is_the_line(said: str) -> None:
    for abstract in (f"{BACKGROUND} {said} {RESULTS}", f"{said} {BACKGROUND} {RESULTS} {CODE}", f"{BACKGROUND} {RESULTS} {said}"):
        assert line(abstract).rstrip(".").casefold() in said.casefold()


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (
            "We propose a radar that sees glaciers through clouds at night.",
            "We show that a radar sees glaciers very well at night.",
        ),
        (
            "We show that a radar sees glaciers through clouds at night.",
            "A radar is shown, which sees glaciers through all clouds.",
        ),
        (
            "This paper presents a radar that sees glaciers through clouds.",
            "We propose a radar that sees glaciers through clouds.",
        ),
        ("Glaciers are seen through clouds by a radar in a low orbit.", "Many glaciers are seen through clouds by a high radar."),
        ("Glaciers are seen through clouds by a radar in a low orbit.", "Moreover, glaciers are seen through clouds by radar."),
        ("Glaciers are seen through clouds by a radar in a low orbit.", "Results on glaciers are seen through clouds by radar."),
        ("Glaciers are seen through clouds by a radar in a low orbit.", "The data of glaciers seen by radar are available now."),
        ("Glaciers are seen through clouds by a radar in a low orbit.", "We win."),
        (
            "Glaciers are seen through clouds by a radar in a low orbit.",
            "Rivers are seen through clouds " + "and through rain " * 16,
        ),
    ],
)
def test_what_says_more_wins_wherever_it_stands(better: str, worse: str) -> None:
    assert line(f"{worse.rstrip('. ')}. {better}") == better
    assert line(f"{better} {worse}") == better


@pytest.mark.parametrize(
    ("title", "chosen"),
    [
        ("GlacierEye", "GlacierEye sees the ice of glaciers from a very low orbit."),
        ("GlacierEye: an orbit", "GlacierEye sees the ice of glaciers from a very low orbit."),
        ("Something that nobody mentions", "Clouds and darkness are no matter for a radar in space."),
        ("Radar in orbit: GlacierEye", "GlacierEye sees the ice of glaciers from a very low orbit."),
    ],
)
def test_of_a_name_coined_in_the_title_the_sentence_that_brings_it_in(title: str, chosen: str) -> None:
    """The more of the title a sentence holds, the more that counts: more than to come first."""
    first = "Clouds and darkness are no matter for a radar in space."
    named = "GlacierEye sees the ice of glaciers from a very low orbit."
    assert line(f"{first} {named}", title) == chosen
    proposed = "We propose a radar that sees glaciers through clouds at night."
    assert line(f"{named} {proposed}", title) == proposed, "what is proposed says more than what is named"


def test_of_equals_the_first() -> None:
    assert line("Glaciers are seen by one radar in a low orbit. Glaciers are seen by two radars in high orbit.").startswith(
        "Glaciers are seen by one"
    )


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("In this paper, we propose a radar for glaciers.", "We propose a radar for glaciers."),
        ("With this work we propose a radar for glaciers.", "We propose a radar for glaciers."),
        ("To address this gap in polar maps, we propose a radar.", "We propose a radar."),
        ("To this end, we propose a radar for glaciers.", "We propose a radar for glaciers."),
        ("Therefore, we propose a radar for glaciers.", "We propose a radar for glaciers."),
        ("Thus, $x$ is proposed as a measure of glaciers.", "$x$ is proposed as a measure of glaciers."),
        ("A radar is proposed; in this paper, it is used.", "A radar is proposed; in this paper, it is used."),
    ],
)
def test_an_opening_that_says_nothing_is_left_off(said: str, told: str) -> None:
    assert line(said) == told


# ---- how long ------------------------------------------------------------------------------------------------------------------

WORDS = "glacier " * 60


@pytest.mark.parametrize(
    ("text", "longest", "short"),
    [
        ("short enough", 12, "short enough"),
        ("one word too many", 12, "one word…"),
        ("a clause that ends, and then another one", 30, "a clause that ends…"),
        ("early, and then very many words go on here", 30, "early, and then very many…"),
        ("two clauses: one, two, and the last of them", 30, "two clauses: one, two…"),
        ("words (in brackets that go on) end", 20, "words…"),
        ("words (in brackets) that go on", 24, "words (in brackets)…"),
        ("maths $a + b + c + d$ is whole", 16, "maths…"),
        ("maths $a + b$ is whole, and more", 26, "maths $a + b$ is whole…"),
        ("a \\frac{x y}{z w} goes", 12, "a…"),
        ("maths $a + b that never ends", 20, "maths…"),
        ("$a + b that never ends and goes on", 20, ""),
        ("(a) words (in brackets that go on)", 24, "(a) words…"),
        ("rather early, and then many words go on", 30, "rather early, and then many…"),
        ("half a clause, and then other words", 29, "half a clause…"),
        ("Donaudampfschifffahrt", 10, ""),
        ("left – right and centre", 8, "left…"),
    ],
)
def test_shortened(text: str, longest: int, short: str) -> None:
    assert shortened(text, longest) == short


def test_a_long_sentence_is_cut_at_a_word() -> None:
    told = line(f"We propose a radar for {WORDS}and more.")
    assert told.endswith("glacier…")
    assert LONGEST - len("glacier ") <= len(told) <= LONGEST


@given(st.text(alphabet="ab $(),\\{}[].:—é", max_size=400), st.integers(20, 240))
def test_never_too_long_and_never_within_maths(text: str, longest: int) -> None:
    short = shortened(text, longest)
    assert len(short) <= max(longest, 1)
    assert short == text or short == "" or short.endswith("…")
    if short.endswith("…") and "\\" not in text:
        assert text.startswith(short[:-1])
        assert short.count("$") % 2 == 0 or text.count("$") % 2
