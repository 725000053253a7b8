"""Papers that an edition featured or that were voted up, as they were known at an instant."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, case, exists, or_, select

from digest.ranking.features import VOTES
from digest.ranking.track_record import LATELY, MOST_REMEMBERED, REMEMBERED, VOTED_UP, Acclaimed
from digest.store.dialect import readable
from digest.store.papers.ingest import sightings_of
from digest.store.row_mapping import paper_from_sightings
from digest.store.schema import editions, featured, papers, signals


def acclaimed(connection: Connection, at: datetime) -> list[Acclaimed]:
    """The latest first. An edition frozen at `at` itself has no part: ranked again, its papers come out as they did for it."""
    lately = papers.c.first_seen_at >= at - LATELY
    voted_up = exists().where(
        signals.c.paper_id == papers.c.id,
        signals.c.kind == VOTES,
        signals.c.observed_at <= at,
        signals.c.value >= VOTED_UP,
    )
    shown = exists().where(featured.c.paper_id == papers.c.id, editions.c.id == featured.c.edition_id, editions.c.frozen_at < at)
    text = case((lately, papers.c.title + " " + papers.c.abstract), else_="")
    statement = (
        select(papers.c.id, papers.c.authors, text, papers.c.changed_at, lately)
        .where(papers.c.first_seen_at.between(at - REMEMBERED, at), or_(voted_up, shown))
        .order_by(papers.c.first_seen_at.desc(), papers.c.id.desc())
        .limit(MOST_REMEMBERED)
    )
    rows = [row for row in readable(connection, statement, "a paper") if isinstance(row.authors, list)]
    seen = sightings_of(connection, [paper_id for paper_id, _, _, changed_at, _ in rows if changed_at > at], at)
    then = {paper_id: paper_from_sightings(paper_id, sighted) for paper_id, sighted in seen.items()}
    return [
        Acclaimed(paper_id, then[paper_id].authors, f"{then[paper_id].title} {then[paper_id].abstract}" if is_late else "")
        if paper_id in then
        else Acclaimed(paper_id, tuple(map(str, authors)), words)
        for paper_id, authors, words, _, is_late in rows
    ]
