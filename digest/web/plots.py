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
    """Bars for consecutive days, from `first` to `last`. `label` sums up what they show, the highest of them `most`."""

    label: str
    first: date
    last: date
    most: int
    width: int
    height: int
    bars: tuple[Bar, ...]


def days_plot(what: str, counts: Mapping[date, int], last: date, days: int = 60) -> Plot:
    """One bar a day up to `last`: how many there were on it."""
    shown = {day: counts.get(day, 0) for day in _days(last, days)}
    return _plot(f"{what}: {sum(shown.values())} in {days} days, at most {max(shown.values())} a day", shown)


def growth_plot(what: str, now: int, came: Mapping[date, int], went: Mapping[date, int], last: date, days: int = 60) -> Plot:
    """One bar a day up to `last`: how many there were at its end, reckoned back from how many there are `now`."""
    shown: dict[date, int] = {}
    for day in reversed(_days(last, days)):
        shown[day] = now
        now = max(0, now - came.get(day, 0) + went.get(day, 0))
    shown = dict(reversed(shown.items()))
    return _plot(f"{what}: {shown[last]} now, {now} before these {days} days", shown)


def _days(last: date, days: int) -> list[date]:
    return [last - timedelta(days=days - 1 - n) for n in range(days)]


def _plot(label: str, shown: Mapping[date, int]) -> Plot:
    """The highest bar takes the whole height, a day with anything at least two units."""
    most = max(shown.values())
    bars = []
    for n, (day, count) in enumerate(shown.items()):
        height = max(2, round(HEIGHT * count / most)) if count else 0
        bars.append(Bar(n * BAR, HEIGHT - height, height, f"{day.isoformat()}: {count}"))
    days = list(shown)
    return Plot(label, days[0], days[-1], most, len(days) * BAR, HEIGHT, tuple(bars))
