"""Mail as bytes → a tree of parts, for mail that nobody vouches for.

The standard parser recurses with the nesting of the mail, checks every line against every open boundary, and raises on odd
headers. This one reads the same structure (RFC 2045, 2046, 5322) in bounded time and memory and never raises: what lies beyond a
bound is left out, what is malformed is text.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header

MAX_BYTES = 1 << 20
"""Of a mail. Reports come before the returned message, which is the only thing in a bounce that is long."""
MAX_DEPTH = 8
MAX_PARTS = 100
MAX_HEADERS = 500
MAX_HEADER_LENGTH = 8_000
MAX_TEXT = 64_000
"""Bytes of one part that are decoded as text."""

_FIELD = re.compile(r"([!-9;-~]{1,100})[ \t]*:(.*)")
_PARAMETER = re.compile(r";\s*([\w-]{1,50})\*?\s*=\s*(?:\"([^\"]{0,500})\"|([^\s;]{1,500}))")
_BOUNDARY_LINE = re.compile(rb"^--([!-~]{10,200})\n[A-Za-z-]{4,40}:", re.MULTILINE)
_TAG = re.compile(r"<[^<>]{0,2000}>")
_BREAKING_TAG = re.compile(r"<(?:br|/p|/tr|/div|/li|/h\d|p)\b[^<>]{0,200}>", re.IGNORECASE)
_UNSEEN = re.compile(r"<(/?)(?:style|script|title)\b[^<>]{0,200}>", re.IGNORECASE)
# Text codecs whose decoders are quadratic or interpret escapes: no mail needs them.
_REFUSED_CHARSETS = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined"})


@dataclass(frozen=True, slots=True)
class Part:
    """A mail or one of its parts. Header values are unfolded, as sent (not RFC 2047 decoded), stripped."""

    headers: tuple[tuple[str, str], ...]
    content_type: str
    """Lower case, "text/plain" where none was given."""
    parameters: dict[str, str]
    body: bytes
    parts: tuple[Part, ...] = ()

    def header(self, name: str) -> str:
        """The first header of that name, or ""."""
        return next(self.all(name), "")

    def all(self, name: str) -> Iterator[str]:
        wanted = name.lower()
        return (value for key, value in self.headers if key == wanted)

    def words(self, name: str) -> str:
        """The first header of that name with RFC 2047 words decoded."""
        return decode_words(self.header(name))

    def walk(self) -> Iterator[Part]:
        """This part and those within, in order; what an attached message holds is not entered."""
        yield self
        if not self.content_type.startswith("message/"):
            for part in self.parts:
                yield from part.walk()

    @property
    def text(self) -> str:
        """The body as text with "\\n" line ends: transfer encoding and charset undone, HTML without its tags."""
        text = decode_charset(decode_transfer(self.body[:MAX_TEXT], self.header("content-transfer-encoding")), self.charset)
        return plain_from_html(text) if self.content_type == "text/html" else text

    @property
    def charset(self) -> str:
        return self.parameters.get("charset", "")


def read_mail(data: bytes) -> Part:
    """The tree of a mail; never raises. A leading mbox "From " line and blank lines are skipped; CR and CRLF are line ends."""
    data = data[:MAX_BYTES].replace(b"\r\n", b"\n").replace(b"\r", b"\n").lstrip(b"\n")
    if data.startswith((b"From ", b">From ")):
        data = data.partition(b"\n")[2]
    budget = [MAX_PARTS]
    return _read_part(data, MAX_DEPTH, budget)


def read_fields(block: bytes) -> tuple[tuple[str, str], ...]:
    """A block of header fields: lower-case names, unfolded values. Lines that are no field are skipped."""
    fields: list[tuple[str, str]] = []
    for line in decode_charset(block[: MAX_HEADERS * 1000], "").split("\n"):
        if line[:1] in (" ", "\t") and fields:
            name, value = fields[-1]
            if len(value) < MAX_HEADER_LENGTH:
                fields[-1] = (name, f"{value} {line.strip()}".strip())
        elif match := _FIELD.match(line[:MAX_HEADER_LENGTH]):
            if len(fields) >= MAX_HEADERS:
                break
            fields.append((match[1].lower(), match[2].strip()))
    return tuple(fields)


def _read_part(data: bytes, depth: int, budget: list[int]) -> Part:
    budget[0] -= 1
    head, _, body = (b"", b"", data[1:]) if data.startswith(b"\n") else data.partition(b"\n\n")
    headers = read_fields(head)
    content_type, parameters = _content_type(next((value for name, value in headers if name == "content-type"), ""))
    parts: tuple[Part, ...] = ()
    if depth > 0 and budget[0] > 0:
        if content_type.startswith("multipart/"):
            parts = tuple(_split(body, parameters.get("boundary", ""), depth, budget))
        elif content_type == "message/rfc822":
            parts = (_read_part(body.lstrip(b"\n"), depth - 1, budget),)
    return Part(headers, content_type, parameters, body, parts)


def _split(body: bytes, boundary: str, depth: int, budget: list[int]) -> Iterator[Part]:
    if not boundary:  # lost, as when somebody unfolded its header wrongly
        guessed = _BOUNDARY_LINE.search(body[:4000])
        if guessed is None:
            return
        boundary = guessed[1].decode("utf-8", "surrogateescape")
    delimiter = re.escape(b"--" + boundary.encode("utf-8", "surrogateescape"))
    start: int | None = None
    for match in re.finditer(rb"^" + delimiter + rb"(--)?[ \t]*(?:\n|\Z)", body, re.MULTILINE):
        if start is not None and budget[0] > 0:
            yield _read_part(body[start : match.start()], depth - 1, budget)
        start = None if match[1] else match.end()
        if budget[0] <= 0:
            return
    if start is not None and budget[0] > 0:  # cut off before its end
        yield _read_part(body[start:], depth - 1, budget)


def _content_type(value: str) -> tuple[str, dict[str, str]]:
    kind = value.partition(";")[0].strip().lower()
    parameters = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(value[:4000])}
    return (kind if "/" in kind else "text/plain"), parameters


def decode_transfer(body: bytes, encoding: str) -> bytes:
    """Undoes base64 and quoted-printable; anything else, or damage, is given back as far as it could be read."""
    kind = encoding.strip().lower()
    try:
        if kind == "quoted-printable":
            return quopri.decodestring(body)
        if kind == "base64":
            letters = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
            return base64.b64decode(letters[: len(letters) // 4 * 4] + _last_quartet(letters))
    except (binascii.Error, ValueError):
        pass
    return body


def _last_quartet(letters: bytes) -> bytes:
    rest = letters[len(letters) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def decode_charset(body: bytes, charset: str) -> str:
    """Text, whatever the label says: the named charset where it is one, else UTF-8, else Latin-1."""
    named = charset or ("iso-2022-jp" if b"\x1b$" in body else "")
    for name, errors in ((named, "strict"), ("utf-8", "strict"), (named, "replace")):
        try:
            if name and codecs.lookup(name).name not in _REFUSED_CHARSETS:
                return body.decode(name, errors).replace("\r\n", "\n").replace("\r", "\n")
        except (LookupError, ValueError, AttributeError):
            continue
    return body.decode("latin-1").replace("\r", "\n")


def decode_words(value: str) -> str:
    """RFC 2047 words decoded; the value itself where they are damaged."""
    if "=?" not in value:
        return value
    try:
        chunks = decode_header(value[:2000])
    except (HeaderParseError, binascii.Error, ValueError):
        return value
    return "".join(decode_charset(text, charset or "") if isinstance(text, bytes) else text for text, charset in chunks)


def plain_from_html(text: str) -> str:
    """The words of an HTML text, blocks on lines of their own. Good enough to look for addresses and replies, not to show."""
    text = _BREAKING_TAG.sub("\n", _seen(text))
    return html.unescape(_TAG.sub("", text)).replace("\xa0", " ")


def _seen(text: str) -> str:
    kept: list[str] = []
    start, hidden = 0, False
    for tag in _UNSEEN.finditer(text):
        if not hidden:
            kept.append(text[start : tag.start()])
        start, hidden = tag.end(), not tag[1]
    return "".join(kept) + ("" if hidden else text[start:])
