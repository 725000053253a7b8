"""Small plots as inline SVG: attributes only, so that the strict Content-Security-Policy need not be loosened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from digest.domain.paper import Signal
from digest.ranking.signal_history import signal_history
from digest.translation import Translation, translation

ENGLISH = translation("en")
CURVE_WIDTH, CURVE_HEIGHT = 320, 48
MOST_POINTS = 160
WIDTH, LEFT, TOP, BOTTOM = 340, 40, 10, 150
"""Of a plot with axes: its width, and where the area inside the axes begins and ends; labels stand outside."""
RIGHT, PLOT_BOTTOM = WIDTH - 10, 90
DAYS_FROM = 48
"""Hours from which an axis names days only."""


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    height: float
    title: str
    """What a pointer or a screen reader is told."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Bars for consecutive days, with axes. `label` sums up what they show, the highest of them `most`."""

    label: str
    most: int
    bars: tuple[Bar, ...]
    across: tuple[tuple[float, str, str], ...]
    """Along the days: (place, label, text-anchor)."""
    up: tuple[tuple[float, str], ...]
    """Along the counts: (place, label)."""
    bar: float
    """How wide one is."""
    width: int = WIDTH
    height: int = PLOT_BOTTOM + 24
    left: int = LEFT
    right: int = RIGHT
    bottom: int = PLOT_BOTTOM


def days_plot(what: str, counts: Mapping[date, int], last: date, days: int = 60) -> Plot:
    """One bar a day up to `last`: how many there were on it."""
    shown = {day: counts.get(day, 0) for day in _days(last, days)}
    return _plot(f"{what}: {sum(shown.values())} in {days} days (peak {max(shown.values())} a day)", shown)


def growth_plot(what: str, now: int, came: Mapping[date, int], went: Mapping[date, int], last: date, days: int = 60) -> Plot:
    """One bar a day up to `last`: how many there were at its end, reckoned back from how many there are `now`."""
    shown: dict[date, int] = {}
    for day in reversed(_days(last, days)):
        shown[day] = now
        now = max(0, now - came.get(day, 0) + went.get(day, 0))
    shown = dict(reversed(shown.items()))
    return _plot(f"{what}: {shown[last]} ({now} {days} days ago)", shown)


def _days(last: date, days: int) -> list[date]:
    return [last - timedelta(days=days - 1 - n) for n in range(days)]


def _plot(label: str, shown: Mapping[date, int]) -> Plot:
    """To the next round number; a day with anything has a bar of at least two units."""
    most, days = max(shown.values()), list(shown)
    top, room = ceiling(most), (RIGHT - LEFT) / len(days)
    bars = []
    for n, (day, count) in enumerate(shown.items()):
        height = max(2.0, (PLOT_BOTTOM - TOP) * count / top) if count else 0.0
        bars.append(Bar(LEFT + n * room, PLOT_BOTTOM - height, height, f"{day.isoformat()}: {count}"))
    return Plot(
        label,
        most,
        tuple(bars),
        across=_across(*(f"{day.day} {day:%b}" for day in (days[0], days[len(days) // 2], days[-1]))),
        up=_up(top, PLOT_BOTTOM),
        bar=round(0.8 * room, 1),
    )


def _up(top: int, bottom: int) -> tuple[tuple[float, str], ...]:
    counts = (0, top // 2, top) if top > 1 else (0, top)
    return tuple((bottom - (bottom - TOP) * count / top, f"{count:,}") for count in counts)


def _across(first: str, middle: str, last: str) -> tuple[tuple[float, str, str], ...]:
    return (LEFT, first, "start"), ((LEFT + RIGHT) / 2, middle, "middle"), (RIGHT, last, "end")


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


def votes_curve(signals: Iterable[Signal], until: datetime, spoken: Translation = ENGLISH) -> Curve | None:
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
    first, last = {"n": round(values[0]), "at": _when(began, spoken)}, {"n": round(values[-1]), "at": _when(ended, spoken)}
    return Curve(
        label=spoken.gettext(
            "Upvotes grew from %(first)s on %(began)s to %(last)s on %(ended)s UTC",
            first=first["n"],
            began=first["at"],
            last=last["n"],
            ended=last["at"],
        ),
        first=spoken.gettext("%(n)s on %(at)s", **first),
        last=spoken.gettext("%(n)s upvotes on %(at)s UTC", **last),
        width=CURVE_WIDTH,
        height=CURVE_HEIGHT,
        line=line,
        area=f"0,{CURVE_HEIGHT} {line} {CURVE_WIDTH},{CURVE_HEIGHT}",
    )


@dataclass(frozen=True, slots=True)
class Axes:
    """A paper's votes over time: `line` and the `area` below it, with ticks (place, label, text-anchor) along both axes."""

    label: str
    line: str
    area: str
    end: tuple[float, float]
    across: tuple[tuple[float, str, str], ...]
    up: tuple[tuple[float, str], ...]
    hours: bool
    """Whether its axis tells hours, which are UTC's."""
    width: int = WIDTH
    height: int = BOTTOM + 24
    left: int = LEFT
    right: int = RIGHT
    bottom: int = BOTTOM


def votes_plot(signals: Iterable[Signal], until: datetime, spoken: Translation = ENGLISH) -> Axes | None:
    """The readings of the source that shows most, by `until`; None where there are not two, or nobody voted."""
    votes = signal_history(signals, until).get("upvotes")
    if votes is None or len(votes.main.hours) < 2 or votes.main.last <= 0:
        return None
    hours, values = votes.main.hours, votes.main.values
    began, span, top = hours[0], hours[-1] - hours[0], ceiling(votes.main.last)
    step = -(-len(hours) // MOST_POINTS)
    spots = [
        (LEFT + (RIGHT - LEFT) * (hours[n] - began) / span, BOTTOM - (BOTTOM - TOP) * values[n] / top)
        for n in sorted({*range(0, len(hours), step), len(hours) - 1})
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    first, middle, last = (until + timedelta(hours=began + span * part) for part in (0, 0.5, 1))
    shown = "MMMd" if first.year == until.year else "yMMMd"

    def form(at: datetime) -> str:
        return _when(at, spoken) if span < DAYS_FROM else spoken.date(at, shown)

    return Axes(
        label=spoken.gettext(
            "Votes over time: %(first)s on %(began)s, %(last)s on %(ended)s",
            first=round(values[0]),
            began=form(first),
            last=round(values[-1]),
            ended=form(last),
        ),
        line=line,
        area=f"{LEFT},{BOTTOM} {line} {RIGHT},{BOTTOM}",
        end=spots[-1],
        across=_across(form(first), form(middle), form(last)),
        up=_up(top, BOTTOM),
        hours=span < DAYS_FROM,
    )


def ceiling(most: float) -> int:
    """Where an axis that holds `most` ends: the next round number."""
    power: int = 10 ** max(0, len(str(int(most))) - 1)
    return next(part * power for part in (1, 2, 4, 6, 8, 10) if part * power >= most)


def _when(at: datetime, spoken: Translation) -> str:
    return f"{spoken.date(at, 'MMMd')} {spoken.time(at)}"
