"""Sightings into papers, thousands at a time.

Per chunk: one look at the identifiers, one at the contents already known, then the new rows in bulk. Each sighting joins the
paper that has one of its identifiers; one that has identifiers of two papers makes them one; one without any joins by title
where domain/identity.py allows it. A paper is refolded from all its sightings only when it has a new one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Connection, Select, Text, bindparam, column, func, select, text, true, update

from digest.domain.identifier import Identifier
from digest.domain.identity import may_match_by_title, merge, title_key
from digest.domain.paper import MergeCounts, Sighting
from digest.store.dialect import among, chunks, insert_many, left_out, new_keys, one_at_a_time, readable, words_filed
from digest.store.papers import signals as readings
from digest.store.papers.cjk import index_grams
from digest.store.papers.merge_papers import join
from digest.store.row_mapping import Content, columns_of, sighting_content, sighting_from
from digest.store.schema import identifiers, papers, sightings

_CHUNK = 2000


def merge_all(connection: Connection, shown: Sequence[Sighting], contents: Sequence[Content] = ()) -> MergeCounts:
    """`contents`: of each sighting, where they are known already."""
    one_at_a_time(connection, "merge")
    counts = MergeCounts()
    with words_filed(connection):
        for chunk in chunks(zip(shown, contents or map(sighting_content, shown), strict=True), _CHUNK):
            counts += _Chunk(connection).merge(chunk)
    return counts


@dataclass(slots=True)
class _Known:
    """What the store holds of a source's word on a paper."""

    earliest: dict[str, datetime] = field(default_factory=dict)
    """By content hash, when it was first seen."""
    latest_at: dict[str, datetime] = field(default_factory=dict)
    latest_withdrawn: dict[str, bool] = field(default_factory=dict)

    def tells_nothing(self, sighting: Sighting, content_hash: str) -> bool:
        """Known content is no news, unless the source said otherwise about a withdrawal since and now takes that back."""
        if self.is_news(content_hash, sighting.seen_at):
            return False
        source = sighting.source
        came_back = sighting.withdrawn != self.latest_withdrawn[source] and sighting.seen_at > self.latest_at[source]
        return not came_back

    def is_news(self, content_hash: str, seen_at: datetime) -> bool:
        """Never seen, or not that early: an older page loaded later moves a paper's first sighting back."""
        return content_hash not in self.earliest or seen_at < self.earliest[content_hash]

    def learn(self, source: str, seen_at: datetime, content_hash: str, withdrawn: bool) -> None:
        self.earliest[content_hash] = min(seen_at, self.earliest.get(content_hash, seen_at))
        if source not in self.latest_at or seen_at >= self.latest_at[source]:
            self.latest_at[source], self.latest_withdrawn[source] = seen_at, withdrawn


@dataclass(slots=True, eq=False)
class _Work:
    """A paper while its chunk is merged; `id` is 0 until it has a row."""

    id: int = 0
    identifiers: set[Identifier] = field(default_factory=set)
    new_identifiers: set[Identifier] = field(default_factory=set)
    title_key: str | None = None
    known: _Known = field(default_factory=_Known)
    rows: list[dict[str, Any]] = field(default_factory=list)
    seen: list[Sighting] = field(default_factory=list)
    signals_of: list[Sighting] = field(default_factory=list)
    joined: bool = False


class _Chunk:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._by_identifier: dict[Identifier, _Work] = {}
        self._by_id: dict[int, _Work] = {}
        self._by_title: dict[str, list[_Work]] = defaultdict(list)

    def merge(self, shown: Sequence[tuple[Sighting, Content]]) -> MergeCounts:
        self._load([sighting for sighting, _ in shown])
        new = updated = unchanged = 0
        for sighting, content in shown:
            work, made = self._work_of(sighting)
            changed = self._add(work, sighting, content)
            new, updated, unchanged = new + made, updated + (changed and not made), unchanged + (not changed and not made)
        self._write()
        added = readings.append(
            self._connection,
            ((w.id, signal) for w in self._works() for s in w.signals_of for signal in s.signals),
        )
        return MergeCounts(new, updated, unchanged, added)

    # ---- what the store knows ----

    def _load(self, shown: Sequence[Sighting]) -> None:
        wanted = {identifier for s in shown for identifier in s.identifiers}
        for identifier, paper_id in papers_named(self._connection, wanted).items():
            self._claim(self._known_work(paper_id), identifier)
        keys = sorted({key for s in shown if not self._knows(s) and (key := title_key(s))})
        titled = select(papers.c.id, papers.c.title_key).where(among(self._connection, papers.c.title_key, keys))
        for paper_id, key in self._connection.execute(titled):
            work = self._known_work(paper_id)
            work.title_key = key
            self._by_title[key].append(work)
        self._load_identifiers()
        self._load_contents()

    def _knows(self, sighting: Sighting) -> bool:
        return any(identifier in self._by_identifier for identifier in sighting.identifiers)

    def _known_work(self, paper_id: int) -> _Work:
        return self._by_id.setdefault(paper_id, _Work(id=paper_id))

    def _claim(self, work: _Work, identifier: Identifier) -> None:
        work.identifiers.add(identifier)
        self._by_identifier[identifier] = work

    def _load_identifiers(self) -> None:
        table = identifiers.c
        known = among(self._connection, table.paper_id, list(self._by_id))
        for paper_id, scheme, value in self._connection.execute(select(table.paper_id, table.scheme, table.value).where(known)):
            self._claim(self._by_id[paper_id], Identifier(scheme, value))

    def _load_contents(self) -> None:
        table = sightings.c
        withdrawn = table.payload["withdrawn"].as_boolean()
        rows = self._connection.execute(
            select(table.paper_id, table.source, table.seen_at, table.content_hash, withdrawn)
            .where(among(self._connection, table.paper_id, list(self._by_id)))
            .order_by(table.seen_at)
        )
        for paper_id, source, seen_at, content_hash, gone in rows:
            self._by_id[paper_id].known.learn(source, seen_at, content_hash, bool(gone))

    # ---- which paper ----

    def _work_of(self, sighting: Sighting) -> tuple[_Work, bool]:
        """The paper a sighting belongs to, and whether it was made for it."""
        works = list({id(w): w for i in sighting.identifiers if (w := self._by_identifier.get(i))}.values())
        key = title_key(sighting) if not works else None
        if key:
            works = [w for w in self._by_title.get(key, ()) if may_match_by_title(w.identifiers, sighting.identifiers)]
            works = works if len(works) == 1 else []
        if not works:
            work = _Work(title_key=key)
            if key:
                self._by_title[key].append(work)
            return work, True
        # the oldest row stays, so that what refers to it need not move
        first, *others = sorted(works, key=lambda w: (w.id == 0, w.id))
        for other in others:
            self._join(first, other)
        return first, False

    def _join(self, work: _Work, other: _Work) -> None:
        """Two papers turn out to be one."""
        for identifier in other.identifiers:
            self._claim(work, identifier)
        work.new_identifiers |= other.new_identifiers
        for row, sighting in zip(other.rows, other.seen, strict=True):
            if work.known.is_news(row["content_hash"], row["seen_at"]):
                work.rows.append(row)
                work.seen.append(sighting)
        work.signals_of += other.signals_of
        work.joined = True
        for content_hash, seen_at in other.known.earliest.items():
            work.known.earliest[content_hash] = min(seen_at, work.known.earliest.get(content_hash, seen_at))
        for source, seen_at in other.known.latest_at.items():
            if source not in work.known.latest_at or seen_at > work.known.latest_at[source]:
                work.known.latest_at[source] = seen_at
                work.known.latest_withdrawn[source] = other.known.latest_withdrawn[source]
        if other.title_key:
            self._by_title[other.title_key].remove(other)
            self._by_title[other.title_key].append(work)
        work.title_key = work.title_key or other.title_key
        if other.id:
            join(self._connection, into=work.id, away=other.id)
            del self._by_id[other.id]

    def _add(self, work: _Work, sighting: Sighting, content: Content) -> bool:
        """Keeps what a sighting says; False when it says nothing new."""
        for identifier in sighting.identifiers:
            if identifier not in work.identifiers:
                work.new_identifiers.add(identifier)
                self._claim(work, identifier)
        if sighting.signals:
            work.signals_of.append(sighting)
        if work.known.tells_nothing(sighting, content.hash):
            return False
        work.known.learn(sighting.source, sighting.seen_at, content.hash, sighting.withdrawn)
        work.seen.append(content.sighting)
        work.rows.append(
            {"source": sighting.source, "seen_at": sighting.seen_at, "content_hash": content.hash, "payload": content.document}
        )
        return True

    # ---- what changed ----

    def _works(self) -> list[_Work]:
        return list({id(w): w for w in self._by_identifier.values()}.values())

    def _write(self) -> None:
        works = self._works()
        fresh = [w for w in works if not w.id]
        changed = [w for w in works if w.id and (w.rows or w.joined)]
        if fresh:
            ids = new_keys(self._connection, papers, len(fresh))
            for work, paper_id in zip(fresh, ids, strict=True):
                work.id = paper_id
            made = [{"id": w.id, **_columns(w.seen, w.title_key)} for w in fresh]
            insert_many(self._connection, papers, made)
            _index_words(self._connection, ids)
            index_grams(self._connection, {row["id"]: _text(row) for row in made})
        for some in (fresh, changed):  # only what was here before can have the same sighting already
            rows = [{"paper_id": w.id, **row} for w in some for row in w.rows]
            insert_many(self._connection, sightings, rows, only_new=some is changed)
        if changed:
            self._refold(changed)
        named = [{"scheme": i.scheme, "value": i.value, "paper_id": w.id} for w in works for i in w.new_identifiers]
        insert_many(self._connection, identifiers, named)

    def _refold(self, works: Iterable[_Work]) -> None:
        changed = sightings_of(self._connection, [w.id for w in works])
        statement = update(papers).where(papers.c.id == bindparam("of_paper"))
        rows = [{"of_paper": w.id, **_columns(changed[w.id], w.title_key)} for w in works]
        self._connection.execute(statement, rows)
        index_grams(self._connection, {row["of_paper"]: _text(row) for row in rows}, replacing=True)


def _text(row: Mapping[str, Any]) -> str:
    return "\n".join((row["title"], row["abstract"], *row["authors"]))


def _columns(seen: Sequence[Sighting], known_title_key: str | None) -> dict[str, Any]:
    key = known_title_key or next((key for s in seen if (key := title_key(s))), None)
    return {**columns_of(merge(seen)), "title_key": key, "changed_at": max(s.seen_at for s in seen)}


def papers_named(connection: Connection, wanted: Iterable[Identifier]) -> dict[Identifier, int]:
    """Which of the identifiers are known, and of which paper."""
    values: dict[str, list[str]] = defaultdict(list)
    for identifier in wanted:
        values[identifier.scheme].append(identifier.value)
    found = {}
    for scheme, all_of_scheme in values.items():
        for some in chunks(all_of_scheme):
            rows = connection.execute(_named(connection, scheme, some))
            found.update({Identifier(scheme, row.value): row.paper_id for row in rows})
    return found


def _named(connection: Connection, scheme: str, values: list[str]) -> Select[Any]:
    """(value, paper_id) of those known.

    PostgreSQL, asked for a list of values, reads all identifiers of the scheme as long as it has not analysed the table: a join
    looks up each value by itself (OFFSET keeps that whole).
    """
    table = identifiers.c
    if connection.dialect.name != "postgresql":
        return select(table.value, table.paper_id).where(table.scheme == scheme, table.value.in_(values))
    array = func.unnest(bindparam("values", values, type_=ARRAY(Text)))
    given = array.table_valued(column("value", Text), name="given").render_derived()
    one = select(table.value, table.paper_id).where(table.scheme == scheme, table.value == given.c.value).offset(0)
    known = one.lateral("known")
    return select(known.c.value, known.c.paper_id).select_from(given.join(known, true()))


def sightings_of(connection: Connection, paper_ids: Iterable[int], by: datetime | None = None) -> dict[int, list[Sighting]]:
    """Every sighting of each paper, oldest first; with `by`, only those seen at or before it."""
    table = sightings.c
    changed: dict[int, list[Sighting]] = defaultdict(list)
    for some in chunks(paper_ids):
        statement = select(table.paper_id, table.source, table.seen_at, table.payload).where(table.paper_id.in_(some))
        if by is not None:
            statement = statement.where(table.seen_at <= by)
        for paper_id, source, seen_at, payload in readable(connection, statement.order_by(table.seen_at, table.id), "a sighting"):
            try:
                changed[paper_id].append(sighting_from(source, seen_at, payload))
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                left_out(f"a sighting of paper {paper_id} by {source}", f"{type(error).__name__}: {error}")
    return changed


_INDEX_WORDS = text(
    "INSERT INTO papers_words (rowid, title, authors, abstract)"
    " SELECT id, title, authors, abstract FROM papers WHERE id BETWEEN :first AND :last"
)


def _index_words(connection: Connection, ids: Sequence[int]) -> None:
    """SQLite's word index learns new papers by the batch; PostgreSQL's does so itself. `ids`: just made, one after the other.

    FTS5 writes out what it gathered whenever a statement may have to be undone, so that a trigger for each row costs twice the
    time. What changes or goes afterwards is followed by triggers (migration 0001).
    """
    if ids and connection.dialect.name == "sqlite":
        assert ids[-1] - ids[0] + 1 == len(ids), "numbers in a row, with no other paper between them"
        connection.execute(_INDEX_WORDS, {"first": ids[0], "last": ids[-1]})
