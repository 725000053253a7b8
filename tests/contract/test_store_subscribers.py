"""A reader's way in, through and out; suppressions."""

from __future__ import annotations

from datetime import time, timedelta
from functools import partial

import pytest
from sqlalchemy import func, select

from digest.domain.edition import PaperList
from digest.domain.errors import NotFound, StoreError
from digest.domain.feedback import Suppression, SuppressionReason
from digest.domain.notice import NoticeKind
from digest.domain.retry import RetryPolicy
from digest.domain.subscriber import (
    AddedReaders,
    Address,
    Cohort,
    Interests,
    NewReader,
    Preferences,
    SubscriptionState,
)
from digest.store.dialect import chunks
from digest.store.schema import VARIANTS, attempts, deliveries, subscribers, subscriptions
from digest.store.unit_of_work import Store
from tests.servers.databases import hash_address
from tests.servers.stocked import COHORT, CONSENT, DAY, HOUR, MAIN, NOW, know, queue, replied, subscribe

ADA = Address("Ada@example.org")
PREFERENCE_COLUMNS = Preferences(timezone="Europe/Berlin", hour=time(6, 30), weekdays=frozenset({0, 4}), picks=5, style="compact")
LIKES = Interests(words=("ranking",), muted_authors=("b. writer",), liked=("arxiv:2603.00001",))


def test_the_whole_way(store: Store) -> None:
    know(store)
    with store.begin() as unit:
        asked = unit.subscribers.request(ADA, "main", PREFERENCE_COLUMNS, LIKES, NOW)
    assert (asked.state, asked.preferences, asked.interests) == (SubscriptionState.PENDING, PREFERENCE_COLUMNS, LIKES)
    assert asked.address == ADA
    assert asked.consent is None
    with store.begin() as unit:
        again = unit.subscribers.request(Address("ada@EXAMPLE.org"), "main", Preferences(), Interests(), NOW + HOUR)
        assert again.id == asked.id
        assert again.request != asked.request
        assert (again.preferences, again.interests) == (PREFERENCE_COLUMNS, LIKES), (
            "what nobody proved to have asked for counts for nothing"
        )
        unit.subscribers.confirm(asked.id, CONSENT, NOW + 2 * HOUR)
        unit.subscribers.confirm(asked.id, CONSENT, NOW + 3 * HOUR)
    with store.begin() as unit:
        active = unit.subscribers.request(ADA, "main", Preferences(), Interests(), NOW + 4 * HOUR)
        assert (active.state, active.preferences, active.interests) == (SubscriptionState.ACTIVE, PREFERENCE_COLUMNS, LIKES)
        assert active.confirmed_at == NOW + 2 * HOUR
        assert active.consent == CONSENT
        unit.subscribers.change(active.id, interests=Interests())
        unit.subscribers.change(active.id, preferences=Preferences(hour=time(9)))
        changed = unit.subscribers.get(active.id)
        assert changed
        assert changed.preferences == Preferences(hour=time(9))
        assert changed.interests == Interests()
        unit.subscribers.end(active.id, "one click", NOW + 5 * HOUR)
        unit.subscribers.end(active.id, "again", NOW + 6 * HOUR)
    with store.begin() as unit:
        (ended,) = unit.subscribers.subscriptions(Address("ADA@example.org"))
        assert (ended.state, ended.end_reason, ended.ended_at) == (SubscriptionState.ENDED, "one click", NOW + 5 * HOUR)
        assert unit.subscribers.cohorts("main") == []
        back = unit.subscribers.request(ADA, "main", PREFERENCE_COLUMNS, LIKES, NOW + DAY)
        assert back.state is SubscriptionState.ENDED
        assert back.end_reason == "one click"
        unit.subscribers.confirm(back.id, CONSENT, NOW + DAY)
        revived = unit.subscribers.get(back.id)
        assert revived
        assert (revived.state, revived.ended_at, revived.end_reason) == (SubscriptionState.ACTIVE, None, "")
        assert revived.confirmed_at == NOW + DAY


def test_what_is_not_there(store: Store) -> None:
    know(store)
    with store.begin() as unit:
        assert unit.subscribers.get(404) is None
        assert unit.subscribers.subscriptions(ADA) == []
        assert unit.subscribers.erase(ADA) is False
        for act in (
            lambda: unit.subscribers.confirm(404, CONSENT, NOW),
            lambda: unit.subscribers.end(404, "", NOW),
            lambda: unit.subscribers.change(404),
        ):
            with pytest.raises(NotFound, match="subscription 404"):
                act()
    with pytest.raises(StoreError), store.begin() as unit:
        unit.subscribers.request(ADA, "no such list", Preferences(), Interests(), NOW)
    with store.read() as unit:
        assert list(unit.subscribers.export()) == []


def test_erasure_leaves_only_the_hash(store: Store) -> None:
    queue(store, 2)
    gone = Address("reader0@example.org")
    with store.begin() as unit:
        batch = unit.deliveries.claim(9, "me", NOW + 3 * HOUR, 4 * HOUR)
        for claimed in batch.claimed:
            attempt = replied(claimed.id, 451)
            unit.deliveries.record([(attempt, RetryPolicy().decide(attempt, 0, claimed.expires_at))])
        unit.suppressions.add(gone, SuppressionReason.ERASED, NOW)
        assert unit.subscribers.erase(gone) is True
    with store.engine.connect() as connection:
        for table in (subscribers, subscriptions, deliveries, attempts):
            assert connection.scalar(select(func.count()).select_from(table)) == 1, table.name
    with store.read() as unit:
        assert unit.suppressions.find(gone) == Suppression(hash_address(gone.key), SuppressionReason.ERASED, NOW)


def test_many_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.store.subscribers.subscribers.chunks", partial(chunks, size=50))
    know(store)
    with store.begin() as unit:
        unit.subscribers.request(Address("pending@example.org"), "main", Preferences(), Interests(), NOW)
        subscribe(unit, "active@example.org", preferences=PREFERENCE_COLUMNS)
        ended = subscribe(unit, "ended@example.org")
        unit.subscribers.end(ended.id, "goodbye", NOW)
    # of those with a library, more than are looked up at once
    rows = [
        NewReader(Address(f"r{n}@example.org"), "main", PREFERENCE_COLUMNS, LIKES if n < 51 else Interests()) for n in range(2500)
    ]
    rows += [NewReader(Address(f"{name}@example.org"), "main") for name in ("pending", "active", "ended", "R0")]
    with store.begin() as unit:
        assert unit.subscribers.add_confirmed(rows, CONSENT, NOW) == AddedReaders(2501, 3)
        assert unit.subscribers.add_confirmed(rows, CONSENT, NOW + DAY) == AddedReaders(0, 2504)
    with store.read() as unit:
        everyone = {s.address.text: s for s in unit.subscribers.export()}
    assert len(everyone) == 2503
    assert everyone["r7@example.org"].preferences == PREFERENCE_COLUMNS
    assert everyone["r7@example.org"].interests == LIKES
    assert everyone["r7@example.org"].consent == CONSENT
    assert everyone["pending@example.org"].state is SubscriptionState.ACTIVE
    assert everyone["active@example.org"].preferences == PREFERENCE_COLUMNS
    assert everyone["ended@example.org"].state is SubscriptionState.ENDED


def test_cohorts(store: Store) -> None:
    know(store, MAIN, PaperList(name="other", title="Other"))
    with store.begin() as unit:
        for n in range(3):
            subscribe(unit, f"a{n}@example.org")
        subscribe(unit, "b@example.org", preferences=PREFERENCE_COLUMNS)
        subscribe(unit, "c@example.org", "other", PREFERENCE_COLUMNS)
        unit.subscribers.request(ADA, "main", Preferences(timezone="Asia/Tokyo"), Interests(), NOW)
        assert unit.subscribers.cohorts("main") == [Cohort("main", "Europe/Berlin", time(6, 30), frozenset({0, 4})), COHORT]
        assert unit.subscribers.cohorts("other") == [Cohort("other", "Europe/Berlin", time(6, 30), frozenset({0, 4}))]
        assert unit.subscribers.cohorts("none") == []


def test_the_variants_of_a_cohort(store: Store) -> None:
    """What its ACTIVE readers get who do not get the mail as the list has it; found by an index, whatever its size."""
    know(store, MAIN)
    with store.begin() as unit:
        for n, (language, own) in enumerate([(None, False), ("de", False), ("de", False), ("de", True), (None, True)]):
            subscribe(unit, f"a{n}@example.org", preferences=Preferences(language=language, authors_words=own))
        subscribe(unit, "b@example.org", preferences=Preferences(language="ja", timezone="Asia/Tokyo"))
        unit.subscribers.request(ADA, "main", Preferences(language="fr"), Interests(), NOW)
        assert set(unit.subscribers.variants(COHORT)) == {("de", False), ("de", True), (None, True)}
        if store.engine.dialect.name == "sqlite":
            with store.engine.connect() as connection:
                plan = connection.exec_driver_sql(
                    "EXPLAIN QUERY PLAN SELECT DISTINCT language, authors_words FROM subscriptions WHERE list = 'main' AND"
                    f" timezone = 'UTC' AND hour = '07:00' AND weekdays = 127 AND frequency = 'daily' AND {VARIANTS}"
                )
                assert "INDEX ix_subscriptions_variants" in str(plan.all())


def test_suppressions(store: Store) -> None:
    with store.begin() as unit:
        assert unit.suppressions.find(ADA) is None
        unit.suppressions.add(ADA, SuppressionReason.BOUNCE, NOW, "550 5.1.1")
        unit.suppressions.add(Address("ada@example.org"), SuppressionReason.COMPLAINT, NOW + HOUR)
        found = unit.suppressions.find(Address("ada@Example.org"))
        assert found == Suppression(hash_address(ADA.key), SuppressionReason.BOUNCE, NOW, "550 5.1.1")
        assert unit.suppressions.remove(ADA) is True
        assert unit.suppressions.remove(ADA) is False
        assert unit.suppressions.find(ADA) is None


def test_a_roster_asks_whoever_is_new_and_nobody_else(store: Store) -> None:
    """Not who waits, reads, left, must not be mailed or was forgotten; of the last two not even the address is kept."""
    know(store)
    waits, reads, left = Address("waits@example.org"), Address("reads@example.org"), Address("left@example.org")
    barred, forgotten = Address("barred@example.org"), Address("forgotten@example.org")
    with store.begin() as unit:
        unit.subscribers.request(waits, "main", Preferences(), Interests(), NOW)
        subscribe(unit, reads.text)
        unit.subscribers.end(subscribe(unit, left.text).id, "test", NOW)
        unit.suppressions.add(barred, SuppressionReason.COMPLAINT, NOW)
        unit.suppressions.add(forgotten, SuppressionReason.ERASED, NOW)
    news = [Address(f"new{n}@example.org") for n in range(1200)]
    rows = [NewReader(each, "main") for each in (*news, waits, reads, left, barred, forgotten, news[0])]
    with store.begin() as unit:
        assert unit.subscribers.ask(rows, NOW) == AddedReaders(1200, 6)
        assert unit.subscribers.ask(rows, NOW) == AddedReaders(0, 1206)
        assert unit.subscribers.add_confirmed(rows[-4:-1], CONSENT, NOW) == AddedReaders(0, 3)
    with store.begin() as unit:
        assert [unit.subscribers.subscriptions(each) for each in (barred, forgotten)] == [[], []]
        assert unit.notices.count() == 1200
        taken = unit.notices.take(NOW, 2000, HOUR)
        assert {each.notice.subscription.address for each in taken} == set(news)
        assert {(each.notice.kind, each.notice.fits, each.attempts) for each in taken} == {(NoticeKind.CONFIRM, True, 0)}
        assert unit.notices.take(NOW, 2000, HOUR) == []


def test_a_notice_is_owed_until_it_is_settled(store: Store) -> None:
    """One a subscription: a later step's takes its place, and settling the former leaves the later."""
    know(store)
    with store.begin() as unit:
        ada = unit.subscribers.request(ADA, "main", Preferences(), Interests(), NOW)
        unit.notices.queue(ada.id, NoticeKind.CONFIRM, NOW, NOW + HOUR)
        unit.notices.queue(12345, NoticeKind.CONFIRM, NOW, NOW)
        assert unit.notices.take(NOW, 10, DAY) == []
        (first,) = unit.notices.take(NOW + HOUR, 10, DAY)
        unit.notices.put_off(first.notice, NOW + 2 * HOUR, 1)
        (again,) = unit.notices.take(NOW + 2 * HOUR, 10, DAY)
        assert (again.attempts, again.owed_at, again.suppressed) == (1, NOW, None)
        unit.subscribers.confirm(ada.id, CONSENT, NOW)
        unit.notices.queue(ada.id, NoticeKind.WELCOME, NOW + HOUR, NOW + HOUR)
        unit.notices.settle([first.notice])
        unit.suppressions.add(ADA, SuppressionReason.COMPLAINT, NOW)
        (welcome,) = unit.notices.take(NOW + HOUR, 10, DAY)
        assert (welcome.notice.kind, welcome.notice.fits, welcome.attempts) == (NoticeKind.WELCOME, True, 0)
        assert welcome.suppressed
        told = unit.subscribers.held(ADA)["subscriptions"][0]["notices"]
        assert [each["kind"] for each in told] == ["welcome"]
        unit.subscribers.erase(ADA)
        assert unit.notices.count() == 0


def test_hosts_whose_clocks_are_hours_apart_do_not_take_the_same_notice(store: Store) -> None:
    """The database's clock judges the lease; a lease that ends later than any can was taken while that clock stood ahead."""
    know(store)
    with store.begin() as unit:
        ada = unit.subscribers.request(ADA, "main", Preferences(), Interests(), NOW)
        unit.notices.queue(ada.id, NoticeKind.CONFIRM, NOW, NOW, lease=HOUR)
        for clock in (NOW, NOW + 3 * HOUR, NOW + 30 * DAY):
            assert unit.notices.take(clock, 10, HOUR) == [], "whoever queued it sends it"
        assert len(unit.notices.take(NOW, 10, HOUR - timedelta(minutes=1))) == 1, "no lease is that long: a clock stood ahead"
        for clock in (NOW, NOW + 3 * HOUR, NOW + 30 * DAY):
            assert unit.notices.take(clock, 10, HOUR) == []
