"""Sightings become papers once, whatever their order; candidates are what was known at an instant."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from digest.domain.identifier import Identifier
from digest.domain.paper import AddedSignals, MergeCounts, Paper, Sighting, Signal, Summary
from digest.store.schema import metadata, sightings
from digest.store.unit_of_work import Store
from tests.servers.stocked import DAY, HOUR, MAIN, NOW, arxiv, draft, freeze, know, papers, rendered, sighting, upvotes

DOI = Identifier("doi", "10.1101/2026.01.01")


def counted(store: Store) -> dict[str, int]:
    with store.engine.connect() as connection:
        return {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in metadata.sorted_tables}


def merged(store: Store, *shown: Sighting) -> MergeCounts:
    with store.begin() as unit:
        return unit.papers.merge(shown)


def found(store: Store, identifier: Identifier) -> Paper:
    with store.read() as unit:
        paper = unit.papers.find(identifier)
    assert paper is not None
    return paper


def known_at(store: Store, at: object, *, since: timedelta = 7 * DAY) -> list[Paper]:
    with store.read() as unit:
        return [c.paper for c in unit.papers.candidates(at, at - since, MAIN)]  # type: ignore[arg-type, operator]


def test_every_field_comes_back(store: Store) -> None:
    full = sighting(
        1,
        source="huggingface",
        identifiers=(arxiv(1), DOI),
        title="Größe & <b>κ</b> \\alpha 😀",
        published_at=NOW - 5 * DAY,
        updated_at=NOW - 4 * DAY,
        listed_at=NOW - DAY,
        keywords=("ranking",),
        url="https://arxiv.org/abs/2603.00001",
        pdf_url="https://arxiv.org/pdf/2603.00001",
        code_url="https://github.com/a/b",
        project_url="https://a.example",
        summary=Summary(text="It ranks.", provenance="huggingface"),
        venue="ICLR 2026",
        comment="9 pages",
        version=2,
        signals=(upvotes(4.5),),
    )
    assert merged(store, full) == MergeCounts(new=1, signals=1)
    paper = found(store, DOI)
    for name in ("title", "abstract", "authors", "published_at", "updated_at", "listed_at", "categories", "keywords", "url"):
        assert getattr(paper, name) == getattr(full, name), name
    for name in ("pdf_url", "code_url", "project_url", "summary", "venue", "comment", "version", "withdrawn"):
        assert getattr(paper, name) == getattr(full, name), name
    assert paper.identifiers == (arxiv(1), DOI)
    assert paper.sources == ("huggingface",)
    assert paper.first_seen_at == full.seen_at
    with store.read() as unit:
        assert unit.papers.candidates(NOW, NOW - DAY, MAIN)[0].signals == full.signals
        assert unit.papers.by_ids([paper.id]) == {paper.id: paper}


def test_again_changes_nothing(store: Store) -> None:
    shown = [sighting(n, signals=(upvotes(n),)) for n in range(1, 30)]
    assert merged(store, *shown) == MergeCounts(new=29, signals=29)
    before = counted(store)
    later = [replace(s, seen_at=s.seen_at + DAY) for s in shown]
    assert merged(store, *shown) == MergeCounts(unchanged=29)
    assert merged(store, *later) == MergeCounts(unchanged=29)
    assert counted(store) == before
    assert found(store, arxiv(7)).first_seen_at == shown[0].seen_at


def test_a_paper_twice_in_one_batch_is_one_paper(store: Store) -> None:
    assert merged(store, sighting(1), sighting(1), sighting(1, comment="accepted")) == MergeCounts(new=1, unchanged=1, updated=1)
    assert found(store, arxiv(1)).comment == "accepted"
    with store.read() as unit:
        assert unit.papers.count() == 1


def test_what_another_source_adds_is_merged_and_nothing_is_overwritten_by_silence(store: Store) -> None:
    merged(store, sighting(1))
    merged(store, sighting(1, source="huggingface", abstract="", authors=(), code_url="https://github.com/a/b"))
    paper = found(store, arxiv(1))
    assert paper.abstract == "We present method 1."
    assert paper.code_url == "https://github.com/a/b"
    assert paper.sources == ("arxiv", "huggingface")


def test_a_sighting_with_two_names_joins_two_papers_and_all_that_refers_to_them(store: Store) -> None:
    know(store)
    other = sighting(1, source="biorxiv", identifiers=(DOI,), title="Quite another title of the same work", signals=(upvotes(3),))
    merged(store, sighting(1), other)
    with store.begin() as unit:
        one, two = unit.papers.find(arxiv(1)), unit.papers.find(DOI)
        assert one
        assert two
        assert one.id != two.id
        edition = unit.editions.freeze(draft([one, two]), rendered([one, two]))
    with_both = sighting(1, identifiers=(arxiv(1), DOI), seen_at=NOW)
    assert merged(store, with_both) == MergeCounts(updated=1)
    paper = found(store, DOI)
    assert paper.id == min(one.id, two.id)
    assert paper.identifiers == (arxiv(1), DOI)
    assert paper.sources == ("arxiv", "biorxiv")
    with store.read() as unit:
        assert unit.papers.count() == 1
        assert unit.editions.featured("main", NOW + HOUR, NOW.date() + DAY) == {paper.id}
        assert {pooled.ranked.paper.id for pooled in unit.editions.pool(edition.id)} == {paper.id}
        assert [c.signals for c in unit.papers.candidates(NOW, NOW - DAY, MAIN)] == [other.signals]
    before = counted(store)
    assert merged(store, sighting(1), other, with_both) == MergeCounts(unchanged=3)
    assert counted(store) == before


def test_two_papers_of_one_batch_are_joined_too(store: Store) -> None:
    counts = merged(
        store,
        sighting(1, signals=(upvotes(1),)),
        sighting(2, identifiers=(DOI,), title="Another", signals=(upvotes(1),)),
        sighting(3, identifiers=(DOI, arxiv(1)), title="Both"),
    )
    with store.read() as unit:
        assert unit.papers.count() == 1
    assert counts.signals == 1
    assert found(store, DOI).identifiers == (arxiv(1), DOI)


def test_without_a_shared_identifier_a_telling_title_and_author_join_but_two_arxiv_ids_never(store: Store) -> None:
    title = "A long and telling title about ranking"
    merged(store, sighting(1, title=title, authors=("Ann Lee",)), sighting(2, title=title, authors=("Ann Lee",)))
    with store.read() as unit:
        assert unit.papers.count() == 2
    merged(store, sighting(3, title="The only one of its kind anywhere", authors=("Bo Chu",)))
    feed = sighting(
        9, source="blog", identifiers=(Identifier("blog", "x"),), title="The Only One of its kind, anywhere", authors=("Chu, Bo",)
    )
    assert merged(store, feed) == MergeCounts(updated=1)
    assert found(store, Identifier("blog", "x")).id == found(store, arxiv(3)).id


def test_the_order_of_loading_does_not_matter(store: Store) -> None:
    shown = [sighting(1, seen_at=NOW - n * DAY) for n in range(3)] + [sighting(1, title="Old title", seen_at=NOW - 9 * DAY)]
    for one in shown:
        merged(store, one)
    assert found(store, arxiv(1)).first_seen_at == NOW - 9 * DAY
    assert [p.title for p in known_at(store, NOW - 2 * DAY, since=30 * DAY)] == [shown[0].title]
    assert [p.title for p in known_at(store, NOW - 3 * DAY, since=30 * DAY)] == ["Old title"]
    assert merged(store, *shown) == MergeCounts(unchanged=4)


def test_a_withdrawal_can_be_taken_back(store: Store) -> None:
    shown = sighting(1, source="huggingface")
    merged(store, shown)
    merged(store, replace(shown, withdrawn=True, seen_at=NOW))
    assert found(store, arxiv(1)).withdrawn
    assert merged(store, replace(shown, seen_at=NOW + DAY)) == MergeCounts(updated=1)
    assert not found(store, arxiv(1)).withdrawn
    assert merged(store, replace(shown, seen_at=NOW + 2 * DAY)) == MergeCounts(unchanged=1)


def test_time_travel(store: Store) -> None:
    first = sighting(1, signals=(upvotes(1, NOW - 2 * HOUR), upvotes(9, NOW + HOUR)))
    merged(store, first, sighting(2, seen_at=NOW + HOUR))
    then = known_at(store, NOW)
    assert [p.title for p in then] == [first.title]
    merged(
        store,
        sighting(1, title="A better title", version=2, seen_at=NOW + DAY),
        sighting(1, withdrawn=True, seen_at=NOW + 2 * DAY),
    )
    assert known_at(store, NOW) == then
    with store.read() as unit:
        assert [s.value for s in unit.papers.candidates(NOW, NOW - DAY, MAIN)[0].signals] == [1]
        assert [s.value for s in unit.papers.candidates(NOW + HOUR, NOW - DAY, MAIN)[0].signals] == [1, 9]
    assert [p.title for p in known_at(store, NOW + DAY)] == ["A better title", sighting(2).title]
    assert [p.title for p in known_at(store, NOW + 2 * DAY)] == [sighting(2).title]


def test_a_seven_day_old_paper_is_in_and_an_older_one_is_not(store: Store) -> None:
    merged(store, sighting(1, seen_at=NOW - 7 * DAY), sighting(2, seen_at=NOW - 7 * DAY - timedelta(microseconds=1)))
    assert [p.identifier for p in known_at(store, NOW)] == [arxiv(1)]


@pytest.mark.parametrize(
    ("wants", "gets"),
    [
        ({}, {1, 2, 3}),
        ({"sources": frozenset({"huggingface"})}, {2}),
        ({"sources": frozenset({"arxiv"})}, {1, 3}),
        ({"categories": frozenset({"cs"})}, {1, 2}),
        ({"categories": frozenset({"cs.CL"})}, {2}),
        ({"categories": frozenset({"q-bio.NC", "cs.LG"})}, {1, 3}),
        ({"categories": frozenset({"c"})}, set()),
        ({"sources": frozenset({"arxiv"}), "categories": frozenset({"cs.CL"})}, set()),
    ],
)
def test_a_list_takes_its_sources_and_categories(sqlite_store: Store, wants: dict[str, frozenset[str]], gets: set[int]) -> None:
    merged(
        sqlite_store,
        sighting(1),
        sighting(2, source="huggingface", categories=("cs.CL", "stat.ML")),
        sighting(3, categories=("q-bio.NC",)),
    )
    with sqlite_store.read() as unit:
        taken = unit.papers.candidates(NOW, NOW - DAY, replace(MAIN, **wants))  # type: ignore[arg-type]
    assert {c.paper.identifier for c in taken} == {arxiv(n) for n in gets}


def test_signals_by_identifier(store: Store) -> None:
    merged(store, sighting(1))
    readings = [(arxiv(1), upvotes(1)), (arxiv(1), upvotes(1)), (arxiv(1), upvotes(2, NOW)), (DOI, upvotes(5)), (DOI, upvotes(6))]
    with store.begin() as unit:
        assert unit.papers.add_signals(readings) == AddedSignals(2, (DOI,))
        assert unit.papers.add_signals(readings) == AddedSignals(0, (DOI,))
        assert unit.papers.add_signals([]) == AddedSignals(0)


def test_search(store: Store) -> None:
    merged(
        store,
        sighting(1, title="Attention is all you need", abstract="Sequence transduction."),
        sighting(2, title="Graphs", abstract="We use attention and graphs.", authors=("Émile Noether",)),
    )

    def search(query: str) -> list[str]:
        with store.read() as unit:
            return [match.paper.identifier.value[-1] for match in unit.papers.search(query, 5).whole]

    assert search("attention") == ["1", "2"]
    assert search("ATTENTIONS graph") == ["2"]
    assert search("noether") == ["2"]
    assert search("nothing-like-this") == []
    merged(store, sighting(1, title="Renamed entirely", version=2, abstract="Other words."))
    assert search("attention") == ["2"]
    know(store)


def test_hostile_text_is_kept_as_far_as_a_database_can(store: Store) -> None:
    merged(store, sighting(1, title="a\x00b \ud800 c", authors=("x\x00",), comment="\\u0000"))
    paper = found(store, arxiv(1))
    assert paper.title.startswith("ab ")
    assert paper.authors == ("x",)
    assert paper.comment == "\\u0000"
    assert merged(store, sighting(1, title="a\x00b \ud800 c", authors=("x\x00",), comment="\\u0000")) == MergeCounts(unchanged=1)


def test_merging_at_the_same_time_makes_each_paper_once(store: Store) -> None:
    shown = [sighting(n, signals=(upvotes(n),)) for n in range(1, 120)]
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: merged(store, *shown), range(4)))
    assert sum(c.new for c in counts) == sum(c.signals for c in counts) == 119


SOME = st.lists(
    st.builds(
        lambda ids, source, title, hours: sighting(
            1, identifiers=tuple(dict.fromkeys(ids)), source=source, title=title, authors=("Ann Lee",), seen_at=NOW + hours * HOUR
        ),
        st.lists(
            st.sampled_from([arxiv(1), arxiv(2), DOI, Identifier("blog", "x"), Identifier("blog", "y")]), min_size=1, max_size=2
        ),
        st.sampled_from(["arxiv", "huggingface", "blog"]),
        st.sampled_from(["One long and telling title here", "Another long and telling title"]),
        st.integers(-30, 30),
    ),
    min_size=1,
    max_size=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(shown=SOME)
def test_whatever_comes_an_identifier_has_one_paper_and_a_second_time_changes_nothing(
    sqlite_store: Store, shown: list[Sighting]
) -> None:
    with sqlite_store.engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    merged(sqlite_store, *shown)
    before = counted(sqlite_store)
    for s in shown:
        ids = {found(sqlite_store, i).id for i in s.identifiers}
        assert len(ids) == 1
        assert set(s.identifiers) <= set(found(sqlite_store, s.identifiers[0]).identifiers)
    assert merged(sqlite_store, *shown).unchanged == len(shown)
    assert counted(sqlite_store) == before


def test_a_sighting_is_never_lost(sqlite_store: Store) -> None:
    know(sqlite_store)
    freeze(sqlite_store)
    with sqlite_store.begin() as unit:
        assert len(papers(unit, 6)) == 6
    with sqlite_store.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(sightings)) == 6


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_known_papers_are_looked_up_one_by_one_in_a_table_never_analysed(store: Store) -> None:
    """As in a first import: PostgreSQL would read all identifiers of the scheme for each thousand that it is asked for. SQLite
    looks up a list by index whatever it knows of the table.
    """
    shown = [sighting(number, title=f"Paper {number}", identifiers=(arxiv(number),)) for number in range(1, 2001)]
    merged(store, *shown)
    asked: list[tuple[str, dict[str, object]]] = []

    def signal_history(_connection: object, _cursor: object, statement: str, parameters: dict[str, object], *_: object) -> None:
        if "identifiers.scheme = " in statement:
            asked.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", signal_history)
    try:
        assert merged(store, *shown[:1000]).unchanged == 1000
    finally:
        event.remove(store.engine, "before_cursor_execute", signal_history)
    assert asked
    with store.engine.connect() as connection:
        for statement, parameters in asked:
            plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN ANALYZE {statement}", parameters).scalars())
            assert "Rows Removed" not in plan, plan


def test_entries_of_one_feed_are_different_papers_and_each_meets_its_own(store: Store) -> None:
    """Reports of a series: one title, one author, and an id each."""
    report = sighting(1, source="lab", title="A yearly report on the state of sea ice", authors=("Ann Lee",))
    shown = [replace(report, identifiers=(Identifier("lab", key),)) for key in ("2024", "2025")]
    assert (merged(store, *shown).new, merged(store, *shown).unchanged) == (2, 2)
    other = replace(report, source="journal", identifiers=(DOI,))
    assert merged(store, other).new == 1, "which of the two it is nobody can tell"


def test_votes_of_papers_first_seen_in_a_time(store: Store) -> None:
    def voted(kind: str, at: datetime) -> tuple[Signal, ...]:
        return (Signal(kind, 7.0, at, "hub"),)

    shown = [
        sighting(1, seen_at=NOW - DAY, signals=(*voted("upvotes", NOW - HOUR), *voted("comments", NOW - HOUR))),
        sighting(2, seen_at=NOW - 3 * DAY, signals=voted("upvotes", NOW - HOUR)),
        sighting(3, seen_at=NOW - DAY, signals=voted("upvotes", NOW + HOUR)),
        sighting(4, seen_at=NOW - DAY, signals=voted("upvotes", NOW - HOUR), withdrawn=True),
        sighting(5, seen_at=NOW - DAY),
    ]
    with store.begin() as unit:
        unit.papers.merge(shown)
        [known] = unit.papers.named([arxiv(1)]).values()
        seen, read = unit.papers.voted(NOW - 2 * DAY, NOW)
    assert seen == {known.id: NOW - DAY}
    assert read == {known.id: list(voted("upvotes", NOW - HOUR))}
