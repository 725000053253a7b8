"""What is kept about people, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from digest.domain.instant import isoformat, parse_instant
from digest.services.privacy.retention import RetentionRule, kept, run_retention
from digest.services.subscriptions.request_limits import LIMITS, Scope
from digest.services.subscriptions.subscribe import erase

if TYPE_CHECKING:
    from digest.config.settings import Retention
    from digest.domain.subscriber import Address
    from digest.store.unit_of_work import Store

_DAILY = ("housekeep", "ran")


class PrivacyService:
    def __init__(self, store: Store, settings: Retention) -> None:
        self._store, self._settings = store, settings

    @cached_property
    def kept(self) -> tuple[RetentionRule, ...]:
        """What we keep, how long, and why."""
        return kept(**self._settings.model_dump())

    def run_retention(self, at: datetime) -> dict[str, int]:
        gone = run_retention(self._store, self.kept, at)
        with self._store.begin() as unit:
            unit.sources.save(*_DAILY, {"at": isoformat(at)}, at)
        return gone

    def retention_due(self, at: datetime) -> dict[str, int]:
        """The same where the last time is a day ago; else nothing."""
        with self._store.read() as unit:
            ran = unit.sources.load(*_DAILY)
        due = ran is None or abs(at - parse_instant(ran["at"])) >= timedelta(days=1)
        return self.run_retention(at) if due else {}

    def erase(self, address: Address, at: datetime) -> bool:
        """Forgets a person; the keyed hash stays so that an old import cannot bring them back. Says whether they were known."""
        return erase(self._store, address, at)

    def export_personal_data(self, address: Address, at: datetime) -> dict[str, Any]:
        """Everything held about an address, for the person it is about, as JSON values.

        The address with its subscriptions, interests, consent, every delivery and what came back of it, whether it is barred
        from mail, and how often the form was used for it lately (kept as a fingerprint that only the address opens).
        """
        with self._store.read() as unit:
            asked = sum(
                unit.rate_limits.used(f"request/{limit.scope}/{address.key}", at, limit.per)
                for limit in LIMITS
                if limit.scope is Scope.ADDRESS
            )
            return {"at": isoformat(at), **unit.subscribers.held(address), "requests_today": asked}
