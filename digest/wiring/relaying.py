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
    from digest.mail.health import Health
    from digest.mail.post import Post, Quota
    from digest.mail.relay import Relay
    from digest.mail.session import SendLog


class Relaying(Papers):
    """Parts that know relays."""

    def relays(self, clock: Callable[[], datetime]) -> list[Relay]:
        from digest.mail.relay import Relay, RelaySettings
        from digest.mail.session import Timeouts

        return [
            Relay(
                RelaySettings(
                    host=each.host,
                    port=each.port,
                    name=each.name,
                    tls=each.tls,
                    username=each.username,
                    password=read_secret(each.password, each.password_file, f"relays.{each.label}.password") or "",
                    ca_file=each.ca_file,
                    max_per_connection=each.max_per_connection,
                    timeouts=Timeouts.within(each.timeout),
                ),
                clock,
            )
            for each in self.settings.relays
        ]

    @cached_property
    def health(self) -> Health:
        from digest.mail.health import Health

        return Health()

    def quotas(self) -> dict[str, Quota]:
        """By relay, what is left of its limit, where it has one. By the real clock, whatever instant is acted for."""
        from digest.journey.ration import RelayQuota

        limits = {each.label: each.per_minute for each in self.settings.relays}
        return {name: RelayQuota(self.store, name, most, lambda: datetime.now(UTC)) for name, most in limits.items() if most}

    def post(self, log: SendLog, clock: Callable[[], datetime], stop: Callable[[], bool] = lambda: False) -> Post:
        from digest.mail.post import Post

        if not self.settings.relays:
            raise ConfigurationError("relays", "there is none; add a [[relays]] table with the host of your SMTP server")
        connections = self.settings.delivery.connections
        return Post(self.relays(clock), log, connections, quotas=self.quotas(), health=self.health, stop=stop)
