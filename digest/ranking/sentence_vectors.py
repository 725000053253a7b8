"""Likeness by what texts mean: vectors of a sentence encoder, blended with the likeness of words where both texts have one.

What all papers of a window share is taken out of each vector first, as it is taken out of the likeness of words. What is left
is put on the scale of words by the quantiles of both over a year's papers, so that every constant that is a likeness of words
(SAME, ALIKE, AUTHOR_WHOLLY, REASON_FROM …) means the same here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from digest.ranking.sparse import Floats

SHARE = 0.45
"""What the vectors count, and the words the rest."""
SLOPE, CURVE = 0.11, 0.55
"""A likeness c of vectors is one of words of c × (SLOPE + CURVE × c²) beyond what all papers share."""


LEAST = 20
"""Papers with a vector from which what all papers share can be said."""


class SentenceVectors:
    """Those of a window's papers, in order; b"" for a paper without."""

    def __init__(self, packed: Sequence[bytes]) -> None:
        self._packed = packed
        self._known = np.array([bool(each) for each in packed])
        rows = _unpacked(packed)
        self._mean: NDArray[np.float32] = rows[self._known].mean(axis=0)
        self._rows = self._centred(rows)

    @classmethod
    def of_some(cls, packed: Sequence[bytes]) -> Self | None:
        """None where too few have one: nobody could say what all papers share."""
        return cls(packed) if sum(map(bool, packed)) >= LEAST else None

    def of(self, position: int) -> bytes:
        return self._packed[position]

    def blended(self, words: Floats, packed: Sequence[bytes], commonness: Floats) -> Floats:
        """The likeness of some texts (rows) to the papers: of their words alone where one of the two has no vector."""
        rows = [row for row, vector in enumerate(packed) if vector]
        if not rows:
            return words
        cosine = self._centred(_unpacked([packed[row] for row in rows])) @ self._rows.T
        meant = cosine * (SLOPE + CURVE * cosine * cosine) + commonness
        found = words.copy()
        found[rows] += np.where(self._known, SHARE * (meant - words[rows]), 0.0)
        return found

    def _centred(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        return _of_unit_length(rows - self._mean)


def blended_with_one(vector: bytes, words: Sequence[float], packed: Sequence[bytes]) -> list[float]:
    """The same for one text and some that were found for being like it, whose own likeness of words is what all share."""
    vectors = SentenceVectors.of_some(packed)
    if vectors is None:
        return list(words)
    likeness = np.array([words], dtype=float)
    found: list[float] = vectors.blended(likeness, [vector], np.full(len(words), likeness.mean()))[0].tolist()
    return found


def _unpacked(packed: Sequence[bytes]) -> NDArray[np.float32]:
    """Of unit length."""
    size = max(map(len, packed))
    rows = np.frombuffer(b"".join(each or bytes(size) for each in packed), dtype=np.int8).reshape(-1, size).astype(np.float32)
    return _of_unit_length(rows)


def _of_unit_length(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return found
