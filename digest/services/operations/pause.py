"""pause and resume: a list, or all of them, makes no edition and sends nothing; what is due waits, and is not forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from digest.store.unit_of_work import Store


def pause(store: Store, names: Sequence[str], reason: str, at: datetime) -> tuple[str, ...]:
    """Those that were not paused and now are, all at once. One that was keeps its reason. Raises NotFound."""
    with store.begin() as unit:
        running = tuple(name for name in names if unit.lists.paused(name) is None)
        for name in running:
            unit.lists.pause(name, reason, at)
    return running


def resume(store: Store, names: Sequence[str]) -> tuple[str, ...]:
    """Those that were paused and are not any more. Raises NotFound."""
    with store.begin() as unit:
        halted = tuple(name for name in names if unit.lists.paused(name) is not None)
        for name in halted:
            unit.lists.resume(name)
    return halted
