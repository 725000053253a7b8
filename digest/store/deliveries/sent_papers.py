"""What readers were sent: the deliveries say it, and nothing else does (docs/adr/0006)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, and_, cast, func, or_, select, true

from digest.domain.delivery import DeliveryState, SentIssue
from digest.store.dialect import among, walk_indexes
from digest.store.editions.edition_rows import listed
from digest.store.schema import deliveries, edition_pool, editions, subscribers, subscriptions

_SENT = (DeliveryState.ACCEPTED.value, DeliveryState.UNCERTAIN.value)
_OPEN = (DeliveryState.QUEUED.value, DeliveryState.CLAIMED.value)


class SentPapers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_several(self, subscriber_ids: Collection[int], *, lock: bool = False) -> set[int]:
        """Those of them with more than one subscription. With `lock`, whoever else locks one waits until the transaction ends."""
        s = subscriptions.c
        ids = sorted(subscriber_ids)
        several = select(s.subscriber_id).where(among(self._connection, s.subscriber_id, ids)).group_by(s.subscriber_id)
        found = set(self._connection.scalars(several.having(func.count() > 1)))
        if lock and found and self._connection.dialect.name == "postgresql":
            rows = select(subscribers.c.id).where(among(self._connection, subscribers.c.id, sorted(found)))
            self._connection.execute(rows.order_by(subscribers.c.id).with_for_update())
        return found

    def papers_sent(
        self, subscriber_ids: Collection[int], since: datetime, besides: Collection[int] = ()
    ) -> dict[int, frozenset[int]]:
        """Ids of the papers that each subscriber was sent, or is about to be, by any list, in deliveries too late after `since`.

        Left out are those sent nothing, and the deliveries `besides`. Readers with the same history have the same set.
        """
        d, s = deliveries.c, subscriptions.c
        sent = or_(d.state.in_(_SENT), and_(d.state.in_(_OPEN), d.picks.is_not(None)))
        shown = cast(d.edition_id, Text) + ":" + func.coalesce(cast(d.picks, Text), "")
        rows = (
            select(s.subscriber_id, func.aggregate_strings(shown, ";"))
            .join(deliveries, d.subscription_id == s.id)
            .where(among(self._connection, s.subscriber_id, sorted(subscriber_ids)), d.expires_at >= since, sent)
            .group_by(s.subscriber_id)
        )
        if besides:
            rows = rows.where(~among(self._connection, d.id, sorted(besides)))
        walk_indexes(self._connection)
        by_reader = {row[0]: row[1] for row in self._connection.execute(rows).all()}
        mails = {mail for history in set(by_reader.values()) for mail in history.split(";")}
        papers = self._papers_of(mails)
        sets = {history: frozenset().union(*(papers[mail] for mail in history.split(";"))) for history in set(by_reader.values())}
        return {reader: sets[history] for reader, history in by_reader.items()}

    def _papers_of(self, mails: Iterable[str]) -> dict[str, frozenset[int]]:
        """The papers of each "edition:[position,…]"; without positions: the edition's own picks."""
        picked = {
            mail: (int(edition), json.loads(picks or "null")) for mail in mails for edition, _, picks in [mail.partition(":")]
        }
        p = edition_pool.c
        shown = sorted({position for _, positions in picked.values() for position in positions or ()})
        pools: dict[int, dict[int, int]] = defaultdict(dict)
        own: dict[int, set[int]] = defaultdict(set)
        rows = select(p.edition_id, p.position, p.paper_id)
        of = among(self._connection, p.edition_id, sorted({edition for edition, positions in picked.values() if positions}))
        for row in self._connection.execute(rows.where(of, among(self._connection, p.position, shown))):  # both by the key
            pools[row.edition_id][row.position] = row.paper_id
        if whole := sorted({edition for edition, positions in picked.values() if positions is None}):
            of = among(self._connection, p.edition_id, whole)
            for row in self._connection.execute(rows.where(of, p.pick_rank.is_not(None))):
                own[row.edition_id].add(row.paper_id)
        return {
            mail: frozenset(own[edition] if positions is None else (pools[edition][n] for n in positions if n in pools[edition]))
            for mail, (edition, positions) in picked.items()
        }

    def issues(self, subscription_id: int, limit: int, before: int | None = None) -> list[SentIssue]:
        """What a reader was sent, newest first: at most `limit`, of those with a delivery id below `before`."""
        d, e = deliveries.c, editions.c
        rows = self._connection.execute(
            select(d.id, d.edition_id, d.picks, d.reasons, d.accepted_at, d.due_at, e.list, e.date, e.corrects)
            .join(editions, e.id == d.edition_id)
            .where(d.subscription_id == subscription_id, d.state.in_(_SENT), d.id < before if before else true())
            .order_by(d.id.desc())
            .limit(limit)
        ).all()
        own = self._own_picks(sorted({row.edition_id for row in rows if row.picks is None}))
        return [
            SentIssue(
                delivery_id=row.id,
                edition_id=row.edition_id,
                list=listed(row.list),
                date=row.date,
                sent_at=row.accepted_at or row.due_at,
                correction=row.corrects is not None,
                positions=tuple(own.get(row.edition_id, ()) if row.picks is None else row.picks),
                reasons=tuple(tuple((kind, text) for kind, text in some) for some in row.reasons or ()),
            )
            for row in rows
        ]

    def own_reasons(self, delivery_ids: Collection[int]) -> dict[int, list[list[tuple[str, Any]]]]:
        """By delivery, of each of its papers the (kind, text) of reasons that are its reader's own; nothing where none are."""
        d = deliveries.c
        these = (among(self._connection, d.id, sorted(delivery_ids)), d.reasons.is_not(None))
        return {row.id: row.reasons for row in self._connection.execute(select(d.id, d.reasons).where(*these))}

    def issue(self, subscription_id: int, delivery_id: int) -> SentIssue | None:
        """The one that a delivery brought; None where it is not this reader's, or was not sent."""
        found = self.issues(subscription_id, 1, delivery_id + 1)
        return found[0] if found and found[0].delivery_id == delivery_id else None

    def sent_with(self, subscriber_id: int, paper_id: int) -> tuple[int, int] | None:
        """(subscription, delivery) that brought a subscriber a paper first, by any list; None where none did."""
        d, s, p = deliveries.c, subscriptions.c, edition_pool.c
        rows = (
            select(d.id, d.subscription_id, d.picks, p.position, p.pick_rank)
            .join(subscriptions, s.id == d.subscription_id)
            .join(edition_pool, p.edition_id == d.edition_id)
            .where(s.subscriber_id == subscriber_id, p.paper_id == paper_id, d.state.in_(_SENT))
            .order_by(d.id)
        )
        for row in self._connection.execute(rows):
            if row.pick_rank is not None if row.picks is None else row.position in row.picks:
                return row.subscription_id, row.id
        return None

    def weighed_in(self, subscription_id: int, list_name: str, paper_id: int) -> tuple[int, bool] | None:
        """(the newest edition of a list that weighed a paper, whether this reader was sent it): of those sent, if any was."""
        d, e, p = deliveries.c, editions.c, edition_pool.c
        mine = and_(d.edition_id == e.id, d.subscription_id == subscription_id, d.state.in_(_SENT))
        rows = (
            select(e.id, d.id.is_not(None))
            .join(edition_pool, p.edition_id == e.id)
            .outerjoin(deliveries, mine)
            .where(p.paper_id == paper_id, e.list == list_name, e.state == "frozen")
            .order_by(d.id.is_(None), e.cutoff.desc(), e.id.desc())
            .limit(1)
        )
        found = self._connection.execute(rows).first()
        return None if found is None else (found[0], bool(found[1]))

    def _own_picks(self, edition_ids: Sequence[int]) -> dict[int, list[int]]:
        """Positions of the editions' own picks, best first: what deliveries show that say nothing of their own."""
        p = edition_pool.c
        rows = select(p.edition_id, p.position).where(p.edition_id.in_(edition_ids), p.pick_rank.is_not(None))
        own: dict[int, list[int]] = defaultdict(list)
        for row in self._connection.execute(rows.order_by(p.pick_rank)) if edition_ids else ():
            own[row.edition_id].append(row.position)
        return own

    def picks_of(self, edition_id: int, subscription_id: int) -> dict[int, Sequence[int] | None]:
        """What a reader's copy of an edition shows, by its id; None where that was not chosen yet, nothing without a copy."""
        d = deliveries.c
        rows = self._connection.execute(
            select(d.id, d.picks).where(d.edition_id == edition_id, d.subscription_id == subscription_id)
        )
        return {row.id: row.picks for row in rows}
