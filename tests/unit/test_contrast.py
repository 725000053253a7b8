"""Contrast, against figures anyone can check with a WCAG calculator."""

from __future__ import annotations

import pytest
from lxml import html as markup

from digest.mail.lint.contrast import contrast, dark_rules, declarations, faint_texts, parse_colour
from tests.tables import every_row


@every_row(
    ("one", "other", "ratio"),
    [
        ("#000", "#ffffff", 21.0),
        ("#777777", "#fff", 4.48),
        ("#767676", "white", 4.54),
        ("rgb(255, 0, 0)", "#fff", 4.0),
        ("blue", "#fff", 8.59),
        ("#008000", "#fff", 5.14),
        ("#ff0", "#fff", 1.07),
        ("#0a0a0a", "black", 1.06),
        ("#0b0b0b", "black", 1.07),
        ("#101010", "black", 1.10),
        ("#fff", "#fff", 1.0),
    ],
)
def test_known_ratios(one: str, other: str, ratio: float) -> None:
    first, second = parse_colour(one), parse_colour(other)
    assert first is not None
    assert second is not None
    assert contrast(first, second) == contrast(second, first) == pytest.approx(ratio, abs=0.005)


@pytest.mark.parametrize("text", ["", "currentColor", "#12", "#xyzxyz", "rgb(1,2)", "transparent", "var(--x)"])
def test_colours_not_understood(text: str) -> None:
    assert parse_colour(text) is None


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("#a1b2c3", (0xA1, 0xB2, 0xC3)),
        (" #A1B ", (0xAA, 0x11, 0xBB)),
        ("Silver", (192, 192, 192)),
        ("gray", (128, 128, 128)),
        ("rgb(1, 22 ,255)", (1, 22, 255)),
        ("RGB(300,400,999)", (255, 255, 255)),
    ],
)
def test_colours_as_mails_write_them(text: str, colour: tuple[int, int, int]) -> None:
    assert parse_colour(text) == colour


def test_a_rule_said_twice_and_one_that_is_commented_out() -> None:
    css = (
        "/* @media (prefers-color-scheme: dark) { .no { color: #000 } } */"
        "@MEDIA screen and (prefers-color-scheme:dark) { .a { color: red; margin: 0 } .a { color: blue } }"
        "@media (prefers-color-scheme: light) { .a { color: white } }"
    )
    assert dark_rules(css) == {".a": {"color": "blue", "margin": "0"}}


def test_a_faint_text_is_told_once_with_its_ratio_and_its_first_words() -> None:
    said = "word " * 20
    tree = markup.document_fromstring(f"<body><p style='color:#999'>{said}</p><p style='color:#999'>again</p></body>")
    (found,) = faint_texts(tree, "")
    assert (found.text, found.dark) == (said[:40], False)
    assert found.ratio == pytest.approx(2.85, abs=0.005)


def test_declarations_and_dark_rules() -> None:
    assert declarations("Color: #FFF !important; margin:0;;x") == {"color": "#FFF", "margin": "0"}
    css = "p{color:red} @media (prefers-color-scheme: dark) { .a, h1 { color: #eee !important } /* } */ .b { margin: 0 } } .c{}"
    assert dark_rules(css) == {".a": {"color": "#eee"}, "h1": {"color": "#eee"}, ".b": {"margin": "0"}}


@every_row(
    ("body", "css", "faint"),
    [
        ("<p>fine</p>", "", []),
        ("<p style='color:#999'>no</p>", "", [("no", False)]),
        ("<p style='color:#777777'>no, by a hair</p>", "", [("no, by a hair", False)]),
        ("<div style='color:#999'><p>no</p></div>", "", [("no", False)]),
        ("<div style='background-color:#222'><p style='color:#ddd'>fine</p></div>", "", []),
        ("<table><tr><td bgcolor='#222222'><p>no</p></td></tr></table>", "", [("no", False)]),
        ("<p style='color:#999;display:none'>hidden</p>", "", []),
        ("<div style='display:none'><p style='color:#999'>hidden with what is around it</p></div>", "", []),
        ("<p style='color:#999'> &nbsp; </p>", "", []),
        ("<p>a<b style='color:#000'>b</b>tail</p>", "", []),
        ("<div class='d' style='background-color:#fff'><p>no</p></div>", ".d{background-color:#111!important}", [("no", True)]),
        ("<div class='d' style='background-color:#fff'><p>ok</p></div>", ".d{background-color:#111;color:#eee}", []),
        ("<p style='color:#eee'>no</p>", ".none{color:#eee}", [("no", False), ("no", True)]),
        ("<p>ok</p>", "body{background:#000}p{color:#fff}", []),
        ("<p>no</p>", "body{background:#000}", [("no", True)]),
        ("<div style='background:#222'><p style='background:#fff'>nearest</p></div>", "", []),
        ("<div style='color:#fff'><p style='color:#000'>nearest</p></div>", "", []),
        ("<p class='a b'>no</p>", ".b{color:#222;background-color:#111}", [("no", True)]),
        ("<p style='color:no-colour'>skipped</p><p style='color:#999'>no</p>", "", [("no", False)]),
        ("<p style='color:#999'>&nbsp;</p><p style='color:#999'>no</p>", "", [("no", False)]),
        ("<div style='color:#999'><b style='color:#000'>ok</b> tail</div>", "", [("tail", False)]),
    ],
)
def test_faint_texts(body: str, css: str, faint: list[tuple[str, bool]]) -> None:
    sheet = f"@media (prefers-color-scheme: dark) {{ {css} }}" if css else ""
    found = faint_texts(markup.document_fromstring(f"<html><body>{body}</body></html>"), sheet)
    assert [(each.text, each.dark) for each in found] == faint
