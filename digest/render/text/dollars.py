"""Which dollar signs stand around maths, and which are money."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping

_MOST_NESTED = 20
"""Dollars looked at for one that closes: `\\text{if $x$ is even}` within maths has a few."""


class Dollars:
    """The dollar signs of a text that are not escaped, each with how many braces stand open around it."""

    def __init__(self, text: str, closing: Mapping[int, int]) -> None:
        """`closing`: the position of each opening brace → of its closing one."""
        self.places: list[int] = []
        self.depths: list[int] = []
        closes, depth = set(closing.values()), 0
        for found in re.finditer(r"\\.|[{}$]", text, re.DOTALL) if "$" in text else ():
            at = found.start()
            if found[0] == "$":
                self.places.append(at)
                self.depths.append(depth)
            depth += (at in closing) - (at in closes)

    def closing(self, opened: int, end: int) -> int:
        """The dollar that ends the maths begun before `opened`: the first one outside of braces within, else the first; or -1."""
        place = bisect_left(self.places, opened)
        near = range(place, min(place + _MOST_NESTED, len(self.places)))
        if place == 0 or not near or self.places[place] >= end:
            return -1
        outside = (self.places[n] for n in near if self.depths[n] <= self.depths[place - 1])
        closer = next(outside, end)
        return closer if closer < end else self.places[place]


def is_money(inner: str, follower: str) -> bool:
    """ "$5 and $10" is no math. What opens or closes beside a space needs to look like math in between."""
    if inner[0].isspace() and inner[-1].isspace() and not re.search(r"[^\W\d_]{2}", inner):
        return False
    if inner[0].isspace() or inner[-1].isspace() or follower.isdigit():
        return not re.search(r"[\\^_]" if inner[0].isdigit() else r"[\\^_=<>]", inner)
    return bool(re.match(r"\d[\d.,]*\s?[A-Za-z–-]*\s+[(\w]", inner)) and not re.search(r"[\\^_=<>+*]", inner)


def matched_braces(text: str) -> dict[int, int]:
    """Position of each opening brace → of its closing one; escaped and lone braces have no entry."""
    pairs: dict[int, int] = {}
    stack: list[int] = []
    for found in re.finditer(r"\\.|[{}]", text, re.DOTALL):
        if found[0] == "{":
            stack.append(found.start())
        elif found[0] == "}" and stack:
            pairs[stack.pop()] = found.start()
    return pairs
