"""choose: which of an edition's pooled papers a reader with wishes of their own gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING

from digest.domain.delivery import Claimed
from digest.domain.edition import Pooled
from digest.domain.errors import InvalidIdentifier
from digest.domain.identifier import Identifier, parse_identifier
from digest.domain.paper import Paper, Ranked
from digest.domain.subscriber import Interests
from digest.services.delivery.run import REMEMBERED, Choice
from digest.store.unit_of_work import Store

if TYPE_CHECKING:
    from digest.ranking.pool_index import Shelf


class Chooser:
    """Keeps deliver.Choose. Safe to share between threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._prepared: tuple[int, int, Shelf] | None = None
        self._one_at_a_time = Lock()

    def __call__(
        self, pool: Sequence[Pooled], readers: Sequence[Claimed], sent: Mapping[int, set[int]]
    ) -> list[tuple[Choice, ...]]:
        """Each reader's picks, best first: as many as they want, or as the list has.

        `readers` are of one edition. A paper that was sent to a reader, by any list, is not sent to them again.
        """
        from digest.ranking.relevance import Reader, personal_picks

        if not readers:
            return []
        with self._store.read() as unit:
            edition = unit.editions.get(readers[0].edition_id)
        usual = len(edition.picks) if edition else 0
        wishes = [Reader(each.interests, each.wanted or usual, frozenset(sent.get(each.subscriber_id, ()))) for each in readers]
        outside = self._outside(pool, [each.interests for each in readers])
        with self._one_at_a_time:
            chosen = personal_picks(self._shelf(readers[0].edition_id, pool), wishes, outside)
        return [tuple((pick.position, tuple(pick.reasons)) for pick in picks) for picks in chosen]

    def _shelf(self, edition_id: int, pool: Sequence[Pooled]) -> Shelf:
        """An edition's pool is prepared once, not for every batch: it never changes."""
        from digest.ranking.pool_index import Shelf

        if self._prepared is None or self._prepared[:2] != (edition_id, len(pool)):
            self._prepared = edition_id, len(pool), Shelf(pool)
        return self._prepared[2]

    def alone(self, claimed: Claimed, at: datetime) -> tuple[Choice, ...]:
        """What one reader would get of an edition, for a preview."""
        with self._store.read() as unit:
            pool = unit.editions.pool(claimed.edition_id)
            sent = unit.deliveries.recent_picks([claimed.subscriber_id], at - REMEMBERED)
        return self(pool, [claimed], sent)[0]

    def ranking(self, pool: Sequence[Pooled], interests: Interests) -> list[Ranked]:
        """The whole pool in a reader's own order, with their reasons."""
        from digest.ranking.relevance import Reader, personal_picks

        [picks] = personal_picks(pool, [Reader(interests, len(pool), frozenset())], self._outside(pool, [interests]))
        best = len(picks)
        return [
            replace(pool[pick.position].ranked, score=float(best - place), reasons=tuple(pick.reasons))
            for place, pick in enumerate(picks)
        ]

    def _outside(self, pool: Sequence[Pooled], interests: Sequence[Interests]) -> dict[str, Paper]:
        """Liked and disliked papers that are not in the pool, by the name they were liked under."""
        known = {str(identifier) for each in pool for identifier in each.ranked.paper.identifiers}
        named: dict[Identifier, str] = {}
        for name in sorted({name for each in interests for name in (*each.liked, *each.disliked)} - known):
            with suppress(InvalidIdentifier):
                named[parse_identifier(name).identifier] = name
        with self._store.read() as unit:
            found = unit.papers.named(named)
        return {named[identifier]: paper for identifier, paper in found.items()}
