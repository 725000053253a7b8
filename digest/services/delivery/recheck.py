"""recheck: what was claimed a while ago is asked about again as it is begun (docs/DESIGN: what readers stopped is not sent).

A relay may be slow, and up to some thousand deliveries wait between their claim and their turn. Meanwhile readers unsubscribe,
pause or are erased, addresses are suppressed, editions cancelled and lists paused, in this process or another.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import datetime

from digest.domain.delivery import DeliveryState
from digest.store.unit_of_work import Store

EVERY = 0.5
"""Seconds that an answer of the database counts for: nobody is mailed on an older one."""


class Recheck:
    """`wanted` is asked for each delivery as it is begun; it looks into the table at most once in `EVERY`, for all that wait."""

    def __init__(self, store: Store, waiting: Collection[int], clock: Callable[[], datetime]) -> None:
        self.stopped: dict[int, tuple[DeliveryState, str]] = {}
        """Those that were kept from being begun, with what becomes of them and why, until whoever records them empties it."""
        self._store, self._waiting, self._clock = store, waiting, clock
        self._found: dict[int, tuple[DeliveryState, str]] = {}
        self._look_at = 0.0

    def wanted(self, delivery_id: int) -> bool:
        """Raises StoreError where the table cannot be asked: then nothing is begun."""
        now = time.monotonic()
        if now >= self._look_at:
            with self._store.read() as unit:
                self._found = dict(unit.deliveries.stops(self._waiting, self._clock()))
            self._look_at = now + EVERY
        stop = self._found.get(delivery_id)
        if stop is not None:
            self.stopped[delivery_id] = stop
        return stop is None
