"""choose: which of an edition's pooled papers a reader gets: of those they were not sent the best, or the closest to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING

from digest.domain.delivery import Claimed
from digest.domain.edition import Pooled
from digest.domain.errors import InvalidIdentifier
from digest.domain.identifier import Identifier, parse_identifier
from digest.domain.paper import Paper, Ranked
from digest.domain.schedule import Frequency
from digest.domain.subscriber import Interests
from digest.services.delivery.choose_papers import Choice
from digest.store.unit_of_work import Store, Unit

if TYPE_CHECKING:
    from digest.ranking.pool_index import Shelf


_PREPARED = 8
"""Editions whose pools are kept, and _SELECTIONS what was chosen from them."""
_SELECTIONS = 2000


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What choosing from an edition needs. It never changes, but for which paper stands at a position (two may become one)."""

    own: tuple[int, ...]
    """Positions of the list's own picks."""
    usual: int
    featured: frozenset[int]
    pool: tuple[Pooled, ...]
    varied: bool
    since: datetime
    """Nothing in the pool can have been sent by a delivery that was too late by then."""
    says_nothing: bool
    """Readers for whom there is no paper get the mail that says so."""


class Chooser:
    """Keeps delivery.choose_papers.Choose. Safe to share between threads."""

    def __init__(self, store: Store, sending_empty: Collection[str] = ()) -> None:
        """`sending_empty` are lists that say so on a day when there is nothing for a reader."""
        self._store, self._sending_empty = store, sending_empty
        self._editions: dict[int, _Prepared] = {}
        self._selections: dict[tuple[int, frozenset[int], int], tuple[Choice, ...]] = {}
        self._shelved: tuple[int, Shelf] | None = None
        self._one_at_a_time = Lock()

    def __call__(
        self, unit: Unit, readers: Sequence[Claimed], besides: Collection[int] = ()
    ) -> dict[int, Sequence[Choice] | None]:
        """Each reader's papers, best first: as many as they want, or as the list has. A paper that was sent to them is not.
        None: the mail that says that there is nothing."""
        if not readers:
            return {}
        edition_id = readers[0].edition_id
        with self._one_at_a_time:
            prepared = self._prepare(unit, edition_id)
        nothing = None if prepared.says_nothing else ()
        if not prepared.pool:
            return dict.fromkeys([each.id for each in readers], nothing)
        sent = unit.sent_papers.papers_sent({each.subscriber_id for each in readers}, prepared.since, besides)
        ids = unit.editions.pool_ids(edition_id)
        meets = {papers: frozenset(ids[paper] for paper in papers & ids.keys()) for papers in set(sent.values())}
        choices: dict[int, Sequence[Choice] | None] = {}
        personal = [each for each in readers if each.personal]
        for each in readers:
            if not each.personal:
                had = meets[sent[each.subscriber_id]] if each.subscriber_id in sent else frozenset[int]()
                choices[each.id] = self._shared(edition_id, prepared, had, each.wanted or prepared.usual)
        if personal:
            choices |= self._personal(edition_id, prepared, personal, sent)
        return {each.id: choices[each.id] or nothing for each in readers}

    def _prepare(self, unit: Unit, edition_id: int) -> _Prepared:
        found = self._editions.get(edition_id)
        if found is None:
            edition, pool = unit.editions.get(edition_id), unit.editions.pool(edition_id)
            position = {each.ranked.paper.id: each.position for each in pool}
            own = tuple(position[pick.ranked.paper.id] for pick in edition.picks) if edition else ()
            oldest = min((each.ranked.paper.first_seen_at for each in pool), default=None)
            at = edition.frozen_at if edition else datetime.min.replace(tzinfo=UTC)
            found = _Prepared(
                own,
                edition.max_picks if edition else 0,
                frozenset(each.position for each in pool if each.featured_before),
                pool,
                edition is not None and edition.frequency is Frequency.DAILY,
                oldest or at,
                edition is not None and edition.is_empty and edition.list in self._sending_empty,
            )
            while len(self._editions) >= _PREPARED:
                self._editions.pop(next(iter(self._editions)))
            self._editions[edition_id] = found
        return found

    def _shared(self, edition_id: int, prepared: _Prepared, had: frozenset[int], wanted: int) -> tuple[Choice, ...]:
        """What everybody gets who was sent the same of this pool."""
        key = edition_id, had, wanted
        found = self._selections.get(key)
        if found is None:
            if had == prepared.featured and wanted == prepared.usual:
                chosen = prepared.own
            else:
                from digest.ranking.selection import select_unsent

                chosen = select_unsent(prepared.pool, wanted, had, varied=prepared.varied)
            if len(self._selections) >= _SELECTIONS:
                self._selections.clear()
            found = self._selections[key] = tuple((position, None) for position in chosen)
        return found

    def _personal(
        self, edition_id: int, prepared: _Prepared, readers: Sequence[Claimed], sent: Mapping[int, frozenset[int]]
    ) -> dict[int, Sequence[Choice] | None]:
        from digest.ranking.relevance import Reader, personal_picks

        none = frozenset[int]()
        wishes = [Reader(each.interests, each.wanted or prepared.usual, sent.get(each.subscriber_id, none)) for each in readers]
        outside = self._outside(prepared.pool, [each.interests for each in readers])
        with self._one_at_a_time:
            chosen = personal_picks(self._shelf(edition_id, prepared.pool), wishes, outside)
        sections = list(dict.fromkeys(each.section for each in prepared.pool))
        section = [sections.index(each.section) for each in prepared.pool]
        return {
            each.id: tuple(
                (pick.position, tuple(pick.reasons)) for pick in sorted(picks, key=lambda pick: section[pick.position])
            )
            for each, picks in zip(readers, chosen, strict=True)
        }

    def _shelf(self, edition_id: int, pool: Sequence[Pooled]) -> Shelf:
        """An edition's pool is prepared once, not for every batch: it never changes."""
        from digest.ranking.pool_index import Shelf

        if self._shelved is None or self._shelved[0] != edition_id:
            self._shelved = edition_id, Shelf(pool)
        return self._shelved[1]

    def alone(self, claimed: Claimed) -> Sequence[Choice] | None:
        """What one reader would get of an edition, or was chosen for them already: for a preview."""
        with self._store.read() as unit:
            there = unit.sent_papers.picks_of(claimed.edition_id, claimed.subscription_id)
            choices = self(unit, [claimed], list(there))[claimed.id]
            frozen = next(iter(there.values()), None)
            if frozen is None:
                return choices
            reasons = dict(choices or ())
            return [(position, reasons.get(position)) for position in frozen]

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
