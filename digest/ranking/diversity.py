"""What a reader's own picks owe to variety: one story once, no five papers of one topic, a place for each interest.

Positions are those of the pool; sets of them are the bits of whole numbers, so that a hundred thousand readers cost seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digest.ranking.selection import ALIKE, SAME

PER_TOPIC = 4
"""How many of a reader's picks may be alike: more than of the list's own, since topics are what readers ask for."""
OF_ONE_LIBRARY = 0.8
"""The share of many picks that may be alike for a reader with a library: whoever has one topic gets it."""


@dataclass(frozen=True, slots=True)
class SimilaritySets:
    """For each paper of a pool, those nearly the same and those on its topic, itself left out."""

    same: tuple[int, ...]
    alike: tuple[int, ...]

    @classmethod
    def of(cls, likeness: NDArray[np.float64], first: int = 0, by_topic: NDArray[np.float64] | None = None) -> SimilaritySets:
        """`likeness` of papers (rows, from position `first` on) to each; nearly the same are two by their words alone, on one
        topic `by_topic`, where that is given.
        """
        rows = np.arange(len(likeness))
        by_topic = likeness if by_topic is None else by_topic
        likeness[rows, first + rows] = by_topic[rows, first + rows] = 0.0
        return cls(_bits(likeness >= SAME), _bits(by_topic >= ALIKE))


def _bits(near: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(sum(1 << position for position in np.flatnonzero(row).tolist()) for row in near)


def spread(
    order: Sequence[int], wanted: int, similarity_sets: SimilaritySets, had: Iterable[int], per_topic: int = PER_TOPIC
) -> tuple[list[int], Mapping[int, list[int]]]:
    """(the picks, best first; what is folded into each). `order` is best first, `had` what the reader was sent before.

    Where topics are too few, better five alike than an empty place; what is nearly the same never fills one.
    """
    before, taken = sum(1 << position for position in had), 0
    chosen: list[int] = []
    waiting: list[int] = []
    folded: dict[int, list[int]] = {}
    for position in order:
        if len(chosen) == wanted:
            break
        if similarity_sets.same[position] & before:
            continue
        if twins := similarity_sets.same[position] & taken:
            folded.setdefault(next(other for other in chosen if twins >> other & 1), []).append(position)
        elif (similarity_sets.alike[position] & taken).bit_count() >= per_topic:
            waiting.append(position)
        else:
            chosen.append(position)
            taken |= 1 << position
    if len(chosen) < wanted and waiting:
        places = {position: place for place, position in enumerate(order)}
        apart = [
            each for n, each in enumerate(waiting) if not any(similarity_sets.same[each] >> other & 1 for other in waiting[:n])
        ]
        chosen = sorted([*chosen, *apart[: wanted - len(chosen)]], key=places.__getitem__)
    return chosen, folded


def with_every_interest(chosen: Sequence[int], fulfilled: NDArray[np.bool_], scores: NDArray[np.float64]) -> list[int]:
    """A place for each interest (row of `fulfilled`) that some paper fulfils: its best paper, for the last that leaves none bare.

    `scores` by position, -inf for what the reader may not get. At most half of the places are given so.
    """
    kept = list(chosen)
    can = fulfilled & np.isfinite(scores)
    bare = np.flatnonzero(~can[:, kept].any(axis=1) & can.any(axis=1))
    for interest in bare[: len(kept) // 2]:
        if can[interest, kept].any():  # by a paper that came in for another
            continue
        best = int(np.argmax(np.where(can[interest], scores, -np.inf)))
        held = fulfilled[:, kept].sum(axis=1)
        spare = [place for place in range(len(kept) - 1, -1, -1) if not (fulfilled[:, kept[place]] & (held <= 1)).any()]
        if spare:
            kept[spare[0]] = best
    return sorted(kept, key=lambda position: (-scores[position], position))
