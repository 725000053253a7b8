"""Matrices that are mostly zeros, in compressed rows: what the picks need of them, on numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


class SparseRows:
    """A matrix of `width` columns that holds, for each row, the columns that are not zero and what stands there."""

    def __init__(self, columns: Sequence[Sequence[int]], width: int, values: Sequence[Sequence[float]] | None = None) -> None:
        ends = np.cumsum([0, *map(len, columns)], dtype=np.intp)
        flat = np.fromiter(chain.from_iterable(columns), np.intp, ends[-1])
        self._hold(flat, ends, width, np.ones(len(flat)) if values is None else np.fromiter(chain.from_iterable(values), float))

    @classmethod
    def of_arrays(cls, columns: Integers, ends: Integers, width: int, values: Floats) -> Self:
        """Row n has the columns and values from `ends[n]` to `ends[n + 1]`."""
        made = cls.__new__(cls)
        made._hold(columns, ends, width, values)
        return made

    def _hold(self, columns: Integers, ends: Integers, width: int, values: Floats) -> None:
        self.width, self._columns, self._values, self._ends = width, columns, values, ends
        self._bounds = list(pairwise(ends.tolist()))

    def __len__(self) -> int:
        return len(self._bounds)

    def row(self, row: int) -> tuple[Integers, Floats]:
        """(columns, values), in the order given."""
        start, end = self._bounds[row]
        return self._columns[start:end], self._values[start:end]

    def some(self, start: int, end: int) -> SparseRows:
        """These rows alone."""
        ends = self._ends[start : end + 1]
        held = slice(ends[0], ends[-1])
        return SparseRows.of_arrays(self._columns[held], ends - ends[0], self.width, self._values[held])

    def transposed(self) -> SparseRows:
        order = np.argsort(self._columns, kind="stable")
        rows = np.repeat(np.arange(len(self)), np.diff(self._ends))[order]
        ends = np.concatenate(([0], np.cumsum(np.bincount(self._columns, minlength=self.width))))
        return SparseRows.of_arrays(rows, ends, len(self), self._values[order])

    def sums(self) -> Floats:
        """Of each column."""
        sums: Floats = np.bincount(self._columns, self._values, minlength=self.width).astype(float)
        return sums

    def times(self, other: Floats | NDArray[np.float32] | NDArray[np.bool_]) -> Floats:
        """The product with an array of `width` rows."""
        product = np.zeros((len(self), *other.shape[1:]))
        for row, (start, end) in enumerate(self._bounds):
            if start < end:
                product[row] = self._values[start:end] @ other[self._columns[start:end]]
        return product

    def times_sparse(self, other: SparseRows) -> Floats:
        """The product with a matrix of `width` rows, a row at a time: a batch's whole product would be large on the way."""
        product = np.zeros((len(self), other.width))
        for row, (start, end) in enumerate(self._bounds):
            columns = self._columns[start:end]
            starts, counts = other._ends[columns], other._ends[columns + 1] - other._ends[columns]
            last = np.cumsum(counts)
            if not len(columns) or not last[-1]:
                continue
            at = np.arange(last[-1]) + np.repeat(starts - last + counts, counts)
            weights = np.repeat(self._values[start:end], counts) * other._values[at]
            product[row] = np.bincount(other._columns[at], weights, minlength=other.width)
        return product
