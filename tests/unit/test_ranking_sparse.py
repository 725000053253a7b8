"""Sparse rows give what the same matrices written out give."""

from __future__ import annotations

import numpy as np
import pytest

from digest.ranking.sparse import Floats, SparseRows


def written_out(matrix: SparseRows) -> Floats:
    full = np.zeros((len(matrix), matrix.width))
    for row in range(len(matrix)):
        columns, values = matrix.row(row)
        full[row, columns] = values
    return full


def some(rows: int, width: int, seed: int) -> SparseRows:
    """A fifth of it is not zero; the first row, the last and the last column are empty."""
    chance = np.random.default_rng(seed)
    columns = [np.flatnonzero(chance.random(width - 1) < 0.2).tolist() if 0 < row < rows - 1 else [] for row in range(rows)]
    return SparseRows(columns, width, [chance.random(len(row)).tolist() for row in columns])


@pytest.mark.parametrize(("rows", "inner", "width"), [(1, 1, 1), (2, 3, 4), (9, 30, 7), (40, 20, 50)])
def test_products_and_sums(rows: int, inner: int, width: int) -> None:
    one, other = some(rows, inner, 1), some(inner, width, 2)
    assert np.allclose(one.times_sparse(other), written_out(one) @ written_out(other))
    assert np.allclose(one.times(written_out(other)), written_out(one) @ written_out(other))
    assert np.allclose(one.sums(), written_out(one).sum(axis=0))
    assert (written_out(one.transposed()) == written_out(one).T).all()


def test_nothing_times_nothing() -> None:
    empty = SparseRows([], 3)
    assert empty.times_sparse(some(3, 4, 1)).shape == (0, 4)
    assert SparseRows([[], []], 0).times_sparse(SparseRows([], 5)).tolist() == [[0.0] * 5] * 2


def test_a_row_keeps_the_order_it_was_given_in() -> None:
    columns, values = SparseRows([[4, 1], [2]], 5).row(0)
    assert (columns.tolist(), values.tolist()) == ([4, 1], [1.0, 1.0])
