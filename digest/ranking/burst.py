"""Votes that came all at once, from one source, while nothing else about the paper moved: counted, but not believed.

Bought votes look like that; a paper that people read is also talked about, starred, or voted up elsewhere, or its votes come
over more than one reading. Such a burst counts as BELIEVED votes until something else moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from digest.ranking.readings import Heard, Series

BELIEVED = 15.0
"""Votes that one burst counts as at most."""
SHARE = 0.75
"""A step that holds more than this part of all votes is a burst."""
AUDIBLE = 1 / 3
"""The rule holds where at least this part of the papers with many votes has a second voice: silence means something there."""

Voices = Mapping[str, Heard]


def is_audible(papers: Iterable[Voices], kind: str) -> bool:
    """Whether papers with many votes are heard of in a second way, so that one that is not stands out."""
    second = [_voices(each) > 1 for each in papers if kind in each and each[kind].last > BELIEVED]
    return bool(second) and sum(second) >= AUDIBLE * len(second)


def believed(voices: Voices, kind: str) -> tuple[Heard, float]:
    """The votes of `kind` as they count, and how many votes of a burst were set aside (0: none)."""
    votes = voices[kind]
    main = votes.main
    steps = [after - before for before, after in zip((0.0, *main.values), main.values, strict=False)]
    place = max(range(len(steps)), key=steps.__getitem__)
    excess = steps[place] - BELIEVED
    if excess <= 0 or steps[place] <= SHARE * main.last or _supported(voices, kind, main, place):
        return votes, 0.0
    lowered = replace(main, values=tuple(value - excess * (n >= place) for n, value in enumerate(main.values)))
    return Heard(tuple(lowered if each is main else each for each in votes.series)), excess


def _supported(voices: Voices, kind: str, main: Series, place: int) -> bool:
    """Whether anything else moved since the reading before the step."""
    since = main.hours[place - 1] if place else float("-inf")
    others = (each for found in voices.values() for each in found.series if each is not main)
    return any(each.last > each.value_at(since, before=0.0) for each in others)


def _voices(voices: Voices) -> int:
    return sum(each.last > 0 for found in voices.values() for each in found.series)
