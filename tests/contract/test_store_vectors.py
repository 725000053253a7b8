"""Sentence vectors: each text has one once, an earlier instant sees what was there, and they go with their papers and works."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete, func, select

from digest.domain.identifier import Identifier
from digest.domain.sentence_vector import Unencoded
from digest.store.papers.merge_papers import join
from digest.store.schema import papers
from digest.store.schema_libraries import works
from digest.store.schema_papers import paper_vectors, work_vectors
from digest.store.unit_of_work import Store, UnitOfWork
from tests.servers.stocked import DAY, HOUR, NOW, arxiv, know, sighting, subscribe

SINCE = NOW - 7 * DAY


def waiting(store: Store, limit: int = 10) -> list[str]:
    with store.read() as unit:
        return [each.title for each in unit.vectors.unencoded_papers(SINCE, NOW, limit)]


def encode(store: Store, vector: bytes = b"\x01\x02", at: object = NOW) -> None:
    with store.begin() as unit:
        texts = unit.vectors.unencoded_papers(SINCE, NOW, 10)
        unit.vectors.keep_of_papers([(each, vector) for each in texts], at)  # type: ignore[arg-type]


def vectors(store: Store, by: object = None) -> list[bytes]:
    with store.read() as unit:
        shown = unit.papers.by_ids(unit.connection.scalars(select(papers.c.id).order_by(papers.c.id)))
        found = unit.vectors.of_papers(shown.values(), by)  # type: ignore[arg-type]
        return [found[each] for each in sorted(found)]


def titles(*numbers: int) -> list[str]:
    return [sighting(n).title for n in numbers]


def merge(store: Store, *shown: object) -> None:
    with store.begin() as unit:
        unit.papers.merge(shown)  # type: ignore[arg-type]


def test_recent_papers_wait_the_newest_first_until_they_are_encoded(store: Store) -> None:
    ages = {1: 8 * DAY, 2: 2 * DAY, 3: DAY, 4: HOUR}
    merge(store, *(sighting(n, seen_at=NOW - age) for n, age in ages.items()), sighting(5, withdrawn=True))
    assert waiting(store) == titles(4, 3, 2)
    assert waiting(store, 1) == titles(4)
    encode(store)
    assert waiting(store) == []
    assert vectors(store) == [b"\x01\x02"] * 3


def test_a_text_that_changed_waits_again_and_its_old_vector_is_not_its_own(store: Store) -> None:
    merge(store, sighting(1, abstract=""))
    encode(store, b"\x01")
    with store.read() as unit:
        before = unit.papers.find(arxiv(1))
        assert before is not None
    merge(store, sighting(1, seen_at=NOW - HOUR))
    assert (waiting(store), vectors(store)) == (titles(1), [])
    encode(store, b"\x02", NOW + HOUR)
    assert (waiting(store), vectors(store)) == ([], [b"\x02"])
    with store.read() as unit:
        assert unit.vectors.of_papers([before], NOW) == {before.id: b"\x01"}, "an edition that showed it has it still"


def test_what_was_encoded_later_is_unknown_to_an_earlier_instant(store: Store) -> None:
    merge(store, sighting(1))
    encode(store, at=NOW)
    assert [vectors(store, by) for by in (NOW - HOUR, NOW, NOW + HOUR)] == [[], [b"\x01\x02"], [b"\x01\x02"]]


def test_another_models_vectors_are_none_and_are_replaced(store: Store) -> None:
    merge(store, sighting(1))
    encode(store)
    with store.begin() as unit:
        unit.connection.execute(paper_vectors.update().values(model="another"))
    assert (vectors(store), waiting(store)) == ([], titles(1))
    encode(store, b"\x07")
    assert (vectors(store), waiting(store)) == ([b"\x07"], [])


@pytest.mark.parametrize("text", ["", "é\U0001f600 \x00 图像", "x" * 70_000])
def test_any_text_waits_once(store: Store, text: str) -> None:
    merge(store, sighting(1, abstract=text))
    assert len(waiting(store)) == 1
    encode(store)
    assert (waiting(store), len(vectors(store))) == ([], 1)


def test_two_papers_that_become_one_keep_a_vector(store: Store) -> None:
    merge(store, sighting(1), sighting(2, title=sighting(1).title, abstract=sighting(1).abstract))
    encode(store)
    with store.begin() as unit:
        first, second = unit.connection.scalars(select(papers.c.id).order_by(papers.c.id))
        join(unit.connection, into=first, away=second)
    assert (vectors(store), rows(store)) == ([b"\x01\x02"], (1, 0))


def test_a_paper_that_went_or_changed_while_it_was_encoded_is_left_out(store: Store) -> None:
    merge(store, sighting(1), sighting(2))
    with store.begin() as unit:
        one, two = unit.vectors.unencoded_papers(SINCE, NOW, 10)
        gone, changed = replace(one, id=one.id + 7), replace(one, abstract="Another text.")
        unit.vectors.keep_of_papers([(gone, b"\x01"), (changed, b"\x01"), (two, b"\x02")], NOW)
    assert (vectors(store), waiting(store)) == ([b"\x02"], [one.title])


def held(unit: UnitOfWork, abstract: str = "About ice.") -> tuple[int, str]:
    """A reader with a library of one work: (their subscription, its name)."""
    shown = sighting(9, identifiers=(Identifier("doi", "10.1000/ice"),), title="Ice", abstract=abstract)
    reader = subscribe(unit, "ada@example.org")
    [name] = unit.libraries.keep([shown], NOW)
    unit.libraries.link(reader.id, [name])
    return reader.id, name


def test_works_are_encoded_once_and_their_vectors_go_with_them(store: Store) -> None:
    know(store)
    with store.begin() as unit:
        reader, name = held(unit)
    with store.begin() as unit:
        [text] = unit.vectors.unencoded_works(10)
        assert (text.title, text.abstract) == ("Ice", "About ice.")
        unit.vectors.keep_of_works([(text, b"\x05")], NOW)
        assert unit.vectors.unencoded_works(10) == []
    with store.read() as unit:
        own = unit.libraries.named([name])
        assert [unit.vectors.of_works(own, by) for by in (NOW - HOUR, NOW, None)] == [{}, {name: b"\x05"}, {name: b"\x05"}]
        other = {name: replace(own[name], abstract="Something else.")}
        assert unit.vectors.of_works(other) == {}
        assert unit.vectors.count() == (0, 1)
    with store.begin() as unit:
        unit.libraries.link(reader, [])
    assert rows(store) == (0, 0)
    with store.read() as unit:
        assert unit.connection.scalar(select(func.count()).select_from(works)) == 0


def test_a_work_whose_abstract_was_found_waits_again(store: Store) -> None:
    know(store)
    with store.begin() as unit:
        _, name = held(unit, abstract="")
        [text] = unit.vectors.unencoded_works(10)
        unit.vectors.keep_of_works([(text, b"\x05")], NOW)
        assert unit.vectors.unencoded_works(10) == []
        unit.libraries.keep([sighting(9, identifiers=(Identifier("doi", "10.1000/ice"),), title="Ice")], NOW)
        [text] = unit.vectors.unencoded_works(10)
        assert text.abstract == sighting(9).abstract
        assert unit.vectors.of_works(unit.libraries.named([name])) == {}
        unit.vectors.keep_of_works([(replace(text, abstract=""), b"\x06")], NOW)
        assert len(unit.vectors.unencoded_works(10)) == 1, "that was the text before"


def test_a_work_of_which_only_its_name_is_known_does_not_wait(store: Store) -> None:
    know(store)
    with store.begin() as unit:
        unit.libraries.link(subscribe(unit, "ada@example.org").id, ["doi:10.1000/unknown"])
        assert unit.vectors.unencoded_works(10) == []


def test_a_vector_is_kept_of_no_work_that_went(store: Store) -> None:
    know(store)
    with store.begin() as unit:
        unit.vectors.keep_of_works([(Unencoded(7, "Gone", ""), b"\x01")], NOW)
        unit.connection.execute(delete(works))
    assert rows(store) == (0, 0)


def rows(store: Store) -> tuple[int, ...]:
    with store.read() as unit:
        counted = (select(func.count()).select_from(each) for each in (paper_vectors, work_vectors))
        return tuple(unit.connection.scalar(each) or 0 for each in counted)
