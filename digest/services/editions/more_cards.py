"""Parts of an edition's mail that were not made when it was frozen: made when somebody first needs them, and frozen then.

That are cards of papers that few get, and the whole in another language than the list's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from digest.domain.edition import Card, Edition, PaperList, Rendered
from digest.domain.errors import LintFailed, NotFound
from digest.store.unit_of_work import Store

if TYPE_CHECKING:
    from digest.services.editions.edition_renderer import EditionRenderer


class CardKeeper:
    """`edition_renderer` is asked for only where a card is missing: a process that finds them all loads nothing that renders."""

    def __init__(
        self, store: Store, edition_renderer: Callable[[], EditionRenderer], list_of: Callable[[str], PaperList]
    ) -> None:
        self._store, self._edition_renderer, self._list_of = store, edition_renderer, list_of

    def __call__(self, edition_id: int, positions: Collection[int], language: str = "") -> Mapping[int, tuple[Card, Card | None]]:
        """The cards at these positions of an edition's pool, in a language that it was translated into, or its own ("").

        Whoever makes one first, all are given the same.
        """
        with self._store.read() as unit:
            kept = unit.translations.cards(edition_id, positions, language) if language else None
            found = unit.editions.cards(edition_id, positions) if kept is None else kept
            missing = set(positions) - found.keys()
            if not missing:
                return found
            rendered = unit.editions.rendered(edition_id)
            rendered = (unit.translations.find(edition_id, rendered, language) or rendered) if language else rendered
        whole = self._whole(edition_id)
        made = self._edition_renderer().more_cards(whole, self._list_of(whole.list), rendered, missing)
        with self._store.begin() as unit:
            if language:
                unit.translations.keep_cards(edition_id, made, language)
                return unit.translations.cards(edition_id, positions, language)
            unit.editions.keep_cards(edition_id, made)
            return unit.editions.cards(edition_id, positions)

    def translated(self, edition_id: int, rendered: Rendered, language: str) -> Rendered:
        """`rendered`, an edition as it was frozen, in another language, with the cards that it has.

        Raises TemplateError, LintFailed.
        """
        with self._store.read() as unit:
            found = unit.translations.find(edition_id, rendered, language)
        if found is not None:
            return found
        whole, renderer = self._whole(edition_id), self._edition_renderer()
        paper_list = self._list_of(whole.list)
        made = renderer.translated(whole, paper_list, rendered, language)
        if errors := renderer.proof(whole, paper_list, made):
            raise LintFailed(errors)
        with self._store.begin() as unit:
            unit.translations.keep(edition_id, made)
            return unit.translations.find(edition_id, rendered, language) or made

    def _whole(self, edition_id: int) -> Edition:
        with self._store.read() as unit:
            edition = unit.editions.get(edition_id)
            if edition is None:
                raise NotFound(f"edition {edition_id}")
            return replace(edition, pool=unit.editions.pool(edition_id))
