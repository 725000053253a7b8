"""Votes that came all at once, from one source, while little else about the paper moved: counted, but not believed.

Bought votes look like that, in however many readings; a paper that people read is also talked about, starred, or voted up
elsewhere, or its votes come over more than a few hours. Such a burst counts as BELIEVED votes, and as more for each other thing
that moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from digest.ranking.signal_history import Series, SignalHistory

BELIEVED = 15.0
"""Votes that one burst counts as at most."""
SHARE = 0.75
"""Steps that hold more than this part of all votes are a burst …"""
TOGETHER = 5.0
"""… where they came within so many hours, in one reading or in several."""
BACKED = 40.0
"""Votes of a burst that one comment, star or vote elsewhere makes believed: one alone may be bought with them."""
AUDIBLE = 1 / 3
"""The rule holds where at least this part of the papers with many votes has a second voice: silence means something there."""

Voices = Mapping[str, SignalHistory]


def is_audible(papers: Iterable[Voices], kind: str) -> bool:
    """Whether papers with many votes are heard of in a second way, so that one that is not stands out."""
    second = [_voices(each) > 1 for each in papers if kind in each and each[kind].last > BELIEVED]
    return bool(second) and sum(second) >= AUDIBLE * len(second)


def believed(voices: Voices, kind: str) -> tuple[SignalHistory, float]:
    """The votes of `kind` as they count, and how many votes of a burst were set aside (0: none)."""
    votes = voices[kind]
    main = votes.main
    first, last, gained = _steepest(main)
    if gained <= max(BELIEVED, SHARE * main.last):
        return votes, 0.0
    excess = gained - BELIEVED - BACKED * _moved(voices, main, first)
    if excess <= 0:
        return votes, 0.0
    lowered = replace(main, values=_lowered(main, first, last, excess / gained))
    return SignalHistory(tuple(lowered if each is main else each for each in votes.series)), excess


def _steepest(main: Series) -> tuple[int, int, float]:
    """(first reading, last reading, votes gained by them) of the TOGETHER hours or less in which most were gained."""
    best, first = (0, 0, main.values[0]), 0
    for last, hour in enumerate(main.hours):
        while hour - main.hours[first] > TOGETHER:
            first += 1
        gained = main.values[last] - (main.values[first - 1] if first else 0.0)
        if gained > best[2]:
            best = (first, last, gained)
    return best


def _lowered(main: Series, first: int, last: int, share: float) -> tuple[float, ...]:
    """The readings without that share of what came from the first reading to the last."""
    before = main.values[first - 1] if first else 0.0
    came = [min(max(value - before, 0.0), main.values[last] - before) for value in main.values]
    return tuple(value - share * some * (n >= first) for n, (value, some) in enumerate(zip(main.values, came, strict=True)))


def _moved(voices: Voices, main: Series, place: int) -> float:
    """How much everything else moved since the reading before: comments, stars, votes elsewhere."""
    since = main.hours[place - 1] if place else float("-inf")
    others = (each for found in voices.values() for each in found.series if each is not main)
    return sum(each.last - each.value_at(since, before=0.0) for each in others)


def _voices(voices: Voices) -> int:
    return sum(each.last > 0 for found in voices.values() for each in found.series)
