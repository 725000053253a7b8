"""Readers' libraries: works kept once with their texts, and who holds which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Text, cast, delete, exists, func, insert, select, update

from digest.domain.errors import InvalidIdentifier
from digest.domain.identifier import Identifier, parse_identifier, preferred
from digest.domain.identity import STRONG_SCHEMES, may_match_by_title, title_key
from digest.domain.library import Work
from digest.domain.paper import Sighting
from digest.ranking.terms import text_terms
from digest.store.dialect import among, chunks, insert_new, new_keys, one_at_a_time
from digest.store.schema import papers
from digest.store.schema_libraries import library, library_items, work_identifiers, works

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""Looked up before whatever else waits."""
AGAIN_AFTER = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
"""When a work is looked up again that nobody knew; after the last it stays as it is."""


class Libraries:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # ---- works -------------------------------------------------------------------------------------------------------------

    def keep(self, shown: Sequence[Sighting], at: datetime) -> list[str]:
        """Finds or makes the work of each sighting, fills what it lacks, and returns their names in order.

        Link them before the transaction ends: a work that no library holds does not stay.
        """
        self.lock()
        names: list[str] = []
        for some in chunks(shown):
            names += self._keep(some, at)
        return names

    def lock(self) -> None:
        """Until the transaction ends nobody else changes a library: for whoever reads one and writes it back."""
        one_at_a_time(self._connection, "works")

    def _keep(self, shown: Sequence[Sighting], at: datetime) -> list[str]:
        by_identifier = self.by_identifier({identifier for each in shown for identifier in each.identifiers})
        keys = [title_key(each) for each in shown]
        by_title = self._titled({key for key in keys if key})
        names: list[str] = []
        for each, key in zip(shown, keys, strict=True):
            ids = list(dict.fromkeys(by_identifier[i] for i in each.identifiers if i in by_identifier))
            if not ids and key and may_match_by_title(by_title.get(key, (0, []))[1], each.identifiers):
                ids = [by_title[key][0]] if key in by_title else []
            work_id = self._merged(ids) if ids else self._made(each, key, at)
            for identifier in each.identifiers:
                if by_identifier.get(identifier) != work_id:
                    by_identifier[identifier] = work_id
                    named = {"scheme": identifier.scheme, "value": identifier.value, "work_id": work_id}
                    insert_new(self._connection, work_identifiers, [named])
            if key:
                by_title[key] = work_id, [*each.identifiers, *by_title.get(key, (0, []))[1]]
            names.append(self._fill(work_id, each, key))
        return names

    def by_identifier(self, wanted: Iterable[Identifier]) -> dict[Identifier, int]:
        values: dict[str, list[str]] = defaultdict(list)
        for identifier in wanted:
            values[identifier.scheme].append(identifier.value)
        found: dict[Identifier, int] = {}
        table = work_identifiers.c
        for scheme, all_of_scheme in values.items():
            for some in chunks(all_of_scheme):
                rows = self._connection.execute(select(work_identifiers).where(table.scheme == scheme, table.value.in_(some)))
                found.update({Identifier(row.scheme, row.value): row.work_id for row in rows})
        return found

    def _titled(self, keys: Iterable[str]) -> dict[str, tuple[int, list[Identifier]]]:
        found: dict[str, tuple[int, list[Identifier]]] = {}
        for some in chunks(keys):
            rows = self._connection.execute(select(works.c.id, works.c.title_key).where(works.c.title_key.in_(some))).all()
            names = self._identifiers([row.id for row in rows])
            found.update({row.title_key: (row.id, names[row.id]) for row in rows})
        return found

    def _identifiers(self, ids: Sequence[int]) -> dict[int, list[Identifier]]:
        names: dict[int, list[Identifier]] = defaultdict(list)
        for row in self._connection.execute(
            select(work_identifiers).where(among(self._connection, work_identifiers.c.work_id, ids))
        ):
            names[row.work_id].append(Identifier(row.scheme, row.value))
        return names

    def _made(self, shown: Sighting, key: str | None, at: datetime) -> int:
        [work_id] = new_keys(self._connection, works, 1)
        row = {"id": work_id, "name": str(preferred(shown.identifiers)), "title": "", "abstract": "", "authors": (), "terms": {}}
        self._connection.execute(insert(works), [{**row, "title_key": key, "look_up_at": at}])
        return work_id

    def _merged(self, ids: Sequence[int]) -> int:
        """Several works turn out to be one: the oldest stays, and who held another holds it."""
        first, *others = sorted(ids)
        for other in others:
            l = library.c  # noqa: E741
            both = select(l.subscription_id).where(l.work_id == first)
            self._connection.execute(delete(library).where(l.work_id == other, l.subscription_id.in_(both)))
            self._connection.execute(update(library).where(l.work_id == other).values(work_id=first))
            moved = update(work_identifiers).where(work_identifiers.c.work_id == other)
            self._connection.execute(moved.values(work_id=first))
            items = update(library_items).where(library_items.c.work_id == other)
            self._connection.execute(items.values(work_id=first))
            self._connection.execute(delete(works).where(works.c.id == other))
        return first

    def _fill(self, work_id: int, shown: Sighting, key: str | None) -> str:
        """Takes from a sighting what is not known of the work; returns the work's name."""
        row = self._connection.execute(select(works).where(works.c.id == work_id)).one()
        new: dict[str, Any] = {}
        if shown.title and not row.title:
            new["title"] = shown.title
        if shown.abstract and not row.abstract:
            new |= {"abstract": shown.abstract, "look_up_at": None}
        if shown.authors and not row.authors:
            new["authors"] = shown.authors
        if shown.published_at and not row.year:
            new["year"] = shown.published_at.year
        if key and not row.title_key:
            new["title_key"] = key
        if {"title", "abstract"} & new.keys():
            title, abstract = new.get("title", row.title), new.get("abstract", row.abstract)
            new |= {"terms": text_terms(title, " ".join(shown.keywords), abstract), "encoded": False}
        if new:
            self._connection.execute(update(works).where(works.c.id == work_id).values(**new))
        name: str = row.name
        return name

    def get(self, ids: Iterable[int]) -> dict[int, Work]:
        found: dict[int, Work] = {}
        for some in chunks(ids):
            names = self._identifiers(some)
            rows = self._connection.execute(select(works).where(among(self._connection, works.c.id, some)))
            found |= {row.id: _work(row, names[row.id]) for row in rows}
        return found

    def named(self, names: Sequence[str]) -> dict[str, Work]:
        """The works that libraries list by these names."""
        ids: list[int] = []
        for some in chunks(names):
            ids += self._connection.scalars(select(works.c.id).where(works.c.name.in_(some)))
        return {work.name: work for work in self.get(ids).values()}

    def names_of(self, ids: Iterable[int]) -> dict[int, str]:
        found: dict[int, str] = {}
        for some in chunks(ids):
            rows = select(works.c.id, works.c.name).where(among(self._connection, works.c.id, some))
            found |= {row.id: row.name for row in self._connection.execute(rows)}
        return found

    # ---- looking up --------------------------------------------------------------------------------------------------------

    def to_look_up(self, at: datetime, limit: int) -> dict[int, Work]:
        """Works without abstract whose time has come, the longest waiting first."""
        due = select(works.c.id).where(works.c.look_up_at <= at).order_by(works.c.look_up_at, works.c.id).limit(limit)
        return self.get(self._connection.scalars(due).all())

    def not_found(self, ids: Sequence[int], at: datetime) -> None:
        """Nobody knew these: they are looked up again later, and one day no more."""
        for some in chunks(ids):
            rows = self._connection.execute(select(works.c.id, works.c.look_ups).where(works.c.id.in_(some))).all()
            for row in rows:
                later = at + AGAIN_AFTER[row.look_ups] if row.look_ups < len(AGAIN_AFTER) else None
                looked = update(works).where(works.c.id == row.id)
                self._connection.execute(looked.values(look_ups=row.look_ups + 1, look_up_at=later))

    def postpone(self, ids: Sequence[int], until: datetime) -> None:
        for some in chunks(ids):
            self._connection.execute(update(works).where(works.c.id.in_(some)).values(look_up_at=until))

    def papers_titled(self, given: Iterable[Work]) -> dict[str, int]:
        """Our paper of the same title (and first author, where the work names one), where one alone has it, by work's name."""
        found: dict[str, int] = {}
        for work in given:
            key = work.title_key or _words(work.title)
            if not key or any(each.scheme in STRONG_SCHEMES for each in work.identifiers):
                continue
            same = papers.c.title_key.startswith(key, autoescape=True)
            if self._connection.dialect.name == "sqlite":  # a range on the index
                same = (papers.c.title_key >= key) & (papers.c.title_key < f"{key}\U0010ffff")
            ids = self._connection.scalars(select(papers.c.id).where(same).limit(2)).all()
            if len(ids) == 1:
                found[work.name] = ids[0]
        return found

    # ---- who holds which ---------------------------------------------------------------------------------------------------

    def held(self, subscription_ids: Sequence[int]) -> dict[int, list[int]]:
        """The works of each of these libraries, in the order of their ids. A row each: a row for every work takes longer."""
        found: dict[int, list[int]] = {}
        l = library.c  # noqa: E741
        held = select(l.subscription_id, func.aggregate_strings(cast(l.work_id, Text), ",")).group_by(l.subscription_id)
        for some in chunks(subscription_ids):
            rows = self._connection.execute(held.where(among(self._connection, l.subscription_id, some)))
            found |= {subscription_id: sorted(map(int, works.split(","))) for subscription_id, works in rows}
        return found

    def names(self, subscription_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """The same by the works' names."""
        found: dict[int, list[str]] = defaultdict(list)
        l = library.c  # noqa: E741
        for some in chunks(subscription_ids):
            rows = select(l.subscription_id, works.c.name).join(works, works.c.id == l.work_id)
            rows = rows.where(among(self._connection, l.subscription_id, some)).order_by(l.subscription_id, l.position)
            for subscription_id, name in self._connection.execute(rows):
                found[subscription_id].append(name)
        return {subscription_id: tuple(names) for subscription_id, names in found.items()}

    def authors(self, subscription_id: int) -> list[tuple[str, bool, tuple[str, ...]]]:
        """Of each work of a library: (its name, whether we know its title, who wrote it)."""
        l = library.c  # noqa: E741
        rows = select(works.c.name, works.c.title != "", works.c.authors).join(library, l.work_id == works.c.id)
        found = self._connection.execute(rows.where(l.subscription_id == subscription_id).order_by(l.position))
        return [(name, bool(titled), tuple(authors)) for name, titled, authors in found]

    def link(self, subscription_id: int, names: Sequence[str]) -> None:
        """Makes these (and no others) the library of a subscription; a name that no work has yet becomes one, to be looked up."""
        parsed = {name: found for name in dict.fromkeys(names) if (found := _identifier(name))}
        ids = self.by_identifier(parsed.values())
        bare = [name for name, found in parsed.items() if found not in ids]
        if bare:
            for name in bare:
                shown = Sighting(source="", identifiers=(parsed[name],), title="", seen_at=AT_ONCE)
                ids[parsed[name]] = self._made(shown, None, AT_ONCE)
            insert_new(
                self._connection,
                work_identifiers,
                [{"scheme": (i := parsed[name]).scheme, "value": i.value, "work_id": ids[i]} for name in bare],
            )
        wanted = {work_id: place for place, work_id in enumerate(dict.fromkeys(ids[found] for found in parsed.values()))}
        l = library.c  # noqa: E741
        before = set(self._connection.scalars(select(l.work_id).where(l.subscription_id == subscription_id)))
        gone = sorted(before - wanted.keys())
        for some in chunks(gone):
            self._connection.execute(delete(library).where(l.subscription_id == subscription_id, l.work_id.in_(some)))
        if wanted.keys() - before:
            last = self._connection.scalar(select(func.max(l.position)).where(l.subscription_id == subscription_id)) or 0
            new = [
                {"subscription_id": subscription_id, "work_id": work_id, "position": last + 1 + place}
                for work_id, place in wanted.items()
                if work_id not in before
            ]
            insert_new(self._connection, library, new)
        if gone:
            self.drop_unheld(gone)

    def drop_unheld(self, ids: Sequence[int] | None = None) -> int:
        """Works that no library holds any more (among `ids`, or all) go; says how many."""
        unheld = ~exists().where(library.c.work_id == works.c.id)
        if ids is None:
            return self._connection.execute(delete(works).where(unheld)).rowcount
        return sum(self._connection.execute(delete(works).where(works.c.id.in_(some), unheld)).rowcount for some in chunks(ids))

    def of_subscriber(self, subscription_id: int) -> list[dict[str, Any]]:
        """A library as a document, for the person whose it is."""
        l = library.c  # noqa: E741
        rows = self._connection.execute(
            select(works).join(library, l.work_id == works.c.id).where(l.subscription_id == subscription_id).order_by(l.position)
        )
        return [
            {"name": row.name, "title": row.title, "authors": list(row.authors), "year": row.year, "abstract": row.abstract}
            for row in rows
        ]


def _identifier(name: str) -> Identifier | None:
    with suppress(InvalidIdentifier):
        return parse_identifier(name).identifier
    return None


def _words(title: str) -> str:
    """How the key of a paper of this title begins, whoever wrote it."""
    key = title_key(Sighting(source="", identifiers=(), title=title, seen_at=AT_ONCE, authors=("Nobody",)))
    return key.removesuffix("nobody") if key else ""


def _work(row: Row[Any], names: Sequence[Identifier]) -> Work:
    return Work(
        name=row.name,
        identifiers=tuple(sorted(names)),
        title=row.title,
        abstract=row.abstract,
        authors=tuple(row.authors),
        year=row.year,
        title_key=row.title_key,
        terms=row.terms,
    )
