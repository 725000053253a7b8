"""A lease that is renewed for as long as its holder works, so that a slow relay does not cost it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from digest.domain.errors import StoreError


class Lease:
    """Within its `with`, a thread renews what is held, three times in each term.

    Where the database does not let it, or this machine slept, the lease may run out: then it is `over`, and what was held may be
    somebody else's. `renew` is given the new end.
    """

    def __init__(self, renew: Callable[[datetime], None], term: timedelta, clock: Callable[[], datetime]) -> None:
        self._renew = renew
        self._term = term
        self._clock = clock
        self._until = clock() + term
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    @property
    def over(self) -> bool:
        return self._clock() >= self._until

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._ended.wait(self._term.total_seconds() / 3):
            until = self._clock() + self._term
            if self.over:  # whoever found it so may have taken what we held: it is not ours to renew
                return
            try:
                self._renew(until)
            except StoreError:
                continue  # the database may be back before the lease is over
            self._until = until
