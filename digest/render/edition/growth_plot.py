"""How a paper's growth is drawn beside it: as a few bars."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

BAR_HEIGHT = 20
"""Pixels of the highest bar of a growth plot."""
MOST_BARS, LEAST_DAYS = 7, 3
FLAT = 2
"""Pixels of a day without growth."""


def bar_heights(growth: Sequence[float]) -> tuple[int, ...]:
    """Heights in pixels of the last days' growth, at least 2 so that a day without growth shows as one.

    () unless three days stand above that: one high bar and a flat line say no more than the count beside them.
    """
    days = [max(value, 0.0) for value in growth[-MOST_BARS:]]
    most = max(days, default=0.0)
    if most <= 0 or not all(map(isfinite, growth)):
        return ()
    heights = tuple(max(FLAT, round(BAR_HEIGHT * value / most)) for value in days)
    return heights if sum(height > FLAT for height in heights) >= LEAST_DAYS else ()
