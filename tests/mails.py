"""A mail put together in the plainest way, text by text: what the composer's bytes must decode to."""

from __future__ import annotations

from collections.abc import Sequence

from digest.domain.edition import Rendered
from digest.domain.paper import Reason
from digest.render.edition.markers import Markers
from digest.render.edition.personalise import CARDS, Personal, ReaderLinks, addressed, filled, selected


def personal(rendered: Rendered, picks: Sequence[tuple[int, Sequence[Reason] | None]], links: ReaderLinks, why: str) -> Personal:
    """The values for one reader. `picks` are positions in `rendered.cards`, best first, with this reader's reasons."""
    return addressed(selected(rendered, picks), links, why)


def assemble(rendered: Rendered, own: Personal) -> tuple[str, str]:
    """(html, text) as this reader gets them, in LF lines. Raises TemplateError naming a marker that has no value."""
    selection, markers = own.selection, Markers(rendered.nonce)
    html, text = (
        "".join(filled(card, markers, {**values, **use}) for card, use in cards)
        for values, cards in (
            (own.html, [(rendered.cards[use.position].html, use.html) for use in selection.cards]),
            (own.text, [(rendered.cards[use.position].text, use.text) for use in selection.cards]),
        )
    )
    return (
        filled(rendered.html, markers, {**own.html, **selection.shell_html, CARDS: html}),
        filled(rendered.text, markers, {**own.text, **selection.shell_text, CARDS: text}),
    )
