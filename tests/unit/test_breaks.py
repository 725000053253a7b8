"""Words wider than a phone may break, and nothing else changes."""

from __future__ import annotations

from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.render.text.text_wrap import LONGEST, breakable

PART = '<span style="display:inline-block">'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("short words & <tags>", "short words &amp; &lt;tags&gt;"),
        ("a" * LONGEST, "a" * LONGEST),
        ("x " + "a" * (LONGEST + 1) + " y", f"x {PART}{'a' * LONGEST}</span>{PART}a</span> y"),
        ("&" * (LONGEST + 1), f"{PART}{'&amp;' * LONGEST}</span>{PART}&amp;</span>"),
        ("大" * 60, "大" * 60),
    ],
)
def test_breaks(text: str, shown: str) -> None:
    assert breakable(text) == shown


@given(st.text(st.characters(exclude_characters="&"), max_size=200))
def test_what_is_read_stays_the_same(text: str) -> None:
    shown = breakable(text)
    bare = shown.replace(PART, "").replace("</span>", "")
    assert "<" not in bare
    assert unescape(bare) == text
