"""What one reader's copy of an edition says where every reader's differs, already escaped and wrapped for its part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Protocol

from digest.domain.edition import Card, Rendered
from digest.domain.errors import TemplateError
from digest.domain.paper import Reason, for_readers
from digest.ranking.sentences import title_shortened
from digest.render.edition.markers import Markers
from digest.render.text.text_wrap import COLUMNS, breakable, wrap
from digest.translation import Translation, translation

CARDS = "cards"
"""The marker in the shell where the reader's cards go."""
CARD_INDENT = 4
"""Columns before a card's text: room for "10. "."""
SUBJECT_LONGEST = 60
"""Characters of a subject that phones show whole."""
PREHEADER_LONGEST = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class CardUse:
    """One card in a selection: which (`Rendered.cards[position]`), and what its markers become in each part."""

    position: int
    html: Mapping[str, str]
    text: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CardSelection:
    """The cards of a mail in order, and what follows from them alone: the same for all readers who get it.

    Equal only to itself, so that what is made of it can be remembered.
    """

    shell_html: Mapping[str, str]
    shell_text: Mapping[str, str]
    cards: tuple[CardUse, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """What an edition's markers become for one reader: those that the selection does not fill, in the shell and on every card.

    Marker names are those of `Markers.split`. Every value is final: escaped in html, wrapped at 72 columns (lines joined by LF)
    in text. A value may be given that a template does not use; a marker without a value is an error.
    """

    selection: CardSelection
    html: Mapping[str, str]
    text: Mapping[str, str]


class ReaderLinks(Protocol):
    """This reader's own signed links: absolute http(s) addresses in ASCII."""

    @property
    def unsubscribe(self) -> str: ...
    @property
    def manage(self) -> str: ...
    @property
    def more(self) -> str:
        """ "More like this", for all cards: each card says its paper's identifier right after the marker."""

    @property
    def less(self) -> str: ...
    @property
    def save(self) -> str: ...


def own_picks(rendered: Rendered) -> tuple[tuple[int, None], ...]:
    """The list's own choice, as `selected` takes it: for readers without interests, previews and archives."""
    return tuple((position, None) for position in rendered.picks)


def selected(
    rendered: Rendered, picks: Sequence[tuple[int, Sequence[Reason] | None]], period: str | None = None
) -> CardSelection:
    """The half of a mail that readers with the same picks may share. `picks` are positions in `rendered.cards`, best first, with
    this reader's reasons (None: the list's own). `period` is what the mail says it covers.
    """
    chosen = [rendered.cards[position] for position, _ in picks]
    spoken = translation(rendered.language)
    count = spoken.ngettext("%(n)s paper", "%(n)s papers", len(picks))
    shell = {"count": count, "picked": str(len(picks)), "period": rendered.period if period is None else period}
    titles = [card.title for card in chosen]
    top = titles[0] if titles else rendered.preheader
    before_top = f"{shell['period']}: " if shell["period"] else ""
    shell["top"] = title_shortened(top, SUBJECT_LONGEST - len(before_top))
    spare = [*(chosen[0].reasons if chosen else ()), spoken.gettext("the papers of the day in one short email")]
    teasers = {
        "titles": teaser(titles[1:], spare, PREHEADER_LONGEST // 2),  # after the list's title and the day
        "preheader": teaser(titles or [rendered.preheader], spare, PREHEADER_LONGEST),
    }
    before = ["", *(card.section for card in chosen)]
    return CardSelection(
        shell_html=_escaped({**shell, **teasers}),
        shell_text=shell,
        cards=tuple(
            _card_use(number, position, card, reasons, card.section if card.section != before[number - 1] else "", spoken)
            for number, ((position, reasons), card) in enumerate(zip(picks, chosen, strict=True), start=1)
        ),
    )


def subject_of(rendered: Rendered, selection: CardSelection) -> str:
    """The subject with what it says of a selection."""
    return filled(rendered.subject, Markers(rendered.nonce), selection.shell_text)


def addressed(selection: CardSelection, links: ReaderLinks, why: str, manage: str = "Preferences", notice: str = "") -> Personal:
    """`personal`'s second half: a selection for one reader. `manage` is what the link to their own page is called; `notice` says
    that the email before this one was not delivered.
    """
    urls = {
        "unsubscribe-url": links.unsubscribe,
        "manage-url": links.manage,
        "manage-word": manage,
        "more-url": links.more,
        "less-url": links.less,
        "save-url": links.save,
    }
    html = {**_escaped(urls), "why": breakable(why), "missed": f"<br>{breakable(notice)}" if notice else ""}
    text = {**urls, "why": wrap(why), "missed": f"\n\n{wrap(notice)}" if notice else ""}
    return Personal(selection=selection, html=html, text=text)


def _card_use(
    number: int, position: int, card: Card, reasons: Sequence[Reason] | None, section: str, spoken: Translation
) -> CardUse:
    """`section` is the heading that stands before the card, where one begins with it."""
    texts = card.reasons if reasons is None else [spoken.phrase(reason.text) for reason in for_readers(reasons)]
    words = " · ".join(" ".join(text.split()) for text in texts)
    return CardUse(
        position=position,
        html=_escaped({"number": str(number), "reasons": words, "because": f" · {words}" if words else "", "section": section}),
        text={
            "number": f"{number:>2}",
            "reasons": wrap(words, CARD_INDENT),
            "because": f"{' ' * CARD_INDENT}{wrap(words, CARD_INDENT)}\n" if words else "",
            "section": f"{wrap(section)}\n{'-' * min(len(section), COLUMNS)}\n\n" if section else "",
        },
    )


def teaser(parts: Sequence[str], spare: Sequence[str], longest: int) -> str:
    """What the inbox shows after the subject: `parts`, and `spare` for want of them; `longest` characters or down to a third."""
    text = ""
    for part in [*parts, *spare]:
        if part in spare and len(text) >= longest // 3:
            break
        longer = f"{text} · {part}" if text else part
        if len(longer) > longest:
            return text if len(text) >= longest // 3 else title_shortened(longer, longest)
        text = longer
    return text


def _escaped(values: Mapping[str, str]) -> dict[str, str]:
    together = "".join(values.values())
    if escape(together) == together:  # as links are: all are asked about at once
        return dict(values)
    return {name: escape(value) for name, value in values.items()}


def filled(text: str, markers: Markers, values: Mapping[str, str]) -> str:
    """Raises TemplateError naming a marker that has no value."""
    pieces = []
    for literal, name in markers.split(text):
        pieces.append(literal)
        if name:
            if name not in values:
                raise TemplateError("mail/edition", f"marks {name!r}, which nothing fills; known are {', '.join(sorted(values))}")
            pieces.append(values[name])
    return "".join(pieces)
