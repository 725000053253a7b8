"""What the first release wrote (tests/golden/first_release.json, as its program left it) is whole after every migration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Date, MetaData, Time, bindparam, func, insert, select, text

from digest.domain.delivery import DeliveryState
from digest.domain.retry import RetryPolicy
from digest.domain.subscriber import Address, Interests
from digest.store.engine import WRITES, open_engine
from digest.store.migrate import alembic_config, check, downgrade, upgrade
from digest.store.schema import REVISION
from digest.store.types import Instant
from digest.store.unit_of_work import Store
from tests.servers.databases import hash_address
from tests.servers.stocked import (
    COHORT,
    DAY,
    HOUR,
    NOW,
    TODAY,
    arxiv,
    create_due,
    draft,
    know,
    papers,
    rendered,
    replied,
    sighting,
    subscribe,
)

FIRST = json.loads((Path(__file__).resolve().parents[1] / "golden/first_release.json").read_text("utf-8"))


@pytest.fixture
def upgraded(empty_database_url: str) -> Iterator[Store]:
    """A database at the first revision with the first release's rows, brought to this program's."""
    engine = open_engine(empty_database_url)
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        command.upgrade(alembic_config(connection), "0001")
    tables = MetaData()
    tables.reflect(bind=engine)
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        for name, rows in FIRST.items():
            table = tables.tables[name]
            connection.execute(insert(table), [{key: _typed(table.c[key], value) for key, value in row.items()} for row in rows])
            if connection.dialect.name == "postgresql" and "id" in table.c:
                connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name}"))
    assert upgrade(engine) == ("0001", REVISION)
    store = Store(engine, hash_address)
    yield store
    store.close()


def _typed(column: Any, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if isinstance(column.type, Date):
        return date.fromisoformat(value)
    if isinstance(column.type, Time):
        return time.fromisoformat(value)
    if "DATETIME" in str(column.type) or "TIMESTAMP" in str(column.type):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value


def test_every_row_is_there(upgraded: Store) -> None:
    check(upgraded.engine)
    tables = MetaData()
    tables.reflect(bind=upgraded.engine)
    with upgraded.engine.connect() as connection:
        counted = {name: connection.scalar(select(func.count()).select_from(tables.tables[name])) for name in FIRST}
    assert counted == {name: len(rows) for name, rows in FIRST.items()}


def test_it_is_understood(upgraded: Store) -> None:
    with upgraded.read() as unit:
        [ada] = unit.subscribers.subscriptions(Address("ada@example.org"))
        edition = unit.editions.find("main", TODAY)
        paper = unit.papers.find(arxiv(1))
        assert unit.deliveries.tally() == {
            DeliveryState.ACCEPTED: 1,
            DeliveryState.FAILED: 1,
            DeliveryState.QUEUED: 2,
        }
        assert edition is not None
        assert len(unit.editions.rendered(edition.id).cards) == 4
    assert (ada.preferences.timezone, ada.preferences.picks, ada.interests) == ("Europe/Berlin", 3, Interests(words=("ranking",)))
    assert (edition.state, edition.corrects, len(edition.picks)) == ("frozen", None, 2)
    assert paper is not None


def test_its_papers_are_found_by_their_words(upgraded: Store) -> None:
    filtered = ["ranking cat:cs", "method cat:cs.lg since:2026-03-02", "ranking since:2026-04", "cat:math"]
    asked = ["ranking", 'author:"bo writer"', *filtered]
    with upgraded.begin() as unit:
        counted = [len(unit.papers.search(query).whole) for query in asked]
        unit.papers.merge([sighting(5), sighting(1, title="Renamed", version=2, categories=("math.CO",))])
        counted_later = [len(unit.papers.search(query).whole) for query in asked]
    assert counted == [4, 4, 4, 4, 0, 0]
    assert counted_later == [4, 5, 4, 4, 0, 1], "what is new and what changed is found as well"


def test_the_outbox_goes_on_where_it_was(upgraded: Store) -> None:
    later = NOW + 5 * HOUR
    with upgraded.begin() as unit:
        batch = unit.deliveries.claim(10, "me", later, HOUR)
        assert sorted(each.attempts for each in batch.claimed) == [0, 1], "one never tried, one put off"
        unit.papers.merge([])
        assert unit.edition_operations.requeue(1, later, later + timedelta(days=1), "again") == 1, (
            "what is new works on what is old"
        )


def test_and_back_again(upgraded: Store) -> None:
    """Each downgrade undoes its upgrade, over data: nothing that the first release knew is lost."""
    assert downgrade(upgraded.engine, "0001") == (REVISION, "0001")
    assert upgrade(upgraded.engine) == ("0001", REVISION)
    test_every_row_is_there(upgraded)
    with upgraded.begin() as unit:
        assert unit.deliveries.claim(10, "me", NOW + DAY - HOUR, DAY).claimed


def test_links_mailed_before_unsubscribe_for_sixty_days(empty_database_url: str) -> None:
    """Readers, an owed confirmation, alarms and suppressions as 0009 had them."""
    engine = open_engine(empty_database_url)
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        command.upgrade(alembic_config(connection), "0009")
    tables = MetaData()
    tables.reflect(bind=engine)
    at = datetime(2026, 5, 1, tzinfo=UTC)
    rows: dict[str, list[dict[str, Any]]] = {
        "lists": [{"name": "main", "title": "Main", "settings": {}, "configured": True}],
        "subscribers": [
            {"address": f"{n}@example.org", "address_key": f"{n}@example.org", "address_hash": f"{n}", "created_at": at}
            for n in "abc"
        ],
        "subscriptions": [
            {
                "subscriber_id": number,
                "list": "main",
                "state": state,
                "timezone": "Asia/Tokyo",
                "hour": time(9),
                "weekdays": 127,
                "personal": False,
                "requested_at": at,
                "ended_at": ended,
            }
            for number, state, ended in ((1, "active", None), (2, "pending", None), (3, "pending", at))
        ],
        "notices": [{"subscription_id": 2, "kind": "confirm", "owed_at": at, "next_attempt_at": at, "attempts": 0}],
        "alarms": [{"cause": "returns", "day": at.date(), "at": at, "said": "550 <a@example.org> blocked"}],
        "suppressions": [
            {"address_hash": "x", "reason": "operator", "at": at, "detail": "asked for no more mail"},
            {"address_hash": "y", "reason": "operator", "at": at, "detail": "spammer a@example.org"},
        ],
    }
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        for name, some in rows.items():
            connection.execute(insert(tables.tables[name]), some)
    upgrade(engine)
    store, now = Store(engine, hash_address), datetime.now(UTC)
    with store.begin() as unit:
        found = list(unit.subscribers.export())
        assert len({each.public_id for each in found}) == 3
        assert {len(each.public_id) for each in found} == {22}
        assert [str(each.state) for each in found] == ["active", "pending", "ended"]
        assert unit.subscribers.numbered(1, now + timedelta(days=59))
        assert unit.subscribers.numbered(1, now + timedelta(days=61)) is None
        new = unit.subscribers.request(Address("new@example.org"), "main", found[0].preferences, Interests(), now)
        assert unit.subscribers.numbered(new.id, now) is None, "made since"
        (queued,) = unit.notices.take(now, 10, HOUR)
        asked = unit.subscribers.requested(queued.notice.subscription.request)
        assert asked
        assert (asked[0].id, asked[1].timezone) == (2, "Asia/Tokyo")
        assert [said for _, _, said in unit.alarms.since(at)] == ["550 <<address>> blocked"]
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT reason, detail FROM suppressions ORDER BY address_hash")).all()
    assert [tuple(row) for row in kept] == [("asked for no more mail", ""), ("operator", "spammer <address>")]
    store.close()


def test_a_half_sent_queue_is_moved(empty_database_url: str) -> None:
    """At 0011: one reader has today's mail, one waits for it, one was welcomed. Nobody is mailed twice that day, none is lost."""
    engine = open_engine(empty_database_url)
    store = Store(engine, hash_address)
    upgrade(engine, hash_address)
    know(store)
    due = NOW + 2 * HOUR
    with store.begin() as unit:
        readers = [subscribe(unit, f"reader{n}@example.org") for n in range(3)]
        pool = papers(unit, 4)
        edition = unit.editions.freeze(draft(pool), rendered(pool))
        create_due(unit, edition.id, COHORT, due, due + DAY, TODAY)
        [sent, waiting, _] = unit.deliveries.claim(9, "me", due, HOUR).claimed
        unit.deliveries.release("me")
        attempt = replied(sent.id, 250, at=due)
        unit.deliveries.record([(attempt, RetryPolicy().decide(attempt, 0, due + DAY))])
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        confirmed = due + HOUR
        late = text("UPDATE subscriptions SET confirmed_at = :at WHERE id = 3").bindparams(bindparam("at", confirmed, Instant()))
        connection.execute(late)
    downgrade(engine, "0011", hash_address)
    assert upgrade(engine, hash_address) == ("0011", REVISION)
    with store.begin() as unit:
        moved = {each.id: unit.deliveries.of_subscription(each.id)[0] for each in readers}
        assert [moved[each.id].day for each in readers] == [TODAY, TODAY, None], "a welcome is of no day"
        assert [str(moved[each.id].state) for each in readers] == ["accepted", "queued", "queued"]
        found = unit.editions.find("main", TODAY)
        assert found
        assert (found.id, found.cutoff, found.max_picks, len(found.picks)) == (edition.id, edition.window.end, 2, 2)
        newer = unit.editions.freeze(replace(draft(pool), cutoff=due + HOUR, content_hash="1" * 64), rendered(pool))
        assert create_due(unit, newer.id, COHORT, due, due + DAY, TODAY, due + 2 * HOUR) == 1, "only who was welcomed"
        assert waiting.id in {each.id for each in unit.deliveries.claim(9, "me", due, HOUR).claimed}
        ids = {paper: position for paper, position in unit.editions.pool_ids(edition.id).items() if position < 2}
        assert unit.sent_papers.papers_sent([readers[0].subscriber_id], due) == {readers[0].subscriber_id: frozenset(ids)}
    engine.dispose()
