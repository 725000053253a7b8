"""Header fields as bytes: folding, encoded-words, mailboxes. Pure; nothing here knows what a digest is.

RFC 5322 §2.1.1 (78 columns wished, 998 octets at most), §3.2.3 (atoms), RFC 2047 (encoded-words of at most 75), RFC 6532 (raw
UTF-8 only where the address itself needs it), RFC 5891 (A-labels for international domains).
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

import idna

from digest.domain.errors import InvalidAddress, InvalidInput
from digest.domain.subscriber import Address

COLUMNS = 78
_ENCODED_WORD = 62
"""At most 75 are allowed; shorter ones leave room for "Subject: " on the first line."""
_LONGEST_WORD = 900
"""Longer unbroken words cannot be folded below 998 octets, so they are encoded."""
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_DOT_ATOM = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
_PLAIN_PHRASE = re.compile(rf"{_ATEXT}+(?: {_ATEXT}+)*")
_UTF8_LOCAL = re.compile(rf"(?:{_ATEXT}|[^\x00-\x7f])+(?:\.(?:{_ATEXT}|[^\x00-\x7f])+)*")
_PLAIN_TEXT = re.compile(r"[!-~]+(?: [!-~]+)*")
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
"""What may stand for itself in a Q encoded-word anywhere, phrases included (RFC 2047 §5 (3))."""


def refuse_controls(where: str, text: str) -> str:
    """`text`, or InvalidInput when it holds a control or line-separating character: nothing may add a header field."""
    if any(unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") for c in text):
        raise InvalidInput(where, f"{text[:40]!r} holds a line break or control character; should be one line of text")
    return text


def field(name: str, body: str) -> bytes:
    """One header field with its line end, folded at spaces so that lines stay within 78 columns where words allow."""
    lines, line = [], f"{name}:"
    for word in body.split(" "):
        if len(line) + 1 + len(word) > COLUMNS and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {word}"
    return ("\r\n".join([*lines, line]) + "\r\n").encode()


def text(value: str) -> str:
    """Unstructured text (Subject): as it is when it is plain ASCII with single spaces, else as encoded-words."""
    plain = _PLAIN_TEXT.fullmatch(value) and "=?" not in value and max(map(len, value.split(" "))) <= _LONGEST_WORD
    return value if plain or not value else encoded_words(value)


def phrase(value: str) -> str:
    """A display name: atoms as they are, other ASCII as a quoted string, the rest as encoded-words."""
    if _PLAIN_PHRASE.fullmatch(value) and "=?" not in value and len(value) <= COLUMNS:
        return value
    if _PLAIN_TEXT.fullmatch(value) and "=?" not in value and len(value) <= COLUMNS - 20:
        return quoted(value)
    return encoded_words(value)


def quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def encoded_words(value: str) -> str:
    """UTF-8 encoded-words joined by single spaces, B or Q, whichever is shorter; no character is split between two."""
    as_q = [_q(c) for c in value]
    by_b = -(-len(value.encode()) // 3) * 4
    if sum(map(len, as_q)) <= by_b:
        return " ".join(f"=?utf-8?q?{chunk}?=" for chunk in _chunks(as_q, _ENCODED_WORD - len("=?utf-8?q??=")))
    room = (_ENCODED_WORD - len("=?utf-8?b??=")) // 4 * 3
    chunks = _chunks(list(value), room, size=lambda c: len(c.encode()))
    return " ".join(f"=?utf-8?b?{base64.b64encode(chunk.encode()).decode()}?=" for chunk in chunks)


def _q(character: str) -> str:
    if character == " ":
        return "_"
    return "".join(chr(b) if b in _Q_SAFE else f"={b:02X}" for b in character.encode())


def _chunks(parts: list[str], room: int, size: Callable[[str], int] = len) -> list[str]:
    chunks, used = [""], 0
    for part in parts:
        if used + size(part) > room:
            chunks.append("")
            used = 0
        chunks[-1] += part
        used += size(part)
    return chunks


@lru_cache(maxsize=4096)
def ascii_domain(domain: str) -> str:
    """The domain as DNS and ASCII-only servers know it. Raises InvalidAddress when there is no such form."""
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode()
    except UnicodeError:  # idna.IDNAError is one
        raise InvalidAddress(f"domain {domain[:80]!r}", "has no ASCII form (IDNA)") from None


def mailbox(address: Address) -> tuple[str, bool]:
    """(`local@domain` as headers and the envelope spell it, whether it needs SMTPUTF8).

    The domain is in ASCII; a local part that is no dot-atom is quoted, so that no address can end the field it stands in.
    """
    local, _, domain = address.text.rpartition("@")
    if _DOT_ATOM.fullmatch(local) and domain.isascii():
        return address.text, False
    if local.startswith('"') and local.endswith('"') and len(local) > 1:
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    if not (_DOT_ATOM.fullmatch(local) or _UTF8_LOCAL.fullmatch(local)):
        local = quoted(local)
    return f"{local}@{ascii_domain(domain)}", not local.isascii()


def named_mailbox(name: str, address: Address) -> str:
    """`Name <local@domain>`, or the address alone when there is no name."""
    spelled, _ = mailbox(address)
    return f"{phrase(name)} <{spelled}>" if name else spelled
