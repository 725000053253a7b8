"""Whether text can be read: contrast of the colours that style attributes and the dark media query give it.

WCAG 2.2 §1.4.3: at least 4.5:1, relative luminance as defined there. Enough CSS is understood for a mail: inherited colour, the
nearest background, and dark rules whose selectors are a class or an element name. A colour that is not understood is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import html

from digest.mail.inbound.parsed_message import fold, hides

LEAST = 4.5
_NAMED = {"white": "#ffffff", "black": "#000000", "gray": "#808080", "red": "#ff0000", "blue": "#0000ff", "silver": "#c0c0c0"}
_DARK = re.compile(r"@media[^{]*prefers-color-scheme\s*:\s*dark[^{]*\{((?:[^{}]*\{[^{}]*\})*)", re.IGNORECASE)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")

Colour = tuple[int, int, int]
Rules = Mapping[str, Mapping[str, str]]
"""Selector (".meta", "h2") → property → value."""


@dataclass(frozen=True, slots=True)
class Faint:
    """Text of too little contrast."""

    text: str
    ratio: float
    dark: bool


@dataclass(frozen=True, slots=True)
class _Look:
    """How an element looks: its own colour or an outer one's, the nearest background; whether it or an outer one is hidden."""

    colour: str
    background: str
    hidden: bool = False

    def within(self, element: html.HtmlElement, rules: Rules) -> _Look:
        """Of an element directly in this one."""
        style = declarations(element.get("style", ""))
        for selector in (element.tag, *(f".{name}" for name in element.get("class", "").split())):
            style.update(rules.get(str(selector), {}))
        background = style.get("background-color") or style.get("background") or element.get("bgcolor")
        return _Look(style.get("color") or self.colour, background or self.background, self.hidden or hides(element))


def declarations(style: str) -> dict[str, str]:
    """ "color:#fff; margin:0" → {"color": "#fff", "margin": "0"}, names in lower case, !important taken off."""
    found = {}
    for declaration in style.split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            found[name.strip().lower()] = re.sub(r"\s*!important\s*$", "", value.strip(), flags=re.IGNORECASE)
    return found


def dark_rules(css: str) -> Rules:
    rules: dict[str, dict[str, str]] = {}
    for block in _DARK.findall(re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)):
        for selectors, style in _RULE.findall(block):
            for selector in selectors.split(","):
                rules.setdefault(selector.strip(), {}).update(declarations(style))
    return rules


def faint_texts(tree: html.HtmlElement, css: str) -> Iterator[Faint]:
    """Every piece of visible text under 4.5:1, in light and, where a dark media query is, in dark."""
    rules = dark_rules(css)
    for dark in (False, True) if rules else (False,):
        seen: set[tuple[Colour, Colour]] = set()
        looks: dict[html.HtmlElement | None, _Look] = {None: _Look("#000000", "#ffffff")}
        for element in tree.iter():  # each after its parent
            if not isinstance(element.tag, str):
                continue
            around = looks.get(element.getparent(), looks[None])
            looks[element] = here = around.within(element, rules if dark else {})
            if here.hidden:
                continue
            text = fold("".join([element.text or "", *(child.tail or "" for child in element)]))
            colour, background = parse_colour(here.colour), parse_colour(here.background)
            if not text or colour is None or background is None or (colour, background) in seen:
                continue
            seen.add((colour, background))
            ratio = contrast(colour, background)
            if ratio < LEAST:
                yield Faint(text[:40], ratio, dark)


def parse_colour(text: str) -> Colour | None:
    text = _NAMED.get(text.strip().lower(), text.strip().lower())
    if match := re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6})", text):
        digits = match[1] if len(match[1]) == 6 else "".join(c + c for c in match[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if match := re.fullmatch(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)", text):
        return min(int(match[1]), 255), min(int(match[2]), 255), min(int(match[3]), 255)
    return None


def contrast(one: Colour, other: Colour) -> float:
    """1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
