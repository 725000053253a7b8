"""The numbers of a paper over time, as an instant could know them: readings per kind, growth over spans, a value per day."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from digest.domain.paper import Signal


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

    def value_at(self, hours: float) -> float:
        """Between readings on a straight line; before the first and after the last: as those."""
        place = bisect_right(self.hours, hours)
        if place == 0:
            return self.values[0]
        if place == len(self.hours):
            return self.values[-1]
        before, after = self.hours[place - 1], self.hours[place]
        share = (hours - before) / (after - before)
        return self.values[place - 1] + share * (self.values[place] - self.values[place - 1])


def series(signals: Iterable[Signal], kind: str, at: datetime) -> tuple[Series, ...]:
    """One per source that has readings of `kind` observed by `at`; later ones are not looked at. Sorted by source."""
    seen = sorted((s.source, s.observed_at, s.value) for s in signals if s.kind == kind and s.observed_at <= at)
    found = []
    for source, rows in groupby(seen, key=lambda row: row[0]):
        by_instant = {observed: value for _, observed, value in rows if value >= 0}
        if not by_instant:
            continue
        values = list(by_instant.values())
        for i in range(len(values) - 2, -1, -1):
            values[i] = min(values[i], values[i + 1])
        hours = tuple((observed - at) / timedelta(hours=1) for observed in by_instant)
        found.append(Series(source, hours, tuple(values)))
    return tuple(found)


def main_series(found: tuple[Series, ...]) -> Series | None:
    """The source that shows most; of equals the one read most often, then by name."""
    return max(found, key=lambda s: (s.last, len(s.hours), s.source), default=None)
