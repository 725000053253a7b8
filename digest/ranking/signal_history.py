"""The numbers of a paper over time, as an instant could know them: readings per kind and source, growth over spans."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.domain.paper import Signal

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Series:
    """Readings of one kind from one source: `hours` ascending (relative to the instant of ranking, so ≤ 0), never falling.

    Counts can be taken back on the source's side, and a reading can be wrong: growth is what stays, so a reading above a
    later one is lowered to it.
    """

    source: str
    hours: tuple[float, ...]
    values: tuple[float, ...]

    @property
    def last(self) -> float:
        return self.values[-1]

    def value_at(self, hours: float, before: float | None = None) -> float:
        """Between readings on a straight line; after the last as that; before the first as `before`, else as the first."""
        place = bisect_right(self.hours, hours)
        if place == 0:
            return self.values[0] if before is None else before
        if place == len(self.hours):
            return self.values[-1]
        start, end = self.hours[place - 1], self.hours[place]
        share = (hours - start) / (end - start)
        return self.values[place - 1] + share * (self.values[place] - self.values[place - 1])


@dataclass(frozen=True, slots=True)
class SignalHistory:
    """All readings of one kind, sorted by source; at least one. Of several sources, the one that shows most speaks."""

    series: tuple[Series, ...]

    @property
    def last(self) -> float:
        return max(each.last for each in self.series)

    @property
    def read(self) -> float:
        """Hours (≤ 0) of the latest reading."""
        return max(each.hours[-1] for each in self.series)

    @property
    def main(self) -> Series:
        """The source that shows most; of equals the one read most often, then by name."""
        return max(self.series, key=lambda s: (s.last, len(s.hours), s.source))

    def value_at(self, hours: float, before: float | None = None) -> float:
        return max(each.value_at(hours, before) for each in self.series)

    def grown(self, hours: float, before: float | None = None) -> float:
        """What was added in the last `hours`."""
        return max(0.0, self.last - self.value_at(-hours, before))


def signal_history(signals: Iterable[Signal], at: datetime) -> Mapping[str, SignalHistory]:
    """Readings by kind, of those observed by `at`: later ones are not looked at, and the order of `signals` plays no part."""
    found: dict[tuple[str, str], dict[datetime, float]] = {}
    for each in signals:
        if each.observed_at <= at and each.value >= 0:
            readings = found.setdefault((each.kind, each.source), {})
            readings[each.observed_at] = max(each.value, readings.get(each.observed_at, 0.0))
    by_kind: dict[str, list[Series]] = {}
    for (kind, source), readings in sorted(found.items()):
        by_kind.setdefault(kind, []).append(_series(source, readings, at))
    return {kind: SignalHistory(tuple(series)) for kind, series in by_kind.items()}


def _series(source: str, readings: Mapping[datetime, float], at: datetime) -> Series:
    instants = sorted(readings)
    values = [readings[instant] for instant in instants]
    for place in range(len(values) - 2, -1, -1):
        values[place] = min(values[place], values[place + 1])
    return Series(source, tuple((instant - at) / _HOUR for instant in instants), tuple(values))
