"""LaTeX in the names of people → Unicode: accents, letters and signs; braces stay."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from pylatexenc.latex2text import get_default_latex_context_db

_ACCENT = re.compile(
    r"\\(?P<accent>['`\"^~=.]|[cvHkurbdt](?![A-Za-z]))\s*(?:\{\s*(?P<braced>\\[ij]|[^\W\d_])\s*\}"
    r"|\{\s*\{(?P<twice>\\[ij]|[^\W\d_])\}\s*\}|(?P<bare>\\[ij](?![A-Za-z])\s?|[^\W\d_]))"
)
_COMBINING = dict(
    zip(
        "'`\"^~=.cvHkurbdt",
        "\u0301\u0300\u0308\u0302\u0303\u0304\u0307\u0327\u030c\u030b\u0328\u0306\u030a\u0331\u0323\u0361",
        strict=True,
    )
)
_NOTE = re.compile(
    r"\\(?:thanks|footnote(?:mark)?|orcid(?:link|ID)?|inst|textsuperscript)\*?\s?(?:\[[^\[\]]{0,40}\])?\{[^{}]{0,300}\}"
    r"|\$\s?\^\s?(?:\{[^{}$]{0,60}\}|[\w*†‡]|\\[a-z]{1,12})\s?\$"
)
"""What stands at a name and is no part of it."""
_LATEX_AND = re.compile(r"\s\\and\b")
_MACRO = re.compile(r"\\([A-Za-z]{1,30})\*?(?:\s*\{\}|\s?)")
_SIGN = re.compile(r"\\(.?)", re.DOTALL)
_SIGNS = {sign: sign for sign in "%#_"} | dict.fromkeys((" ", ",", ";", ":", "\n"), " ") | {"&": "\ue002"}


def from_latex(text: str) -> str:
    text = _NOTE.sub("", text) if "\\" in text or "$" in text else text
    if "\\" in text:
        text = _LATEX_AND.sub(" and ", text)
        for _ in range(2):  # "{\\'{\\i}}" and what an accent uncovers
            text = _ACCENT.sub(_accented, text)
        text = _MACRO.sub(lambda found: _letter(found[1]), text)
        text = _SIGN.sub(lambda found: _SIGNS.get(found[1], ""), text)
    return text.replace("~", " ").replace("---", "—").replace("--", "–")


def _accented(found: re.Match[str]) -> str:
    base = (found["braced"] or found["twice"] or found["bare"]).strip().lstrip("\\")
    return unicodedata.normalize("NFC", base + _COMBINING[found["accent"]])


@lru_cache(maxsize=2048)
def _letter(name: str) -> str:
    """`\\o` → "ø"; "" for a macro that stands for no text, such as a font."""
    meant = getattr(get_default_latex_context_db().get_macro_spec(name), "simplify_repl", None)
    return meant if isinstance(meant, str) and "%" not in meant else ""
