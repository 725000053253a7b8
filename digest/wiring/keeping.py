"""What is kept about people, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from digest.domain.instant import isoformat, parse_instant
from digest.domain.subscriber import Address
from digest.wiring.operating import Operating

if TYPE_CHECKING:
    from digest.services.privacy.retention import Kept

_DAILY = ("housekeep", "ran")


class Keeping(Operating):
    """Parts that know what to keep."""

    @cached_property
    def kept(self) -> tuple[Kept, ...]:
        """What we keep, how long, and why: the settings' days in services/privacy/retention.py's table."""
        from digest.services.privacy.retention import kept

        return kept(**self.settings.retention.model_dump())

    def housekeep(self, at: datetime) -> dict[str, int]:
        from digest.services.privacy.retention import housekeep

        gone = housekeep(self.store, self.kept, at)
        with self.store.begin() as unit:
            unit.sources.save(*_DAILY, {"at": isoformat(at)}, at)
        return gone

    def housekeep_due(self, at: datetime) -> dict[str, int]:
        """The same where the last time is a day ago; else nothing."""
        with self.store.read() as unit:
            ran = unit.sources.load(*_DAILY)
        due = ran is None or parse_instant(ran["at"]) + timedelta(days=1) <= at
        return self.housekeep(at) if due else {}

    def disclose(self, address: Address, at: datetime) -> dict[str, Any]:
        """Everything held about an address."""
        from digest.services.privacy.export_personal_data import disclose

        return disclose(self.store, address, at)
