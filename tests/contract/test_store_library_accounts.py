"""Libraries kept elsewhere in the store, on both databases."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, text

from digest.domain.library_account import LibraryAccount, orcid_account, zotero_library
from digest.domain.subscriber import Address, Consent, Interests, Preferences
from digest.store.schema_libraries import library_items
from digest.store.unit_of_work import Store, UnitOfWork
from tests.libraries import library
from tests.servers.stocked import NOW, know

ADA, BEN = Address("ada@example.org"), Address("ben@example.org")
WORKS = library(count=6)
LATER = NOW + timedelta(hours=1)
ZOTERO = zotero_library("users/5")


def reader(unit: UnitOfWork, address: Address) -> int:
    asked = unit.subscribers.request(address, "main", Preferences(), Interests(), NOW)
    unit.subscribers.confirm(asked.id, Consent(NOW, "test", "yes", ""), NOW, asked.request)
    return asked.id


def account(unit: UnitOfWork, account_id: int) -> LibraryAccount:
    found = unit.library_accounts.get(account_id)
    assert found
    return found


def add(unit: UnitOfWork, account_id: int, numbers: range, most: int = 100) -> None:
    shown = {f"K{number}": WORKS[number] for number in numbers}
    unit.libraries.keep(list(shown.values()), NOW)
    ids = unit.libraries.by_identifier(work.identifiers[0] for work in shown.values())
    items = {key: ids[work.identifiers[0]] for key, work in shown.items()}
    unit.library_accounts.add(account(unit, account_id), items, NOW, most)


def titles(unit: UnitOfWork, subscription_id: int) -> list[str]:
    return [each["title"] for each in unit.libraries.of_subscriber(subscription_id)]


def of(*numbers: int) -> list[str]:
    return [WORKS[number].title for number in numbers]


def test_added_changed_removed_and_erased(store: Store) -> None:
    know(store)
    with store.begin() as unit:
        ada, ben = reader(unit, ADA), reader(unit, BEN)
        mine, theirs = (unit.library_accounts.connect(each, ZOTERO, "secret", NOW) for each in (ada, ben))
        assert unit.library_accounts.connect(ada, ZOTERO, "secret", NOW) == mine
        add(unit, mine, range(4))
        add(unit, mine, range(4))
        add(unit, theirs, range(2, 5))
    with store.begin() as unit:
        assert titles(unit, ada) == of(0, 1, 2, 3)
        assert account(unit, mine).papers == 4
        assert unit.library_accounts.remove(account(unit, mine), ["K0", "K2", "unknown"]) == 2
        assert (titles(unit, ada), titles(unit, ben)) == (of(1, 3), of(2, 3, 4))
        assert unit.connection.scalar(text("SELECT count(*) FROM works")) == 4
        add(unit, mine, range(6), most=3)
        assert titles(unit, ada) == of(2, 4, 5), "the oldest made room"
    with store.begin() as unit:
        unit.subscribers.erase(ADA)
        assert unit.connection.scalar(text("SELECT count(*) FROM library_items")) == 3
        assert unit.connection.scalar(text("SELECT count(*) FROM works")) == 3
        assert len(unit.library_accounts.of(ben)) == 1


def test_taken_off_by_the_reader_and_not_understood(store: Store) -> None:
    know(store)
    with store.begin() as unit:
        ada = reader(unit, ADA)
        mine = unit.library_accounts.connect(ada, ZOTERO, "", NOW)
        add(unit, mine, range(3))
        unit.library_accounts.reject(account(unit, mine), {"X1": "no title", "K1": "no title any more"}, NOW)
        unit.libraries.link(ada, [str(WORKS[1].identifiers[0])])
    with store.begin() as unit:
        me = account(unit, mine)
        assert (me.papers, me.not_understood) == (1, 1)
        assert unit.library_accounts.not_understood(mine, 9) == [("X1", "no title")]
        assert unit.library_accounts.taken_off(me, ["K0", "K1", "K2", "X1", "K5"]) == {"K0", "K2"}
        unit.library_accounts.seen(me, ["K1"], LATER)
        assert unit.library_accounts.remove_unseen(me, LATER) == 3
        unit.library_accounts.disconnect(me, with_papers=True)
        assert titles(unit, ada) == []


def test_two_works_that_turn_out_to_be_one(store: Store) -> None:
    know(store)
    with store.begin() as unit:
        ada = reader(unit, ADA)
        mine = unit.library_accounts.connect(ada, ZOTERO, "", NOW)
        add(unit, mine, range(2))
        both = WORKS[0].identifiers + WORKS[1].identifiers
        unit.libraries.keep([type(WORKS[0])(source="x", identifiers=both, title="t", seen_at=NOW)], NOW)
        assert len(set(unit.connection.scalars(select(library_items.c.work_id)))) == 1
        unit.library_accounts.remove(account(unit, mine), ["K0"])
        assert titles(unit, ada) == of(0)
        unit.library_accounts.remove(account(unit, mine), ["K1"])
        assert titles(unit, ada) == []


def test_due_is_claimed_once_and_waits_for_an_active_reader(store: Store) -> None:
    know(store)
    with store.begin() as unit:
        ada = reader(unit, ADA)
        mine = unit.library_accounts.connect(ada, orcid_account("0000-0002-1825-0097"), "", NOW)
    with store.begin() as unit:
        assert unit.library_accounts.due(NOW - timedelta(seconds=1)) is None
        due = unit.library_accounts.due(NOW)
        assert due
        assert unit.library_accounts.due(NOW, without=[due.name.kind]) is None
        assert unit.library_accounts.claim(due, NOW, LATER)
        assert not unit.library_accounts.claim(due, NOW, LATER)
        assert unit.library_accounts.due(NOW) is None
        assert account(unit, mine).started_at == NOW
        assert unit.library_accounts.due(NOW - timedelta(days=30)), "claimed by a clock that stood far ahead"
        unit.subscribers.end(ada, "asked", NOW)
        assert unit.library_accounts.due(LATER) is None
