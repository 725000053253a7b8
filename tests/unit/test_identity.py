"""One paper, whatever shows it: what its fields say, and which titles may make two sightings one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.identifier import Identifier
from digest.domain.identity import may_match_by_title, merge, title_key
from digest.domain.paper import MergedFields, Sighting, Summary
from tests.tables import every_row

DAY = timedelta(days=1)
MONDAY = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
ARXIV = Identifier("arxiv", "2603.00001")
BIORXIV = Identifier("doi", "10.1101/2026.01.02.111111")


def seen(source: str, day: int = 0, **said: Any) -> Sighting:
    return Sighting(**{"source": source, "identifiers": (ARXIV,), "title": "T", "seen_at": MONDAY + day * DAY} | said)


CASES: list[tuple[str, list[Sighting], dict[str, Any]]] = [
    (
        "the newest version's words win, whoever came last",
        [
            seen("arxiv", 0, version=2, title="Second", abstract="new"),
            seen("arxiv", 9, version=1, title="First", abstract="old"),
        ],
        {"title": "Second", "abstract": "new", "version": 2, "first_seen_at": MONDAY},
    ),
    (
        "arXiv's own words before those of an index that came later",
        [seen("arxiv-cs", 0, title="As written"), seen("huggingface", 5, title="As copied", abstract="only here")],
        {"title": "As written", "abstract": "only here", "sources": ("arxiv-cs", "huggingface")},
    ),
    (
        "between equals the later sighting wins",
        [seen("feed", 0, title="Old"), seen("another-feed", 1, title="New")],
        {"title": "New"},
    ),
    (
        "empty never overwrites",
        [seen("arxiv", 0, version=1, abstract="said", authors=("Ann",)), seen("arxiv", 1, version=2)],
        {"abstract": "said", "authors": ("Ann",), "version": 2},
    ),
    (
        "code, summary and keywords come from where they are collected",
        [
            seen("arxiv", 3, code_url="https://a.example/", keywords=("a",)),
            seen("semanticscholar", 4, summary=Summary(text="theirs", provenance="semantic scholar")),
            seen("huggingface", 0, code_url="https://h.example/", summary=Summary(text="ours", provenance="huggingface")),
        ],
        {"code_url": "https://h.example/", "summary": Summary(text="ours", provenance="huggingface"), "keywords": ("a",)},
    ),
    (
        "a registry knows the venue, arXiv the day",
        [
            seen("crossref", 0, venue="NeurIPS", published_at=MONDAY),
            seen("arxiv", 1, venue="submitted", published_at=MONDAY - 90 * DAY),
        ],
        {"venue": "NeurIPS", "published_at": MONDAY - 90 * DAY},
    ),
    (
        "a relisting is no news, an update is",
        [
            seen("arxiv", 0, listed_at=MONDAY, updated_at=MONDAY),
            seen("arxiv", 5, listed_at=MONDAY + 5 * DAY, updated_at=MONDAY + 5 * DAY),
        ],
        {"listed_at": MONDAY, "updated_at": MONDAY + 5 * DAY},
    ),
    (
        "a version belongs to the name it came with",
        [
            seen("arxiv", 0, version=2, title="arXiv v2"),
            seen("biorxiv", 1, version=5, title="bioRxiv v5", identifiers=(BIORXIV,)),
            seen("crossref", 1, title="both", identifiers=(BIORXIV, ARXIV)),
        ],
        {"version": 2, "title": "arXiv v2", "identifiers": (ARXIV, BIORXIV)},
    ),
    (
        "withdrawn by its newest version",
        [seen("arxiv", 0, version=1), seen("arxiv", 1, version=2, withdrawn=True)],
        {"withdrawn": True},
    ),
    (
        "a newer version takes a withdrawal back",
        [seen("arxiv", 0, version=2, withdrawn=True), seen("arxiv", 1, version=3)],
        {"withdrawn": False},
    ),
    (
        "a source without versions takes it back",
        [seen("huggingface", 0, withdrawn=True), seen("huggingface", 1)],
        {"withdrawn": False},
    ),
    (
        "an old version that is read later does not",
        [seen("arxiv", 0, version=2, withdrawn=True), seen("arxiv", 9, version=1)],
        {"withdrawn": True, "version": 2},
    ),
    (
        "its address is the newest version's, however late the old one is read",
        [seen("arxiv", 0, version=2, url="https://a.example/v2"), seen("arxiv", 9, version=1, url="https://a.example/v1")],
        {"url": "https://a.example/v2"},
    ),
    (
        "its address is the most authoritative source's, whatever the others call a version",
        [
            seen("arxiv", 0, version=1, url="https://a.example/", pdf_url="https://a.example/pdf"),
            seen("feed", 9, version=2, url="https://f.example/"),
        ],
        {"url": "https://a.example/", "pdf_url": "https://a.example/pdf"},
    ),
    (
        "a source is known by its first word, or by all of them in one",
        [
            seen("arxiv_rss", 0, title="As written", venue="submitted"),
            seen("semantic-scholar", 5, title="As indexed", venue="NeurIPS"),
            seen("hub.feed", 9, title="As told", venue="told"),
        ],
        {"title": "As written", "venue": "NeurIPS"},
    ),
    (
        "a first publication is not moved by a revision",
        [
            seen("arxiv", 0, published_at=MONDAY),
            seen("arxiv", 1, published_at=MONDAY - DAY),
            seen("huggingface", 0, published_at=MONDAY - 9 * DAY),
        ],
        {"published_at": MONDAY - DAY},
    ),
    (
        "a withdrawal under another name is not this one's version's",
        [
            seen("arxiv", 0, version=2),
            seen("biorxiv", 1, version=2, identifiers=(BIORXIV,), withdrawn=True),
            seen("biorxiv", 2, version=3, identifiers=(BIORXIV,)),
            seen("crossref", 1, identifiers=(BIORXIV, ARXIV)),
        ],
        {"withdrawn": False, "version": 2},
    ),
    ("another source's silence does not", [seen("huggingface", 0, withdrawn=True), seen("feed", 1)], {"withdrawn": True}),
]


@every_row(("sightings", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_precedence(sightings: list[Sighting], expected: dict[str, Any]) -> None:
    merged = merge(sightings)
    assert {name: getattr(merged, name) for name in expected} == expected
    assert merge(sightings[::-1]) == merged, "the order given never matters"
    assert merge([*sightings, *sightings]) == merged, "nor do repeats"


words = st.sampled_from(["", "a", "b"])
sightings_of_one = st.lists(
    st.builds(
        seen,
        st.sampled_from(["arxiv", "huggingface", "crossref", "feed", "zine"]),
        st.integers(0, 2),
        identifiers=st.sampled_from([(ARXIV,), (BIORXIV,), (BIORXIV, ARXIV)]),
        title=st.sampled_from(["T", "U"]),
        abstract=words,
        venue=words,
        url=words,
        code_url=words,
        authors=st.sampled_from([(), ("Ann",), ("Bo", "Ann")]),
        summary=st.sampled_from([None, Summary(text="x", provenance="a"), Summary(text="x", provenance="b")]),
        version=st.sampled_from([None, 1, 2]),
        withdrawn=st.booleans(),
        published_at=st.sampled_from([None, MONDAY, MONDAY + DAY]),
    ),
    min_size=1,
    max_size=5,
)


@given(sightings_of_one, st.randoms(use_true_random=False))
def test_merging_is_a_matter_of_what_was_seen_not_of_the_order(sightings: list[Sighting], random: Any) -> None:
    shuffled = sightings.copy()
    random.shuffle(shuffled)
    merged = merge(sightings)
    assert merge(shuffled) == merged
    for name in MergedFields.__dataclass_fields__.keys() & Sighting.__dataclass_fields__.keys():
        told = [getattr(s, name) for s in sightings]
        if name not in ("identifiers", "withdrawn", "version") and any(told):
            assert getattr(merged, name) in told, f"{name} is something somebody said"


LONG = "Linguistic Generalizability of Test-Time Scaling"
KEYS = [
    ((LONG, "Guijin Son"), (LONG.upper() + ".", "Son, G."), True),
    ((LONG, "José Núñez Jr."), ("<i>Linguistic</i> generalizability of \\emph{test-time} scaling", "Nunez, Jose"), True),
    ((LONG, "Ann Lee"), (LONG, "Bo Li"), False),
    ((LONG + " I", "Ann Lee"), (LONG + " II", "Ann Lee"), False),
    (("Introduction", "Ann Lee"), ("Introduction", "Ann Lee"), False),
    (("A survey of LLMs", "Ann Lee"), ("A survey of LLMs", "Ann Lee"), False),
    (("Reply to the comment", "Ann Lee"), ("Reply to the comment", "Ann Lee"), False),
    ((LONG, ""), (LONG, ""), False),
    ((LONG, "Jr."), (LONG, "Jr."), False),
    ((LONG, "Jan van der Berg"), (LONG, "van der Berg, Jan"), True),
    ((LONG, "Jan Berg"), (LONG, "J. Berg III"), True),
    ((LONG, "Jan Berg"), (LONG, "Berg Jan"), False),
    (("On the $\\Sigma$-side of wide trees", "Ann Lee"), ("On the σ-side of wide trees", "Ann Lee"), True),
    (("On the $\\Sigma$-side of wide trees", "Ann Lee"), ("On the $\\Pi$-side of wide trees", "Ann Lee"), False),
    (("On the $\\lambda$-side of wide trees", "Ann Lee"), ("On the Λ-side of wide trees", "Ann Lee"), True),
    (("A straße to wide open trees", "Ann Lee"), ("A STRASSE to wide open trees", "Ann Lee"), True),
    (("Deep nets for volcanoes", "Ann Lee"), ("Deep nets for volcanoes", "Ann Lee"), True),
    (("Deep nets for glaciers", "Ann Lee"), ("Deep nets for glaciers", "Ann Lee"), False),
    (("Interferometric glaciological measurements", "Ann Lee"), ("Interferometric glaciological measurements", "Ann Lee"), False),
]


@every_row(("one", "other", "same"), KEYS)
def test_title_keys(one: tuple[str, str], other: tuple[str, str], same: bool) -> None:
    first, second = (title_key(seen("x", title=title, authors=(author,) if author else ())) for title, author in (one, other))
    assert (first is not None and first == second) is same


def test_a_title_alone_never_joins_two_registered_works() -> None:
    seed = Identifier("seed", "abc")
    assert may_match_by_title([seed], [ARXIV])
    assert may_match_by_title([ARXIV], [seed])
    assert not may_match_by_title([ARXIV], [Identifier("arxiv", "2603.00002")])
    assert not may_match_by_title([ARXIV, seed], [BIORXIV])
    assert not may_match_by_title([Identifier("lab", "1")], [Identifier("lab", "2")]), "one source numbers them differently"
    assert not may_match_by_title([ARXIV, Identifier("lab", "1")], [Identifier("lab", "2")])
    assert may_match_by_title([Identifier("lab", "1")], [Identifier("journal", "1")])
    assert may_match_by_title([Identifier("reference", "1")], [Identifier("reference", "2")]), "a reference is no numbering"
    assert may_match_by_title([Identifier("reference", "1")], [ARXIV])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "On a variant of the 12th Delfino problem -- the $\\Sigma$-side",
            "On a variant of the 12th Delfino problem -- the $Σ$-side",
        ),
        ("Decay of $B \\to K \\mu \\mu$ at large recoil", "Decay of B → K μμ at large recoil"),
    ],
)
def test_greek_letters_are_letters_however_they_are_written(one: str, other: str) -> None:
    def key(title: str) -> str | None:
        return title_key(seen("a", title=title, authors=("Ada L",), identifiers=()))

    assert key(one) == key(other)
    assert key(one) != key(one.replace("Sigma", "Pi").replace("mu", "nu"))
