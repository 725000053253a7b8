"""Small plots as inline SVG: attributes only, so that the strict Content-Security-Policy need not be loosened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

HEIGHT = 80
BAR = 8


@dataclass(frozen=True, slots=True)
class Bar:
    x: int
    y: int
    height: int
    title: str
    """What a pointer or a screen reader is told."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Bars for consecutive days. `label` sums up what they show."""

    label: str
    width: int
    height: int
    bars: tuple[Bar, ...]


def days_plot(what: str, counts: Mapping[date, int], last: date, days: int = 60) -> Plot:
    """One bar a day up to `last`; the highest takes the whole height, a day with anything at least two units."""
    shown = [last - timedelta(days=days - 1 - n) for n in range(days)]
    most = max((counts.get(day, 0) for day in shown), default=0)
    total = sum(counts.get(day, 0) for day in shown)
    bars = []
    for n, day in enumerate(shown):
        count = counts.get(day, 0)
        height = max(2, round(HEIGHT * count / most)) if count else 0
        bars.append(Bar(n * BAR, HEIGHT - height, height, f"{day.isoformat()}: {count}"))
    return Plot(f"{what}: {total} in {days} days, at most {most} a day", days * BAR, HEIGHT, tuple(bars))
