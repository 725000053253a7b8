"""One row that cannot be read never stops the others: each claim ends it with a reason, and the tick goes on."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from digest.config import load
from digest.container import Container
from digest.domain.subscriber import Address, NewReader, Preferences
from tests.outbox import configured, owe
from tests.servers.stocked import CONSENT, sighting
from tests.transport import FakeTransport, OfflineContainer

DUE = datetime(2026, 3, 2, 7, 1, tzinfo=UTC)
BROKEN = {
    "interests are no JSON": "UPDATE subscriptions SET personal = 1, interests = '{\"words\": [' WHERE id = :id",
    "interests are a number": "UPDATE subscriptions SET personal = 1, interests = '7' WHERE id = :id",
    "interests are a list": "UPDATE subscriptions SET personal = 1, interests = '[1]' WHERE id = :id",
    "words are a number": "UPDATE subscriptions SET personal = 1, interests = '{\"words\": 1}' WHERE id = :id",
    "words hold numbers": "UPDATE subscriptions SET personal = 1, interests = '{\"words\": [1, null]}' WHERE id = :id",
    "picks are no JSON": "UPDATE deliveries SET picks = '[1,' WHERE subscription_id = :id",
    "picks are a number": "UPDATE deliveries SET picks = '3' WHERE subscription_id = :id",
    "picks lie outside": "UPDATE deliveries SET picks = '[999]' WHERE subscription_id = :id",
    "picks are words": "UPDATE deliveries SET picks = '[\"a\"]' WHERE subscription_id = :id",
    "the hour it falls due is none": "UPDATE deliveries SET due_at = 'soon' WHERE subscription_id = :id",
    "the hour it expires is none": "UPDATE deliveries SET expires_at = '~' WHERE subscription_id = :id",
    "the address is none": "UPDATE subscribers SET address = 'nobody' WHERE id = :id",
    "the pause is no day": "UPDATE subscriptions SET paused_until = 'summer' WHERE id = :id",
}


def test_a_claim(tmp_path: Path, sqlite_url: str) -> None:
    """Every kind breaks a reader of its own, in batches with others."""
    config = configured(tmp_path, sqlite_url, 1, "batch = 4")
    broken = {3 * number: kind for number, kind in enumerate(BROKEN, 1)}
    everybody = range(1, len(owe(load(config), 3 * len(BROKEN) + 1)) + 1)
    transport = FakeTransport(lambda: datetime.now(UTC))
    with OfflineContainer(load(config), transport) as container:
        with container.adapters.store.engine.begin() as connection:
            for id_, kind in broken.items():
                connection.execute(text(BROKEN[kind]), {"id": id_})
        worked = container.delivery.deliver(lambda: datetime.now(UTC))
        with container.adapters.store.engine.connect() as connection:
            found = connection.execute(text("SELECT subscription_id AS id, state, reason FROM deliveries")).all()
    ended = {row.id: row for row in found}
    assert {broken[id_]: ended[id_].state for id_ in broken} == dict.fromkeys(BROKEN, "failed")
    assert all(ended[id_].reason for id_ in broken)
    assert {id_ for id_ in everybody if ended[id_].state != "accepted"} == broken.keys()
    assert (worked.tally.failed, worked.stopped) == (len(broken), "")
    assert len(transport.accepted) == len(everybody) - len(broken)


COHORTS = {
    "an hour": "UPDATE subscriptions SET hour = 'noon' WHERE id = 1",
    "days": "UPDATE subscriptions SET weekdays = 'mondays' WHERE id = 1",
    "a zone": "UPDATE subscriptions SET timezone = '\x07' WHERE id = 1",
}


@pytest.mark.parametrize("sql", COHORTS.values(), ids=COHORTS.keys())
def test_a_tick(sql: str, tmp_path: Path, sqlite_url: str) -> None:
    with Container(load(configured(tmp_path, sqlite_url, 1))) as container:
        people = [NewReader(Address(f"r{n}@example.org"), "daily", Preferences(hour=time(7))) for n in range(3)]
        with container.adapters.store.begin() as unit:
            unit.papers.merge([sighting(2, seen_at=DUE - timedelta(days=1))])
            unit.subscribers.add_confirmed(people, CONSENT, DUE - timedelta(days=1))
        with container.adapters.store.engine.begin() as connection:
            connection.execute(text(sql))
        ticked = container.scheduler.tick(DUE)
    assert ticked.editions == 1
    assert ticked.deliveries in (2, 3)
