"""Scripts in plain text, where people write `_` and `^` without dollars or braces: R^2, CO_2, 10^-3, μ_0, but not file_1."""

from __future__ import annotations

import re

from digest.render.text.scripts import scripted

_ELEMENTS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh"
    " Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr"
    " Ra Ac Th Pa U Np Pu D X"
)
_LONGEST_BASE = 40
_FORMULA = re.compile(
    rf"(?<![\w.\\/@])(?:\(?(?:{'|'.join(sorted(_ELEMENTS.split(), key=len, reverse=True))})"
    r"(?:_?\d{1,2})?(?:_\{[\w.-]{1,8}\})?\)?){1,6}\Z"
)
"""A chemical formula up to the script: CO, Fe_2O."""
_LETTER = re.compile(r"(?:(?<![\w\\/.@#])|(?<=[\d∂∇]))[^\W\d_][\u0300-\u036f′]?\Z|[)\]}|′]\Z")
_POWERED = re.compile(r"[\w)\]}|′%]\Z")
_DIGITS = re.compile(r"[+\-−–]?\d{1,4}(?![\d^_]|[.,]\d|/\d|[+\-−–]?\w*[_^]\w+[_^])")
_ONE = re.compile(r"[*†∗′∞±+\-−](?![\w.])|[^\W\d_](?![\w^])")


def plain_script(text: str, at: int, end: int, *, after_island: bool) -> tuple[str, int]:
    """The script whose sign stands at `at`, and where it ends; ("", at) where the sign is only a character."""
    before = text[max(0, at - _LONGEST_BASE) : at]
    power = text[at] == "^"
    lone = after_island or bool(_LETTER.search(before))
    if not (lone or (power and _POWERED.search(before)) or (not power and _FORMULA.search(before))):
        return "", at
    if found := _DIGITS.match(text, at + 1, end):
        if not power and text[found.end() : found.end() + 1].islower():  # x_1st, v_2beta
            return "", at
        return scripted(text[at], found[0]), found.end()
    if lone and (found := _ONE.match(text, at + 1, end)):
        return scripted(text[at], found[0]), found.end()
    return "", at
