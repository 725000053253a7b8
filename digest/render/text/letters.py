"""What a text's letters say of how it is written."""

from __future__ import annotations

import unicodedata

_AFTER_LATIN = 0x250


def in_other_letters(text: str) -> bool:
    """Whether most of its letters are not Latin: then it is hardly in English."""
    letters = [c for c in text if c.isalpha()]
    return sum(ord(c) >= _AFTER_LATIN for c in letters) * 2 > len(letters)


def is_right_to_left(text: str) -> bool:
    """Whether the first letter with a direction runs from right to left (UAX #9, rule P2)."""
    directions = (unicodedata.bidirectional(c) for c in text)
    return next((d for d in directions if d in ("L", "R", "AL")), "L") != "L"
