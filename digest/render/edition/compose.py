"""One reader's mail as bytes: pieces of the edition, encoded once, joined with what is this reader's own.

Nothing is rendered or encoded twice: shell and cards are cut at their markers and turned into quoted-printable when first
needed, and what many readers get (a selection) is joined once; what a mail costs is a handful of values and one join. `assemble`
(personalise.py) says the same in plain strings; what a mail parser reads from the bytes equals it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from digest.domain.edition import Rendered
from digest.domain.errors import TemplateError
from digest.render.edition.markers import Markers
from digest.render.edition.personalise import CARDS, CardSelection, Personal
from digest.render.text.quoted_printable import encode, encode_value

_PLAIN = b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
_HTML = b'Content-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'

_REMEMBERED = 64
"""Selections whose joined pieces are kept: the list's own is met again and again, a reader's own choice once."""


@dataclass(frozen=True, slots=True)
class _Cut:
    """A text cut at its markers: literal, marker, literal, marker …, literal; the literals encoded."""

    literals: tuple[bytes, ...]
    names: tuple[str, ...]
    """Of the marker after each literal."""
    last: bytes

    @property
    def pieces(self) -> Iterator[tuple[bytes, str]]:
        return zip(self.literals, self.names, strict=True)


@dataclass(frozen=True, slots=True)
class _Form:
    """What the readers of a selection share, and which places in it are each reader's own: by the marker's name."""

    pieces: tuple[bytes, ...]
    in_text: tuple[tuple[int, str], ...]
    in_html: tuple[tuple[int, str], ...]


class Composer:
    """Composes one edition. Threads may share it.

    `boundary` separates the parts (RFC 2046 §5.1.1); it follows from the edition and begins with "=_", which
    quoted-printable cannot contain. The header must name it.
    """

    def __init__(self, rendered: Rendered) -> None:
        self.boundary = boundary_of(rendered.nonce, rendered.subject)
        self._rendered = rendered
        self._markers = Markers(rendered.nonce)
        self._shell_text = self._cut(rendered.text)
        self._shell_html = self._cut(rendered.html)
        self._opening, self._between, self._closing = _delimiters(self.boundary)
        self._card = lru_cache(maxsize=None)(self._cut_card)
        self._selected = lru_cache(maxsize=_REMEMBERED)(self._select)

    def pieces(self, own: Personal) -> list[bytes]:
        """What follows the header, in pieces of whole lines with CRLF; those that mails share are the same objects (for DKIM's
        hash). Raises TemplateError naming a marker that has no value.
        """
        form = self._selected(own.selection)
        encoded = {value: encode_value(value) for value in {*own.text.values(), *own.html.values()}}  # a link is in both parts
        pieces = list(form.pieces)
        try:
            for place, name in form.in_text:
                pieces[place] = encoded[own.text[name]]
            for place, name in form.in_html:
                pieces[place] = encoded[own.html[name]]
        except KeyError as missing:
            raise TemplateError("mail/edition", f"marks {missing.args[0]!r}, which nothing fills") from None
        return pieces

    def _select(self, selection: CardSelection) -> _Form:
        """A selection with its cards, everything filled in that its readers share."""
        cards = [(self._card(use.position), use) for use in selection.cards]
        text = _merged(self._shell_text, selection.shell_text, [(card[0], use.text) for card, use in cards])
        html = _merged(self._shell_html, selection.shell_html, [(card[1], use.html) for card, use in cards])
        pieces = [self._opening]
        in_text = _laid_out(pieces, text)
        pieces.append(self._between)
        in_html = _laid_out(pieces, html)
        pieces.append(self._closing)
        return _Form(tuple(pieces), in_text, in_html)

    def _cut(self, text: str) -> _Cut:
        *pieces, (last, _) = [(encode(literal), name) for literal, name in self._markers.split(text)]
        return _Cut(tuple(literal for literal, _ in pieces), tuple(name for _, name in pieces), last)

    def _cut_card(self, position: int) -> tuple[_Cut, _Cut]:
        card = self._rendered.cards[position]
        return self._cut(card.text), self._cut(card.html)


def _merged(shell: _Cut, values: Mapping[str, str], cards: Sequence[tuple[_Cut, Mapping[str, str]]]) -> _Cut:
    """The shell with the cards at their marker, and every marker filled that has a value; literals that meet are one."""
    merged: list[bytes] = []
    names: list[str] = []
    literals: list[bytes] = []

    def take(literal: bytes, name: str, values: Mapping[str, str]) -> None:
        literals.append(literal)
        if name in values:
            literals.append(encode_value(values[name]))
        elif name:
            merged.append(b"".join(literals))
            names.append(name)
            literals.clear()

    for literal, name in shell.pieces:
        if name != CARDS:
            take(literal, name, values)
            continue
        literals.append(literal)
        for card, own in cards:
            for inside, slot in card.pieces:
                take(inside, slot, own)
            literals.append(card.last)
    literals.append(shell.last)
    return _Cut(tuple(merged), tuple(names), b"".join(literals))


def _laid_out(pieces: list[bytes], cut: _Cut) -> tuple[tuple[int, str], ...]:
    """Appends the literals, with a place between them for each marker; says which place is whose."""
    places = []
    for literal, name in cut.pieces:
        places.append((len(pieces) + 1, name))
        pieces += (literal, b"")
    pieces.append(cut.last)
    return tuple(places)


def boundary_of(*texts: str) -> str:
    """A boundary that follows from what it separates, and that quoted-printable cannot contain."""
    return "=_" + hashlib.sha256("\0".join(texts).encode("utf-8", "replace")).hexdigest()[:24]


def compose_message(header: bytes, boundary: str, html: str, text: str) -> bytes:
    """A mail that answers one person, whole. `header` names `boundary` and ends with its empty line."""
    opening, between, closing = _delimiters(boundary)
    return b"".join((header, opening, encode(text), between, encode(html), closing))


def _delimiters(boundary: str) -> tuple[bytes, bytes, bytes]:
    """What stands before the plain part, between it and the html part, and at the end."""
    delimiter = b"--" + boundary.encode()
    return delimiter + b"\r\n" + _PLAIN, b"\r\n" + delimiter + b"\r\n" + _HTML, b"\r\n" + delimiter + b"--\r\n"
