"""Text of strangers as one line that reorders and hides nothing."""

from __future__ import annotations

import unicodedata

_ASCII_CONTROLS = {code: None for code in (*range(32), 127) if not chr(code).isspace()}


def clean(text: str) -> str:
    """One line of text: whitespace folded; controls, lone surrogates, unassigned non-characters and the marks that reorder
    what follows them (bidi embeddings, overrides, isolates) are gone. Joiners stay: scripts and emoji need them.
    """
    if text.isascii():
        return " ".join(text.translate(_ASCII_CONTROLS).split())
    kept = (" " if c.isspace() else c for c in text if c.isspace() or not _harmful(c))
    return " ".join("".join(kept).split())


def _harmful(character: str) -> bool:
    if unicodedata.category(character) in ("Cc", "Cs", "Co") or ord(character) & 0xFFFF >= 0xFFFE:
        return True
    return unicodedata.bidirectional(character) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
