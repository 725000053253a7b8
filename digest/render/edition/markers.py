"""Places in a rendered mail that differ from reader to reader.

A marker is plain letters, digits and hyphens, so that neither HTML escaping, URL escaping, premailer nor the serialiser
changes it. Its nonce is chosen so that nothing a paper says can look like one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_NAME = re.compile(r"[a-z]+(?:-[a-z]+)*")


@dataclass(frozen=True, slots=True)
class Markers:
    """Markers of one edition, told apart from its text by `nonce` (lower-case hexadecimal)."""

    nonce: str

    @classmethod
    def for_texts(cls, seed: str, texts: Iterable[str]) -> Markers:
        """Markers whose nonce occurs in none of `texts`. The same seed and texts give the same nonce."""
        everything = "\n".join(texts)
        for salt in range(1_000_000):
            nonce = hashlib.sha256(f"{seed}/{salt}".encode()).hexdigest()[:10]
            if nonce not in everything:
                return cls(nonce)
        raise AssertionError("a text cannot hold a million different nonces by chance")

    def mark(self, name: str) -> str:
        """The marker for `name` ("unsubscribe-url")."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"marker name {name!r} should be lower-case words joined by hyphens")
        return f"m{self.nonce}-{name}-m"

    def split(self, text: str) -> Iterator[tuple[str, str]]:
        """Cuts `text` into (literal, marker name) pairs; the last pair's name is empty."""
        pieces = re.split(rf"m{self.nonce}-([a-z]+(?:-[a-z]+)*?)-m", text)
        yield from zip(pieces[0::2], [*pieces[1::2], ""], strict=True)
