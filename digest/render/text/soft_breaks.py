"""Long words in html: where they may break, said with <wbr>, since what CSS has for it neither Outlook nor Yahoo understands."""

from __future__ import annotations

import re
from html import escape

LONGEST = 28
"""Characters that fit on a phone's line in the largest type."""
_LONG_WORD = re.compile(rf"[^\s<>\u2e80-\uffff-]{{{LONGEST + 1},}}")


def breakable(text: str) -> str:
    """`text` escaped for html; words longer than a phone is wide may break every so many characters."""
    if len(max(text.split(), key=len, default="")) <= LONGEST or not _LONG_WORD.search(text):
        return escape(text)
    pieces, at = [], 0
    for word in _LONG_WORD.finditer(text):
        cuts = range(word.start(), word.end(), LONGEST)
        pieces.append(escape(text[at : word.start()]))
        pieces.append("<wbr>".join(escape(text[cut : min(cut + LONGEST, word.end())]) for cut in cuts))
        at = word.end()
    return "".join([*pieces, escape(text[at:])])
