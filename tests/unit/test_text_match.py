"""How papers are weighed against words, apart from any database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.ranking.text_match import SearchTerm, Text, TextMatcher, cjk_grams, cjk_parts, tokens
from digest.store.papers.spelling import near_words, possible_forms, sure_forms

OF = 1000


def term(word: str, papers: int = 10, *forms: tuple[str, ...]) -> SearchTerm:
    return SearchTerm(word, forms or ((word,),), papers)


def order(terms: list[SearchTerm], *texts: tuple[str, str]) -> list[int]:
    found = TextMatcher(terms, OF).best(Text(n, title, abstract, "") for n, (title, abstract) in enumerate(texts))
    return [match.id for match in found if any(match.held)]


BETTER = [
    ("more of the words", [term("red"), term("blue")], ("", "Red and blue."), ("", "Red, red and red.")),
    ("the rarer word", [term("red", 500), term("blue", 2)], ("", "Blue."), ("", "Red.")),
    ("in the title", [term("red")], ("Red", "Other words."), ("Other", "Words of red.")),
    ("a stem", [term("reasoning")], ("", "It reasons."), ("", "It seasons.")),
    ("near each other", [term("red"), term("blue")], ("", f"Red blue. {'x ' * 20}"), ("", f"Red {'x ' * 20} blue.")),
    ("the shorter of equals", [term("red")], ("", "Red."), ("", f"Red. {'x ' * 300}")),
    ("a phrase", [term("llm", 10, ("large", "model"))], ("", "Large models."), ("", "Large, and a model.")),
]


@pytest.mark.parametrize(("why", "terms", "better", "worse"), BETTER, ids=[case[0] for case in BETTER])
def test_what_comes_first(why: str, terms: list[SearchTerm], better: tuple[str, str], worse: tuple[str, str]) -> None:
    assert order(terms, better, worse)[0] == 0, why
    assert order(terms, worse, better)[0] == 1, why


def test_forms_with_one_stem_count_once() -> None:
    once, twice = (TextMatcher([term("red", 10, *forms)], OF) for forms in ((("red",),), (("red",), ("reds",))))
    assert once.best([Text(1, "Red", "", "")]) == twice.best([Text(1, "Red", "", "")])


def test_of_equals_the_newest_comes_first() -> None:
    assert order([term("red")], ("", "Red."), ("", "Red.")) == [1, 0]


def test_the_sentence_holds_the_most_and_rarest() -> None:
    matcher = TextMatcher([term("red", 500), term("blue", 2), term("green", 2)], OF)
    assert (
        matcher.sentence("It is red. It is blue. It is blue and green. It is blue and green, or so they say.")
        == "It is blue and green."
    )
    assert matcher.sentence("Nothing.") == matcher.sentence("") == ""


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    words = tokens(text)
    assert all(word and not word.isspace() for word in words)
    matcher = TextMatcher([term(word) for word in words[:5]], OF)
    [match] = matcher.best([Text(1, text, text, text)])
    assert all(match.held)
    matcher.sentence(text)


def test_words_without_spaces_are_parted() -> None:
    assert tokens("Deep 学习 Ünïcode") == ["deep", "学", "习", "unicode"]
    assert tokens("が") == ["が"], "a mark of sound is part of the letter"
    assert cjk_grams("abc 深度学 x 猫") == ["深", "度", "学", "深度", "度学", "猫"]
    assert cjk_parts("transformer模型v2") == ["transformer", "模型", "v2"]


NEAR = [
    ("tabels", "tables"),
    ("hallucinaton", "hallucination"),
    ("difusion", "diffusion"),
    ("graaph", "graph"),
    ("gradiemt", "gradient"),
]


@pytest.mark.parametrize(("typed", "meant"), NEAR)
def test_one_edit_is_near(typed: str, meant: str) -> None:
    assert meant in near_words(typed)
    assert typed not in near_words(typed)


@pytest.mark.parametrize("word", ["cat", "x" * 21, "x1234", "überall", "深度学习"])
def test_what_is_short_long_or_no_plain_word_is_no_misspelling(word: str) -> None:
    assert near_words(word) == ()


def test_two_edits_are_not_near() -> None:
    assert not {"diffusion", "graph"} & {*near_words("dfusion"), *near_words("grahpp")}


def test_the_words_of_an_acronym_are_the_acronym() -> None:
    forms = sure_forms(["large", "language", "models", "for", "text"])
    assert all(("llm",) in forms[word] for word in ("large", "language", "models"))
    assert ("llm",) not in forms["text"]
    assert ("llm",) not in sure_forms(["language", "large", "model"])["model"]
    assert ("large", "language", "model") in sure_forms(["llms"])["llms"]


def test_stop_words_are_no_parts() -> None:
    assert ("fine", "tuning") in possible_forms(["finetuning"])["finetuning"]
    assert not [form for form in possible_forms(["forgetting"])["forgetting"] if "for" in form]
    assert possible_forms(["state", "of", "art"])["state"] == {} == possible_forms(["of"])["of"]
