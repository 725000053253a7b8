"""The relays, how they are doing, and what is left of their limits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from digest.config import read_secret
from digest.domain.errors import ConfigurationError
from digest.wiring.papers import Papers

if TYPE_CHECKING:
    from digest.config.mail import Relay as RelaySection
    from digest.mail.smtp.journal import SendLog
    from digest.mail.smtp.relay import Relay
    from digest.mail.smtp.relay_health import Health
    from digest.mail.smtp.relay_pool import Post
    from digest.services.delivery.relay_limits import RelayLimits


def _now() -> datetime:
    return datetime.now(UTC)


class Relaying(Papers):
    """Parts that know relays."""

    def relays(self, clock: Callable[[], datetime], *, insist: bool = False) -> list[Relay]:
        """`insist`: log in also where a refused login has us wait."""
        from digest.mail.smtp.relay import Relay
        from digest.mail.smtp.relay_settings import RelaySettings, Timeouts
        from digest.services.delivery.relay_limits import SharedLogins

        return [
            Relay(
                RelaySettings(
                    host=each.host,
                    port=each.port,
                    name=each.name,
                    tls=each.tls,
                    username=each.username,
                    password=self._password(each),
                    helo=each.ehlo_name,
                    pipelining=each.pipelining,
                    ca_file=each.ca_file,
                    max_per_connection=each.max_per_connection,
                    timeouts=Timeouts.within(each.timeout),
                ),
                clock,
                logins=SharedLogins(self.store, each.label, self.login_of(each), _now, insist=insist) if each.username else None,
                record=self.quotas[each.label],
            )
            for each in self.settings.relays
        ]

    @cached_property
    def health(self) -> Health:
        from digest.mail.smtp.relay_health import Health

        return Health()

    def _password(self, each: RelaySection) -> str:
        return read_secret(each.password, each.password_file, f"relays.{each.label}.password") or ""

    def login_of(self, each: RelaySection) -> str:
        """A fingerprint of where and as whom we log in."""
        return self._hash_address(f"login {each.host} {each.port} {each.username} {self._password(each)}")

    @cached_property
    def quotas(self) -> dict[str, RelayLimits]:
        """By relay, what it may have. By the real clock, whatever instant is acted for."""
        from digest.services.delivery.relay_limits import RelayLimits

        return {
            each.label: RelayLimits(self.store, each.label, _now, per_minute=each.per_minute, per_day=each.per_day)
            for each in self.settings.relays
        }

    def relay_troubles(self, at: datetime) -> dict[str, str]:
        """By relay, why it gets less than we have, where it does."""
        from digest.domain.rate_limit import Logins
        from digest.services.delivery.relay_limits import known_of, login_key, slowed, waiting_for_login

        troubles: dict[str, str] = {}
        for each in self.settings.relays:
            login = login_key(self.login_of(each)) if each.username else ""
            with self.store.read() as unit:
                kept = Logins(**(unit.sources.load(known_of(each.label), login) or {}))
                rate = unit.sources.load(known_of(each.label), "rate") or {}
            full = self.quotas[each.label].full_at(at)
            refused = waiting_for_login(kept) if kept.closed_until > at.timestamp() else ""
            if said := "; ".join(filter(None, (refused, full, slowed(rate, at)))):
                troubles[each.label] = said
        return troubles

    def post(self, log: SendLog, clock: Callable[[], datetime], stop: Callable[[], bool] = lambda: False) -> Post:
        from digest.mail.smtp.relay_pool import Post

        if not self.settings.relays:
            raise ConfigurationError("relays", "there is none; add a [[relays]] table with the host of your SMTP server")
        connections = self.settings.delivery.connections
        return Post(self.relays(clock), log, connections, quotas=self.quotas, health=self.health, stop=stop)
