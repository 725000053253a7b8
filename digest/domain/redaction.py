"""Texts without the mail addresses in them: for what is kept or printed of strangers' words."""

from __future__ import annotations

import re
from collections.abc import Callable

_ADDRESS = re.compile(
    r"(?:\"[^\"\n]{1,64}\"|[^\s<>\"(),:;\[\]]{1,200})(?:@|%40|=40)(?:\[[^\]\s]{1,60}\]|[^\s<>\"'(),:;\[\]{}=|/?]{1,200})",
    re.IGNORECASE,
)
_SIGNS = ("@", "%40", "=40")


def without_addresses(text: str, word: Callable[[str], str] = lambda address: "<address>") -> str:
    """`text` with `word` of each address in its place."""
    if not any(sign in text for sign in _SIGNS):
        return text
    return _ADDRESS.sub(lambda found: word(found[0]), text)
