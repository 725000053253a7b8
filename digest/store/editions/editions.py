"""Editions: frozen once, then only read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, exists, func, insert, select, update

from digest.domain.delivery import DeliveryState
from digest.domain.edition import Card, Edition, Pick, Pooled, Rendered, Update, Window
from digest.domain.errors import NotFound
from digest.domain.paper import Paper, Ranked, Reason
from digest.store.dialect import chunks, insert_into, insert_new
from digest.store.row_mapping import paper_document, paper_from_document
from digest.store.schema import deliveries, edition_pool, editions, featured

_SENT = (DeliveryState.ACCEPTED, DeliveryState.CLAIMED, DeliveryState.UNCERTAIN)

_HEAD = [c for c in editions.c if c.name not in ("html", "text", "subject", "render")]
_POOL = [c for c in edition_pool.c if c.name not in ("card_html", "card_text", "card_words", "other_html", "other_text")]


class Editions:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, list_name: str, day: date) -> Edition | None:
        return self._one(select(*_HEAD).where(editions.c.list == list_name, editions.c.date == day))

    def get(self, edition_id: int) -> Edition | None:
        return self._one(select(*_HEAD).where(editions.c.id == edition_id))

    def latest(self, list_name: str, at: datetime) -> Edition | None:
        """The newest one frozen at or before `at`, cancelled ones aside."""
        standing = (editions.c.list == list_name, editions.c.frozen_at <= at, editions.c.state == "frozen")
        newest = (editions.c.frozen_at.desc(), editions.c.id.desc())
        return self._one(select(*_HEAD).where(*standing).order_by(*newest).limit(1))

    def history(self, list_name: str, limit: int = 30, before: date | None = None) -> list[Edition]:
        """Newest first, cancelled ones aside; `before` (not included) pages on."""
        where: list[ColumnElement[bool]] = [editions.c.list == list_name, editions.c.state == "frozen"]
        if before is not None:
            where.append(editions.c.date < before)
        return self._many(select(*_HEAD).where(*where).order_by(editions.c.date.desc()).limit(limit))

    def dates(self, list_name: str) -> list[date]:
        """The days that have an edition, newest first, cancelled ones aside."""
        standing = (editions.c.list == list_name, editions.c.state == "frozen")
        return list(self._connection.scalars(select(editions.c.date).where(*standing).order_by(editions.c.date.desc())))

    def pool(self, edition_id: int) -> tuple[Pooled, ...]:
        """The frozen pool in order of position, papers as they were shown."""
        rows = self._connection.execute(
            select(*_POOL).where(edition_pool.c.edition_id == edition_id).order_by(edition_pool.c.position)
        )
        return tuple(Pooled(row.position, _ranked(row), row.featured_before) for row in rows)

    def rendered(self, edition_id: int) -> Rendered:
        """Raises NotFound."""
        shell = self._connection.execute(
            select(editions.c.subject, editions.c.html, editions.c.text, editions.c.render).where(editions.c.id == edition_id)
        ).first()
        if shell is None:
            raise NotFound(f"edition {edition_id}")
        c = edition_pool.c
        cards: Select[Any] = select(c.position, c.paper_id, c.card_html, c.card_text, c.card_words, c.other_html, c.other_text)
        rows = self._connection.execute(cards.where(c.edition_id == edition_id).order_by(c.position)).all()
        rendered = Rendered(
            subject=shell.subject,
            html=shell.html,
            text=shell.text,
            cards=tuple(map(_card, rows)),
            nonce=shell.render["nonce"],
            picks=tuple(shell.render["picks"]),
            preheader=shell.render["preheader"],
            style=shell.render.get("style", "full"),
            brevity=shell.render.get("brevity", 0),
        )
        return replace(rendered, other=_other(rendered, rows, shell.render.get("other")))

    def cards(self, edition_id: int, positions: Collection[int]) -> dict[int, tuple[Card, Card | None]]:
        """Those cards that there are, in the edition's style and in the other."""
        c = edition_pool.c
        found: dict[int, tuple[Card, Card | None]] = {}
        for some in chunks(sorted(positions)):
            rows = select(edition_pool).where(c.edition_id == edition_id, c.position.in_(some), c.card_html != "")
            for row in self._connection.execute(rows):
                card = _card(row)
                found[row.position] = card, _other_card(card, row)
        return found

    def keep_cards(self, edition_id: int, made: Mapping[int, tuple[Card, Card | None]]) -> None:
        """Freezes cards made after the edition was; one that is there already stays as it is."""
        c = edition_pool.c
        for position, (card, other) in made.items():
            this = (c.edition_id == edition_id, c.position == position, c.card_html == "")
            self._connection.execute(update(edition_pool).where(*this).values(_card_columns(card, other)))

    def featured(self, list_name: str, before: datetime) -> frozenset[int]:
        """Ids of the papers that editions of the list frozen before `before` picked."""
        frozen = select(featured.c.paper_id).join(editions, editions.c.id == featured.c.edition_id)
        where = (featured.c.list == list_name, editions.c.frozen_at < before)
        return frozenset(self._connection.scalars(frozen.where(*where)))

    def shown(self, list_name: str, since: datetime, at: datetime) -> list[Paper]:
        """The papers that editions of the list frozen in [since, at) picked, as they were shown; newest edition first."""
        inside = (editions.c.frozen_at >= since, editions.c.frozen_at < at)
        pool = edition_pool.c
        found = (
            select(pool.paper, pool.paper_id)
            .join(featured, (featured.c.edition_id == pool.edition_id) & (featured.c.paper_id == pool.paper_id))
            .join(editions, editions.c.id == featured.c.edition_id)
            .where(featured.c.list == list_name, *inside)
            .order_by(editions.c.frozen_at.desc(), featured.c.rank)
        )
        return [replace(paper_from_document(row.paper), id=row.paper_id) for row in self._connection.execute(found)]

    def told(self, list_name: str, since: datetime, at: datetime) -> list[Update]:
        """What editions of the list frozen in [since, at) told of papers shown before, cancelled ones aside."""
        standing = (editions.c.list == list_name, editions.c.frozen_at >= since, editions.c.frozen_at < at)
        rows = self._connection.scalars(select(editions.c.updates).where(*standing, editions.c.state == "frozen"))
        return [Update(**update) for updates in rows for update in updates]

    def freeze(self, draft: Edition, rendered: Rendered) -> Edition:
        """Keeps the edition with its pool, cards and what it features; returns it with its id.

        Where the list already has one for that day, that one is returned and nothing is written.
        """
        return self.freeze_as(draft.list, draft, rendered)

    def freeze_as(self, name: str, draft: Edition, rendered: Rendered) -> Edition:
        """`freeze` under another name than the list's: for corrections."""
        assert len(rendered.cards) == len(draft.pool), "one card per pooled paper"
        row = _head(draft, rendered) | {"list": name}
        statement = insert_into(self._connection, editions).values(**row).on_conflict_do_nothing()
        edition_id = self._connection.scalar(statement.returning(editions.c.id))
        if edition_id is None:
            found = self.find(name, draft.date)
            assert found is not None, "the row that was in the way"
            return found
        ranks = {pick.ranked.paper.id: pick.rank for pick in draft.picks}
        assert ranks.keys() <= {pooled.ranked.paper.id for pooled in draft.pool}, "picks come from the pool"
        if draft.pool:
            others = rendered.other.cards if rendered.other else [None] * len(draft.pool)
            rows = [
                _pool_row(edition_id, pooled, card, other, ranks.get(pooled.ranked.paper.id))
                for pooled, card, other in zip(draft.pool, rendered.cards, others, strict=True)
            ]
            self._connection.execute(insert(edition_pool), rows)
        insert_new(
            self._connection,
            featured,
            [{"list": draft.list, "paper_id": p, "edition_id": edition_id, "rank": rank} for p, rank in ranks.items()],
        )
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
        "frozen_at": draft.frozen_at,
        "subject": rendered.subject,
        "html": rendered.html,
        "text": rendered.text,
        "render": {
            "nonce": rendered.nonce,
            "picks": rendered.picks,
            "preheader": rendered.preheader,
            "style": rendered.style,
            "brevity": rendered.brevity,
            "other": _other_document(rendered.other),
        },
        "notes": draft.notes,
        "updates": [asdict(update) for update in draft.updates],
        "content_hash": draft.content_hash,
        "state": draft.state,
        "corrects": draft.corrects,
    }


def _other_document(other: Rendered | None) -> dict[str, Any] | None:
    """What the other style's shell says otherwise: subject, picks and what cards are about are the same."""
    if other is None:
        return None
    return {"style": other.style, "nonce": other.nonce, "html": other.html, "text": other.text}


def _other(rendered: Rendered, rows: Sequence[Row[Any]], document: dict[str, Any] | None) -> Rendered | None:
    if document is None:
        return None
    cards = [_other_card(card, row) or replace(card, html="", text="") for card, row in zip(rendered.cards, rows, strict=True)]
    if "cards" in document:  # as editions were kept before migration 0013
        cards = [replace(card, html=h, text=t) for card, (h, t) in zip(rendered.cards, document.pop("cards"), strict=True)]
    return replace(rendered, **document, cards=tuple(cards))


def _pool_row(edition_id: int, pooled: Pooled, card: Card, other: Card | None, pick_rank: int | None) -> dict[str, Any]:
    ranked = pooled.ranked
    assert not card.html or card.paper_id == ranked.paper.id, "cards lie in the pool's order"
    return {
        "edition_id": edition_id,
        "position": pooled.position,
        "paper_id": ranked.paper.id,
        "paper": paper_document(ranked.paper),
        "score": ranked.score,
        "reasons": [[reason.kind, reason.text] for reason in ranked.reasons],
        "growth": ranked.growth,
        "featured_before": pooled.featured_before,
        "pick_rank": pick_rank,
        **_card_columns(card, other),
    }


def _card_columns(card: Card, other: Card | None) -> dict[str, Any]:
    return {
        "card_html": card.html,
        "card_text": card.text,
        "card_words": [card.identifier, card.title, card.reasons],
        "other_html": other.html if other else None,
        "other_text": other.text if other else None,
    }


def _other_card(card: Card, row: Row[Any]) -> Card | None:
    return replace(card, html=row.other_html, text=row.other_text) if row.other_html is not None else None


def _card(row: Row[Any]) -> Card:
    identifier, title, reasons = row.card_words
    return Card(row.paper_id, row.card_html, row.card_text, identifier, title, tuple(reasons))


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
        frozen_at=head.frozen_at,
        picks=tuple(picks),
        notes=tuple(head.notes),
        updates=tuple(Update(**update) for update in head.updates),
        content_hash=head.content_hash,
        state=head.state,
        corrects=head.corrects,
    )
