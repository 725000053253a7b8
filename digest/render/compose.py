"""One reader's mail as bytes: pieces of the edition, encoded once, joined with what is this reader's own.

Nothing is rendered or encoded twice: shell and cards are cut at their markers and turned into quoted-printable when first
needed; what a mail costs is looking up its values and one join. `assemble` (personal.py) says the same in plain strings; what a
mail parser reads from the bytes equals it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from digest.domain.edition import Rendered
from digest.domain.errors import TemplateError
from digest.render.markers import Markers
from digest.render.personal import CARDS, Personal
from digest.render.quoted import encode, encode_value

_SHELLS = 2
"""The first two sources of values are the shell's text and html; then each card's text and html."""
_ORDERS = 64
"""Card orders kept joined: the list's own and the commonest of readers with interests."""

_PLAIN = b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
_HTML = b'Content-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'


@dataclass(frozen=True, slots=True)
class _Piece:
    """Encoded text, and the name of the marker that follows it ("" at the end)."""

    literal: bytes
    name: str


@dataclass(frozen=True, slots=True)
class _Layout:
    """A body for one order of cards: `literals[i]`, then the value of `slots[i]`, …; one literal more than slots."""

    literals: tuple[bytes, ...]
    slots: tuple[tuple[int, str], ...]
    """(source, name): where the value is found, see `_SHELLS`."""


class Composer:
    """Composes one edition. Threads may share it.

    `boundary` separates the parts (RFC 2046 §5.1.1); it follows from the edition and begins with "=_", which
    quoted-printable cannot contain. The header given to `compose` must name it.
    """

    def __init__(self, rendered: Rendered) -> None:
        self.boundary = boundary_of(rendered.nonce, rendered.subject)
        self._rendered = rendered
        self._markers = Markers(rendered.nonce)
        self._shell_text = self._cut(rendered.text)
        self._shell_html = self._cut(rendered.html)
        self._card = lru_cache(maxsize=None)(self._cut_card)
        self._layout = lru_cache(maxsize=_ORDERS)(self._lay_out)

    def compose(self, header: bytes, own: Personal) -> bytes:
        """The whole message: CRLF lines, ready for DATA. `header` ends with its empty line.

        Raises TemplateError naming a marker that has no value.
        """
        return header + self.body(own)

    def body(self, own: Personal) -> bytes:
        """What follows the header: for signing (DKIM) before the header is complete."""
        layout = self._layout(tuple(use.position for use in own.cards))
        sources = [own.shell_text, own.shell_html]
        for use in own.cards:
            sources += (use.text, use.html)
        joined = [b""] * (2 * len(layout.slots) + 1)
        joined[0::2] = layout.literals
        try:
            joined[1::2] = [encode_value(sources[source][name]) for source, name in layout.slots]
        except KeyError as missing:
            raise TemplateError("mail/edition", f"marks {missing.args[0]!r}, which nothing fills") from None
        return b"".join(joined)

    def _cut(self, text: str) -> tuple[_Piece, ...]:
        return tuple(_Piece(encode(literal), name) for literal, name in self._markers.split(text))

    def _cut_card(self, position: int) -> tuple[tuple[_Piece, ...], ...]:
        card = self._rendered.cards[position]
        return self._cut(card.text), self._cut(card.html)

    def _lay_out(self, order: tuple[int, ...]) -> _Layout:
        delimiter = b"--" + self.boundary.encode()
        literals, slots = [delimiter + b"\r\n" + _PLAIN], []

        def add(pieces: tuple[_Piece, ...], source: int, part: int) -> None:
            for piece in pieces:
                literals[-1] += piece.literal
                if piece.name == CARDS:
                    for number, position in enumerate(order):
                        add(self._card(position)[part], _SHELLS + 2 * number + part, part)
                elif piece.name:
                    slots.append((source, piece.name))
                    literals.append(b"")

        add(self._shell_text, 0, 0)
        literals[-1] += b"\r\n" + delimiter + b"\r\n" + _HTML
        add(self._shell_html, 1, 1)
        literals[-1] += b"\r\n" + delimiter + b"--\r\n"
        return _Layout(tuple(literals), tuple(slots))


def boundary_of(*texts: str) -> str:
    """A boundary that follows from what it separates, and that quoted-printable cannot contain."""
    return "=_" + hashlib.sha256("\0".join(texts).encode("utf-8", "replace")).hexdigest()[:24]


def compose_message(header: bytes, boundary: str, html: str, text: str) -> bytes:
    """A mail that answers one person, whole. `header` names `boundary` and ends with its empty line."""
    delimiter = b"--" + boundary.encode()
    parts = (
        delimiter,
        b"\r\n",
        _PLAIN,
        encode(text),
        b"\r\n",
        delimiter,
        b"\r\n",
        _HTML,
        encode(html),
        b"\r\n",
        delimiter,
        b"--\r\n",
    )
    return header + b"".join(parts)
