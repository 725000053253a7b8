"""Two people whose addresses used to share a key: told apart, and whoever was not to be mailed before is not mailed since."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta
from typing import Any

import pytest
from alembic import command
from sqlalchemy import MetaData, insert, text

from digest.domain.errors import ConfigurationError
from digest.domain.feedback import SuppressionReason
from digest.domain.notice import NoticeKind
from digest.domain.subscriber import Address, Interests, NewReader, Preferences
from digest.store.engine import WRITES, open_engine
from digest.store.migrate import alembic_config, downgrade, upgrade
from digest.store.schema import REVISION
from digest.store.unit_of_work import Store
from tests.servers.databases import hash_address
from tests.servers.stocked import CONSENT, DAY, HOUR, NOW, know

PAIRS = [
    ("a@faß.de", "a@fass.de"),
    ("ß@example.org", "ss@example.org"),
    ("a@βόλος.com", "a@βόλοσ.com"),
    ("ﬁ@example.org", "fi@example.org"),
    ("ſam@example.org", "sam@example.org"),
    ("Ａda@example.org", "ada@example.org"),
]
KNOWN = ["a@faß.de", "Ä@example.org", "ada@münchen.de", "用户@例子.example", "ß@example.org", "plain@example.org"]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_each_is_a_reader_of_their_own(store: Store, one: str, other: str) -> None:
    know(store)
    with store.begin() as unit:
        for text_ in (other, one):
            asked = unit.subscribers.request(Address(text_), "main", Preferences(), Interests(), NOW)
            assert asked.address == Address(text_)
        unit.suppressions.add(Address(other), SuppressionReason.BOUNCE, NOW)
        assert unit.suppressions.find(Address(one)) is None, "what is made now stops exactly one"


@pytest.fixture
def older(empty_database_url: str) -> Iterator[Store]:
    """Readers and suppressions as 0009 had them: `KNOWN` subscribed, the last but one suppressed, and one erased at each pair."""
    engine = open_engine(empty_database_url)
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        command.upgrade(alembic_config(connection), "0009")
    tables = MetaData()
    tables.reflect(bind=engine)
    keys = [Address(each).folded_key for each in KNOWN]
    people = zip(KNOWN, keys, strict=True)
    interests = {"timezone": "UTC", "hour": time(7), "weekdays": 127, "personal": False, "requested_at": NOW - DAY}
    stopped = [
        (keys[4], SuppressionReason.BOUNCE.value),
        *((Address(pair[0]).folded_key, SuppressionReason.ERASED.value) for pair in PAIRS[2:]),
    ]
    rows: dict[str, list[dict[str, Any]]] = {
        "lists": [{"name": "main", "title": "Main", "settings": {}, "configured": True}],
        "subscribers": [
            {"address": each, "address_key": key, "address_hash": hash_address(key), "created_at": NOW} for each, key in people
        ],
        "subscriptions": [
            {"subscriber_id": n + 1, "list": "main", "state": "active", "confirmed_at": NOW - DAY, **interests}
            for n in range(len(KNOWN))
        ],
        "suppressions": [{"address_hash": hash_address(key), "reason": why, "at": NOW, "detail": ""} for key, why in stopped],
    }
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        for name, some in rows.items():
            connection.execute(insert(tables.tables[name]), some)
    store = Store(engine, hash_address)
    yield store
    store.close()


def test_readers_are_found_after_the_upgrade(older: Store) -> None:
    upgrade(older.engine, hash_address)
    with older.begin() as unit:
        assert [len(unit.subscribers.subscriptions(Address(each))) for each in KNOWN] == [1] * len(KNOWN)
        assert unit.subscribers.subscriptions(Address("a@fass.de")) == []
        assert unit.subscribers.subscriptions(Address("a@xn--fa-hia.de")), "the same mailbox, its domain in ASCII"
    with older.engine.connect() as connection:
        hashes = connection.execute(text("SELECT address_key, address_hash FROM subscribers")).all()
    assert all(hash_address(key) == hashed for key, hashed in hashes)


def test_a_reader_who_was_suppressed_is_so_under_the_new_key(older: Store) -> None:
    upgrade(older.engine, hash_address)
    mine, other = Address("ß@example.org"), Address("ss@example.org")
    with older.begin() as unit:
        [subscription] = unit.subscribers.subscriptions(mine)
        unit.notices.queue(subscription.id, NoticeKind.LINK, NOW, NOW)
        [queued] = unit.notices.take(NOW, 10, HOUR)
        assert queued.suppressed is SuppressionReason.BOUNCE, "as whoever sends reads it"
        assert unit.suppressions.find(other), "it may have been meant for them"
        assert unit.suppressions.remove(mine)
        assert unit.suppressions.find(mine) is None
        assert unit.suppressions.find(other), "lifted for one, it stays for the other"


def test_an_operator_lifts_what_a_reader_shares(older: Store) -> None:
    upgrade(older.engine, hash_address)
    mine, other = Address("ß@example.org"), Address("ss@example.org")
    with older.begin() as unit:
        assert set(unit.suppressions.lift([mine], None, None, None, NOW).values()) == {SuppressionReason.BOUNCE.value}
        assert unit.suppressions.find(mine) is None
        assert unit.suppressions.find(other), "it stays for the other"
        erased = Address(PAIRS[3][0])
        assert unit.suppressions.lift([erased], None, None, None, NOW) == {}
        assert unit.suppressions.find(erased), "that is theirs to undo"


@pytest.mark.parametrize(("one", "other"), PAIRS[2:])
def test_nobody_who_was_erased_comes_back(older: Store, one: str, other: str) -> None:
    upgrade(older.engine, hash_address)
    both = [Address(one), Address(other)]
    with older.begin() as unit:
        for address in both:
            found = unit.suppressions.find(address)
            assert found
            assert found.reason is SuppressionReason.ERASED
            assert unit.subscribers.held(address)["suppressions"], "told to who asks"
        added = unit.subscribers.add_confirmed([NewReader(address, "main") for address in both], CONSENT, NOW)
        assert (added.added, added.unchanged) == (0, 2)
        assert unit.suppressions.remove(both[0])
        added = unit.subscribers.add_confirmed([NewReader(address, "main") for address in both], CONSENT, NOW)
        assert bool(unit.suppressions.find(both[1])) is other.isascii(), "it stays for whose hash it is"
        assert unit.subscribers.subscriptions(both[0]), "lifted by their own word, for themselves"


def test_the_keys_need_the_secret(older: Store) -> None:
    with pytest.raises(ConfigurationError, match=r"secrets\.key"):
        upgrade(older.engine)
    with older.engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "0009"


def test_and_back_again(older: Store) -> None:
    upgrade(older.engine, hash_address)
    assert downgrade(older.engine, "0009", hash_address) == (REVISION, "0009")
    with older.engine.connect() as connection:
        keys = connection.scalars(text("SELECT address_key FROM subscribers ORDER BY id")).all()
    assert keys == [Address(each).folded_key for each in KNOWN]
    upgrade(older.engine, hash_address)
    test_readers_are_found_after_the_upgrade(older)


def test_a_newer_requests_confirmation_outlives_the_older_ones(store: Store) -> None:
    """Asked again while the first mail is under way: what the first is settled by leaves the second."""
    know(store)
    with store.begin() as unit:
        first = unit.subscribers.request(Address("ada@example.org"), "main", Preferences(), Interests(), NOW)
        unit.notices.queue(first.id, NoticeKind.CONFIRM, NOW, NOW, first.request)
        [under_way] = unit.notices.take(NOW, 10, HOUR)
        later = NOW + timedelta(seconds=2)
        second = unit.subscribers.request(Address("ada@example.org"), "main", Preferences(), Interests(), later)
        unit.notices.queue(second.id, NoticeKind.CONFIRM, later, later, second.request)
        unit.notices.put_off(under_way.notice, NOW + DAY, 1)
        unit.notices.settle([under_way.notice])
        [queued] = unit.notices.take(later, 10, HOUR)
        assert (queued.notice.subscription.request, queued.attempts) == (second.request, 0)
        unit.notices.settle([queued.notice])
        assert unit.notices.count() == 0
