"""What LaTeX puts into fields and names: braces, accents and letters."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from pylatexenc.latex2text import get_default_latex_context_db

_MARK = re.compile(r"\\[A-Za-z]+\*?|\\.|[{}$]", re.DOTALL)
_SPACE = re.compile(r"\s*+")
_SCRIPTED = re.compile(r".?[_^]\s?$", re.DOTALL)
_SCOPE = re.compile(r"\{\\[^&%_#$]")


def balanced(text: str) -> str:
    """Without the braces that have no partner."""
    partner = _partners(text)
    return "".join(text[at] for at in range(len(text)) if partner.get(at, at) is not None) if None in partner.values() else text


def unprotected(text: str) -> str:
    """Without the braces that hold no argument of a macro or of a script, and begin no scope; mathematics stays as it is."""
    if "{" not in text and "}" not in text:
        return text
    partner = _partners(text)
    dropped: set[int] = set()
    arguments: set[int] = set()
    expected = -1
    """Where an argument of a macro would begin."""
    in_math, dollars = False, sum(1 for found in _MARK.finditer(text) if found[0] == "$")
    for found in _MARK.finditer(text):
        mark, at = found[0], found.start()
        other = partner.get(at)
        if mark == "$":
            in_math, dollars = (not in_math and dollars > 1), dollars - 1
        elif mark == "{" and other is not None:
            if at == expected:
                arguments.add(other)
            elif not (in_math or _SCRIPTED.match(text, max(at - 2, 0), at) or _SCOPE.match(text, at)):
                dropped |= {at, other}
        elif mark in "{}":
            dropped |= {at} if other is None else set()
            expected = at + 1 if at in arguments else expected
        elif mark[1].isalpha() or mark[1] in "'`\"^~=.":
            expected = _SPACE.match(text, found.end()).end()  # type: ignore[union-attr]  # it matches nothing at least
    return "".join(sign for at, sign in enumerate(text) if at not in dropped)


def _partners(text: str) -> dict[int, int | None]:
    """Position of each brace → of its partner; None where it has none. Escaped braces are none."""
    partner: dict[int, int | None] = {}
    opened: list[int] = []
    for found in _MARK.finditer(text):
        if found[0] == "{":
            opened.append(found.start())
            partner[found.start()] = None
        elif found[0] == "}":
            partner[found.start()] = opened[-1] if opened else None
            if opened:
                partner[opened.pop()] = found.start()
    return partner


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
