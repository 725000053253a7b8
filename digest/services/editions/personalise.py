"""Which of an edition's pooled papers a reader gets: of those they were not sent the best, or the closest to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING

from digest.domain.delivery import Claimed
from digest.domain.edition import Pooled, foremost
from digest.domain.errors import InvalidIdentifier
from digest.domain.identifier import Identifier, parse_identifier
from digest.domain.paper import Ranked
from digest.domain.schedule import Frequency
from digest.domain.subscriber import Interests
from digest.services.delivery.choose_papers import Choice
from digest.store.unit_of_work import Store, UnitOfWork

if TYPE_CHECKING:
    from digest.ranking.nearness import Liked
    from digest.ranking.relevance import PersonalPick, Window
    from digest.services.editions.more_cards import CardKeeper

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
    positions: frozenset[int]
    pool: tuple[Pooled, ...]
    """What readers without interests choose from; those with interests choose from all of it."""
    varied: bool
    since: datetime
    """Nothing in the pool can have been sent by a delivery that was too late by then."""
    says_nothing: bool
    """Readers for whom there is no paper get the mail as it is: a correction, or one that says that there is nothing."""


class Personaliser:
    """Keeps delivery.choose_papers.Choose. Safe to share between threads. `cards` makes the cards that an edition lacks."""

    def __init__(self, store: Store, cards: CardKeeper, sending_empty: Collection[str] = ()) -> None:
        """`sending_empty` are lists that say so on a day when there is nothing for a reader."""
        self._store, self._sending_empty = store, sending_empty
        self.make_cards = cards
        self._editions: dict[int, _Prepared] = {}
        self._selections: dict[tuple[int, frozenset[int], int], tuple[Choice, ...]] = {}
        self._window: tuple[int, datetime, Window] | None = None
        self._names: dict[int, str] = {}
        self._one_at_a_time = Lock()

    def __call__(
        self, unit: UnitOfWork, readers: Sequence[Claimed], besides: Collection[int] = ()
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
        meets = {
            papers: prepared.positions.intersection(ids[paper] for paper in papers & ids.keys()) for papers in set(sent.values())
        }
        choices: dict[int, Sequence[Choice] | None] = {}
        for each in readers:
            if not each.personal:
                had = meets[sent[each.subscriber_id]] if each.subscriber_id in sent else frozenset[int]()
                choices[each.id] = self._shared(edition_id, prepared, had, each.wanted or prepared.usual)
        if personal := [each for each in readers if each.personal]:
            choices |= self._personal(unit, edition_id, prepared.usual, personal, sent)
        return {each.id: choices[each.id] or nothing for each in readers}

    def _prepare(self, unit: UnitOfWork, edition_id: int) -> _Prepared:
        found = self._editions.get(edition_id)
        if found is None:
            edition, pool = unit.editions.get(edition_id), unit.editions.pool(edition_id)
            position = {each.ranked.paper.id: each.position for each in pool}
            own = tuple(position[pick.ranked.paper.id] for pick in edition.picks) if edition else ()
            oldest = min((each.ranked.paper.first_seen_at for each in pool), default=None)
            at = edition.frozen_at if edition else datetime.min.replace(tzinfo=UTC)
            picked = {pick.ranked.paper.id for pick in edition.picks} if edition else set[int]()
            offered = foremost(pool, edition.max_pool, picked) if edition else ()
            found = _Prepared(
                own,
                edition.max_picks if edition else 0,
                frozenset(each.position for each in offered if each.featured_before),
                frozenset(each.position for each in offered),
                offered,
                edition is not None and edition.frequency is Frequency.DAILY,
                oldest or at,
                edition is not None and (bool(edition.corrects) or (edition.is_empty and edition.list in self._sending_empty)),
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
        self, unit: UnitOfWork, edition_id: int, usual: int, readers: Sequence[Claimed], sent: Mapping[int, frozenset[int]]
    ) -> dict[int, Sequence[Choice] | None]:
        from digest.ranking.relevance import Reader, personal_picks

        with self._one_at_a_time:
            frozen_at, window = self._prepared_window(unit, edition_id)
            interests, outside = self._with_libraries(unit, window, readers, frozen_at)
            topics = [
                Reader(own, each.wanted or usual, sent.get(each.subscriber_id, frozenset()))
                for each, own in zip(readers, interests, strict=True)
            ]
            chosen = personal_picks(window, topics, outside)
        pool = window.pool_index.pool
        sections = {name: place for place, name in enumerate(dict.fromkeys(each.section for each in pool))}
        return {
            each.id: tuple(
                (pick.position, tuple(pick.reasons))
                for pick in sorted(picks, key=lambda pick: sections[pool[pick.position].section])
            )
            for each, picks in zip(readers, chosen, strict=True)
        }

    def _prepared_window(self, unit: UnitOfWork, edition_id: int) -> tuple[datetime, Window]:
        """An edition's papers are prepared once, not for every batch: they never change, and of sentence vectors it knows those
        that were there when it was frozen, so that a mail that is composed again says the same.
        """
        if self._window is None or self._window[0] != edition_id:
            edition = unit.editions.get(edition_id)
            assert edition is not None, "it is chosen from"
            self._window = edition_id, edition.frozen_at, _window(unit, unit.editions.pool(edition_id), edition.frozen_at)
        return self._window[1:]

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

    def ranking(self, ranked: Sequence[Ranked], interests: Interests, at: datetime) -> list[Ranked]:
        """All that is ranked at an instant in a reader's own order, with their reasons."""
        with self._store.read() as unit:
            window = _window(unit, [Pooled(position, each) for position, each in enumerate(ranked)], at)
            picks = self._of_one(unit, window, interests, len(ranked), at)
        best = len(picks)
        return [
            replace(ranked[pick.position], score=float(best - place), reasons=tuple(pick.reasons))
            for place, pick in enumerate(picks)
        ]

    def weighed(self, edition_id: int, interests: Interests, wanted: int) -> list[tuple[Ranked, Mapping[str, float]]]:
        """What an edition has for somebody with these interests, whatever they were sent before: the papers with their reasons
        and what each score is the sum of.
        """
        from digest.ranking.relevance import Window

        with self._store.read() as unit:
            with self._one_at_a_time:
                frozen_at, window = self._prepared_window(unit, edition_id)
            pool_index = window.pool_index
            picks = self._of_one(unit, Window(pool_index), interests, wanted, frozen_at)
        return [(replace(pool_index.pool[pick.position].ranked, reasons=tuple(pick.reasons)), pick.parts) for pick in picks]

    def hidden_by(self, edition_id: int, interests: Interests, paper_id: int) -> str:
        """Which of the words or authors that a reader hides hides a paper of an edition; "" for none."""
        with self._store.read() as unit, self._one_at_a_time:
            pool_index = self._prepared_window(unit, edition_id)[1].pool_index
        position = pool_index.ids[paper_id]
        for kind, muted in (("words", interests.muted_words), ("authors", interests.muted_authors)):
            for interest, row in zip(muted, pool_index.fulfilled(kind, muted, muting=True), strict=True):
                if row[position] >= 1:
                    return interest
        return ""

    def _of_one(
        self, unit: UnitOfWork, window: Window, interests: Interests, wanted: int, at: datetime
    ) -> tuple[PersonalPick, ...]:
        from digest.ranking.relevance import Reader, personal_picks

        outside = self._texts(unit, window.nearness.missing((*interests.liked, *interests.disliked)), at)
        [picks] = personal_picks(window, [Reader(interests, wanted)], outside)
        return picks

    def _with_libraries(
        self, unit: UnitOfWork, window: Window, readers: Sequence[Claimed], at: datetime
    ) -> tuple[list[Interests], dict[str, Liked]]:
        """Each reader's interests with their library, and the texts of what the window has not learnt yet."""
        held = unit.libraries.held(sorted({each.subscription_id for each in readers}))
        unknown = {work_id for works in held.values() for work_id in works} - self._names.keys()
        self._names |= unit.libraries.names_of(unknown)
        interests = [
            replace(each.interests, liked=tuple(self._names[work_id] for work_id in works))
            if (works := held.get(each.subscription_id))
            else each.interests
            for each in readers
        ]
        names = window.nearness.missing({name for own in interests for name in (*own.liked, *own.disliked)})
        return interests, self._texts(unit, names, at)

    def _texts(self, unit: UnitOfWork, names: Sequence[str], at: datetime) -> dict[str, Liked]:
        """Works and papers by the name they were liked or disliked under; works with the sentence vectors known by `at`."""
        works = {name: work for name, work in unit.libraries.named(names).items() if work.title}
        vectors = unit.vectors.of_works(works, at)
        found: dict[str, Liked] = {name: replace(work, vector=vectors.get(name, b"")) for name, work in works.items()}
        others: dict[Identifier, str] = {}
        for name in sorted(set(names) - found.keys()):
            with suppress(InvalidIdentifier):
                others[parse_identifier(name).identifier] = name
        return {**found, **{others[identifier]: paper for identifier, paper in unit.papers.named(others).items()}}


def _window(unit: UnitOfWork, pool: Sequence[Pooled], at: datetime) -> Window:
    """With the sentence vectors known by `at`."""
    from digest.ranking.pool_index import PoolIndex
    from digest.ranking.relevance import Window

    return Window(PoolIndex(pool, unit.vectors.of_papers((each.ranked.paper for each in pool), at)))
