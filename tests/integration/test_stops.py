"""Whoever unsubscribes, pauses, is erased or suppressed while a slow relay takes the mails of the day gets none begun later."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from digest.config import load
from digest.container import Container
from digest.domain.delivery import DeliveryState
from digest.domain.feedback import SuppressionReason
from digest.domain.subscriber import Address, Preferences
from digest.services.subscriptions.subscribe import change, end, erase
from digest.store.unit_of_work import Store
from tests.outbox import configured, queue
from tests.servers import preloaded
from tests.servers.running import PATIENCE, until
from tests.servers.smtp import OFFERS, Script, SmtpServer

ALLOWED = 1.0
"""Seconds after a commit in which a mail may still be begun (docs/DESIGN: at most 1 s old)."""
MARGIN = 0.5
"""Seconds more, between what `deliver` looks at and what the relay is told."""
READERS = 500
KINDS = 5
"""Ways to stop one's mail."""


class Commands(list[str]):
    """Every command, and the instant at which each recipient was named."""

    def __init__(self) -> None:
        self.named: dict[str, float] = {}

    def append(self, command: str) -> None:
        super().append(command)
        if command.upper().startswith("RCPT TO:<"):
            self.named[command[9:].partition(">")[0]] = time.monotonic()


class SlowRelay(SmtpServer):
    """Takes `wait` seconds over each final dot, and measures how late this machine lets anybody wake up.

    While it is `held` it takes longer: however slow the machine, there is somebody left whose mail can be stopped.
    """

    def __init__(self, store: Path, wait: float, extensions: tuple[str, ...] = OFFERS) -> None:
        super().__init__(store, Script(extensions=extensions))
        self.commands = self.told = Commands()
        self.wait, self.lag = wait, 0.0
        self._watched, self._going = threading.Event(), threading.Event()
        self._going.set()

    def __enter__(self) -> SlowRelay:
        super().__enter__()
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *how: object) -> None:
        self._watched.set()
        super().__exit__(*how)

    def keep(self, sender: str, recipients: list[str], data: bytes) -> None:
        time.sleep(self.wait)
        self._going.wait(PATIENCE)
        super().keep(sender, recipients, data)

    @contextmanager
    def held(self) -> Iterator[None]:
        self._going.clear()
        try:
            yield
        finally:
            self._going.set()

    def begun_after(self, instant: float, emails: list[str]) -> list[str]:
        """Those of them whose mail was begun too late; a machine that is too busy for us is given what it took."""
        return [each for each in emails if self.told.named.get(each, 0.0) > instant + ALLOWED + MARGIN + self.lag]

    def _watch(self) -> None:
        while True:
            before = time.monotonic()
            if self._watched.wait(0.02):
                return
            self.lag = max(self.lag, time.monotonic() - before - 0.02)


def stop_each(store: Store, emails: list[str]) -> dict[str, list[str]]:
    """A part of the readers each way; by way, who."""
    parts = {way: emails[number::KINDS] for number, way in enumerate(("unsubscribed", "erased", "paused", "suppressed", "ended"))}
    now = datetime.now(UTC)
    with store.read() as unit:
        ids = {each: unit.subscribers.subscriptions(Address(each))[0].id for each in emails}
    for each in parts["unsubscribed"]:
        end(store, ids[each], "unsubscribed with one click", now)
    for each in parts["erased"]:
        erase(store, Address(each), now)
    for each in parts["paused"]:
        change(store, ids[each], Preferences(paused_until=date(2999, 1, 1)))
    with store.begin() as unit:
        for each in parts["suppressed"]:
            unit.suppressions.add(Address(each), SuppressionReason.COMPLAINT, now)
    for each in parts["ended"]:
        end(store, ids[each], "unsubscribed by the operator", now)
    return parts


def reasons(store: Store, email: str) -> tuple[DeliveryState, str]:
    with store.read() as unit:
        [subscription] = unit.subscribers.subscriptions(Address(email))
        delivery = unit.deliveries.of_subscription(subscription.id)[0]
    return delivery.state, delivery.reason


Running = tuple[SlowRelay, Container, list[str], preloaded.Command]
Start = Callable[..., Running]


@pytest.fixture
def deliver(tmp_path: Path, database_url: str) -> Iterator[Start]:
    """Starts `digest deliver` of so many mails to a slow relay."""
    ending: list[Callable[[], object]] = []

    def start(readers: int, wait: float, extensions: tuple[str, ...] = OFFERS) -> Running:
        relay = SlowRelay(tmp_path / "kept", wait, extensions)
        relay.__enter__()
        config = configured(tmp_path, database_url, relay.port, "connections = 2\nclaim_size = 100")
        settings = load(config)
        emails = queue(settings, readers)
        running = preloaded.start(["deliver", "--config", str(config)])
        container = Container(settings)
        container.__enter__()
        ending.extend([lambda: container.__exit__(None, None, None), running.kill, running.wait, lambda: relay.__exit__()])
        return relay, container, emails, running

    yield start
    for step in ending:
        step()


def test_what_readers_stop_is_not_begun_and_a_paused_list_waits(deliver: Start) -> None:
    relay, container, emails, running = deliver(READERS, 0.1)
    until(lambda: len(relay.told.named) >= 10, "sending begins")
    with relay.held():
        leaving = [each for each in emails if each not in relay.told.named][20:220]
        parts = stop_each(container.adapters.store, leaving)
        committed = time.monotonic()
    until(lambda: time.monotonic() > committed + ALLOWED + MARGIN + relay.lag, "the clock goes")
    others = set(emails) - set(leaving)
    before = len(others & set(relay.told.named))
    assert before < len(others), "the relay was too quick to show anything"
    container.operations.pause(["daily"], "for a test", datetime.now(UTC))
    paused = time.monotonic()
    assert running.wait(timeout=PATIENCE) == 0
    for way, who in parts.items():
        assert relay.begun_after(committed, who) == [], way
    assert relay.begun_after(paused, emails) == []
    kept = [each for each in others if each not in relay.told.named]
    assert kept, "the pause came in time for some"
    assert {reasons(container.adapters.store, each)[0] for each in kept} == {DeliveryState.QUEUED}
    container.operations.resume(["daily"])
    with container.adapters.store.read() as unit:
        assert unit.deliveries.tally().get(DeliveryState.CLAIMED, 0) == 0


def test_each_is_withheld_with_its_reason(deliver: Start) -> None:
    relay, container, emails, running = deliver(120, 0.05)
    until(lambda: len(relay.told.named) >= 10, "sending begins")
    with relay.held():
        parts = stop_each(container.adapters.store, emails[-25:])
        committed = time.monotonic()
    assert running.wait(timeout=PATIENCE) == 0
    assert all(relay.begun_after(committed, who) == [] for who in parts.values())
    assert not set(emails[-25:]) & set(relay.told.named), "they were the last in the line"
    withheld = {way: {reasons(container.adapters.store, each) for each in who} for way, who in parts.items() if way != "erased"}
    assert withheld == {
        "unsubscribed": {(DeliveryState.WITHHELD, "the subscription is ended: unsubscribed with one click")},
        "paused": {(DeliveryState.WITHHELD, "the reader paused it until 2999-01-01")},
        "suppressed": {(DeliveryState.WITHHELD, "the address is suppressed: complaint")},
        "ended": {(DeliveryState.WITHHELD, "the subscription is ended: unsubscribed by the operator")},
    }
    with container.adapters.store.read() as unit:
        assert unit.deliveries.tally() == {DeliveryState.ACCEPTED: 95, DeliveryState.WITHHELD: 20}


def test_a_cancelled_edition_is_not_begun(deliver: Start) -> None:
    relay, container, emails, running = deliver(120, 0.1)
    until(lambda: len(relay.told.named) >= 10, "sending begins")
    with container.adapters.store.read() as unit:
        edition = unit.editions.find("daily", date(2026, 3, 2))
    with relay.held():
        container.operations.cancel(edition, "a mistake")
        committed = time.monotonic()
    assert running.wait(timeout=PATIENCE) == 0
    assert relay.begun_after(committed, emails) == []
    assert set(tally_of(container)) == {DeliveryState.ACCEPTED, DeliveryState.WITHHELD}


@pytest.mark.parametrize(
    ("readers", "wait", "extensions"),
    [(8, 1.5, OFFERS), (8, 1.5, OFFERS[1:]), (24, 0.3, OFFERS[1:])],
    ids=["slow", "slow, plain", "plain"],
)
def test_however_long_the_relay_takes_over_each(deliver: Start, readers: int, wait: float, extensions: tuple[str, ...]) -> None:
    relay, container, emails, running = deliver(readers, wait, extensions)
    until(lambda: len(relay.told.named) >= 2, "sending begins")
    with relay.held():
        stop_each(container.adapters.store, emails[2:])
        committed = time.monotonic()
    assert running.wait(timeout=PATIENCE) == 0
    assert relay.begun_after(committed, emails) == []
    assert DeliveryState.WITHHELD in tally_of(container)


def tally_of(container: Container) -> dict[DeliveryState, int]:
    with container.adapters.store.read() as unit:
        return unit.deliveries.tally()
