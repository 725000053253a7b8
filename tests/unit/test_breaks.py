"""Words wider than a phone may break, and nothing else changes."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.render.text.text_wrap import LONGEST, breakable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("short words & <tags>", "short words &amp; &lt;tags&gt;"),
        ("a" * LONGEST, "a" * LONGEST),
        ("x " + "a" * (LONGEST + 1) + " y", f"x {'a' * LONGEST}<wbr>a y"),
        ("&" * (LONGEST + 1), "&amp;" * LONGEST + "<wbr>&amp;"),
        ("大" * 60, "大" * 60),
    ],
)
def test_breaks(text: str, shown: str) -> None:
    assert breakable(text) == shown


@given(st.text(st.characters(exclude_characters="&"), max_size=200))
def test_what_is_read_stays_the_same(text: str) -> None:
    shown = breakable(text)
    assert re.search(r"<(?!wbr>)", shown) is None
    assert unescape(shown.replace("<wbr>", "")) == text
