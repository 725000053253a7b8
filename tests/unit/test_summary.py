"""The one line of a card: the source's own, or the sentence of the abstract that says what is new."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.identifier import Identifier
from digest.domain.paper import Paper, Summary
from digest.ranking.sentences import LONGEST, LONGEST_WHOLE, sentences, shortened
from digest.ranking.standalone import coined_name, points_back, unset_symbols
from digest.ranking.summary import summarise
from tests.tables import every_row


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


@every_row(
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
        ("Glued to the next.The next one follows (so).And this.", ["Glued to the next.", "The next one follows (so).", "And this."]),
        ("Run Node.js or see example.Com/x now. Then stop.", ["Run Node.js or see example.Com/x now.", "Then stop."]),
        ("We ask \\emph{Is it so?} We answer.", ["We ask \\emph{Is it so?}", "We answer."]),
        ("As conjectured [Isr. J. Math. 1986] it holds. Now.", ["As conjectured [Isr. J. Math. 1986] it holds.", "Now."]),
        ("It ends. % Next one with 5 % of it, %in it.", ["It ends.", "Next one with 5 % of it, in it."]),
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
    kept = "".join(text.replace(". % ", ".").replace(" %in", "in").split())
    assert "".join(sentences(text)).replace(" ", "") == kept, "nothing is lost but the mark of a comment"


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


@every_row("word", ABBREVIATIONS)
def test_an_abbreviation_ends_no_sentence(word: str) -> None:
    for written in (word, word.upper()):
        assert sentences(f"This is {written} Something. Next.") == [f"This is {written} Something.", "Next."]


# ---- which sentence ------------------------------------------------------------------------------------------------------------

BACKGROUND = "However, existing instruments fail in the long polar night of winter."
RESULTS = "Experiments on nine glaciers in three countries are the basis of all numbers."
CODE = "We release our code and models, which are publicly available at https://example.org/code."


@every_row(
    "said",
    [
        "In this paper, we look at glaciers through a radar in orbit.",
        "With this work we look at glaciers through a radar in orbit.",
        "We propose a radar that sees glaciers through clouds at night.",
        "We introduce a radar that sees glaciers through clouds.",
        "I present a radar that sees glaciers through clouds at night.",
        "This paper presents a radar that sees glaciers through clouds.",
        "This survey systematically reviews radars that see glaciers.",
        "We show that a radar sees glaciers through clouds at night.",
        "We empirically demonstrate that radars see glaciers at night.",
        "A radar that sees glaciers through clouds is proposed, for nights.",
        "GlacierEye is a unified instrument, dubbed so for polar nights.",
        "The instrument is the first that sees glaciers at night by radar.",
        "Our radar outperforms the human eye on glaciers in the night.",
        "Our radar improves the accuracy of maps by some 40% at night.",
    ],
)
def test_the_sentence_that_says_what_is_new_is_the_line(said: str) -> None:
    for abstract in (f"{BACKGROUND} {said} {RESULTS}", f"{said} {BACKGROUND} {RESULTS} {CODE}", f"{BACKGROUND} {RESULTS} {said}"):
        assert line(abstract).rstrip(".").casefold() in said.casefold()


@every_row(
    ("better", "worse"),
    [
        (
            "We propose a radar that sees glaciers through clouds and rivers through rain at night.",
            "We show that a radar sees glaciers very well at night.",
        ),
        (
            "We show that a radar sees glaciers through clouds at night.",
            "A radar is shown, which sees glaciers through all clouds.",
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


@every_row(
    "empty",
    [
        "In this paper, we address the problem of seeing all the glaciers of the poles at night.",
        "We contribute to the study of all the glaciers of the poles, seen from above at night.",
        "We build upon earlier work on radars, clouds, rivers, glaciers, maps and polar nights.",
        "We ask: can all the glaciers of the poles be seen by a radar in a low orbit at night?",
        "We study whether all the glaciers of the poles can be seen by a radar in a low orbit.",
        "For the search of rivers, we propose a radar that sees their mouths through all clouds.",
        "To evaluate maps of the poles, we present the photographs of a plane over all glaciers.",
        "We present \\radar{}, which sees the glaciers of the poles through clouds, also at night.",
        "We systematically develop new methods.",
        "Part of our analysis includes the proof that all glaciers of the poles can be seen at night.",
        "Firstly, we propose long waves, by which glaciers of the poles are reached through clouds.",
        "At the pole level, we propose long waves, by which the glaciers are reached through clouds.",
        "We identify three key flaws in the current design of the radars that see polar glaciers.",
        "We design a series of experiments on the glaciers of the poles to analyze their parts.",
        "In order to get maps, a novel factorization of the waves of polar radars is introduced.",
        "Glaciers of the poles lie below clouds in a night that no radar of a low orbit sees through.",
    ],
)
def test_what_names_a_problem_or_a_part_gives_way_to_what_is_found(empty: str) -> None:
    found = "We find that a radar in a low orbit sees the glaciers of the poles through clouds."
    assert line(f"{empty} {found} {RESULTS}") == found
    assert line(f"{found} {empty} {RESULTS}") == found


def test_symbols_that_another_sentence_sets_up_count_against_a_sentence_or_take_it_along() -> None:
    up, proof = "Let $X$ be a glacier of weight $k$.", "We prove that $X$ melts for all $k$ of a polar summer."
    stands = "We prove that every glacier of a finite weight melts in the course of a polar summer."
    assert line(f"{up} {proof} {stands}") == stands
    assert line(f"{up} {proof}") == f"{up} {proof}"
    both_set_up = f"{up} Let the weight $k$ of every glacier $X$ be finite."
    assert line(both_set_up) in sentences(both_set_up)
    assert line("We study glaciers$$a + b$$of the poles, by a radar in a low orbit.").startswith("We study glaciers $$a + b$$ of")


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


@every_row(
    ("sentence", "standing"),
    [
        # a first clause that points back
        ("Unlike these methods, we propose a radar that sees glaciers through clouds.", "We propose a radar that sees glaciers through clouds."),
        ("To further answer this question, we propose a radar that sees glaciers at night.", "We propose a radar that sees glaciers at night."),
        ("Rooted in these findings, this paper presents a radar that sees glaciers.", "This paper presents a radar that sees glaciers."),
        ("As an attempt to solve both, we present a radar that sees glaciers at night.", "We present a radar that sees glaciers at night."),
        ("To see glaciers at night, we propose a radar that looks through the clouds.", None),
        ("More importantly, based on these findings, we propose a radar that sees glaciers through clouds.", "We propose a radar that sees glaciers through clouds."),
        ("To achieve this goal, we propose a radar that sees glaciers through clouds.", "We propose a radar that sees glaciers through clouds."),
        ("To support work on all three poles, we build a radar that sees glaciers at night.", "We build a radar that sees glaciers at night."),
        # a first clause on what others do
        ("While others look at rivers by day, we propose a radar that sees glaciers at night.", "We propose a radar that sees glaciers at night."),
        ("This lack of maps motivates us to introduce a radar that sees glaciers at night.", "We introduce a radar that sees glaciers at night."),
        ("We define this state as polar sleep: a night in which no radar sees any glacier.", "We define polar sleep: a night in which no radar sees any glacier."),
        # a label, an order, a further one
        ("Our contributions are threefold: (1) We present a radar that sees glaciers at night.", "We present a radar that sees glaciers at night."),
        ("Methods: We therefore develop a radar that sees glaciers through clouds.", "We develop a radar that sees glaciers through clouds."),
        ("We also introduce a radar that sees the glaciers of all poles at night.", "We introduce a radar that sees the glaciers of all poles at night."),
        # a last clause that points back, and one that does not
        ("We introduce a radar of very long waves for polar ice, designed to bridge these gaps.", "We introduce a radar of very long waves for polar ice."),
        ("We introduce a radar of very long waves for polar ice, designed to see at night.", None),
        ("We introduce a radar of very long waves for polar ice, specifically addressing these limits.", "We introduce a radar of very long waves for polar ice."),
        ("We introduce a radar of very long waves for polar ice in this setting.", "We introduce a radar of very long waves for polar ice."),
        ("We introduce a radar of very long waves for polar ice, via three main innovations.", "We introduce a radar of very long waves for polar ice."),
        ("Secondly, we introduce a radar that sees the glaciers of all poles at night.", "We introduce a radar that sees the glaciers of all poles at night."),
        ("Yet, in this work we introduce a radar that sees the glaciers of all poles.", "We introduce a radar that sees the glaciers of all poles."),
        ("In this context, the current study introduces a radar that sees all glaciers.", "The current study introduces a radar that sees all glaciers."),
        ("This survey, written for a meeting at the pole, aims to review these recent radars.", "This survey aims to review recent radars."),
        ("We examine these flaws of radars and propose the long wave, which sees glaciers.", "We propose the long wave, which sees glaciers."),
        ("We study maps driven by one such instrument, radar, in the clouds of both the poles.", "We study maps driven by radar, in the clouds of both the poles."),
        # what a method does about what was said is left out, how it does it stays
        ("We introduce a radar that addresses this challenge by learning the shape of clouds.", "We introduce a radar learning the shape of clouds."),
        ("We introduce a radar that overcomes these two limits through waves of great length.", "We introduce a radar with waves of great length."),
        ("We address this gap by introducing a radar that sees glaciers through clouds.", "We introduce a radar that sees glaciers through clouds."),
        ("We address these gaps in the maps of both poles by proposing a radar that sees at night.", "We propose a radar that sees at night."),
        ("We aim to close this gap by introducing a radar that sees glaciers through clouds.", "We introduce a radar that sees glaciers through clouds."),
        ("We introduce a radar designed to overcome these limits by directly learning from clouds.", "We introduce a radar directly learning from clouds."),
        ("We close this gap with a radar that sees the glaciers of both poles through clouds.", "We present a radar that sees the glaciers of both poles through clouds."),
        ("Based on our findings, we introduce a radar that sees the glaciers of both the poles.", "We introduce a radar that sees the glaciers of both the poles."),
        ("This paper tackles these two issues by studying 12 radars in the polar night.", "This paper studies 12 radars in the polar night."),
    ],
)  # fmt: skip
def test_what_points_back_is_left_off(sentence: str, standing: str | None) -> None:
    assert line(f"{BACKGROUND} {sentence} {RESULTS}") == (standing or sentence)


@every_row(
    "back",
    [
        "We propose a radar that supports both behaviors in the polar night.",
        "We propose a radar in order that nobody asks these people at night.",
        "We develop a theory for the resulting radar above clouds and glaciers.",
        "We develop a theory, and we answer the above with it in all polar nights.",
        "This phenomenon is one that we propose to call the winter of the poles.",
        "We evaluate our method on the glaciers of the poles in all the nights.",
        "We resolve their problem with a radar in all the polar nights of winter.",
        "We settle the first question by a radar in all the polar nights of winter.",
        "We determine the rest of the map by a radar in all the polar nights.",
        "This paper examines the problem from above the clouds in polar nights.",
        "We prove a theorem on those glaciers, and on no other ones on the earth.",
    ],
)
def test_a_sentence_that_points_back_gives_way_to_one_that_stands(back: str) -> None:
    stands = "We show that a radar in a low orbit sees all glaciers through clouds."
    assert points_back(back)
    assert not points_back(stands)
    assert line(f"{BACKGROUND} {back} {stands}") == stands


@pytest.mark.parametrize(
    "stands",
    [
        "We present a radar and show how this radar sees the glaciers.",
        "This paper presents a radar. ",
        "This technical report is on radars such as ours, such that they see.",
        "We propose a radar that improves both speed and range.",
        "We build radars, and the resulting radars see glaciers at night.",
    ],
)
def test_what_a_sentence_names_itself_it_may_point_at(stands: str) -> None:
    assert not points_back(stands)


EYE = (
    "We introduce GlacierEye, a radar method that sees the glaciers of the poles through clouds and at night in all the seasons."
)


@pytest.mark.parametrize(
    ("title", "before", "sentence", "restored"),
    [
        ("GlacierEye: seeing ice", EYE, "It outlasts the winter.", "GlacierEye outlasts the winter."),
        ("GlacierEye: seeing ice", EYE, "Our method outlasts the winter.", "GlacierEye outlasts the winter."),
        ("GlacierEye: seeing ice", EYE, "Our dataset outlasts the winter.", "Our dataset outlasts the winter."),
        ("GlacierEye: seeing ice", f"{EYE} Clouds are old.", "It outlasts the winter.", "It outlasts the winter."),
        ("GlacierEye: seeing ice", EYE, "It has GlacierEye inside.", "It has GlacierEye inside."),
        ("Seeing ice: a radar", EYE, "It outlasts the winter.", "It outlasts the winter."),
    ],
)
def test_a_lost_name_is_given_back_where_it_is_sure(title: str, before: str, sentence: str, restored: str) -> None:
    every = sentences(f"{before} {sentence}")
    name = coined_name(title, every)
    found = name.restored(sentence, len(every) - 1, every[-2]) if name else sentence
    assert found == restored


def test_the_sentence_that_brings_in_the_coined_name_is_preferred() -> None:
    other = "We introduce a benchmark of seeing ice on the glaciers of all the poles at night."
    assert line(f"{other} {EYE}", "GlacierEye: seeing ice at night") == EYE
    assert line(f"{other} {EYE}", "Seeing ice at night") == f"{other} {EYE}", "a name that the title does not have counts less"
    nameless = EYE.replace("GlacierEye, a radar method", "a radar method")
    assert line(f"{other} {nameless}", "Seeing ice at night") == other


@pytest.mark.parametrize("macro", ["\\our", "\\ours{}", "\\method", "\\GlacierName{}", "\\sys"])
def test_a_macro_of_the_authors_stands_for_the_name_in_the_title(macro: str) -> None:
    assert line(EYE.replace("GlacierEye", macro), "GlacierEye: seeing ice at night") == EYE
    assert line(f"We see {macro}{{ice}} by a radar in a low orbit.", "GlacierEye: seeing ice at night").count("GlacierEye") == 0


def test_a_thin_sentence_takes_the_next_where_that_goes_on() -> None:
    thin, more = "We introduce GlacierEye, a radar.", "It sees the ice of glaciers from a low orbit, at night and through clouds."
    assert line(f"{thin} {more} {RESULTS}", "GlacierEye: ice") == f"{thin} GlacierEye {more.removeprefix('It ')}"
    assert line(f"{thin} {RESULTS}", "Ice") == thin


STUDIED = "We study the radar of a satellite that sees glaciers through the clouds of winter."
FINDS = "We show that one orbit in three loses sight of a glacier in rain."
SEEN = "Results show that rain hides every third glacier from a satellite."


@every_row(
    ("abstract", "chosen"),
    [
        (f"{STUDIED} {BACKGROUND} {FINDS}", f"{STUDIED} {FINDS}"),  # what is looked at takes along what was found
        (f"{STUDIED} {BACKGROUND} {SEEN}", f"{STUDIED} {SEEN}"),
        (f"{BACKGROUND} {FINDS} {STUDIED}", FINDS),
        # what was made first is what the paper is about; a part of it is not
        ("We propose a radar that sees glaciers through clouds at night in all seasons. We also propose a novel filter of rain, the first"
         " of its kind for radars in a low orbit around the poles, by a simple sum of echoes.",
         "We propose a radar that sees glaciers through clouds at night in all seasons."),
        # a sentence that points back is left where one stands that says enough
        (f"{BACKGROUND} We present a novel analysis of this failure in rain, of all its seasons. {FINDS}", FINDS),
        # a definition, an earlier paper
        (f"A glacier is a mass of ice that moves. {FINDS}", FINDS),
        (f"In a previous paper, we introduced a radar that sees glaciers through clouds at night. {FINDS}", FINDS),
        # only the first of a list
        ("We present a radar for glaciers of the poles, comprising: (1) a dish of four metres. (2) A filter.",
         "We present a radar for glaciers of the poles."),
    ],
)  # fmt: skip
def test_a_contribution_or_a_finding_is_chosen_and_a_topic_takes_it_along(abstract: str, chosen: str) -> None:
    assert line(abstract) == chosen


@pytest.mark.parametrize(
    ("sentence", "standing"),
    [
        ("We present a radar [12] for glaciers \\cite{a} of the poles https://x.org/r, in a low orbit.",
         "We present a radar for glaciers of the poles, in a low orbit."),
        ("We present a radar for glaciers (code: https://x.org/r) of all the poles.", "We present a radar for glaciers of all the poles."),
        ("Following \\cite{a}, we present a radar for the glaciers of the poles.", "We present a radar for the glaciers of the poles."),
        ("We present a radar of all the glaciers of the poles that meets these many needs.", "We present a radar of all the glaciers of the poles."),
        ("We present a radar to see such hidden and moving glaciers of the poles.",
         "We present a radar to see hidden and moving glaciers of the poles."),
        ("To close this gap in winter, a radar that sees all glaciers is presented.", "A radar that sees all glaciers is presented."),
    ],
)  # fmt: skip
def test_links_citations_and_pointers_are_left_out(sentence: str, standing: str) -> None:
    assert line(sentence) == standing


def test_a_short_name_that_another_sentence_brings_in_is_not_known_to_who_reads_one() -> None:
    said = ["We propose guidance by the frequency of echoes (GFE).", "We show that GFE sees more glaciers.", "It sees more."]
    assert unset_symbols(said, said) == [frozenset(), frozenset({"GFE"}), frozenset()]
    assert unset_symbols(said, said, "GFE: guidance") == [frozenset()] * 3


def test_a_sentence_that_means_all_of_the_one_before_takes_it_along() -> None:
    before, what = (
        "Maps of the poles lose a tenth of all glaciers.",
        "We identify the one cause of this failure: clouds at night.",
    )
    assert line(f"{RESULTS} {before} {what}") == f"{before} {what}"
    assert line(f"{before[:-1]}{', and of rivers' * 20}. {what}") == what, "too long together"


@pytest.mark.parametrize(
    ("sentence", "cut"),
    [
        (f"{EYE[:-1]}, which {'is long ' * 20}.", EYE),
        (f"{EYE[:-1]}: {'more and more, ' * 15}.", EYE),
        (f"{EYE[:-1]} across three dimensions: 1) {'more and more: ' * 15}.", EYE),
        (f"{EYE[:-1]} trained with two losses: one, {'more and more, ' * 15}.", EYE),
        (f"{EYE[:-1]} that {'sees, a new, training-free one ' * 7}.", EYE),
        (f"By looking at {'very ' * 25}many clouds, we {EYE[3:]}", EYE),
        (f"{EYE[:-1]}, achieving {'very much of it and ' * 8}.", EYE),
    ],
)
def test_a_long_sentence_ends_before_what_it_only_adds(sentence: str, cut: str) -> None:
    assert line(sentence) == cut


def test_a_list_is_not_left_off_where_only_the_number_of_its_parts_would_stay() -> None:
    assert line(f"{EYE[:-1]} with the following three parts: {'one more part, ' * 20}") == EYE
    assert line(
        f"We see glaciers from a very low orbit, at night and through clouds, and we name their three parts: {'one part, ' * 20}"
    ).endswith("one part…")


@given(
    st.lists(
        st.sampled_from(
            [
                *EYE.split(),
                "We",
                "3.5",
                "12",
                "(4",
                "5)",
                "$x^2$",
                "this",
                "that addresses",
                "by",
                ",",
                ": 7",
                ", which",
                ".",
                "both",
                "It",
            ]
        ),
        max_size=120,
    )
)
def test_a_number_never_changes(words: list[str]) -> None:
    abstract = " ".join(words)
    found = summarise(paper(abstract, title="GlacierEye: 9"))
    kept = re.findall(r"\d+(?:\.\d+)*", found.text) if found else []
    assert set(kept) <= set(re.findall(r"\d+(?:\.\d+)*", abstract))


@every_row(
    "piece",
    [
        "We propose ",
        "$",
        "$$ ",
        "\\( ",
        "(",
        "this x ",
        "A. ",
        "\\a{",
        "we, ",
        "[a. B ",
        " that addresses this a b",
        ", which to address that by ",
        "It is. ",
    ],
)
def test_hostile_text_costs_no_more_time_than_an_abstract_may(piece: str) -> None:
    began = time.process_time()
    found = summarise(paper(piece * (500_000 // len(piece)), title="GlacierEye: ice"))
    assert time.process_time() - began < 2.0, "a tenth of that on a slow machine"
    assert found is None or len(found.text) <= LONGEST_WHOLE


# ---- how long ------------------------------------------------------------------------------------------------------------------

WORDS = "glacier " * 60


@every_row(
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
