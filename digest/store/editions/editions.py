"""Editions: frozen once, then only read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, exists, func, insert, select, update

from digest.domain.delivery import DeliveryState
from digest.domain.edition import Card, Edition, Pick, Pooled, Rendered, Update, Window
from digest.domain.errors import NotFound
from digest.domain.paper import Paper, Ranked, Reason
from digest.domain.schedule import Frequency
from digest.store.dialect import insert_into, insert_new
from digest.store.row_mapping import paper_document, paper_from_document
from digest.store.schema import deliveries, edition_pool, editions, featured

_SENT = (DeliveryState.ACCEPTED, DeliveryState.CLAIMED, DeliveryState.UNCERTAIN)

_STANDING = (editions.c.on_pages, editions.c.state == "frozen")
_NEWEST = (editions.c.cutoff.desc(), editions.c.id.desc())
_HEAD = [c for c in editions.c if c.name not in ("html", "text", "subject", "render")]
_POOL = [c for c in edition_pool.c if c.name not in ("card_html", "card_text", "card_words")]


class Editions:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, list_name: str, day: date) -> Edition | None:
        """The last one of a day on the list's pages; where all were cancelled, the last of those."""
        of_day = (editions.c.list == list_name, editions.c.date == day, editions.c.on_pages)
        standing_first = (case((editions.c.state == "frozen", 0), else_=1), *_NEWEST)
        return self._one(select(*_HEAD).where(*of_day).order_by(*standing_first).limit(1))

    def of_day(self, list_name: str, day: date) -> list[Edition]:
        """Every edition of a day, newest first: those on no page and cancelled ones, too."""
        of_day = (editions.c.list == list_name, editions.c.date == day)
        return self._many(select(*_HEAD).where(*of_day).order_by(*_NEWEST))

    def newest(self, list_name: str, frequency: Frequency, day: date, cutoff: datetime) -> Edition | None:
        """The newest of a day whose window is such, cut off at `cutoff` or later; cancelled ones, too."""
        of_day = (editions.c.list == list_name, editions.c.date == day)
        these = (*of_day, editions.c.frequency == frequency.value, editions.c.cutoff >= cutoff)
        return self._one(select(*_HEAD).where(*these).order_by(*_NEWEST).limit(1))

    def first_frozen(self, list_name: str, day: date) -> datetime | None:
        """When the first edition of a day was made; None: none yet."""
        these = (editions.c.list == list_name, editions.c.date == day)
        found: datetime | None = self._connection.scalar(select(func.min(editions.c.frozen_at)).where(*these))
        return found

    def get(self, edition_id: int) -> Edition | None:
        return self._one(select(*_HEAD).where(editions.c.id == edition_id))

    def latest(self, list_name: str, at: datetime) -> Edition | None:
        """The newest one on the list's pages frozen at or before `at`, cancelled ones aside."""
        made = (editions.c.list == list_name, editions.c.frozen_at <= at)
        return self._one(select(*_HEAD).where(*made, *_STANDING).order_by(*_NEWEST).limit(1))

    def history(self, list_name: str, limit: int = 30, before: date | None = None) -> list[Edition]:
        """The last of each day, newest first, cancelled ones aside; `before` (not included) pages on."""
        later = editions.alias()
        of_day = (later.c.list == editions.c.list, later.c.date == editions.c.date, later.c.on_pages, later.c.state == "frozen")
        last = select(later.c.id).where(*of_day).order_by(later.c.cutoff.desc(), later.c.id.desc()).limit(1).scalar_subquery()
        where: list[ColumnElement[bool]] = [editions.c.list == list_name, *_STANDING, editions.c.id == last]
        if before is not None:
            where.append(editions.c.date < before)
        return self._many(select(*_HEAD).where(*where).order_by(editions.c.date.desc()).limit(limit))

    def dates(self, list_name: str) -> list[date]:
        """The days that have an edition, newest first, cancelled ones aside."""
        days = select(editions.c.date).where(editions.c.list == list_name, *_STANDING).distinct()
        return list(self._connection.scalars(days.order_by(editions.c.date.desc())))

    def pool(self, edition_id: int) -> tuple[Pooled, ...]:
        """The frozen pool in order of position, papers as they were shown."""
        rows = self._connection.execute(
            select(*_POOL).where(edition_pool.c.edition_id == edition_id).order_by(edition_pool.c.position)
        )
        return tuple(Pooled(row.position, _ranked(row), row.featured_before, row.section) for row in rows)

    def pool_ids(self, edition_id: int) -> dict[int, int]:
        """Paper id → position in the pool."""
        p = edition_pool.c
        rows = self._connection.execute(select(p.paper_id, p.position).where(p.edition_id == edition_id)).all()
        return {row[0]: row[1] for row in rows}

    def rendered(self, edition_id: int) -> Rendered:
        """Raises NotFound."""
        shell = self._connection.execute(
            select(editions.c.subject, editions.c.html, editions.c.text, editions.c.render).where(editions.c.id == edition_id)
        ).first()
        if shell is None:
            raise NotFound(f"edition {edition_id}")
        c = edition_pool.c
        cards: Select[Any] = select(c.paper_id, c.card_html, c.card_text, c.card_words)
        cards = cards.where(c.edition_id == edition_id).order_by(c.position)
        rendered = Rendered(
            subject=shell.subject,
            html=shell.html,
            text=shell.text,
            cards=tuple(_card(row) for row in self._connection.execute(cards)),
            nonce=shell.render["nonce"],
            picks=tuple(shell.render["picks"]),
            preheader=shell.render["preheader"],
        )
        return replace(
            rendered,
            style=shell.render.get("style", "full"),
            period=shell.render.get("period", ""),
            other=_other(rendered, shell.render.get("other")),
            nothing=Rendered(cards=(), **shell.render["nothing"]) if "nothing" in shell.render else None,
        )

    def featured(self, list_name: str, before: datetime, day: date) -> frozenset[int]:
        """Ids of the papers that editions of days before `day`, frozen before `before`, picked."""
        frozen = select(featured.c.paper_id).join(editions, editions.c.id == featured.c.edition_id)
        where = (featured.c.list == list_name, editions.c.frozen_at < before, editions.c.date < day)
        return frozenset(self._connection.scalars(frozen.where(*where)))

    def shown(self, list_name: str, since: datetime, at: datetime, day: date) -> list[Paper]:
        """The papers that editions of days before `day`, frozen in [since, at), picked, as they were shown; newest first."""
        inside = (editions.c.frozen_at >= since, editions.c.frozen_at < at, editions.c.date < day)
        pool = edition_pool.c
        found = (
            select(pool.paper, pool.paper_id)
            .join(featured, (featured.c.edition_id == pool.edition_id) & (featured.c.paper_id == pool.paper_id))
            .join(editions, editions.c.id == featured.c.edition_id)
            .where(featured.c.list == list_name, *inside)
            .order_by(editions.c.frozen_at.desc(), featured.c.rank)
        )
        return [replace(paper_from_document(row.paper), id=row.paper_id) for row in self._connection.execute(found)]

    def told(self, list_name: str, since: datetime, at: datetime, day: date) -> list[Update]:
        """What editions of days before `day`, frozen in [since, at), told of papers shown before, cancelled ones aside."""
        standing = (editions.c.list == list_name, editions.c.frozen_at >= since, editions.c.frozen_at < at, editions.c.date < day)
        rows = self._connection.scalars(select(editions.c.updates).where(*standing, editions.c.state == "frozen"))
        return [Update(**update) for updates in rows for update in updates]

    def freeze(self, draft: Edition, rendered: Rendered) -> Edition:
        """Keeps the edition with its pool, cards and what it features; returns it with its id.

        Where the list already has one of that window and cutoff, that one is returned and nothing is written.
        """
        return self.freeze_as(draft.list, draft, rendered)

    def freeze_as(self, name: str, draft: Edition, rendered: Rendered) -> Edition:
        """`freeze` under another name than the list's: for corrections."""
        assert len(rendered.cards) == len(draft.pool), "one card per pooled paper"
        row = _head(draft, rendered) | {"list": name}
        statement = insert_into(self._connection, editions).values(**row).on_conflict_do_nothing()
        edition_id = self._connection.scalar(statement.returning(editions.c.id))
        if edition_id is None:
            e = editions.c
            same = (e.list == name, e.window_start == draft.window.start, e.cutoff == draft.cutoff)
            found = self._one(select(*_HEAD).where(*same))
            assert found is not None, "the row that was in the way"
            return found
        ranks = {pick.ranked.paper.id: pick.rank for pick in draft.picks}
        assert ranks.keys() <= {pooled.ranked.paper.id for pooled in draft.pool}, "picks come from the pool"
        if draft.pool:
            rows = [
                _pool_row(edition_id, pooled, card, ranks.get(pooled.ranked.paper.id))
                for pooled, card in zip(draft.pool, rendered.cards, strict=True)
            ]
            self._connection.execute(insert(edition_pool), rows)
        if draft.on_pages:
            rows = [{"list": draft.list, "paper_id": p, "edition_id": edition_id, "rank": rank} for p, rank in ranks.items()]
            insert_new(self._connection, featured, rows)
        return replace(draft, id=edition_id, pool=())

    def cancel(self, edition_id: int) -> None:
        """No further delivery of it is claimed. Where nobody can have got it, its papers may be featured again.

        Raises NotFound.
        """
        cancelled = update(editions).where(editions.c.id == edition_id).values(state="cancelled")
        if self._connection.execute(cancelled).rowcount == 0:
            raise NotFound(f"edition {edition_id}")
        sent = exists().where(deliveries.c.edition_id == edition_id, deliveries.c.state.in_(_SENT))
        self._connection.execute(featured.delete().where(featured.c.edition_id == edition_id, ~sent))

    def count(self) -> int:
        return self._connection.scalar(select(func.count()).select_from(editions)) or 0

    # ---- reading ----

    def _one(self, statement: Select[Any]) -> Edition | None:
        found = self._many(statement)
        return found[0] if found else None

    def _many(self, statement: Select[Any]) -> list[Edition]:
        heads = self._connection.execute(statement).all()
        picks = self._picks([head.id for head in heads])
        return [_edition(head, picks[head.id]) for head in heads]

    def _picks(self, edition_ids: Iterable[int]) -> dict[int, list[Pick]]:
        picked = select(*_POOL).where(edition_pool.c.edition_id.in_(list(edition_ids)), edition_pool.c.pick_rank.is_not(None))
        picks: dict[int, list[Pick]] = defaultdict(list)
        for row in self._connection.execute(picked.order_by(edition_pool.c.edition_id, edition_pool.c.pick_rank)):
            picks[row.edition_id].append(Pick(row.pick_rank, _ranked(row)))
        return picks


def listed(name: str) -> str:
    """The list's own name: a correction's is followed by "#" and what tells it from others (edition_operations.py)."""
    return name.partition("#")[0]


def _head(draft: Edition, rendered: Rendered) -> dict[str, Any]:
    return {
        "list": draft.list,
        "date": draft.date,
        "window_start": draft.window.start,
        "window_end": draft.window.end,
        "cutoff": draft.cutoff,
        "frequency": draft.frequency.value,
        "on_pages": draft.on_pages,
        "considered": draft.considered,
        "max_picks": draft.max_picks,
        "frozen_at": draft.frozen_at,
        "subject": rendered.subject,
        "html": rendered.html,
        "text": rendered.text,
        "render": {
            "nonce": rendered.nonce,
            "picks": rendered.picks,
            "preheader": rendered.preheader,
            "style": rendered.style,
            **({"period": rendered.period} if rendered.period else {}),
            "other": _other_document(rendered.other),
            **({"nothing": _nothing_document(rendered.nothing)} if rendered.nothing else {}),
        },
        "notes": draft.notes,
        "updates": [asdict(update) for update in draft.updates],
        "content_hash": draft.content_hash,
        "state": draft.state,
        "corrects": draft.corrects,
    }


def _other_document(other: Rendered | None) -> dict[str, Any] | None:
    """What the other style says otherwise: subject, picks and what cards are about are the same."""
    if other is None:
        return None
    cards = [[card.html, card.text] for card in other.cards]
    return {"style": other.style, "nonce": other.nonce, "html": other.html, "text": other.text, "cards": cards}


def _other(rendered: Rendered, document: dict[str, Any] | None) -> Rendered | None:
    if document is None:
        return None
    cards = zip(rendered.cards, document.pop("cards"), strict=True)
    return replace(rendered, **document, cards=tuple(replace(card, html=html, text=text) for card, (html, text) in cards))


def _nothing_document(nothing: Rendered) -> dict[str, Any]:
    return {name: getattr(nothing, name) for name in ("subject", "html", "text", "nonce", "preheader", "style", "period")}


def _pool_row(edition_id: int, pooled: Pooled, card: Card, pick_rank: int | None) -> dict[str, Any]:
    ranked = pooled.ranked
    assert card.paper_id == ranked.paper.id, "cards lie in the pool's order"
    return {
        "edition_id": edition_id,
        "position": pooled.position,
        "paper_id": ranked.paper.id,
        "paper": paper_document(ranked.paper),
        "score": ranked.score,
        "reasons": [[reason.kind, reason.text] for reason in ranked.reasons],
        "growth": ranked.growth,
        "featured_before": pooled.featured_before,
        "section": pooled.section,
        "pick_rank": pick_rank,
        "card_html": card.html,
        "card_text": card.text,
        "card_words": [card.identifier, card.title, card.reasons, *([card.section] if card.section else [])],
    }


def _card(row: Row[Any]) -> Card:
    identifier, title, reasons, *section = row.card_words
    return Card(row.paper_id, row.card_html, row.card_text, identifier, title, tuple(reasons), *section)


def _ranked(row: Row[Any]) -> Ranked:
    # the column, not the document, says which paper it is now: two may have been found to be one
    paper = replace(paper_from_document(row.paper), id=row.paper_id)
    return Ranked(paper, row.score, tuple(Reason(kind, text) for kind, text in row.reasons), tuple(row.growth))


def _edition(head: Row[Any], picks: Sequence[Pick]) -> Edition:
    return Edition(
        id=head.id,
        list=listed(head.list),
        date=head.date,
        window=Window(head.window_start, head.window_end),
        cutoff=head.cutoff,
        frequency=Frequency(head.frequency),
        on_pages=head.on_pages,
        considered=head.considered,
        max_picks=head.max_picks,
        frozen_at=head.frozen_at,
        picks=tuple(picks),
        notes=tuple(head.notes),
        updates=tuple(Update(**update) for update in head.updates),
        content_hash=head.content_hash,
        state=head.state,
        corrects=head.corrects,
    )
