"""Of several daemons on one database, one leads: it runs the scheduled jobs. The others ask, and take over
when it stops renewing.

That work is safe to do twice (everything in it finds or makes), so a holder that was asleep and does not know yet that its
lease is over does no harm; the lease spares work and keeps the logs calm.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from digest.domain.errors import StoreError
from digest.store.unit_of_work import Store

SCHEDULER = "scheduler"
NOTICE_SENDER = "postman"
"""Held by one of those that send queued notices by themselves: a sign that there is one, and nothing more."""
TICKED = ("scheduler", "ticked")
"""Where it is kept when the scheduled jobs last ran to their end, by the database's clock."""
TERM = timedelta(seconds=20)
"""How long nothing may be scheduled at most, with `ASK`: 25 seconds after the leader died there is another."""
ASK = timedelta(seconds=5)


class Election:
    """One candidate. Call `acquire_or_renew` every `ASK`; only the holder runs the jobs."""

    def __init__(
        self, store: Store, *, name: str = SCHEDULER, term: timedelta = TERM, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._name, self._term, self._monotonic = store, name, term, monotonic
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
        self._until: float | None = None

    @property
    def elected(self) -> bool:
        """By our own monotonic clock, which began to count before the database's did."""
        return self._until is not None and self._monotonic() < self._until

    def acquire_or_renew(self) -> bool:
        """Takes or renews the lease; whether it is ours now. Raises StoreError; then an earlier lease runs on to its end."""
        asked = self._monotonic()
        with self._store.begin() as unit:
            ours = unit.leases.take(self._name, self.owner, self._term)
        self._until = asked + self._term.total_seconds() if ours else None
        return ours

    def resign(self) -> None:
        """The next candidate need not wait. Does its best: without the database the lease runs out by itself."""
        self._until = None
        with suppress(StoreError), self._store.begin() as unit:
            unit.leases.give_back(self._name, self.owner)
