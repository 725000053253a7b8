"""Text files in UTF-8, UTF-16 or an older Latin encoding → text."""

from __future__ import annotations

import codecs

_MARKED = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 400


def wide(data: bytes) -> str:
    """The encoding of text in UTF-16 or UTF-32, by its mark or its zero bytes; "" for any other."""
    if marked := next((name for mark, name in _MARKED if data.startswith(mark)), ""):
        return marked
    sample = data[: min(_SAMPLE, len(data) // 2 * 2)]
    most = len(sample) // 2 * 0.8
    if sample and sample[1::2].count(0) > most >= sample[::2].count(0):
        return "utf-16-le"
    return "utf-16-be" if sample and sample[::2].count(0) > most >= sample[1::2].count(0) else ""


def decoded(data: bytes) -> str:
    """The text. Lines that are not UTF-8 are read as Windows' Latin, which older exports are in; what is no text is replaced."""
    if encoding := wide(data):
        return data.decode(encoding, "replace").removeprefix("\ufeff")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "\n".join(map(_line, data.removeprefix(codecs.BOM_UTF8).split(b"\n")))


def _line(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")
