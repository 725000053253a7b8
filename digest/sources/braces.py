"""BibTeX's braces: those that only protect words or capitals go, those that hold an argument stay. All in one pass, balanced."""

from __future__ import annotations

import re

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
