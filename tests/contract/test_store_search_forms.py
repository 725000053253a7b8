"""Search as people type: forms of a word meet, what is misspelled is read as what is near, and the nearest papers come after."""

from __future__ import annotations

import time

import pytest

from digest.domain.query import LONGEST
from digest.domain.search_result import SearchResult
from digest.store.papers import search as store_search
from digest.store.unit_of_work import Store
from tests.servers.stocked import sighting

MEET = [
    ("fine-tuning", "finetuning"),
    ("fine tuning", "finetuned"),
    ("multi-modal", "multimodal"),
    ("pre-training", "pretraining"),
    ("data set", "dataset"),
    ("GPT-4", "GPT4"),
    ("Llama 2", "llama2"),
    ("3D", "3-D"),
    ("LLM", "large language model"),
    ("LLMs", "large language models"),
    ("LLM", "LLMs"),
    ("GNNs", "graph neural network"),
    ("RAG", "retrieval-augmented generation"),
    ("mixture-of-experts", "MoE"),
    ("colour", "color"),
    ("behaviour", "behaviors"),
    ("optimisation", "optimizing"),
    ("modelling", "modeling"),
    ("analyse", "analyzes"),
    ("centre", "center"),
    ("transformers", "transformer"),
    ("studies", "study"),
    ("naïve", "naive"),
    ("encoder decoder", "encoder/decoder"),
    ("vision-language", "vision–language"),
    ("state of the art", "state-of-the-art"),
    ("GPT-3.5", "GPT 3.5"),
]
"""Either finds the other."""
APART = [
    ("fine", "finetuning"),
    ("GPT-4", "GPT-3"),
    ("LLM", "small language model"),
    ("color", "colon"),
    ("large language", "LLM"),
]


@pytest.fixture
def papers(store: Store) -> Store:
    """Two papers on each pair, one in either form, among others."""
    shown = []
    for number, pair in enumerate([*MEET, *APART]):
        for side, form in enumerate(pair):
            shown.append(sighting(100 * side + number, title=f"Volume{number} on {form}", abstract=f"Of {form}."))
    with store.begin() as unit:
        unit.papers.merge(shown)
    return store


def asked(store: Store, query: str, limit: int = 10) -> SearchResult:
    with store.read() as unit:
        return unit.papers.search(query, limit)


def whole(store: Store, query: str) -> list[str]:
    return sorted(match.paper.title for match in asked(store, query).whole)


def test_forms_meet_and_other_words_do_not(papers: Store) -> None:
    wrong = []
    for number, pair in enumerate(MEET):
        both = sorted(f"Volume{number} on {form}" for form in pair)
        wrong += [(query, found) for query in pair if (found := whole(papers, f"volume{number} {query}")) != both]
    for number, (query, other) in enumerate(APART, len(MEET)):
        if (found := whole(papers, f"volume{number} {query}")) != [f"Volume{number} on {query}"]:
            wrong.append((f"{query} / {other}", found))
    assert wrong == []


SHELF = (
    sighting(
        1, title="Hallucination in question answering", abstract="We reduce hallucination of language models. Bananas are yellow."
    ),
    sighting(2, title="Question answering over tables", abstract="Language models read tables."),
    sighting(3, title="Banana ripeness", abstract="Bananas are yellow.", categories=("q-bio",)),
    sighting(4, title="Reasoning over long documents", abstract="How language models read whole books.", authors=("Ada Bell",)),
    sighting(5, title="Answering the phone", abstract="Manners."),
)


@pytest.fixture
def shelf(store: Store) -> Store:
    with store.begin() as unit:
        unit.papers.merge(SHELF)
    return store


def numbers(result: SearchResult, *, partial: bool) -> list[int]:
    return [int(match.paper.identifier.value[-1]) for match in (result.partial if partial else result.whole)]


def test_all_the_words_first_then_the_nearest(shelf: Store) -> None:
    result = asked(shelf, "question answering hallucination")
    assert (numbers(result, partial=False), numbers(result, partial=True)) == ([1], [2, 5])
    assert [match.missing for match in result.partial] == [("hallucination",), ("question", "hallucination")]
    assert result.notes == ()


def test_a_question_finds_what_it_is_about(shelf: Store) -> None:
    """No paper has all the words: that is said, and the best come first."""
    for question, first in [
        ("How can language models reason over very long documents and novels?", 4),
        ("methods to reduce hallucination in question answering by chatbots", 1),
    ]:
        result = asked(shelf, question)
        assert numbers(result, partial=False) == []
        assert numbers(result, partial=True)[0] == first
        assert result.notes == ("No paper has all the words; the nearest:",)


def test_what_else_was_asked_for_holds_for_the_nearest_too(shelf: Store) -> None:
    asking = {
        "bananas chatbots": [3, 1],
        "bananas chatbots -ripeness": [1],
        "bananas chatbots cat:q-bio": [3],
        "bananas chatbots -cat:q-bio": [1],
        'bananas chatbots -"question answering"': [3],
        "language chatbots author:bell": [4],
        "language chatbots -author:bell": [1, 2],
        'language chatbots "read tables"': [2],
        "bananas chatbots since:2030": [],
        "chatbots -bananas": [],
        "chatbots robots": [],
    }
    found = {query: numbers(asked(shelf, query), partial=True) for query in asking}
    assert {query: sorted(each) for query, each in found.items()} == {query: sorted(each) for query, each in asking.items()}
    assert found["bananas chatbots"] == [3, 1], "a word in the title counts more"
    assert all(not asked(shelf, query).whole for query in asking)


def test_the_sentence_that_matches_is_shown(shelf: Store) -> None:
    sentences = {match.sentence for match in asked(shelf, "yellow").matches}
    assert sentences == {"Bananas are yellow."}
    assert [match.sentence for match in asked(shelf, "ripeness").matches] == [""], "only the title holds it"


def test_common_words_are_counted_out_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is rare weighs more, also where both words are common."""
    monkeypatch.setattr(store_search, "COUNTED", 2)
    shown = [sighting(n, title=f"Red {n}", abstract="Red.") for n in range(1, 7)]
    with store.begin() as unit:
        unit.papers.merge([*shown, *(sighting(n, title=f"Blue {n}", abstract="Blue.") for n in range(7, 10))])
    assert [match.paper.title[:4] for match in asked(store, "red blue").partial] == ["Blue"] * 3 + ["Red "] * 6
    counted = []
    monkeypatch.setattr(store_search, "_counted_out", lambda *each: counted.append(each) or {})
    asked(store, "red blue")
    assert counted == []


CORRECTED = [
    ("halucination", "hallucination"),
    ("hallucinatoin", "hallucination"),
    ("tabels", "tables"),
    ("documemts", "documents"),
]


@pytest.mark.parametrize(("typed", "used"), CORRECTED)
def test_an_unknown_word_is_read_as_a_near_one(shelf: Store, typed: str, used: str) -> None:
    result = asked(shelf, f"{typed} language")
    assert result.corrected == ((typed, used),)
    assert numbers(result, partial=False) == numbers(asked(shelf, f"{used} language"), partial=False) != []
    assert result.notes == (f"No paper has “{typed}”; showing results for “{used}”.",)


def test_a_word_that_papers_hold_is_left_as_it_is(shelf: Store) -> None:
    assert asked(shelf, "yellow").corrected == ()
    assert asked(shelf, "xqzzv phone").corrected == ()


def test_a_rare_misspelling_is_found_and_so_is_what_was_meant(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly as typed comes first."""
    monkeypatch.setattr("digest.store.papers.search_terms.TIMES", 3)
    shown = [sighting(n, title=f"Attention {n}", abstract="On attention.") for n in range(1, 8)]
    with store.begin() as unit:
        unit.papers.merge([*shown, sighting(8, title="Atention is misspelled", abstract="So.")])
    result = asked(store, "atention")
    assert result.corrected == (("atention", "attention"),)
    assert numbers(result, partial=False)[0] == 8
    assert len(result.whole) == 8
    assert result.notes == ("Few papers have “atention”; showing results for “attention” as well.",)


CJK = (
    sighting(1, title="基于深度学习的图像分类方法", abstract="本文提出一种卷积神经网络。"),
    sighting(2, title="図神経ネットワークの概観", abstract="ニューラルネットワークがグラフを扱う。", authors=("山田太郎",)),
    sighting(3, title="대규모 언어모델의 추론", abstract="언어모델은 긴 문서를 읽는다.", categories=("cs.CL",)),
    sighting(4, title="Deep learning 深度学习 survey", abstract="A survey of 学习 methods."),
)


def test_what_is_written_without_spaces_is_found_by_its_parts(store: Store) -> None:
    with store.begin() as unit:
        unit.papers.merge([*CJK, sighting(5, title="Only English", abstract="Deep learning.")])
    asking = {
        "深度学习": [1, 4],
        "神经网络": [1],
        "ネットワーク": [2],
        "がグラフ": [2],
        "언어모델": [3],
        "文書": [],
        "図": [2],
        "深度学习 survey": [4],
        "deep learning 深度": [4],
        '"深度学习"': [1, 4],
        "深度学习 -survey": [1],
        "survey -深度学习": [],
        "learning -深度学习": [5],
        "深度学习 -分类": [4],
        "山田": [2],
        "언어모델 cat:cs.CL": [3],
        "深度学习 cat:math": [],
        "author:山田太郎": [2],
    }
    assert {query: sorted(numbers(asked(store, query), partial=False)) for query in asking} == asking
    nearest = asked(store, "深度学习的概述")
    assert (numbers(nearest, partial=False), sorted(numbers(nearest, partial=True))) == ([], [1, 4])
    assert {match.missing for match in nearest.partial} == {("深度学习的概述",)}
    assert numbers(asked(store, "深度学习 zebras -survey"), partial=True) == [1]
    assert numbers(asked(store, "图像 learning methods cat:cs"), partial=True)


def test_what_a_changed_paper_no_longer_holds_is_not_found(store: Store) -> None:
    with store.begin() as unit:
        unit.papers.merge([CJK[0]])
        unit.papers.merge([sighting(1, title="图像检索", abstract="检索。", version=2)])
    assert [numbers(asked(store, query), partial=False) for query in ("深度学习", "图像检索")] == [[], [1]]


HOSTILE = [
    "a" * 1_000_000,
    "word " * 10_000,
    " ".join(f"w{n}" for n in range(10_000)),
    '"' * 5_000,
    '"a b" ' * 5_000,
    "-x " * 5_000,
    "author:a " * 5_000,
    "\u202e\u200b\ufeff" * 1_000,
    "e" + "\u0301" * 5_000,
    "ﷺ" * 1_000,
    "𝔸𝕝𝕘𝕖𝕓𝕣𝕒 " * 100,
    "深" * 1_000,
    "(((" * 3_000,
    "\x00" * 1_000,
    " ".join(f"{chr(0x4E00 + n)}x" for n in range(3_000)),
    " ".join(f"qqzz{chr(97 + n % 26)}{chr(97 + n // 26)}y" for n in range(600)),
]


@pytest.mark.parametrize("query", HOSTILE, ids=[f"{query[:12]!r}" for query in HOSTILE])
def test_a_hostile_query_is_answered_soon(shelf: Store, query: str) -> None:
    assert LONGEST < 1_000
    began = time.process_time()
    asked(shelf, query)
    assert time.process_time() - began < 2.0
