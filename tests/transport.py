"""The one fake transport: the whole program but for the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from digest.container import Container
from digest.domain.delivery import Attempt, Envelope, Reply, Stage
from digest.services.delivery.relays import Relays

if TYPE_CHECKING:
    from digest.config import Settings


@dataclass
class FakeTransport:
    """Accepts every message and keeps it, with the time. Calls `before` each one, then hands over no more once `stop` says so."""

    clock: Callable[[], datetime]
    before: Callable[[], object] = lambda: None
    stop: Callable[[], bool] = lambda: False
    accepted: list[tuple[datetime, Envelope]] = field(default_factory=list)

    @property
    def envelopes(self) -> list[Envelope]:
        return [envelope for _, envelope in self.accepted]

    def send_many(
        self, envelopes: Iterable[Envelope], wanted: Callable[[int], bool] = lambda delivery_id: True
    ) -> Iterator[Attempt]:
        for envelope in envelopes:
            self.before()
            if not wanted(envelope.delivery_id):
                continue
            if self.stop():
                return
            at = self.clock()
            self.accepted.append((at, envelope))
            yield Attempt(envelope.delivery_id, at, "fake", Stage.DOT, Reply(250, "ok", "2.0.0"))


class OfflineRelays(Relays):
    """Hands everything to `transport`; where `real` says so, relays that are configured are used."""

    def __init__(self, container: Container, transport: FakeTransport, *, real: bool = False) -> None:
        settings, adapters = container.settings, container.adapters
        connections, hash_text = settings.delivery.connections, adapters.hash_address
        super().__init__(settings.relays, lambda: adapters.store, connections, hash_text, lambda: datetime.now(UTC))
        self._transport, self._real = transport, real and bool(settings.relays)

    def __bool__(self) -> bool:
        return True

    def pool(self, *how: Any, **more: Any) -> Any:
        return super().pool(*how, **more) if self._real else self._transport


class OfflineContainer(Container):
    """Sends through `transport`, whatever relays are configured."""

    def __init__(self, settings: Settings, transport: FakeTransport, *, real: bool = False) -> None:
        super().__init__(settings)
        self.transport = transport
        self.relays = OfflineRelays(self, transport, real=real)
