"""What `_`, `^`, `~` and `$` mean in plain text: R^2, CO_2, 10^-3, μ_0 and Fig.~3 are TeX; file_1, ^_^, ~100 and $5 are not."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping

from digest.render.text.scripts import scripted

_ELEMENTS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh"
    " Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr"
    " Ra Ac Th Pa U Np Pu D X AdS"
)
_LONGEST_BASE = 40
_FORMULA = re.compile(
    rf"(?<![\w.\\/@])(?:\(?(?:{'|'.join(sorted(_ELEMENTS.split(), key=len, reverse=True))})"
    r"(?:_?\d{1,2})?(?:_\{[\w.-]{1,8}\})?\)?){1,6}\Z"
)
"""A chemical formula up to the script: CO, Fe_2O."""
_LETTER = re.compile(r"(?:(?<![\w\\/.@#^])|(?<=[\d∂∇]))[^\W\d_][\u0300-\u036f′]?\Z|[)\]}|′]\Z")
_POWERED = re.compile(r"[\w)\]}|′%]\Z")
_DIGITS = re.compile(r"[+\-−–]?\d{1,4}(?!\d|[.,]\d|/\d)")
_CHARGE = re.compile(r"[*†∗′∞±](?![\w.])|[+\-−](?![\d.])|[xyz](?!\w)")
_ONE = re.compile(r"[^\W\d_](?![\w^])")


def plain_script(text: str, at: int, end: int, *, after_island: bool) -> tuple[str, int]:
    """The script whose sign stands at `at`, and where it ends; ("", at) where the sign is only a character."""
    before = text[max(0, at - _LONGEST_BASE) : at]
    if not after_island and not re.search(r"[\w)\]}|′%\u0300-\u036f]\Z", before[-1:]):
        return "", at
    power = text[at] == "^"
    lone = after_island or bool(_LETTER.search(before))
    formula = lone or bool(_FORMULA.search(before))
    if not (formula or (power and _POWERED.search(before))):
        return "", at
    if found := _DIGITS.match(text, at + 1, end):
        follower = text[found.end() : found.end() + 1]
        if follower == text[at] or (not power and follower.islower()):  # v_1_2, x_1st
            return "", at
        return scripted(text[at], found[0]), found.end()
    if (formula and (found := _CHARGE.match(text, at + 1, end))) or (lone and (found := _ONE.match(text, at + 1, end))):
        return scripted(text[at], found[0]), found.end()
    return "", at


def is_tie(text: str, at: int) -> bool:
    """A space that breaks no line ("Fig.~3", "AIME~2024"), not "about" (~100, z~6, 5~10) or "distributed as" (x~N)."""
    before, after = text[max(at - 2, 0) : at], text[at + 1 : at + 3]
    last, first = before[-1:], after[:1]
    if not first or first in " ~" or last == " ":
        return False
    lone = last.isalpha() and not before[:-1].isalnum()
    if first.isdigit():
        return (last.isalpha() and not lone) or last in tuple(".,:;)]}$%’”")
    if lone and first.isalpha() and not after[1:].isalpha():
        return False
    return (not last or last.isalnum() or last in ".,:;)]}$%’”'") and (first.isalnum() or first in "([$\\{‘“`")


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
