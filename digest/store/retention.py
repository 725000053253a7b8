"""What has been kept long enough goes: each step takes at most `limit` rows, so that nobody waits for the write lock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, delete, exists, func, select, tuple_, update

from digest.domain.delivery import FINAL, DeliveryState
from digest.domain.subscriber import SubscriptionState
from digest.store.libraries import Libraries
from digest.store.schema import (
    address_changes,
    alarms,
    card_translations,
    deliveries,
    edition_pool,
    edition_translations,
    editions,
    requests,
    signals,
    subscribers,
    subscriptions,
)

_PAST = tuple(state.value for state in (*FINAL, DeliveryState.UNCERTAIN))
_PAPERS = 2000
"""Papers whose readings are looked through in one step."""


class Retention:
    """Every method says how many rows it changed or took; 0 means that nothing older than `before` is left."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def unconfirmed(self, before: datetime, limit: int) -> int:
        """Requests made before, of changes of address too: gone, with the subscription that none of them confirmed, and the
        address where nothing else holds it.
        """
        s, r, c = subscriptions.c, requests.c, address_changes.c
        asked = exists().where(r.subscription_id == s.id)
        waiting = [s.state == SubscriptionState.PENDING.value, s.requested_at < before, ~asked]
        gone = self._drop(requests, r.public_id, [r.requested_at < before], limit)
        gone += self._drop(address_changes, c.public_id, [c.requested_at < before], limit)
        return gone + self._drop(subscriptions, s.id, waiting, limit) + self._nobody(before, limit)

    def alarms(self, before: datetime, limit: int) -> int:
        """What the operator was told before."""
        some = self._connection.execute(select(alarms.c.cause, alarms.c.day).where(alarms.c.at < before).limit(limit)).all()
        these = tuple_(alarms.c.cause, alarms.c.day).in_([(row.cause, row.day) for row in some])
        return self._connection.execute(delete(alarms).where(these)).rowcount if some else 0

    def ended(self, before: datetime, limit: int) -> int:
        """Subscriptions that ended before, with their proof and their deliveries, and the address where nothing else holds it."""
        s = subscriptions.c
        over = [s.state == SubscriptionState.ENDED.value, s.ended_at < before]
        return self._drop(subscriptions, s.id, over, limit) + self._nobody(before, limit)

    def deliveries(self, before: datetime, limit: int) -> int:
        """Deliveries due before that are over, with their attempts and what came back."""
        d = deliveries.c
        return self._drop(deliveries, d.id, [d.due_at < before, d.state.in_(_PAST)], limit)

    def cards(self, before: datetime, limit: int) -> int:
        """Finished mail parts of papers that an edition frozen before weighed and did not pick; what was weighed stays.

        An edition somebody is still to get, or that is its list's newest, keeps all. Others are rendered anew where asked for; so
        are translations, of which nothing is kept.
        """
        e, p = editions.c, edition_pool.c
        newer = editions.alias("newer")
        over = (
            e.frozen_at < before,
            exists().where(newer.c.list == e.list, newer.c.frozen_at > e.frozen_at, newer.c.state == "frozen"),
            ~exists().where(deliveries.c.edition_id == e.id),
        )
        spare = select(p.edition_id, p.position).join(editions, e.id == p.edition_id)
        spare = spare.where(*over, p.pick_rank.is_(None), p.card_html != "")
        some = self._connection.execute(spare.order_by(p.edition_id, p.position).limit(limit)).all()
        if not some:
            return self._translations(over, limit)
        these = tuple_(p.edition_id, p.position).in_([(row.edition_id, row.position) for row in some])
        return self._connection.execute(
            update(edition_pool).where(these).values(card_html="", card_text="", other_html="", other_text="")
        ).rowcount

    def _translations(self, over: Sequence[ColumnElement[bool]], limit: int) -> int:
        t = edition_translations.c
        kept = select(t.edition_id).join(editions, editions.c.id == t.edition_id).where(*over).distinct()
        some = self._connection.scalars(kept.order_by(t.edition_id).limit(limit)).all()
        if some:
            self._connection.execute(delete(card_translations).where(card_translations.c.edition_id.in_(some)))
            self._connection.execute(delete(edition_translations).where(t.edition_id.in_(some)))
        return len(some)

    def readings(self, before: datetime, after: int = 0) -> tuple[int, int | None]:
        """Of readings observed before, the last of each day (UTC) stays, for each paper, kind and source.

        Looks through some papers, those with an id above `after`; says how many readings went, and where to go on (None: done).
        """
        of_some = select(signals.c.paper_id).where(signals.c.paper_id > after).distinct().order_by(signals.c.paper_id)
        last = self._connection.scalars(of_some.limit(_PAPERS)).all()
        if not last:
            return 0, None
        later = signals.alias("later")
        same = [later.c[name] == signals.c[name] for name in ("paper_id", "kind", "source")]
        same += [later.c.observed_at > signals.c.observed_at, self._day(later.c.observed_at) == self._day(signals.c.observed_at)]
        # the last one of the day is the last one whichever side of `before` the rest of the day is
        old = (signals.c.paper_id > after, signals.c.paper_id <= last[-1], signals.c.observed_at < before)
        gone = self._connection.execute(delete(signals).where(*old, exists().where(*same))).rowcount
        return gone, last[-1]

    def _day(self, column: Column[datetime]) -> Any:
        # SQLite keeps instants as text in UTC; PostgreSQL would take the day in the session's zone
        return func.date(column) if self._connection.dialect.name == "sqlite" else func.date(func.timezone("UTC", column))

    def _nobody(self, before: datetime, limit: int) -> int:
        """Addresses with no subscription left. `before`: one being made at this moment is nobody's for an instant."""
        held = exists().where(subscriptions.c.subscriber_id == subscribers.c.id)
        gone = self._drop(subscribers, subscribers.c.id, [~held, subscribers.c.created_at < before], limit)
        Libraries(self._connection).drop_unheld()
        return gone

    def _drop(self, table: Table, key: Column[Any], where: list[Any], limit: int) -> int:
        some = self._connection.scalars(select(key).where(*where).order_by(key).limit(limit)).all()
        if not some:
            return 0
        return self._connection.execute(delete(table).where(key.in_(some))).rowcount
