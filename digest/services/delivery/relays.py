"""The relays that are configured, how they are doing, and what is left of their limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING

from digest.domain.errors import ConfigurationError
from digest.domain.rate_limit import Logins
from digest.mail.smtp.relay import Relay
from digest.mail.smtp.relay_health import RelayHealth
from digest.mail.smtp.relay_pool import RelayPool
from digest.services.delivery.relay_defaults import completed, password_of, relay_settings
from digest.services.delivery.relay_limits import RelayLimits, SharedLogins, known_of, login_key, slowed, waiting_for_login

if TYPE_CHECKING:
    from digest.config.mail import Relay as RelayTable
    from digest.mail.smtp.journal import SendLog
    from digest.mail.smtp.relay_settings import RelaySettings
    from digest.services.delivery.oauth import AccessTokens
    from digest.sources.port import Getter
    from digest.store.unit_of_work import Store


class Relays:
    """Opens pools of connections to the relays of the settings' `[[relays]]` tables. `now` is the real clock."""

    def __init__(
        self,
        tables: Sequence[RelayTable],
        store: Callable[[], Store],
        connections: int,
        hash_text: Callable[[str], str],
        now: Callable[[], datetime],
        getter: Callable[[], Getter] | None = None,
    ) -> None:
        """`getter` asks for access tokens, where a relay wants them (relays.oauth)."""
        self._getter = getter
        self._tables, self._store, self._connections = tuple(map(completed, tables)), store, connections
        self._hash, self._now = hash_text, now
        self.health = RelayHealth()

    def __bool__(self) -> bool:
        return bool(self._tables)

    def each(self, clock: Callable[[], datetime], *, insist: bool = False, patience: float = inf) -> list[Relay]:
        """One a table, in order. `insist`: log in also where a refused login has us wait. `patience`: seconds for each step,
        where less than the settings say. Raises ConfigurationError.
        """
        return [
            Relay(
                self._settings(each, patience),
                clock,
                logins=SharedLogins(self._store(), each.label, self._login_of(each), self._now, insist=insist)
                if each.username
                else None,
                record=self.limits[each.label],
            )
            for each in self._tables
        ]

    def pool(self, log: SendLog, clock: Callable[[], datetime], stop: Callable[[], bool] = lambda: False) -> RelayPool:
        """Raises ConfigurationError where no relay is configured."""
        if not self._tables:
            raise ConfigurationError("relays", "there is none; add a [[relays]] table with the host of your SMTP server")
        caps = {each.label: each.connections for each in self._tables if each.connections}
        return RelayPool(self.each(clock), log, self._connections, quotas=self.limits, caps=caps, health=self.health, stop=stop)

    @cached_property
    def limits(self) -> dict[str, RelayLimits]:
        """By relay, what it may have. By the real clock, whatever instant is acted for."""
        return {
            each.label: RelayLimits(self._store(), each.label, self._now, per_minute=each.per_minute, per_day=each.per_day)
            for each in self._tables
        }

    def troubles(self, at: datetime) -> dict[str, str]:
        """By relay, why it gets less than we have, where it does."""
        troubles: dict[str, str] = {}
        for each in self._tables:
            login = login_key(self._login_of(each)) if each.username else ""
            with self._store().read() as unit:
                kept = Logins(**(unit.sources.load(known_of(each.label), login) or {}))
                rate = unit.sources.load(known_of(each.label), "rate") or {}
            full = self.limits[each.label].full_at(at)
            refused = waiting_for_login(kept) if kept.closed_until > at.timestamp() else ""
            if text := "; ".join(filter(None, (refused, full, slowed(rate, at)))):
                troubles[each.label] = text
        return troubles

    def _settings(self, each: RelayTable, patience: float) -> RelaySettings:
        tokens = self._tokens.get(each.label)
        return relay_settings(each, tokens.access_token if tokens else None, patience)

    @cached_property
    def _tokens(self) -> dict[str, AccessTokens]:
        """By relay, where it has an OAuth login. Raises ConfigurationError."""
        from digest.services.delivery.oauth import AccessTokens

        getter = self._getter
        if getter is None:
            return {}
        return {each.label: AccessTokens(each.label, each.oauth, getter, self._now) for each in self._tables if each.oauth}

    def _login_of(self, each: RelayTable) -> str:
        """A fingerprint of where and as whom we log in."""
        token = self._tokens.get(each.label)
        return self._hash(f"login {each.host} {each.port} {each.username} {token.refresh_token if token else password_of(each)}")
