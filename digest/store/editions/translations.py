"""Editions in a language that is not their list's, or in their authors' words: made when first needed, and frozen then.

Each is kept under its `variant` (domain/edition.py), which stands in the column "language".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, select

from digest.domain.edition import Card, Rendered, language_of
from digest.store.dialect import chunks, insert_new
from digest.store.editions.edition_rows import nothing_document, other_document
from digest.store.schema_editions import card_translations, edition_translations

_SHELL = ("subject", "html", "text", "nonce", "preheader", "period")


class Translations:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, edition_id: int, rendered: Rendered, variant: str) -> Rendered | None:
        """What `rendered`, the edition as it was frozen, is in that variant; with the cards that there are."""
        t = edition_translations.c
        shell: Any = self._connection.scalar(select(t.shell).where(t.edition_id == edition_id, t.language == variant))
        if shell is None:
            return None
        made, language = self.cards(edition_id, range(len(rendered.cards)), variant), language_of(variant)
        blank = [replace(card, html="", text="") for card in rendered.cards]
        cards = [made[n][0] if n in made else card for n, card in enumerate(blank)]
        translated = replace(
            rendered, **{name: shell[name] for name in _SHELL}, language=language, cards=tuple(cards), other=None, nothing=None
        )
        if nothing := shell.get("nothing"):
            translated = replace(translated, nothing=Rendered(cards=(), language=language, **nothing))
        if other := shell.get("other"):
            others = tuple((made[n][1] or card) if n in made else card for n, card in enumerate(blank))
            translated = replace(translated, other=replace(translated, **other, cards=others, nothing=None))
        return translated

    def keep(self, edition_id: int, rendered: Rendered, variant: str) -> None:
        """Freezes it; one that is there already stays as it is."""
        shell = {name: getattr(rendered, name) for name in _SHELL} | {"other": other_document(rendered.other)}
        if rendered.nothing:
            shell["nothing"] = nothing_document(rendered.nothing)
        insert_new(self._connection, edition_translations, [{"edition_id": edition_id, "language": variant, "shell": shell}])
        others: Collection[Card | None] = rendered.other.cards if rendered.other else [None] * len(rendered.cards)
        made = {n: pair for n, pair in enumerate(zip(rendered.cards, others, strict=True)) if pair[0].html}
        self.keep_cards(edition_id, made, variant)

    def cards(self, edition_id: int, positions: Collection[int], variant: str) -> dict[int, tuple[Card, Card | None]]:
        """Those cards that there are, in the edition's style and in the other."""
        c = card_translations.c
        found: dict[int, tuple[Card, Card | None]] = {}
        for some in chunks(sorted(positions)):
            of_these = (c.edition_id == edition_id, c.language == variant, c.position.in_(some))
            for row in self._connection.execute(select(card_translations).where(*of_these)):
                found[row.position] = _cards_of(row)
        return found

    def keep_cards(self, edition_id: int, made: Mapping[int, tuple[Card, Card | None]], variant: str) -> None:
        rows = [
            {
                "edition_id": edition_id,
                "position": position,
                "language": variant,
                "html": card.html,
                "text": card.text,
                "words": [card.paper_id, card.identifier, card.title, card.reasons, card.section],
                "other_html": other.html if other else None,
                "other_text": other.text if other else None,
            }
            for position, (card, other) in made.items()
        ]
        insert_new(self._connection, card_translations, rows)


def _cards_of(row: Row[Any]) -> tuple[Card, Card | None]:
    paper_id, identifier, title, reasons, section = row.words
    card = Card(paper_id, row.html, row.text, identifier, title, tuple(reasons), section)
    return card, None if row.other_html is None else replace(card, html=row.other_html, text=row.other_text)
