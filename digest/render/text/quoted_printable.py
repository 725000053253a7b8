"""Quoted-printable in pieces (RFC 2045 §6.7): each piece is encoded by itself, and encoded pieces may be joined in any order.

That works because every piece starts at column 0: one that does not end with a line break ends with a soft one, which decodes
to nothing. Lines hold at most 76 characters; a UTF-8 sequence is never split between two; white space never ends a line; no
line starts with "." or "From ", which some servers on the way would alter.
"""

from __future__ import annotations

import re

SOFT_BREAK = b"=\r\n"
_ROOM = 75
"""Characters of a line before the "=" of a soft break."""
_UNSAFE = re.compile(rb"[^ -<>-~]")
_DOT = ord(".")
_ESCAPES = {bytes([byte]): b"=%02X" % byte for byte in range(256)}
_AS_IT_IS = re.compile(rf"(?!\.|From )[ -<>-~]{{0,{_ROOM - 1}}}[!-<>-~]")
"""One line that needs nothing."""
_CONTINUES = re.compile(rb"=[89AB]")
_ALTERED = {b".": b"=2E", b"F": b"=46"}


def encode(text: str) -> bytes:
    """`text` (LF lines) as one piece with CRLF lines. Lone surrogates, which UTF-8 cannot say, become "?"."""
    if not text:
        return b""
    encoded = b"\r\n".join(map(_line, text.split("\n")))
    return encoded if text.endswith("\n") else encoded + SOFT_BREAK


def encode_value(value: str) -> bytes:
    """`encode`, for what differs per reader: mostly links."""
    if value.startswith("http") and value.isascii() and value.isprintable() and " " not in value and ".." not in value:
        return _address(value)
    return encode(value)


def _address(value: str) -> bytes:
    """`encode` for a link, which needs fewer questions asked: there are forty in a mail, and every reader has their own."""
    safe = value.encode().replace(b"=", b"=3D")
    lines, at = [], 0
    while len(safe) - at > _ROOM:
        end = at + _ROOM
        if safe[end] == _DOT:
            end -= 1
        equals = safe.rfind(b"=", end - 2, end)
        if equals >= 0:
            end = equals
        lines.append(safe[at:end])
        at = end
    lines += (safe[at:], b"")
    return SOFT_BREAK.join(lines)


def _line(line: str) -> bytes:
    if _AS_IT_IS.fullmatch(line):
        return line.encode()
    safe = line.encode("utf-8", "replace")
    if "=" in line or not (line.isascii() and line.isprintable()):
        safe = _UNSAFE.sub(lambda byte: _ESCAPES[byte[0]], safe)
    if safe.endswith(b" "):
        safe = safe[:-1] + b"=20"
    out, at = [], 0
    while True:
        head = b""
        if safe.startswith((b".", b"From "), at):
            head = _ALTERED[safe[at : at + 1]]
            at += 1
        end = at + _ROOM - len(head)
        if end >= len(safe):
            out.append(head + safe[at:])
            return SOFT_BREAK.join(out)
        end = _cut(safe, end)
        out.append(head + safe[at:end])
        at = end


def _cut(safe: bytes, end: int) -> int:
    """The last place at or before `end` that is neither inside an escape nor inside a UTF-8 sequence."""
    equals = safe.rfind(b"=", end - 2, end)
    if equals >= 0:
        end = equals
    while _CONTINUES.match(safe, end):
        end -= 3
    return end
