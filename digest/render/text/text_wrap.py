"""Text in columns, as a terminal or a plain-text mail shows it: East Asian characters are two columns wide, marks none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from html import escape

COLUMNS = 72
_NOT_AT_LINE_START = "、。，．：；？！）」』】〉》’”…"


def width(text: str) -> int:
    """How many columns `text` takes in one line."""
    if text.isascii():
        return len(text)
    return sum(_width_of(character) for character in text)


def wrap(text: str, indent: int = 0, columns: int = COLUMNS) -> str:
    """Folds whitespace and breaks `text` into lines of at most `columns`, joined by LF; lines after the first are indented.

    The first line is not indented, but as much shorter: a number, a label or a marker stands there already. Chinese and
    Japanese break between characters; a word too long for a line is cut, an address (http…) never.
    """
    room = max(columns - indent, 8)
    return ("\n" + " " * indent).join(_plain_lines(text, room) or _lines(text, room))


def _plain_lines(text: str, room: int) -> list[str]:
    """The lines of ASCII without a word too long for one, which needs no look at its characters; else none."""
    if not text.isascii():
        return []
    lines, rest = [], " ".join(text.split())
    while len(rest) > room:
        end = rest.rfind(" ", 0, room + 1)
        if end < 0:
            return []
        lines.append(rest[:end])
        rest = rest[end + 1 :]
    return [*lines, rest]


def _lines(text: str, room: int) -> list[str]:
    lines: list[str] = []
    line, used = "", 0
    for word in text.split():
        glue = " " if line else ""
        for piece in _pieces(word, room):
            size = width(piece)
            if line and used + len(glue) + size > room:
                lines.append(line)
                line, used, glue = "", 0, ""
            line += glue + piece
            used += len(glue) + size
            glue = ""
    return [*lines, line]


def _pieces(word: str, room: int) -> Iterable[str]:
    """The smallest parts of a word that may stand on lines of their own."""
    if (word.isascii() and len(word) <= room) or word.startswith(("http://", "https://")):
        return (word,)
    return _broken(word, room)


def _broken(word: str, room: int) -> Iterator[str]:
    piece = ""
    for character in word:
        breaks = _width_of(character) == 2 and character not in _NOT_AT_LINE_START
        if piece and (breaks or _width_of(piece[-1]) == 2 or width(piece) + _width_of(character) > room):
            if character in _NOT_AT_LINE_START or not _width_of(character):
                piece += character
                continue
            yield piece
            piece = ""
        piece += character
    if piece:
        yield piece


def _width_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


LONGEST = 28
"""Characters that fit on a phone's line in the largest type."""
_PART = '<span style="display:inline-block">{}</span>'
_LONG_WORD = re.compile(rf"[^\s<>\u2e80-\uffff-]{{{LONGEST + 1},}}")


def breakable(text: str) -> str:
    """`text` escaped for html; words longer than a phone is wide may break every so many characters.

    Each part is an inline block: three clients drop <wbr>, six the properties that CSS has for it, and a zero-width space would
    be copied with an address.
    """
    if len(max(text.split(), key=len, default="")) <= LONGEST or not _LONG_WORD.search(text):
        return escape(text)
    pieces, at = [], 0
    for word in _LONG_WORD.finditer(text):
        cuts = range(word.start(), word.end(), LONGEST)
        pieces.append(escape(text[at : word.start()]))
        pieces += [_PART.format(escape(text[cut : min(cut + LONGEST, word.end())])) for cut in cuts]
        at = word.end()
    return "".join([*pieces, escape(text[at:])])
