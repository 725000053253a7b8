"""Superscripts and subscripts in Unicode's small characters; where it lacks one, written so that no number changes its value."""

from __future__ import annotations

import re

_MINUS = dict.fromkeys("−–‐‑", "-")
"""How publishers write the minus of an exponent."""
_SUPER = dict(
    zip(
        "0123456789+-=()nabcdefghijklmoprstuvwxyzABDEGHIJKLMNOPRTUVW*'′″†‡∗⋆⊤∘°βγδθφχ",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂ*′′″†‡*⋆ᵀ°°ᵝᵞᵟᶿᵠᵡ",
        strict=True,
    )
)
_SUB = dict(zip("0123456789+-=()aehijklmnoprstuvxβγρφχ,", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ,", strict=True))
SMALL = frozenset([*_SUPER.values(), *_SUB.values()]) - frozenset("*′″†‡⋆°,")
SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ"
_SIGNS = frozenset("®™℠©")
_LOOSE = re.compile(r"(?<![\w.]) +| +(?![\w.])")
_LETTERS = re.compile("[A-Za-z]+")


def scripted(sign: str, argument: str) -> str:
    """`_` or `^` with its argument: x₁₂, 10⁻³; where Unicode lacks a character s_NN, 10^(5.3), F_(qⁿ)."""
    argument = _LOOSE.sub("", argument.strip())
    if not argument or argument in _SIGNS:
        return argument
    table = _SUPER if sign == "^" else _SUB
    small = [table.get(_MINUS.get(c, c)) for c in argument]
    if None not in small:
        return "".join(c for c in small if c)
    if sign == "^" and argument[0] in "∘°":
        return f"°{argument[1:]}"
    if len(argument) == 1 or (sign == "_" and _LETTERS.fullmatch(argument)) or re.fullmatch(r"\([^()]*\)", argument):
        return sign + argument
    return f"{sign}({argument})"


def chemical(formula: str) -> str:
    """What `\\ce{…}` shows: H2O, SO4^2- and ^13C with their scripts, arrows as arrows."""
    formula = formula.replace("<=>", "⇌").replace("->", "→")
    formula = re.sub(r"\^\{?([\d+-]+)\}?", lambda found: scripted("^", found[1]), formula)
    formula = re.sub(r"(?<=[A-Za-z)\]])\d+", lambda found: scripted("_", found[0]), formula)
    return re.sub(r"(?<=[A-Za-z)\]₀-₉])[+-](?![\w(])", lambda found: scripted("^", found[0]), formula)


def set_apart(script: str, follower: str) -> str:
    """A script from `scripted` that was left in full size, bracketed where what follows would read as part of it."""
    sign, argument = script[:1], script[1:]
    if (
        sign not in ("_", "^")
        or not argument
        or not argument[-1].isalnum()
        or not (follower[:1].isalnum() or follower[:1] == ".")
    ):
        return script
    if sign == "_" and len(argument) == 1 and not follower[0].isdigit():  # k_BT reads as TeX does
        return script
    return script if follower[0] == "." and not follower[1:2].isdigit() else f"{sign}({argument})"


_LABEL = re.compile(r"(?<!\w)([^\W\d_])_\((\d+\.\d+)\)(?![\w.(])")


def without_needless_brackets(text: str) -> str:
    """A lone letter's decimal label: π_(0.5) is the model π0.5."""
    return _LABEL.sub(r"\1\2", text) if "_(" in text else text
