"""choose: which of an edition's papers a reader with interests of their own gets."""

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
from digest.domain.paper import Ranked
from digest.domain.subscriber import Interests
from digest.services.delivery.run import REMEMBERED, Choice
from digest.services.editions.message_composer import MoreCards
from digest.store.unit_of_work import Store

if TYPE_CHECKING:
    from digest.ranking.nearness import Liked
    from digest.ranking.relevance import PersonalPick, Window


class Chooser:
    """Keeps deliver.Choose. Safe to share between threads. `cards` makes sure that an edition has the cards at some positions."""

    def __init__(self, store: Store, cards: MoreCards) -> None:
        self._store = store
        self.cards = cards
        self._prepared: tuple[int, Window] | None = None
        self._names: dict[int, str] = {}
        self._one_at_a_time = Lock()

    def __call__(self, edition_id: int, readers: Sequence[Claimed], sent: Mapping[int, set[int]]) -> list[tuple[Choice, ...]]:
        """Each reader's picks, best first: as many as they want, or as the list has.

        `readers` are of one edition. A paper that was sent to a reader, by any list, is not sent to them again.
        """
        if not readers:
            return []
        chosen = self.picks(edition_id, readers, sent)
        self.cards(edition_id, {pick.position for picks in chosen for pick in picks})
        return [tuple((pick.position, tuple(pick.reasons)) for pick in picks) for picks in chosen]

    def picks(self, edition_id: int, readers: Sequence[Claimed], sent: Mapping[int, set[int]]) -> list[tuple[PersonalPick, ...]]:
        """The same with what each score is the sum of."""
        from digest.ranking.relevance import Reader, personal_picks

        with self._store.read() as unit:
            edition = unit.editions.get(edition_id)
        usual = len(edition.picks) if edition else 0
        with self._one_at_a_time:
            window = self._window(edition_id)
            interests, outside = self._with_libraries(window, readers)
            wanted = [
                Reader(own, each.wanted or usual, frozenset(sent.get(each.subscriber_id, ())))
                for each, own in zip(readers, interests, strict=True)
            ]
            return personal_picks(window, wanted, outside)

    def _window(self, edition_id: int) -> Window:
        """An edition's papers are prepared once, not for every batch: they never change."""
        from digest.ranking.relevance import Window

        if self._prepared is None or self._prepared[0] != edition_id:
            with self._store.read() as unit:
                self._prepared = edition_id, Window(unit.editions.pool(edition_id))
        return self._prepared[1]

    def alone(self, claimed: Claimed, at: datetime) -> tuple[Choice, ...]:
        """What one reader would get of an edition, for a preview."""
        with self._store.read() as unit:
            sent = unit.deliveries.recent_picks([claimed.subscriber_id], at - REMEMBERED)
        return self(claimed.edition_id, [claimed], sent)[0]

    def ranking(self, ranked: Sequence[Ranked], interests: Interests) -> list[Ranked]:
        """All that is ranked in a reader's own order, with their reasons."""
        from digest.ranking.relevance import Window

        window = Window([Pooled(position, each) for position, each in enumerate(ranked)])
        picks = self._of_one(window, interests, len(ranked))
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

        with self._one_at_a_time:
            shelf = self._window(edition_id).shelf
            picks = self._of_one(Window(shelf), interests, wanted)
        return [(replace(shelf.pool[pick.position].ranked, reasons=tuple(pick.reasons)), pick.parts) for pick in picks]

    def _of_one(self, window: Window, interests: Interests, wanted: int) -> tuple[PersonalPick, ...]:
        from digest.ranking.relevance import Reader, personal_picks

        outside = self._texts(window.nearness.missing((*interests.liked, *interests.disliked)))
        [picks] = personal_picks(window, [Reader(interests, wanted)], outside)
        return picks

    def _with_libraries(self, window: Window, readers: Sequence[Claimed]) -> tuple[list[Interests], dict[str, Liked]]:
        """Each reader's interests with their library, and the texts of what the window has not learnt yet."""
        with self._store.read() as unit:
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
        return interests, self._texts(names)

    def _texts(self, names: Sequence[str]) -> dict[str, Liked]:
        """Works and papers by the name they were liked or disliked under."""
        with self._store.read() as unit:
            found: dict[str, Liked] = {name: work for name, work in unit.libraries.named(names).items() if work.title}
            others: dict[Identifier, str] = {}
            for name in sorted(set(names) - found.keys()):
                with suppress(InvalidIdentifier):
                    others[parse_identifier(name).identifier] = name
            papers = unit.papers.named(others)
        return {**found, **{others[identifier]: paper for identifier, paper in papers.items()}}
