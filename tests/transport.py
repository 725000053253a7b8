"""The one fake transport: the whole program but for the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from digest.domain.delivery import Attempt, Envelope, Reply, Stage
from digest.wiring import Wiring

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

    def hand_over(
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


class OfflineWiring(Wiring):
    """Sends through `transport`, whatever relays are configured."""

    def __init__(self, settings: Settings, transport: FakeTransport) -> None:
        super().__init__(settings)
        self.transport = transport

    def post(self, *how: object, **more: object) -> FakeTransport:  # type: ignore[override]  # only hand_over is asked of it
        return self.transport
