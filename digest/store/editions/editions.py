"""Editions: frozen once, then only read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, insert, or_, select, type_coerce, update

from digest.domain.delivery import DeliveryState
from digest.domain.edition import Appearance, Card, Edition, Pick, Pooled, Rendered, Update, slug
from digest.domain.errors import NotFound
from digest.domain.paper import Paper
from digest.domain.schedule import Frequency
from digest.store.dialect import chunks, insert_into, insert_new
from digest.store.editions.edition_rows import (
    card_columns,
    card_of,
    edition_of,
    head_row,
    other_card_of,
    other_style,
    pool_row,
    ranked_of,
    update_from,
)
from digest.store.row_mapping import paper_from_document
from digest.store.schema import deliveries, edition_pool, editions, featured

_SENT = (DeliveryState.ACCEPTED, DeliveryState.CLAIMED, DeliveryState.UNCERTAIN)

_STANDING = (editions.c.on_pages, editions.c.state == "frozen")
_NEWEST = (editions.c.cutoff.desc(), editions.c.id.desc())
_HEAD = [c for c in editions.c if c.name not in ("html", "text", "subject", "render")]
_SHOWN = edition_pool.alias("shown")
_WHERE_SHOWN = [func.coalesce(_SHOWN.c[name], edition_pool.c[name]).label(f"{name}_shown") for name in ("edition_id", "position")]
_POOLED = edition_pool.outerjoin(
    _SHOWN,
    and_(_SHOWN.c.edition_id == edition_pool.c.paper[0].as_integer(), _SHOWN.c.position == edition_pool.c.paper[1].as_integer()),
)
"""A paper that is shown as in an earlier edition says only where it is: [edition, position], never a row that says the same."""
_PAPER = type_coerce(func.coalesce(_SHOWN.c.paper, edition_pool.c.paper), edition_pool.c.paper.type).label("paper")
_CARD = ("card_html", "card_text", "card_words", "other_html", "other_text")
_POOL = [*(c for c in edition_pool.c if c.name not in ("paper", *_CARD)), _PAPER]


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
            select(*_POOL).select_from(_POOLED).where(edition_pool.c.edition_id == edition_id).order_by(edition_pool.c.position)
        )
        return tuple(Pooled(row.position, ranked_of(row), row.featured_before, row.section) for row in rows)

    def pooled(self, places: Collection[tuple[int, int]]) -> dict[tuple[int, int], Pooled]:
        """By (edition, position), papers of pools as they were shown."""
        p = edition_pool.c
        found: dict[tuple[int, int], Pooled] = {}
        for some in chunks(sorted(places), 200):  # SQLite takes no condition that is 1,000 deep
            these = or_(*(and_(p.edition_id == edition_id, p.position == position) for edition_id, position in some))
            for row in self._connection.execute(select(*_POOL).select_from(_POOLED).where(these)):
                found[row.edition_id, row.position] = Pooled(row.position, ranked_of(row), row.featured_before, row.section)
        return found

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
        cards: Select[Any] = select(c.position, c.paper_id, c.card_html, c.card_text, c.card_words, c.other_html, c.other_text)
        rows = self._connection.execute(cards.where(c.edition_id == edition_id).order_by(c.position)).all()
        language = shell.render.get("language", "en")
        rendered = Rendered(
            subject=shell.subject,
            html=shell.html,
            text=shell.text,
            cards=tuple(map(card_of, rows)),
            nonce=shell.render["nonce"],
            picks=tuple(shell.render["picks"]),
            preheader=shell.render["preheader"],
            style=shell.render.get("style", "full"),
            language=language,
            brevity=shell.render.get("brevity", 0),
            period=shell.render.get("period", ""),
            nothing=Rendered(cards=(), language=language, **shell.render["nothing"]) if "nothing" in shell.render else None,
        )
        return replace(rendered, other=other_style(rendered, rows, shell.render.get("other")))

    def cards(self, edition_id: int, positions: Collection[int]) -> dict[int, tuple[Card, Card | None]]:
        """Those cards that there are, in the edition's style and in the other."""
        c = edition_pool.c
        found: dict[int, tuple[Card, Card | None]] = {}
        for some in chunks(sorted(positions)):
            rows = select(edition_pool).where(c.edition_id == edition_id, c.position.in_(some), c.card_html != "")
            for row in self._connection.execute(rows):
                card = card_of(row)
                found[row.position] = card, other_card_of(card, row)
        return found

    def keep_cards(self, edition_id: int, made: Mapping[int, tuple[Card, Card | None]]) -> None:
        """Freezes cards made after the edition was; one that is there already stays as it is."""
        c = edition_pool.c
        for position, (card, other) in made.items():
            this = (c.edition_id == edition_id, c.position == position, c.card_html == "")
            self._connection.execute(update(edition_pool).where(*this).values(card_columns(card, other)))

    def featured(self, list_name: str, before: datetime, day: date) -> frozenset[int]:
        """Ids of the papers that editions of days before `day`, frozen before `before`, picked."""
        frozen = select(featured.c.paper_id).join(editions, editions.c.id == featured.c.edition_id)
        where = (featured.c.list == list_name, editions.c.frozen_at < before, editions.c.date < day)
        return frozenset(self._connection.scalars(frozen.where(*where)))

    def appearances(self, paper_id: int) -> list[Appearance]:
        """The editions on lists' pages that picked a paper, newest first, cancelled ones aside."""
        e = editions.c
        found = select(e.list, e.date, e.cutoff, e.frequency, featured.c.rank).join(featured, featured.c.edition_id == e.id)
        rows = self._connection.execute(found.where(featured.c.paper_id == paper_id, *_STANDING).order_by(*_NEWEST))
        return [Appearance(row.list, row.date, slug(row.date, row.cutoff, Frequency(row.frequency)), row.rank) for row in rows]

    def past_picks(self, list_name: str, since: datetime, at: datetime, day: date) -> list[Paper]:
        """The papers that editions of days before `day`, frozen in [since, at), picked, as they were shown; newest first."""
        inside = (editions.c.frozen_at >= since, editions.c.frozen_at < at, editions.c.date < day)
        pool = edition_pool.c
        found = (
            select(_PAPER, pool.paper_id)
            .select_from(_POOLED)
            .join(featured, (featured.c.edition_id == pool.edition_id) & (featured.c.paper_id == pool.paper_id))
            .join(editions, editions.c.id == featured.c.edition_id)
            .where(featured.c.list == list_name, *inside)
            .order_by(editions.c.frozen_at.desc(), featured.c.rank)
        )
        return [replace(paper_from_document(row.paper), id=row.paper_id) for row in self._connection.execute(found)]

    def past_updates(self, list_name: str, since: datetime, at: datetime, day: date) -> list[Update]:
        """What editions of days before `day`, frozen in [since, at), told of papers shown before, cancelled ones aside."""
        delivery_counts = (
            editions.c.list == list_name,
            editions.c.frozen_at >= since,
            editions.c.frozen_at < at,
            editions.c.date < day,
        )
        rows = self._connection.scalars(select(editions.c.updates).where(*delivery_counts, editions.c.state == "frozen"))
        return [update_from(update) for updates in rows for update in updates]

    def freeze(self, draft: Edition, rendered: Rendered) -> Edition:
        """Keeps the edition with its pool, cards and what it features; returns it with its id.

        Where the list already has one of that window and cutoff, that one is returned and nothing is written.
        """
        return self.freeze_as(draft.list, draft, rendered)

    def freeze_as(self, name: str, draft: Edition, rendered: Rendered) -> Edition:
        """`freeze` under another name than the list's: for corrections."""
        assert len(rendered.cards) == len(draft.pool), "one card per pooled paper"
        row = head_row(draft, rendered) | {"list": name}
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
            others = rendered.other.cards if rendered.other else [None] * len(draft.pool)
            before = self._shown_before(name, edition_id)
            rows = [
                pool_row(edition_id, pooled, card, other, ranks.get(pooled.ranked.paper.id), before)
                for pooled, card, other in zip(draft.pool, rendered.cards, others, strict=True)
            ]
            self._connection.execute(insert(edition_pool), rows)
        if draft.on_pages:
            rows = [{"list": draft.list, "paper_id": p, "edition_id": edition_id, "rank": rank} for p, rank in ranks.items()]
            insert_new(self._connection, featured, rows)
        return replace(draft, id=edition_id, pool=())

    def _shown_before(self, name: str, edition_id: int) -> dict[int, tuple[Mapping[str, Any], list[int]]]:
        """By paper, its document in the list's last edition before, and where that is kept."""
        last = select(func.max(editions.c.id)).where(editions.c.list == name, editions.c.id < edition_id).scalar_subquery()
        rows = (
            select(edition_pool.c.paper_id, _PAPER, *_WHERE_SHOWN).select_from(_POOLED).where(edition_pool.c.edition_id == last)
        )
        return {row[0]: (row[1], [row[2], row[3]]) for row in self._connection.execute(rows)}

    def cancel(self, edition_id: int) -> None:
        """No further delivery of it is claimed. Where nobody can have got it, its papers may be featured again.

        Raises NotFound.
        """
        cancelled = update(editions).where(editions.c.id == edition_id).values(state="cancelled")
        if self._connection.execute(cancelled).rowcount == 0:
            raise NotFound(f"edition {edition_id}")
        sent = exists().where(deliveries.c.edition_id == edition_id, deliveries.c.state.in_(_SENT))
        self._connection.execute(featured.delete().where(featured.c.edition_id == edition_id, ~sent))

    # ---- reading ----

    def _one(self, statement: Select[Any]) -> Edition | None:
        found = self._many(statement)
        return found[0] if found else None

    def _many(self, statement: Select[Any]) -> list[Edition]:
        heads = self._connection.execute(statement).all()
        picks = self._picks([head.id for head in heads])
        return [edition_of(head, picks[head.id]) for head in heads]

    def _picks(self, edition_ids: Iterable[int]) -> dict[int, list[Pick]]:
        these = (edition_pool.c.edition_id.in_(list(edition_ids)), edition_pool.c.pick_rank.is_not(None))
        picked = select(*_POOL).select_from(_POOLED).where(*these)
        picks: dict[int, list[Pick]] = defaultdict(list)
        for row in self._connection.execute(picked.order_by(edition_pool.c.edition_id, edition_pool.c.pick_rank)):
            picks[row.edition_id].append(Pick(row.pick_rank, ranked_of(row)))
        return picks
