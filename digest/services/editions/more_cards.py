"""Cards that an edition did not have when it was frozen, made when somebody first needs them and frozen then."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from digest.domain.edition import Card, PaperList
from digest.domain.errors import NotFound
from digest.store.unit_of_work import Store

if TYPE_CHECKING:
    from digest.services.editions.edition_renderer import EditionRenderer


class CardKeeper:
    """`edition_renderer` is asked for only where a card is missing: a process that finds them all loads nothing that renders."""

    def __init__(
        self, store: Store, edition_renderer: Callable[[], EditionRenderer], list_of: Callable[[str], PaperList]
    ) -> None:
        self._store, self._edition_renderer, self._list_of = store, edition_renderer, list_of

    def __call__(self, edition_id: int, positions: Collection[int]) -> Mapping[int, tuple[Card, Card | None]]:
        """The cards at these positions of an edition's pool. Whoever makes one first, all are given the same."""
        with self._store.read() as unit:
            found = unit.editions.cards(edition_id, positions)
            missing = set(positions) - found.keys()
            if not missing:
                return found
            edition = unit.editions.get(edition_id)
            if edition is None:
                raise NotFound(f"edition {edition_id}")
            whole = replace(edition, pool=unit.editions.pool(edition_id))
            rendered = unit.editions.rendered(edition_id)
        made = self._edition_renderer().more_cards(whole, self._list_of(edition.list), rendered, missing)
        with self._store.begin() as unit:
            unit.editions.keep_cards(edition_id, made)
            return unit.editions.cards(edition_id, positions)
