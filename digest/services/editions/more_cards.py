"""Parts of an edition's mail that were not made when it was frozen: made when somebody first needs them, and frozen then.

That are cards of papers that few get, and the whole in another language than the list's, or in the authors' words only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from digest.domain.edition import (
    AUTHORS_WORDS,
    Card,
    Edition,
    PaperList,
    Pooled,
    Rendered,
    foremost,
    language_of,
)
from digest.domain.errors import DigestError, LintFailed, NotFound
from digest.domain.paper import Summary
from digest.services.papers.summarise import ENGLISH, Summaries
from digest.store.unit_of_work import Store

if TYPE_CHECKING:
    from digest.services.editions.edition_renderer import EditionRenderer


class CardKeeper:
    """`edition_renderer` is asked for only where a card is missing: a process that finds them all loads nothing that renders."""

    def __init__(
        self,
        store: Store,
        edition_renderer: Callable[[], EditionRenderer],
        list_of: Callable[[str], PaperList],
        summaries: Callable[[], Summaries],
    ) -> None:
        self._store, self._edition_renderer, self._list_of, self._summaries = store, edition_renderer, list_of, summaries
        self._prepared: set[tuple[int, str]] = set()

    def __call__(self, edition_id: int, positions: Collection[int], variant: str = "") -> Mapping[int, tuple[Card, Card | None]]:
        """The cards at these positions of an edition's pool, in a variant that was made of it, or as it was frozen ("").

        Whoever makes one first, all are given the same.
        """
        with self._store.read() as unit:
            kept = unit.translations.cards(edition_id, positions, variant) if variant else None
            found = unit.editions.cards(edition_id, positions) if kept is None else kept
            missing = set(positions) - found.keys()
            if not missing:
                return found
            rendered = unit.editions.rendered(edition_id)
            rendered = (unit.translations.find(edition_id, rendered, variant) or rendered) if variant else rendered
        whole = self.whole(edition_id, variant)
        made = self._edition_renderer().more_cards(whole, self._list_of(whole.list), rendered, missing)
        with self._store.begin() as unit:
            if variant:
                unit.translations.keep_cards(edition_id, made, variant)
                return unit.translations.cards(edition_id, positions, variant)
            unit.editions.keep_cards(edition_id, made)
            return unit.editions.cards(edition_id, positions)

    def prepare(self, edition_id: int, variant: str) -> None:
        """Makes a variant before anybody is sent it: an endpoint that is slow to write its lines holds up no delivery. Once."""
        if (edition_id, variant) in self._prepared:
            return
        self._prepared.add((edition_id, variant))
        with self._store.read() as unit:
            rendered = unit.editions.rendered(edition_id)
        if variant != rendered.language:
            with suppress(DigestError):  # whoever sends it says what is wrong
                self.translated(edition_id, rendered, variant)

    def translated(self, edition_id: int, rendered: Rendered, variant: str) -> Rendered:
        """`rendered`, an edition as it was frozen, in another variant, with the cards that it has.

        Raises TemplateError, LintFailed.
        """
        with self._store.read() as unit:
            found = unit.translations.find(edition_id, rendered, variant)
        if found is not None:
            return found
        whole, renderer = self.whole(edition_id, variant, ask=True), self._edition_renderer()
        paper_list = self._list_of(whole.list)
        made = renderer.translated(whole, paper_list, rendered, language_of(variant))
        if errors := renderer.proof(whole, paper_list, made):
            raise LintFailed(errors)
        with self._store.begin() as unit:
            unit.translations.keep(edition_id, made, variant)
            return unit.translations.find(edition_id, rendered, variant) or made

    def whole(self, edition_id: int, variant: str = "", *, ask: bool = False) -> Edition:
        """An edition with its pool, in the words of a variant. `ask`: the model too, not only what is remembered of it."""
        with self._store.read() as unit:
            edition = unit.editions.get(edition_id)
            if edition is None:
                raise NotFound(f"edition {edition_id}")
            edition = replace(edition, pool=unit.editions.pool(edition_id))
        picked = {pick.ranked.paper.id for pick in edition.picks}
        ahead = foremost(edition.pool, edition.max_pool, picked)
        ahead = tuple(sorted(ahead, key=lambda each: each.ranked.paper.id not in picked))
        lines = self._lines(ahead, variant, edition.frozen_at if ask else None)
        return replace(edition, pool=tuple(_worded(each, variant, lines) for each in edition.pool))

    def worded(self, papers: Sequence[Pooled], variant: str) -> tuple[Pooled, ...]:
        """Papers with the summaries that a variant has."""
        lines = self._lines(papers, variant, None)
        return tuple(_worded(each, variant, lines) for each in papers)

    def _lines(self, papers: Sequence[Pooled], variant: str, at: datetime | None) -> Mapping[int, Summary]:
        if not variant or variant.endswith(AUTHORS_WORDS):
            return {}
        return self._summaries()([each.ranked.paper for each in papers], at, variant)


def _worded(pooled: Pooled, variant: str, lines: Mapping[int, Summary]) -> Pooled:
    """With its line, and without one that is for other readers. What has none is summed up when it is shown."""
    paper = pooled.ranked.paper
    summary = lines.get(paper.id, paper.summary)
    foreign = summary and variant and summary.language not in ("", ENGLISH, variant)
    if variant.endswith(AUTHORS_WORDS) or foreign:
        summary = None
    return replace(pooled, ranked=replace(pooled.ranked, paper=replace(paper, summary=summary)))
