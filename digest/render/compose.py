"""One reader's mail as bytes: pieces of the edition, encoded once, joined with what is this reader's own.

Nothing is rendered or encoded twice: shell and cards are cut at their markers and turned into quoted-printable when first
needed; what a mail costs is looking up its values and one join. `assemble` (personal.py) says the same in plain strings; what a
mail parser reads from the bytes equals it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from digest.domain.edition import Rendered
from digest.domain.errors import TemplateError
from digest.render.markers import Markers
from digest.render.personal import CARDS, Personal
from digest.render.quoted import encode, encode_value

_PLAIN = b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
_HTML = b'Content-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'


@dataclass(frozen=True, slots=True)
class _Cut:
    """A text cut at its markers: literal, marker, literal, marker …, literal; the literals encoded."""

    pieces: tuple[tuple[bytes, str], ...]
    """Each literal with the name of the marker after it."""
    last: bytes


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
        self._opening, self._between, self._closing = _delimiters(self.boundary)
        self._card = lru_cache(maxsize=None)(self._cut_card)

    def compose(self, header: bytes, own: Personal) -> bytes:
        """The whole message: CRLF lines, ready for DATA. `header` ends with its empty line.

        Raises TemplateError naming a marker that has no value.
        """
        return header + self.body(own)

    def body(self, own: Personal) -> bytes:
        """What follows the header: for signing (DKIM) before the header is complete."""
        cards = [(self._card(use.position), use) for use in own.cards]
        joined = [self._opening]
        try:
            _fill(joined, self._shell_text, own.shell_text, [(card[0], use.text) for card, use in cards])
            joined.append(self._between)
            _fill(joined, self._shell_html, own.shell_html, [(card[1], use.html) for card, use in cards])
        except KeyError as missing:
            raise TemplateError("mail/edition", f"marks {missing.args[0]!r}, which nothing fills") from None
        joined.append(self._closing)
        return b"".join(joined)

    def _cut(self, text: str) -> _Cut:
        *pieces, (last, _) = [(encode(literal), name) for literal, name in self._markers.split(text)]
        return _Cut(tuple(pieces), last)

    def _cut_card(self, position: int) -> tuple[_Cut, _Cut]:
        card = self._rendered.cards[position]
        return self._cut(card.text), self._cut(card.html)


def _fill(joined: list[bytes], shell: _Cut, values: Mapping[str, str], cards: Sequence[tuple[_Cut, Mapping[str, str]]]) -> None:
    """Appends the shell, with its values and (at their marker) the cards with theirs."""
    add = joined.append
    for literal, name in shell.pieces:
        add(literal)
        if name == CARDS:
            for card, own in cards:
                for inside, slot in card.pieces:
                    add(inside)
                    add(encode_value(own[slot]))
                add(card.last)
        else:
            add(encode_value(values[name]))
    add(shell.last)


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
