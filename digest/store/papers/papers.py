"""Papers: found, merged, and given as candidates as they were known at an instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    func,
    or_,
    select,
    update,
)

from digest.domain.edition import PaperList
from digest.domain.identifier import Identifier
from digest.domain.paper import NO_TRACK_RECORD, AddedSignals, Candidate, MergeCounts, Paper, Sighting, Signal
from digest.domain.query import Query, parse_query
from digest.domain.refresh_schedule import Span
from digest.domain.search_result import Match, SearchResult
from digest.ranking.features import VOTES
from digest.ranking.similar import distinctive_words, most_alike, rarest
from digest.ranking.track_record import track_records
from digest.store.dialect import chunks, left_out, readable
from digest.store.papers import signals as readings
from digest.store.papers.acclaimed import acclaimed
from digest.store.papers.ingest import merge_all, papers_named, sightings_of
from digest.store.papers.nearby import nearby_ids
from digest.store.papers.search import papers_holding, search, similar_ids
from digest.store.row_mapping import Content, paper_from, paper_from_sightings
from digest.store.schema import featured, identifiers, papers, sightings, signals
from digest.store.vectors import Vectors

EVERYTHING = Query()
SIMILAR_BY = 8
"""How many words papers like one are looked for by: two of them make a candidate …"""
SIMILAR, COMPARED = 100, 20
"""… and the best so many are compared as a whole; for a page, fewer."""


class Papers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def merge(self, sightings: Sequence[Sighting], contents: Sequence[Content] = ()) -> MergeCounts:
        """Find-or-do: each sighting joins the paper it shows, or makes it; its signals are appended. Again: changes nothing.

        `contents`: `sighting_content` of each, where it is known already.
        """
        return merge_all(self._connection, sightings, contents)

    def add_signals(self, given: Sequence[tuple[Identifier, Signal]]) -> AddedSignals:
        """Appends readings by identifier. Those of papers nobody has shown us are named, not kept."""
        known = papers_named(self._connection, {identifier for identifier, _ in given})
        added = readings.append(self._connection, ((known[i], signal) for i, signal in given if i in known))
        return AddedSignals(added, tuple(dict.fromkeys(i for i, _ in given if i not in known)))

    def known_since(self, proven: Sequence[tuple[Identifier, datetime]]) -> int:
        """Dated evidence, loaded later, that papers were known earlier than first seen: moves them back. Says how many moved."""
        known = papers_named(self._connection, {identifier for identifier, _ in proven})
        earliest: dict[int, datetime] = {}
        for identifier, then in proven:
            if (paper_id := known.get(identifier)) is not None:
                earliest[paper_id] = min(then, earliest.get(paper_id, then))
        return known_since(self._connection, earliest)

    def candidates(
        self, at: datetime, since: datetime, paper_list: PaperList, until: datetime | None = None, *, silent: bool = False
    ) -> list[Candidate]:
        """Papers first seen in [since, at] that the list takes, as they were known at `at`, with the signals observed by then.

        `until` leaves out those first seen after it, for a look at what became of older ones, without their track
        record. `silent` gives them as if nobody had spoken of them. In order of first_seen_at, then id.
        What was seen or observed after `at` has no part in it, except that two papers found since to be one are one here too.
        """
        inside = papers.c.first_seen_at.between(since, min(at, until or at))
        found = self._load(select(papers).where(inside).order_by(papers.c.first_seen_at, papers.c.id), at)
        taken = [paper for paper in found if not paper.withdrawn and paper_list.takes(paper)]
        observed = {} if silent else readings.observed(self._connection, select(papers.c.id).where(inside), at)
        unheard = [] if until else [paper for paper in taken if paper.id not in observed]
        track_record = track_records(unheard, acclaimed(self._connection, at)) if unheard else {}
        return [
            Candidate(
                paper,
                tuple(observed.get(paper.id, ())),
                track_record.get(paper.id, NO_TRACK_RECORD),
                paper_list.topic_weight(paper.categories),
            )
            for paper in taken
        ]

    def heard_of(self, since: datetime, after: datetime, at: datetime) -> bool:
        """Whether anything of papers first seen since `since` was seen or observed after `after`, and by `at`."""
        p, read = papers.c, signals.c
        some = (p.first_seen_at >= since, p.first_seen_at <= at)
        observed = exists().where(read.paper_id == p.id, read.observed_at > after, read.observed_at <= at)
        news = or_(p.first_seen_at > after, p.changed_at > after, observed)
        return self._connection.scalar(select(p.id).where(*some, news).limit(1)) is not None

    def readings(self, ids: Iterable[int], at: datetime) -> dict[int, list[Signal]]:
        """What had been observed of papers by `at`, each paper's in order of time."""
        found: dict[int, list[Signal]] = {}
        for some in chunks(ids):
            found |= readings.observed(self._connection, select(papers.c.id).where(papers.c.id.in_(some)), at)
        return found

    def voted(self, since: datetime, at: datetime) -> tuple[dict[int, datetime], dict[int, list[Signal]]]:
        """Of papers first seen in [since, at] with votes by then, by id: when they were first seen, and the votes read."""
        inside = (papers.c.first_seen_at.between(since, at), papers.c.withdrawn.is_(False))
        read = readings.observed(self._connection, select(papers.c.id).where(*inside), at, VOTES)
        seen = self._connection.execute(select(papers.c.id, papers.c.first_seen_at).where(*inside))
        return {row.id: row.first_seen_at for row in seen if row.id in read}, read

    def last_reading(self) -> datetime | None:
        """When any signal was observed last: where the history ends."""
        latest: datetime | None = self._connection.scalar(select(func.max(signals.c.observed_at)))
        return latest

    def find(self, identifier: Identifier) -> Paper | None:
        paper_id = papers_named(self._connection, [identifier]).get(identifier)
        return self.by_ids([paper_id]).get(paper_id) if paper_id is not None else None

    def named(self, identifiers: Iterable[Identifier]) -> dict[Identifier, Paper]:
        """The papers of those identifiers that are known."""
        ids = papers_named(self._connection, list(identifiers))
        found = self.by_ids(sorted(set(ids.values())))
        return {identifier: found[paper_id] for identifier, paper_id in ids.items()}

    def by_ids(self, ids: Iterable[int]) -> dict[int, Paper]:
        found: dict[int, Paper] = {}
        for some in chunks(ids):
            found |= {paper.id: paper for paper in self._load(select(papers).where(papers.c.id.in_(some)))}
        return found

    def as_known(self, ids: Iterable[int], at: datetime) -> dict[int, Paper]:
        """Papers as they were known at `at`; those first seen later are left out."""
        found: dict[int, Paper] = {}
        for some in chunks(ids):
            statement = select(papers).where(papers.c.id.in_(some), papers.c.first_seen_at <= at)
            found |= {paper.id: paper for paper in self._load(statement, at)}
        return found

    def names_of_new(self, spans: Sequence[Span], recent_since: datetime) -> Names:
        """By what names papers can be asked for that were first seen in one of the spans, without the withdrawn and the old."""
        return names_of_new(self._connection, spans, recent_since)

    def names_of_sent(self, spans: Sequence[Span]) -> Names:
        """The same for those that an edition featured."""
        return names_of_sent(self._connection, spans)

    def without_categories(self, since: datetime, at: datetime, limit: int) -> dict[int, Identifier]:
        """The arXiv ids of papers first seen in [since, at] that no source gave a category, by the paper's id, newest first."""
        bare = (papers.c.first_seen_at.between(since, at), cast(papers.c.categories, Text) == "[]", papers.c.withdrawn.is_(False))
        found = select(papers.c.id, identifiers.c.value).join(identifiers, identifiers.c.paper_id == papers.c.id)
        found = found.where(*bare, identifiers.c.scheme == "arxiv").order_by(papers.c.first_seen_at.desc(), papers.c.id)
        return {row.id: Identifier("arxiv", row.value) for row in self._connection.execute(found.limit(limit))}

    def withdraw(self, gone: Sequence[Identifier], source: str, at: datetime) -> MergeCounts:
        """A source removed these papers: kept as withdrawn. Those nobody has shown us stay unknown."""
        known = papers_named(self._connection, gone)
        titles = {paper.id: paper.title for paper in self.by_ids(set(known.values())).values()}
        shown_with = [
            Sighting(source=source, identifiers=(name,), title=titles[known[name]], seen_at=at, withdrawn=True)
            for name in dict.fromkeys(gone)
            if name in known
        ]
        return merge_all(self._connection, shown_with)

    def search(self, text: str, limit: int = 20) -> SearchResult:
        """Papers that answer to a query (domain/query.py), and those that come nearest. Any text is one."""
        query = parse_query(text)
        if query.like:
            paper = self.find(query.like)
            alike = self.similar(paper, limit, query) if paper else []
            votes = readings.latest(self._connection, (other.id for other, _ in alike), VOTES)
            return SearchResult(
                matches=tuple(Match(paper=other, score=score, votes=_whole(votes.get(other.id))) for other, score in alike)
            )
        result = search(self._connection, query, limit)
        found = self.by_ids(each.id for each in result.matches)
        votes = readings.latest(self._connection, found, VOTES)
        matches = tuple(
            Match(
                paper=found[each.id],
                score=each.score,
                missing=each.missing,
                sentence=each.sentence,
                votes=_whole(votes.get(each.id)),
            )
            for each in result.matches
            if each.id in found
        )
        return SearchResult(matches=matches, corrected=result.corrected, known=result.known)

    def similar(self, paper: Paper, limit: int = 20, query: Query = EVERYTHING) -> list[tuple[Paper, float]]:
        """The papers most like one, best first, with their likeness (0…1), among those that answer to the query's filters."""
        words = distinctive_words(paper)
        held = papers_holding(self._connection, words)
        by = {word: held[word] for word in rarest(words, held, SIMILAR_BY)}
        ids = similar_ids(self._connection, by, query, max(SIMILAR, limit))
        found = self.by_ids(ids)
        vectors = Vectors(self._connection).of_papers([paper, *found.values()])
        return most_alike(paper, list(found.values()), limit, vectors)

    def nearby(self, paper: Paper, limit: int) -> list[Paper]:
        """The papers most like one, best first, among those that came to us about when it did."""
        ids = nearby_ids(self._connection, paper, COMPARED)
        return [other for other, _ in most_alike(paper, list(self.by_ids(ids).values()), limit)]

    def count(self) -> int:
        return self._connection.scalar(select(func.count()).select_from(papers)) or 0

    def _load(self, statement: Select[tuple[object, ...]], at: datetime | None = None) -> list[Paper]:
        """But for those whose row is no paper's."""
        found = [row._mapping for row in readable(self._connection, statement, "a paper")]
        refold = [row["id"] for row in found if at is not None and row["changed_at"] > at]
        known_then = sightings_of(self._connection, refold, at)
        names = identifiers_of(self._connection, [row["id"] for row in found if row["id"] not in known_then])
        loaded: list[Paper] = []
        for row in found:
            id_ = row["id"]
            try:
                known = id_ in known_then
                loaded.append(paper_from_sightings(id_, known_then[id_]) if known else paper_from(dict(row), names[id_]))
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                left_out(f"paper {id_}", f"{type(error).__name__}: {error}")
        return loaded


def _whole(votes: float | None) -> int | None:
    return None if votes is None else int(votes)


def known_since(connection: Connection, proven: Mapping[int, datetime]) -> int:
    """A paper turns out to have been known earlier: an older page or reading of it is loaded later. Says how many moved.

    `proven`: by when each paper (its id) was known; those known no later stay as they are. First sightings move back to that
    instant, so that what was known at an instant does not hang on the order of loading.
    """
    late: list[dict[str, object]] = []
    for some in chunks(proven):
        rows = connection.execute(select(papers.c.id, papers.c.first_seen_at).where(papers.c.id.in_(some)))
        late += [{"of_paper": i, "first": first, "then": proven[i]} for i, first in rows if proven[i] < first]
    if not late:
        return 0
    of_paper: BindParameter[int] = bindparam("of_paper")
    first_ones = (sightings.c.paper_id == of_paper, sightings.c.seen_at == bindparam("first"))
    connection.execute(update(sightings).where(*first_ones).values(seen_at=bindparam("then")), late)
    latest = select(func.max(sightings.c.seen_at)).where(sightings.c.paper_id == papers.c.id).scalar_subquery()
    moved = update(papers).where(papers.c.id == of_paper).values(first_seen_at=bindparam("then"), changed_at=latest)
    connection.execute(moved, [{name: row[name] for name in ("of_paper", "then")} for row in late])
    return len(late)


# ---- which papers are due for another look, and by what names they can be asked for ------------------------------------------


Names = dict[int, tuple[Identifier, ...]]
"""By paper id."""


def names_of_new(connection: Connection, spans: Sequence[Span], recent_since: datetime) -> Names:
    """Papers first seen in one of the spans, without the withdrawn and those dated before `recent_since`."""
    dated = func.coalesce(papers.c.listed_at, papers.c.published_at, type_=papers.c.listed_at.type)
    recent = or_(dated.is_(None), dated >= recent_since)
    return _names(connection, _first_seen(spans).where(recent))


def names_of_sent(connection: Connection, spans: Sequence[Span]) -> Names:
    """Those of them that an edition of any list featured."""
    return _names(connection, _first_seen(spans).where(papers.c.id.in_(select(featured.c.paper_id))))


def _first_seen(spans: Sequence[Span]) -> Select[tuple[int]]:
    inside: list[ColumnElement[bool]] = [
        and_(papers.c.first_seen_at > span.after, papers.c.first_seen_at <= span.until) for span in spans
    ]
    return select(papers.c.id).where(or_(*inside), papers.c.withdrawn.is_(False))


def _names(connection: Connection, which: Select[tuple[int]]) -> Names:
    found = identifiers_of(connection, list(connection.scalars(which)))
    return {paper_id: tuple(names) for paper_id, names in found.items()}


def identifiers_of(connection: Connection, ids: Iterable[int]) -> dict[int, list[Identifier]]:
    """Each paper's identifiers, sorted."""
    table = identifiers.c
    names: dict[int, list[Identifier]] = defaultdict(list)
    for some in chunks(ids):
        statement = select(table.paper_id, table.scheme, table.value).where(table.paper_id.in_(some))
        for paper_id, scheme, value in connection.execute(statement.order_by(table.scheme, table.value)):
            names[paper_id].append(Identifier(scheme, value))
    return names
