"""Small plots as inline SVG: attributes only, so that the strict Content-Security-Policy need not be loosened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from digest.domain.paper import Signal
from digest.ranking.signal_history import signal_history

HEIGHT = 80
BAR = 8
CURVE_WIDTH, CURVE_HEIGHT = 320, 48
MOST_POINTS = 160


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


@dataclass(frozen=True, slots=True)
class Curve:
    """How a paper's votes grew: `line` and the `area` below it as SVG points.

    `label` says it in words; `first` and `last` are what stands at the ends of the axis.
    """

    label: str
    first: str
    last: str
    width: int
    height: int
    line: str
    area: str


def votes_curve(signals: Iterable[Signal], until: datetime) -> Curve | None:
    """The readings of the source that shows most, by `until`; None where they are too few, or nothing grew.

    The height is from no votes to the latest, so that a steep curve is one.
    """
    votes = signal_history(signals, until).get("upvotes")
    if votes is None or len(votes.main.hours) < 2 or votes.main.last <= votes.main.values[0]:
        return None
    hours, values = votes.main.hours, votes.main.values
    step = -(-len(hours) // MOST_POINTS)
    shown = sorted({*range(0, len(hours), step), len(hours) - 1})
    spots = [
        (CURVE_WIDTH * (hours[n] - hours[0]) / (hours[-1] - hours[0]), 1 + (CURVE_HEIGHT - 2) * (1 - values[n] / votes.main.last))
        for n in shown
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    began, ended = (until + timedelta(hours=hour) for hour in (hours[0], hours[-1]))
    first, last = (f"{round(value):,}" for value in (values[0], values[-1]))
    return Curve(
        label=f"Upvotes grew from {first} on {_when(began)} to {last} on {_when(ended)} UTC",
        first=f"{first}, {_when(began)}",
        last=f"{last} upvotes, {_when(ended)} UTC",
        width=CURVE_WIDTH,
        height=CURVE_HEIGHT,
        line=line,
        area=f"0,{CURVE_HEIGHT} {line} {CURVE_WIDTH},{CURVE_HEIGHT}",
    )


def _when(at: datetime) -> str:
    return f"{at.day} {at:%b %H:%M}"
