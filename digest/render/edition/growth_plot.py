"""How a paper's growth is drawn beside it: as a few bars."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

BAR_HEIGHT = 20
"""Pixels of the highest bar of a growth plot."""
MOST_BARS = 7


def bar_heights(growth: Sequence[float]) -> tuple[int, ...]:
    """Heights in pixels of the last days' growth, at least 2 so that a day without growth shows as one; () below 3 values."""
    days = [max(value, 0.0) for value in growth[-MOST_BARS:]]
    most = max(days, default=0.0)
    if len(days) < 3 or most <= 0 or not all(map(isfinite, growth)):
        return ()
    return tuple(max(2, round(BAR_HEIGHT * value / most)) for value in days)
