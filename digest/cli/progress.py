"""The live bar of `digest deliver` and `run` in a terminal: how many are done, how fast, how long still.

Drawn on stderr, so that what a command answers on stdout stays clean; where stderr is no terminal there is none.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from digest.domain.errors import StoreError

Show = Callable[[Counter[str]], None]
"""Is given what a run did so far."""

_WORDS = ("accepted", "retry", "failed", "withheld", "expired", "uncertain")
_ALWAYS = _WORDS[:3]


class Bar:
    """`remaining` says how many are due or claimed. `stream` is where others in this process may write lines meanwhile."""

    def __init__(self, remaining: Callable[[], int]) -> None:
        from rich.console import Console
        from rich.file_proxy import FileProxy

        self._remaining = remaining
        self._console = Console(stderr=True)
        self._lock = threading.Lock()
        self.stream: TextIO = FileProxy(self._console, sys.stderr)  # type: ignore[assignment]  # it is one in all that counts

    @contextmanager
    def showing(self) -> Iterator[Show]:
        """For one run. Nothing is drawn before there is something to do."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("delivering"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[counts]}"),
        )
        bar = Progress(*columns, console=self._console, transient=True, refresh_per_second=4, speed_estimate_period=60)
        task = bar.add_task("delivering", total=0, rate="", counts=counts_text(Counter()))

        def show(counts: Counter[str]) -> None:
            with self._lock:
                done = sum(counts.values())
                speed, before = bar.tasks[0].speed, bar.tasks[0].total or 0
                total = before
                if done >= before:  # more may have fallen due since we began
                    with suppress(StoreError):  # whoever delivers will say so
                        total = done + self._remaining()
                bar.update(task, completed=done, total=total, rate=f"{speed:,.0f}/s" if speed else "", counts=counts_text(counts))
                if total:
                    bar.start()

        try:
            show(Counter())
            yield show
        finally:
            bar.stop()


@contextmanager
def hidden() -> Iterator[Show]:
    """Shows nothing."""
    yield lambda counts: None


def bar(remaining: Callable[[], int], *, quiet: bool = False) -> Bar | None:
    """A bar where somebody watches."""
    return None if quiet or not sys.stderr.isatty() else Bar(remaining)


def counts_text(counts: Counter[str]) -> str:
    return ", ".join(f"{word} {counts[word]:,}" for word in _WORDS if word in _ALWAYS or counts[word])
