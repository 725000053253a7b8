"""An edition as mail: one document of shell and all cards, its CSS inlined once, then cut at markers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple

from digest.domain.edition import Card, Rendered
from digest.domain.errors import TemplateError
from digest.render.edition.inline import inline_css
from digest.render.edition.markers import Markers
from digest.render.edition.personalise import CARDS
from digest.render.edition.views import EditionView
from digest.render.environment import Templates

BLANK = Card(0, "", "")
CUT = "cut"
"""Stands before, between and after the cards in a template; in html as a comment, which may stand between table rows."""


def render_edition(templates: Templates, view: EditionView, nonce: str = "") -> Rendered:
    """Shell and cards, in both parts. An edition without a pool becomes an "empty" mail.

    The card of a paper that the view has none for is blank. `nonce` is that of the edition that cards are added to later.
    Raises TemplateError.
    """
    templates = templates.in_language(view.lang)
    cards, spoken = view.cards, templates.translation
    kind = "mail/edition" if cards else "mail/empty"
    markers = Markers(nonce) if nonce else Markers.for_texts(view.seed, _strings(astuple(view)))
    cut = markers.mark(CUT)
    subject = templates.line(f"{kind}/subject.txt", view=view, mark=markers.mark)
    document = templates.render(f"{kind}/body.html", view=view, mark=markers.mark, subject=subject)
    html = _cut(f"{kind}/body.html", inline_css(templates, document), f"<!--{cut}-->", len(cards))
    text = _cut(f"{kind}/body.txt", templates.render(f"{kind}/body.txt", view=view, mark=markers.mark), cut, len(cards))
    made = {
        position: Card(card.paper_id, in_html, in_text, card.identifier, card.title, card.reasons, card.section)
        for position, card, in_html, in_text in zip(view.positions, cards, html[1:-1], text[1:-1], strict=False)
    }
    return Rendered(
        subject=subject,
        html=html[0] + markers.mark(CARDS) + html[-1],
        text=text[0] + markers.mark(CARDS) + text[-1],
        cards=tuple(made.get(position, BLANK) for position in range(view.pool_size)) if made else (),
        nonce=markers.nonce,
        picks=view.picks,
        style=view.style,
        period=view.period,
        language=view.lang,
        preheader=spoken.gettext("No papers today: %(why)s", why=view.notes[0])
        if view.notes
        else spoken.gettext("No new papers for %(title)s today", title=view.title),
    )


def _cut(template: str, rendered: str, cut: str, cards: int) -> list[str]:
    """What stands before the cards, each card, and what stands after. Without cards: before and after one cut."""
    pieces = rendered.split(cut)
    if len(pieces) != cards + 2:
        raise TemplateError(
            template, f'has mark("{CUT}") {len(pieces) - 1} times for {cards} cards; should be before, between, after'
        )
    return pieces


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _strings(each)
