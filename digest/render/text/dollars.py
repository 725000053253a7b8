"""Which dollar signs stand around maths, and which are money."""

from __future__ import annotations

import re


def closing_dollar(text: str, at: int, end: int) -> int:
    """The dollar that ends the maths: the first one outside of braces, else the first; -1 where there is none."""
    first, start = -1, at
    while (closer := text.find("$", at, end)) >= 0:
        if text[closer - 1] != "\\":
            if first < 0:
                first = closer
            if "{" not in text[start:closer] or _balanced(text[start:closer]):
                return closer
        at = closer + 1
    return first


def is_money(inner: str, follower: str) -> bool:
    """ "$5 and $10" is no math. What opens or closes beside a space needs to look like math in between."""
    if inner[0].isspace() and inner[-1].isspace() and not re.search(r"[^\W\d_]{2}", inner):
        return False
    if inner[0].isspace() or inner[-1].isspace() or follower.isdigit():
        return not re.search(r"[\\^_]" if inner[0].isdigit() else r"[\\^_=<>]", inner)
    return bool(re.match(r"\d[\d.,]*\s?[A-Za-z–-]*\s+[(\w]", inner)) and not re.search(r"[\\^_=<>+*]", inner)


def _balanced(text: str) -> bool:
    text = text.replace("\\{", "").replace("\\}", "")
    return text.count("{") == text.count("}")
