"""The same question has the same answer on both databases: stems, spellings, phrases, filters, kin; any text is safe."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, make_url, text

from digest.domain.query import Query
from digest.store.engine import open_engine
from digest.store.papers import search as store_search
from digest.store.papers.ingest import papers_named
from digest.store.papers.search import papers_holding, similar_ids
from digest.store.unit_of_work import Store
from tests.servers.stocked import DAY, NOW, arxiv, sighting

SHELF = (
    sighting(
        1, title="Attention is all you need", abstract="Sequence transduction.", authors=("Ashish Vaswani", "Noam M. Shazeer")
    ),
    sighting(2, title="Graphs", abstract="We use attention and graphs.", authors=("Émile Noether",), categories=("math.CO",)),
    sighting(3, title="Generalisation of test-time scaling", abstract="On optimising behaviour.", authors=("LeCun, Yann",)),
    sighting(
        4, title="Scaling the test of time", abstract="Labelled data and modelling, analysed.", authors=("Bo Test", "Ann Time")
    ),
    sighting(5, title="Protein folding", abstract="Structure.", categories=("q-bio.BM", "cs.LG"), published_at=NOW - 400 * DAY),
)


@pytest.fixture
def shelf(store: Store) -> Store:
    with store.begin() as unit:
        unit.papers.merge(SHELF)
    return store


def search(store: Store, query: str, limit: int = 10) -> list[int]:
    with store.read() as unit:
        return [int(match.paper.identifier.value[-1]) for match in unit.papers.search(query, limit).whole]


ASKED = [
    ("attention", [1, 2]),
    ("ATTENTIONS graph", [2]),
    ("the attention of the graphs", [2]),
    ("generalizability", [3]),
    ("generalized", [3]),
    ("optimization behavior", [3]),
    ("labeled modeling analysis", [4]),
    ("noether", [2]),
    ("emile", [2]),
    ("attention noether", [2]),
    ('"test-time scaling"', [3]),
    ("“time scaling”", [3]),
    ("test scaling", [3, 4]),
    ('"scaling the test"', [4]),
    ("author:vaswani", [1]),
    ('author:"Noam Shazeer" attention', [1]),
    ('author:"shazeer, noam"', [1]),
    ('author:"N. Shazeer"', [1]),
    ("author:a", [1, 4, 5]),
    ("attention author:vaswani", [1]),
    ("attention author:noether", [2]),
    ('"test of" author:time cat:cs.lg', [4]),
    ('"scaling generalisation"', []),
    ('"attention sequence"', []),
    ('author:"yann lecun"', [3]),
    ('author:"Ashish Shazeer"', []),
    ("author:attention", []),
    ("cat:math", [2]),
    ("cat:math.co attention", [2]),
    ("cat:mat attention", []),
    ("cat:q-bio cat:math", [2, 5]),
    ("category:cs.LG protein", [5]),
    (f"protein since:{(NOW - 401 * DAY).date()}", [5]),
    (f"protein since:{(NOW - 399 * DAY).date()}", []),
    ("since:2026 protein", []),
    (f"protein until:{(NOW - 400 * DAY).date()}", [5]),
    (f"protein until:{(NOW - 401 * DAY).date()}", []),
    ("attention source:arxiv until:2026", [1, 2]),
    ("attention source:elsewhere", []),
    ("source:elsewhere", []),
    ("attention -graphs", [1]),
    ("-graph attention", [1]),
    ("attention -noether", [1]),
    ("attention -transductions", [2]),
    ("test -generalization", [4]),
    ('test -"test-time scaling"', [4]),
    ('test -"time scaling" scaling', [4]),
    ('test -"scaling time"', [3, 4]),
    ("test -scaling-the-test", [3]),
    ("test-time", [3, 4]),
    ("attention -author:noether", [1]),
    ("attention -author:vaswani", [2]),
    ('attention -author:"shazeer, noam"', [2]),
    ('attention -author:"Ashish Shazeer"', [1, 2]),
    ("scaling -author:y", [4]),
    ("attention -cat:math", [1]),
    ("attention -cat:math.co", [1]),
    ("attention -cat:mat", [1, 2]),
    ("cat:cs -cat:q-bio", [1, 3, 4]),
    ("cat:cs -attention", [3, 4, 5]),
    ('cat:cs -"test time" -structure', [1, 4]),
    ("since:2026-01 -author:time -attention", [3]),
    ("author:a -attention", [4, 5]),
    ('"scaling" -lecun', [4]),
    ('"scaling the test" -nothing -elsewhere', [4]),
    ("attention -is -and", [1, 2]),
    ("attention -attention", []),
    ("-attention", []),
    ("-cat:cs", []),
    ('-"test time" -author:noether', []),
    ("the -cat:cs", []),
    ("nothing-like-this", []),
    ("of the", []),
    ("", []),
    ("like:arxiv:9999.00001", []),
]


def test_what_each_query_finds(shelf: Store) -> None:
    assert {query: sorted(search(shelf, query)) for query, _ in ASKED} == dict(ASKED)
    assert search(shelf, "attention") == [1, 2], "the title counts more"


def test_an_answer_has_a_limit(shelf: Store) -> None:
    assert len(search(shelf, "test scaling", 1)) == 1


def test_what_changes_is_found_anew_and_what_it_was_is_not(shelf: Store) -> None:
    with shelf.begin() as unit:
        unit.papers.merge([sighting(1, title="Renamed entirely", version=2, abstract="Other words.")])
    assert search(shelf, "attention") == [2]
    assert search(shelf, "renamed") == [1]


def test_a_paper_filed_anew_is_found_where_it_is_now(shelf: Store) -> None:
    found = {query: search(shelf, query) for query in ("cat:cs.ro", "attention cat:cs.ro", "attention since:2026-03")}
    assert found == {"cat:cs.ro": [], "attention cat:cs.ro": [], "attention since:2026-03": [1, 2]}
    again = sighting(1, title=SHELF[0].title, version=2, abstract="Sequence transduction.", categories=("cs.RO", "math"))
    with shelf.begin() as unit:
        unit.papers.merge([replace(again, published_at=NOW - 400 * DAY)])
        unit.papers.known_since([(arxiv(2), NOW - 50 * DAY)])
    found = {query: search(shelf, query) for query in ("cat:cs.ro", "cat:cs.ro attention", "cat:math transduction")}
    assert found == {"cat:cs.ro": [1], "cat:cs.ro attention": [1], "cat:math transduction": [1]}
    assert search(shelf, "attention since:2026-02") == [], "one is published long ago, the other was seen long ago"
    assert search(shelf, "attention since:2025-12") == [2]
    assert search(shelf, "since:2020") == [5, 4, 3, 1, 2], "filters alone: what was seen last comes first"


def test_a_match_is_not_lost_among_newer_papers_that_hold_the_same_words(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest that match are weighed, here no more than two: those with the words in the title apart from the others."""
    monkeypatch.setattr(store_search, "ANYWHERE", 2)
    monkeypatch.setattr(store_search, "IN_TITLE", 2)
    whole = sighting(1, title="Graph learning", abstract="A neural graph.", authors=("Ann Alder",), categories=("math.CO",))
    apart = [
        sighting(n, title=f"Paper {n}", abstract="A graph of sorts is neural, learning.", authors=("Ann Bo", "Cy Alder"))
        for n in range(2, 9)
    ]
    with store.begin() as unit:
        unit.papers.merge([whole, *apart])
    asked = [
        "graph -sorts",
        "graph learning -bo",
        'graph -"of sorts"',
        '"graph learning"',
        '"neural graph"',
        'author:"ann alder"',
        "graph learning cat:math",
        "neural cat:math since:2026",
    ]
    assert {query: search(store, query, 1) for query in asked} == {query: [1] for query in asked}
    assert search(store, "graph learning", 2)[0] == 1, "in a title: opened apart from newer ones"
    assert search(store, 'neural author:"ann bo"', 2) == [8, 7]


def test_similar_papers(store: Store) -> None:
    topics = ["protein structure folding", "speech recognition decoding", "graph colouring bounds"]
    shown = [
        sighting(
            n,
            title=f"Study {n} of {topics[n % 3]}",
            abstract=f"A study of {topics[n % 3]} from all sides, number {n}.",
            categories=("cs.LG",) if n < 5 else ("math.CO",),
            published_at=NOW - timedelta(days=n),
        )
        for n in range(1, 10)
    ]
    with store.begin() as unit:
        unit.papers.merge(shown)
    assert set(search(store, "like:arxiv:2603.00001", 2)) == {4, 7}
    assert search(store, f"like:{arxiv(1).value} cat:cs", 2)[0] == 4
    assert 7 not in search(store, f"like:{arxiv(1)} cat:cs")
    assert set(search(store, f"like:{arxiv(1)} -cat:math", 9)) == set(search(store, f"like:{arxiv(1)} cat:cs", 9))
    assert set(search(store, f"like:{arxiv(1)} -folding", 9)) == {2, 4, 5, 7, 8}
    assert {4, 7} & set(search(store, f'like:{arxiv(1)} -"recognition speech" -"number 7"', 9)) == {4}
    assert 4 in search(store, f"like:{arxiv(1)} -of", 9), "every paper holds that"
    with store.read() as unit:
        paper = unit.papers.find(arxiv(1))
        assert paper
        likeness = [score for _, score in unit.papers.similar(paper, 9)]
    assert likeness == sorted(likeness, reverse=True)
    assert all(0 < each <= 1.000001 for each in likeness)


def test_kin_share_several_words_and_what_is_rare_counts_most(store: Store) -> None:
    shown = [
        sighting(1, title="Axolotl regeneration", abstract="Limbs, spectra of axolotl regeneration.", categories=("q-bio.TO",)),
        sighting(2, title="Axolotl regeneration again", abstract="Limbs.", categories=("cs.LG",)),
        sighting(3, title="Axolotl", abstract="Alone.", categories=("q-bio.TO",)),
        *(sighting(n, title=f"Limbs {n}", abstract="Spectra.", categories=("q-bio.TO",)) for n in range(4, 9)),
    ]
    with store.begin() as unit:
        unit.papers.merge(shown)
    with store.engine.connect() as connection:
        found = {n: papers_named(connection, [arxiv(n)])[arxiv(n)] for n in range(1, 9)}
        words = {"axolotl": 3, "regeneration": 2, "limbs": 7, "spectra": 6}
        assert papers_holding(connection, [*words, "newt"]) == words | {"newt": 0}
        ordered = similar_ids(connection, words, Query(), 9)
        assert ordered[:2] == [found[1], found[2]]
        assert set(ordered) == set(found.values()) - {found[3]}, "one shared word is no kinship"
        assert similar_ids(connection, words, Query(), 1) == [found[1]]
        assert found[2] not in similar_ids(connection, words, Query(categories=("q-bio",)), 9), "in another category"
        assert similar_ids(connection, {"axolotl": 3}, Query(), 9) == []


def test_postgresql_keeps_words_apart_from_what_it_looks_through(postgresql_url: str) -> None:
    store = Store(open_engine(postgresql_url), str)
    sizes = []
    for version in (1, 2):
        said = [" ".join(f"word{version}x{n}x{k}" for k in range(60)) for n in range(100)]
        with store.begin() as unit:
            unit.papers.merge([sighting(n, abstract=abstract, version=version) for n, abstract in enumerate(said)])
        with store.engine.connect() as connection:
            sizes.append(connection.scalar(text("SELECT pg_relation_size('papers_words')")))
    assert len(search(store, "word2x7x7")) == 1
    store.close()
    assert sizes[0] < 250 * 100 + 8192, "bytes a row, and a page: its words are some 1,200"
    assert sizes[1] < 2 * sizes[0] + 8192, "the same when words change, with the rows as they were before"


def test_postgresql_opens_no_words_to_find_papers(postgresql_url: str) -> None:
    """A table this small is read through, where PostgreSQL is let choose."""
    store = Store(open_engine(postgresql_url), str)
    with store.begin() as unit:
        unit.papers.merge(SHELF)
    plans: list[str] = []

    @event.listens_for(store.engine, "after_cursor_execute")
    def explain(connection: Connection, _cursor: object, statement: str, values: Any, *_: object) -> None:
        if "papers_words" in statement and not statement.startswith("EXPLAIN"):
            plans.append("\n".join(connection.exec_driver_sql(f"EXPLAIN (SETTINGS) {statement}", values).scalars()))

    asked = ["attention", "attention cat:cs", '"test-time scaling"', "author:vaswani since:2026", "like:2603.00003"]
    with store.read() as unit:
        for query in asked:
            unit.papers.search(query)
        unit.papers.search("cat:cs")
    store.close()
    *found, filtered = plans
    assert len(found) > 2 * len(asked), "words are counted, papers found"
    assert all("Bitmap Index Scan on ix_papers_words" in plan and "Seq Scan" not in plan for plan in found), found
    assert "enable_seqscan = 'off'" in found[0]
    assert "enable_seqscan" not in filtered, "only there it is left to PostgreSQL"


def test_postgresql_has_filed_the_words_of_papers_it_has_taken(postgresql_url: str) -> None:
    """Those it has not, every look into the index reads through: five times as long a search."""
    store = Store(open_engine(postgresql_url), str)
    for shown in (SHELF, [replace(SHELF[1], title="Graphs, revised", version=2)]):
        with store.begin() as unit:
            unit.papers.merge(shown)
        with store.engine.begin() as connection:
            assert connection.scalar(text("SELECT gin_clean_pending_list('ix_papers_words')")) == 0, "pages of words not filed"
    store.close()


def test_a_role_that_owns_no_index_takes_papers_too(postgresql_url: str) -> None:
    """Where one role migrates and another runs: the server files the words by itself then."""
    owner = Store(open_engine(postgresql_url), str)
    with owner.engine.begin() as connection:
        if not connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = 'lesser'")):
            connection.execute(text("CREATE ROLE lesser LOGIN"))
        for what in ("TABLES", "SEQUENCES"):
            connection.execute(text(f"GRANT ALL ON ALL {what} IN SCHEMA public TO lesser"))
    url = make_url(postgresql_url).set(username="lesser").render_as_string(hide_password=False)
    store = Store(open_engine(url), str)
    with store.begin() as unit:
        assert unit.papers.merge(SHELF)
        assert unit.papers.search("graph")
    store.close()
    with owner.engine.begin() as connection:
        connection.execute(text("DROP OWNED BY lesser"))
    owner.close()


SIGNS = list("\"'*^:-()%_\\ \x00\ud800²ﬀ")
WORDS = [
    "AND",
    "OR",
    "NOT",
    "NEAR(",
    "title:",
    "author:",
    "cat:",
    "since:",
    "like:",
    "arxiv:1",
    "2026-13-40",
    ":B",
    "{x}",
    "a" * 300,
]
SYNTAX = st.sampled_from([*SIGNS, *WORDS, "'; DROP TABLE papers; --", "!&|<->"])
ANYTHING = st.one_of(st.text(max_size=60), st.lists(st.one_of(SYNTAX, st.text(max_size=8)), max_size=12).map("".join))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(ANYTHING)
@example("\ud800")
def test_any_text_is_a_question(store: Store, anything: str) -> None:
    with store.read() as unit:
        assert unit.papers.search(anything, 5).matches == ()


def test_papers_nearby_are_the_most_similar_of_those_that_came_at_the_same_time(
    shelf: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shelf.begin() as unit:
        unit.papers.merge(
            [sighting(n, title=f"Attention for graphs, part {n}", abstract="Graphs and attention.") for n in (6, 7)]
        )
    with shelf.read() as unit:
        paper = unit.papers.find(arxiv(7))
        assert paper
        found = [str(each.identifier) for each in unit.papers.nearby(paper, 9)]
        assert found[:2] == [str(each.identifier) for each, _ in unit.papers.similar(paper, 2)]
        assert found[:2] == [str(arxiv(6)), str(arxiv(2))]
        assert unit.papers.nearby(paper, 1) == [unit.papers.find(arxiv(6))]
        monkeypatch.setattr("digest.store.papers.nearby.AROUND", 1)
        assert [str(each.identifier) for each in unit.papers.nearby(paper, 9)] == [str(arxiv(6))]


def test_nothing_is_near_a_paper_that_says_nothing_in_common(shelf: Store) -> None:
    with shelf.begin() as unit:
        unit.papers.merge([sighting(8, title="Xylophones", abstract="Zymurgy.")])
    with shelf.read() as unit:
        paper = unit.papers.find(arxiv(8))
        assert paper
        assert unit.papers.nearby(paper, 5) == []
