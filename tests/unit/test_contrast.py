"""Contrast, against figures anyone can check with a WCAG calculator."""

from __future__ import annotations

import pytest
from lxml import html as markup

from digest.mail.contrast import contrast, dark_rules, declarations, faint_texts, parse_colour


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000", "#ffffff", 21.0), ("#777777", "#fff", 4.48), ("#767676", "white", 4.54), ("rgb(255, 0, 0)", "#fff", 4.0)],
)
def test_known_ratios(one: str, other: str, ratio: float) -> None:
    first, second = parse_colour(one), parse_colour(other)
    assert first is not None
    assert second is not None
    assert contrast(first, second) == contrast(second, first) == pytest.approx(ratio, abs=0.005)


@pytest.mark.parametrize("text", ["", "currentColor", "#12", "#xyzxyz", "rgb(1,2)", "transparent", "var(--x)"])
def test_colours_not_understood(text: str) -> None:
    assert parse_colour(text) is None


def test_declarations_and_dark_rules() -> None:
    assert declarations("Color: #FFF !important; margin:0;;x") == {"color": "#FFF", "margin": "0"}
    css = "p{color:red} @media (prefers-color-scheme: dark) { .a, h1 { color: #eee !important } /* } */ .b { margin: 0 } } .c{}"
    assert dark_rules(css) == {".a": {"color": "#eee"}, "h1": {"color": "#eee"}, ".b": {"margin": "0"}}


@pytest.mark.parametrize(
    ("body", "css", "faint"),
    [
        ("<p>fine</p>", "", []),
        ("<p style='color:#999'>no</p>", "", [("no", False)]),
        ("<p style='color:#777777'>no, by a hair</p>", "", [("no, by a hair", False)]),
        ("<div style='color:#999'><p>no</p></div>", "", [("no", False)]),
        ("<div style='background-color:#222'><p style='color:#ddd'>fine</p></div>", "", []),
        ("<table><tr><td bgcolor='#222222'><p>no</p></td></tr></table>", "", [("no", False)]),
        ("<p style='color:#999;display:none'>hidden</p>", "", []),
        ("<p style='color:#999'> &nbsp; </p>", "", []),
        ("<p>a<b style='color:#000'>b</b>tail</p>", "", []),
        ("<div class='d' style='background-color:#fff'><p>no</p></div>", ".d{background-color:#111!important}", [("no", True)]),
        ("<div class='d' style='background-color:#fff'><p>ok</p></div>", ".d{background-color:#111;color:#eee}", []),
    ],
)
def test_faint_texts(body: str, css: str, faint: list[tuple[str, bool]]) -> None:
    sheet = f"@media (prefers-color-scheme: dark) {{ {css} }}" if css else ""
    found = faint_texts(markup.document_fromstring(f"<html><body>{body}</body></html>"), sheet)
    assert [(each.text, each.dark) for each in found] == faint
