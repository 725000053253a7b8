"""Columns: what a terminal shows in 72 of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.render.text.text_wrap import width, wrap
from tests.tables import every_row


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", 0), ("abc", 3), ("模型", 4), ("e\u0301", 1), ("a\u200db", 2), ("ﾊﾝ", 2), ("محمد", 4)],
)
def test_width(text: str, columns: int) -> None:
    assert width(text) == columns


@every_row(
    ("text", "indent", "wrapped"),
    [
        ("a  b\n c", 0, "a b c"),
        ("aaaa bbbb cccc", 0, "aaaa bbbb\ncccc"),
        ("aaaa bbbb cccc", 2, "aaaa\n  bbbb\n  cccc"),
        ("大規模言語モデル", 0, "大規模言語\nモデル"),
        ("大規模言語。モデル", 0, "大規模言\n語。モデル"),
        ("abcdefghijklmnop", 0, "abcdefghij\nklmnop"),
        ("see https://example.org/a/b/c now", 0, "see\nhttps://example.org/a/b/c\nnow"),
        ("", 4, ""),
    ],
)
def test_wrap_at_ten(text: str, indent: int, wrapped: str) -> None:
    assert wrap(text, indent, columns=10) == wrapped


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300), st.integers(0, 8))
def test_nothing_is_lost_and_nothing_is_too_wide(text: str, indent: int) -> None:
    lines = wrap(text, indent).split("\n")
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines[1:]:
        assert line.startswith(" " * indent)
    # One column more at most: a sign that may not begin a line hangs over the end of the one before.
    assert all(width(line.strip()) <= 72 - indent + 2 * _hanging(line) for line in lines if "http" not in line)


def _hanging(line: str) -> int:
    return len(line) - len(line.rstrip("、。，．：；？！）」』】〉》’”…"))
