"""What somebody types into a search box, as the system understood it; and words that mean each other."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.identifier import Identifier
from digest.domain.query import ASK_FOR_SOMETHING, MOST_WORDS, Query, Unwanted, describe, parse_query
from digest.ranking.pool_index import answers_to, name_words
from digest.store.papers.spelling import spellings
from tests.tables import every_row

TYPED = [
    ("Graph  neural", Query(words=("graph", "neural")), "graph neural"),
    ("test-time", Query(words=("test", "time")), "test time"),
    (
        '"test-time scaling" agents',
        Query(words=("agents",), phrases=(("test", "time", "scaling"),)),
        "agents, “test time scaling”",
    ),
    ('"word"', Query(words=("word",)), "word"),
    ("author:LeCun", Query(authors=(("lecun",),)), "by lecun"),
    ('AUTHOR: "LeCun, Yann"', Query(authors=(("yann", "lecun"),)), "by yann lecun"),
    ("cat:cs.CL cat:stat", Query(categories=("cs.cl", "stat")), "in cs.cl or stat"),
    ("category:cs.CL", Query(categories=("cs.cl",)), "in cs.cl"),
    ("since:2026-05-03", Query(since=date(2026, 5, 3)), "since 2026-05-03"),
    ("since:2026 since:2026-05", Query(since=date(2026, 5, 1)), "since 2026-05-01"),
    ("like:2510.19278v2", Query(like=Identifier("arxiv", "2510.19278")), "like arxiv:2510.19278"),
    ("until:2026-05-03", Query(until=date(2026, 5, 3)), "until 2026-05-03"),
    ("until:2026 until:2024-02 a", Query(words=("a",), until=date(2024, 2, 29)), "a, until 2024-02-29"),
    ("until:never", Query(words=("until", "never")), "until never"),
    ("source:Hugging-Face source:arxiv", Query(sources=("hugging-face", "arxiv")), "from hugging-face or arxiv"),
    ("source:a/b", Query(words=("source", "a", "b")), "source a b"),
    ("-source:arxiv a", Query(words=("a",), unwanted=Unwanted(phrases=(("source", "arxiv"),))), "a, without “source arxiv”"),
    ("since:ever", Query(words=("since", "ever")), "since ever"),
    ("cat:a/b", Query(words=("cat", "a", "b")), "cat a b"),
    ("like:nothing", Query(words=("like", "nothing")), "like nothing"),
    ("since:2026-02-31", Query(words=("since", "2026", "02", "31")), "since 2026 02 31"),
    ("title:x", Query(words=("title", "x")), "title x"),
    ('an "open quote', Query(words=("an", "open", "quote")), "an open quote"),
    ("diffusion -video", Query(words=("diffusion",), unwanted=Unwanted(words=("video",))), "diffusion, without video"),
    ("-Video diffusion", Query(words=("diffusion",), unwanted=Unwanted(words=("video",))), "diffusion, without video"),
    (
        'graph -"neural network" -"deep"',
        Query(words=("graph",), unwanted=Unwanted(words=("deep",), phrases=(("neural", "network"),))),
        "graph, without deep or “neural network”",
    ),
    (
        'graph -author:"LeCun, Yann" -cat:cs.CV',
        Query(words=("graph",), unwanted=Unwanted(authors=(("yann", "lecun"),), categories=("cs.cv",))),
        "graph, without by yann lecun or in cs.cv",
    ),
    ("cat:cs.LG -category:cs", Query(categories=("cs.lg",), unwanted=Unwanted(categories=("cs",))), "in cs.lg, without in cs"),
    ("a -x-ray", Query(words=("a",), unwanted=Unwanted(phrases=(("x", "ray"),))), "a, without “x ray”"),
    ("a --b \N{MINUS SIGN}c", Query(words=("a",), unwanted=Unwanted(words=("b", "c"))), "a, without b or c"),
    ("state-of-the-art X-ray", Query(words=("state", "of", "the", "art", "x", "ray")), "state of the art x ray"),
    ("GPT-4 “vision-language”", Query(words=("gpt", "4"), phrases=(("vision", "language"),)), "gpt 4, “vision language”"),
    ('"x"-ray "-video"', Query(words=("x", "ray", "video")), "x ray video"),
    ("sim - to -- real ->x -", Query(words=("sim", "to", "real", "x")), "sim to real x"),
    ("-since:2026 a", Query(words=("a",), unwanted=Unwanted(phrases=(("since", "2026"),))), "a, without “since 2026”"),
    ("-video", Query(unwanted=Unwanted(words=("video",))), "without video"),
    ("", Query(), ""),
]


@every_row(("typed", "query", "line"), TYPED)
def test_each_query_is_told_back(typed: str, query: Query, line: str) -> None:
    assert parse_query(typed) == query
    assert describe(query) == line
    assert bool(query) is bool(line), "what is told is asked"


@every_row(
    ("phrase",),
    [(each.format("graph theory"),) for each in ("„{}“", "«{}»", "« {} »", "»{}«", "「{}」", "『{}』", "＂{}＂", "“{}”")],
)
def test_a_phrase_stands_in_the_quotation_marks_of_any_language(phrase: str) -> None:
    assert parse_query(f"author：ho {phrase}") == parse_query('author:ho "graph theory"')


@pytest.mark.parametrize(
    ("typed", "asks"), [("-a", False), ('-"a b" -cat:cs', False), ("-a b", True), ("-a cat:cs", True), ("", False)]
)
def test_who_only_leaves_out_asks_for_nothing(typed: str, asks: bool) -> None:
    query = parse_query(typed)
    assert query.asks is asks
    assert query.missing_hint == ("" if asks or not typed else ASK_FOR_SOMETHING)


@given(st.text())
def test_any_text_is_a_query_of_bounded_size(text: str) -> None:
    query = parse_query(text)
    for each in (query, query.unwanted):
        parts = (each.words, each.phrases, each.authors, each.categories)
        assert all(len(part) <= MOST_WORDS for part in parts)
        words = [*each.words, *(word for phrase in (*each.phrases, *each.authors) for word in phrase)]
        assert all(word and all(c.isalnum() for c in word) for word in words)
    assert parse_query(" ".join(query.words)).words == query.words


SIMILAR = [
    ("generalizability", "generalisation"),
    ("optimiser", "optimizers"),
    ("behaviour", "behavior"),
    ("neighbouring", "neighboring"),
    ("modelling", "modeling"),
    ("labelled", "labeled"),
    ("analyse", "analyzing"),
    ("centre", "center"),
    ("catalogue", "catalog"),
]


@every_row(("one", "other"), SIMILAR)
def test_spellings_meet(one: str, other: str) -> None:
    assert set(spellings(one)) & set(spellings(other))
    assert (spellings(one)[0], spellings(other)[0]) == (one, other)


@every_row("word", ["noise", "graph", "our", "hour", "four", "enter", "error", "size"])
def test_other_words_stand_alone(word: str) -> None:
    assert spellings(word) == (word,)


NAMES = [
    ("Yann LeCun", "LeCun, Yann", True),
    ("Yann A. LeCun", "Yann LeCun", True),
    ("Yann LeCun", "y. lecun", True),
    ("Émile Noether", "emile noether", True),
    ("Yann LeCun", "lecun", True),
    ("Yann LeCun", "yann", False),
    ("Yann LeCun", "jean lecun", False),
    ("A. B. See", "B. A. See", False),
    ("", "", True),
    ("Yann LeCun", "", False),
]


@every_row(("author", "asked", "same"), NAMES)
def test_who_is_meant(author: str, asked: str, same: bool) -> None:
    assert answers_to(name_words(author), name_words(asked)) is same
