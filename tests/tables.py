"""A table as one test: every row is tried, and the failure names each that is wrong. An item of pytest costs more than a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from inspect import signature
from typing import Any

import pytest

_MOST = 2000
"""Characters of a row that a failure shows."""


def every_row(
    names: str | Sequence[str], rows: Iterable[Any], *, ids: Sequence[str] | Callable[[Any], str] = repr
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """In place of pytest.mark.parametrize, for tests of values: the rows share one run of the fixtures."""
    table = list(rows)
    wanted = [names] if isinstance(names, str) else list(names)
    called = list(map(ids, table)) if callable(ids) else ids
    assert table, "a table without a row proves nothing"

    def decorated(test: Callable[..., None]) -> Callable[..., None]:
        @wraps(test)
        def tried(**fixtures: Any) -> None:
            wrong: list[BaseException] = []
            for name, row in zip(called, table, strict=True):
                values = [row] if isinstance(names, str) else row
                try:
                    test(**dict(zip(wanted, values, strict=True)), **fixtures)
                except (Exception, pytest.fail.Exception) as error:
                    error.add_note(f"in the row {name[:_MOST]}")
                    wrong.append(error)
            if wrong:
                raise BaseExceptionGroup(f"{len(wrong)} of {len(table)} rows are wrong", wrong)

        whole = signature(test)
        ours = [parameter for parameter in whole.parameters.values() if parameter.name not in wanted]
        tried.__signature__ = whole.replace(parameters=ours)  # type: ignore[attr-defined]
        return tried

    return decorated
