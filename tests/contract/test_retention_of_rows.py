"""What has been kept long enough goes, and nothing else does; what is kept about a person is told, and forgotten on request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import MetaData, Table, func, insert, select, text

from digest.config import Retention
from digest.domain.edition import PaperList
from digest.domain.feedback import ReturnKind, SuppressionReason
from digest.domain.library_account import zotero_library
from digest.domain.notice import NoticeKind
from digest.domain.paper import Signal
from digest.domain.retry import RetryPolicy
from digest.domain.subscriber import Address, Interests, Preferences, SubscriptionState
from digest.services.privacy.retention import RetentionRule, in_words, kept, run_retention
from digest.services.privacy.service import PrivacyService
from digest.services.subscriptions import request_limits
from digest.services.subscriptions.subscribe import erase
from digest.store.schema import attempts, deliveries, metadata, rate_limits, returns, signals, subscribers, subscriptions
from digest.store.schema_review import refusals, sent_before_restore
from digest.store.subscribers.personal_data import SAYS_NOTHING
from digest.store.unit_of_work import Store
from tests.servers.databases import hash_address
from tests.servers.stocked import COHORT, DAY, HOUR, MAIN, NOW, create_due, freeze, know, replied, sighting, subscribe

TABLE = kept(**Retention().model_dump())
DAYS = {each.name: each.days for each in TABLE}
ADA = Address("ada@example.org")


def _count(store: Store, table: Table) -> int:
    with store.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def _states(store: Store) -> dict[str, str]:
    with store.read() as unit:
        return {each.address.text: str(each.state) for each in unit.subscribers.export()}


def test_everything_kept_has_a_reason_and_a_period() -> None:
    settings = Retention()
    assert {each.name for each in TABLE} >= set(settings.model_dump())
    for each in TABLE:
        assert each.what
        assert each.why
        assert each.how_long
    assert DAYS["unconfirmed"] == settings.unconfirmed
    assert DAYS["allowances"]
    assert timedelta(days=DAYS["allowances"]) > request_limits.LONGEST


@pytest.mark.parametrize(
    ("days", "words"), [(1, "1 day"), (2, "2 days"), (30, "1 month"), (180, "6 months"), (365, "1 year"), (1095, "3 years")]
)
def test_a_period_in_words(days: int, words: str) -> None:
    assert in_words(days) == words


def test_nothing_goes_before_its_time(store: Store) -> None:
    know(store)
    with store.begin() as unit:
        unit.subscribers.request(Address("waiting@example.org"), "main", Preferences(), Interests(), NOW - 29 * DAY)
        subscribe(unit, "active@example.org", at=NOW - 2000 * DAY)
        ended = subscribe(unit, "ended@example.org", at=NOW - 2000 * DAY)
    run_retention(store, TABLE, NOW)  # of those two the requests, long confirmed
    with store.begin() as unit:
        unit.subscribers.end(ended.id, "one click", NOW - 1094 * DAY)
    before = _states(store)
    assert set(run_retention(store, TABLE, NOW).values()) == {0}
    assert _states(store) == before


def test_requests_nobody_confirmed_and_subscriptions_long_ended(store: Store) -> None:
    know(store, MAIN, PaperList(name="other", title="Other papers"))
    with store.begin() as unit:
        unit.subscribers.request(Address("waiting@example.org"), "main", Preferences(), Interests(), NOW - 31 * DAY)
        back = subscribe(unit, "back@example.org", at=NOW - 400 * DAY)
        unit.subscribers.end(back.id, "one click", NOW - 300 * DAY)
        unit.subscribers.request(back.address, "main", Preferences(), Interests(), NOW - 31 * DAY)
        gone = subscribe(unit, "gone@example.org", at=NOW - 2000 * DAY)
        unit.subscribers.end(gone.id, "one click", NOW - 1096 * DAY)
        half = subscribe(unit, "half@example.org", at=NOW - 2000 * DAY)
        unit.subscribers.end(half.id, "one click", NOW - 1096 * DAY)
        subscribe(unit, "half@example.org", "other", at=NOW - 2000 * DAY)
    assert _states(store)["back@example.org"] == "ended"
    run_retention(store, TABLE, NOW)
    assert _states(store) == {"back@example.org": "ended", "half@example.org": "active"}
    assert _count(store, subscribers) == 2
    assert set(run_retention(store, TABLE, NOW).values()) == {0}


def test_more_than_one_step_holds(store: Store) -> None:
    know(store)
    with store.begin() as unit:
        for number in range(30):
            unit.subscribers.request(Address(f"w{number}@example.org"), "main", Preferences(), Interests(), NOW - 31 * DAY)
    with store.begin() as unit:
        assert unit.retention.unconfirmed(NOW, 7) <= 21
    assert 0 < _count(store, subscriptions) < 30
    run_retention(store, TABLE, NOW)
    assert _count(store, subscriptions) == _count(store, subscribers) == 0


def test_old_deliveries_go_with_what_hangs_on_them(store: Store) -> None:
    know(store)
    old, new = NOW - 181 * DAY, NOW - 179 * DAY
    with store.begin() as unit:
        subscribe(unit, "ada@example.org", at=NOW - 300 * DAY)
    for due in (old, new):
        edition = freeze(store, day=due.date())
        with store.begin() as unit:
            create_due(unit, edition.id, COHORT, due, due + DAY, due.date())
            [claimed] = unit.deliveries.claim(10, "me", due, HOUR).claimed
            failed = replied(claimed.id, 550, at=due, enhanced="5.1.1")
            unit.deliveries.record([(failed, RetryPolicy().decide(failed, 0, due + DAY))], "me")
            unit.feedback_events.add(claimed.id, ReturnKind.HARD, due + HOUR, "no such user")
    assert [_count(store, table) for table in (deliveries, attempts, returns)] == [2, 2, 2]
    assert run_retention(store, TABLE, NOW)["deliveries"] == 1
    assert [_count(store, table) for table in (deliveries, attempts, returns)] == [1, 1, 1]


def test_what_is_still_to_be_sent_stays(store: Store) -> None:
    """A list that has been paused for a year: its deliveries have no end yet, so nobody could say what became of them."""
    know(store)
    due = NOW - 300 * DAY
    with store.begin() as unit:
        subscribe(unit, "ada@example.org", at=NOW - 400 * DAY)
    edition = freeze(store, day=due.date())
    with store.begin() as unit:
        create_due(unit, edition.id, COHORT, due, due + DAY, due.date())
    assert run_retention(store, TABLE, NOW)["deliveries"] == 0
    assert _count(store, deliveries) == 1


def _finished(store: Store) -> dict[str, list[bool]]:
    """By day of the edition: which of its cards are there."""
    with store.read() as unit:
        found = [unit.editions.find("main", day) for day in unit.editions.dates("main")]
        return {f"{e.date}": [bool(card.html) for card in unit.editions.rendered(e.id).cards] for e in found if e}


def test_of_old_editions_the_picks_cards_stay(store: Store) -> None:
    """But the newest edition, and one that a delivery still hangs on, stay whole; and what was weighed can still be told."""
    know(store)
    with store.begin() as unit:
        subscribe(unit, "ada@example.org", at=NOW - 900 * DAY)
    queued, old, older, newest = (freeze(store, day=(NOW - days * DAY).date()) for days in (500, 400, 300, 200))
    with store.begin() as unit:
        create_due(unit, queued.id, COHORT, NOW, NOW + DAY, NOW.date())
        weighed = unit.editions.pool(old.id)
    whole, thinned = [True] * 4, [True, True, False, False]
    assert run_retention(store, TABLE, NOW)["cards"] == 4
    assert _finished(store) == {
        f"{newest.date}": whole,
        f"{older.date}": thinned,
        f"{old.date}": thinned,
        f"{queued.date}": whole,
    }
    with store.read() as unit:
        assert unit.editions.pool(old.id) == weighed
    assert run_retention(store, TABLE, NOW)["cards"] == 0


def test_a_cancelled_edition_makes_none_old(store: Store) -> None:
    know(store)
    freeze(store, day=(NOW - 400 * DAY).date())
    cancelled = freeze(store, day=(NOW - 399 * DAY).date())
    with store.begin() as unit:
        unit.editions.cancel(cancelled.id)
    assert run_retention(store, TABLE, NOW)["cards"] == 0


def _readings(store: Store) -> list[tuple[str, float]]:
    with store.engine.connect() as connection:
        rows = connection.execute(select(signals.c.observed_at, signals.c.value).order_by(signals.c.observed_at))
        return [(f"{at:%m-%d %H:%M}", value) for at, value in rows]


def test_of_old_readings_the_last_of_each_day_stays(store: Store) -> None:
    old = datetime(2025, 1, 10, tzinfo=UTC)

    def readings() -> Iterator[Signal]:
        for day in range(3):
            for hour in (0, 11, 23):
                yield Signal("upvotes", day * 100 + hour, old + day * DAY + hour * HOUR + timedelta(minutes=59), "huggingface")
        yield Signal("upvotes", 1000, NOW - 2 * HOUR, "huggingface")
        yield Signal("upvotes", 1001, NOW - HOUR, "huggingface")

    with store.begin() as unit:
        unit.papers.merge([sighting(1, seen_at=old, signals=tuple(readings())), sighting(2, seen_at=old)])
    assert run_retention(store, TABLE, NOW)["readings"] == 6
    kept_ones = [("01-10 23:59", 23.0), ("01-11 23:59", 123.0), ("01-12 23:59", 223.0)]
    assert _readings(store) == [*kept_ones, ("03-02 03:00", 1000.0), ("03-02 04:00", 1001.0)]
    assert run_retention(store, TABLE, NOW)["readings"] == 0


def test_old_counts_go(store: Store) -> None:
    for at in (NOW - 9 * DAY, NOW):
        request_limits.check_request_limits(store, ADA, "192.0.2.1", at)
    assert _count(store, rate_limits) == 2 * len(request_limits.LIMITS)
    assert run_retention(store, TABLE, NOW)["allowances"] == len(request_limits.LIMITS)
    assert request_limits.check_request_limits(store, ADA, "192.0.2.1", NOW).over is None


def test_a_period_without_end_is_never_over(store: Store) -> None:
    with store.begin() as unit:
        unit.suppressions.add(ADA, SuppressionReason.COMPLAINT, NOW - 9000 * DAY)
    endless = tuple(RetentionRule(each.name, each.what, None, each.how_long, each.why) for each in TABLE)
    assert run_retention(store, endless, NOW) == {}
    run_retention(store, TABLE, NOW)
    with store.read() as unit:
        assert unit.suppressions.find(ADA)


# ---- what is held about a person ----


def _a_life(store: Store) -> None:
    """Somebody about whom every table has something."""
    know(store)
    interests = Preferences(timezone="Europe/Berlin", picks=5)
    with store.begin() as unit:
        ada = subscribe(unit, ADA.text, preferences=interests, interests=Interests(words=("secret interest",)), at=NOW - 3 * DAY)
        subscribe(unit, "bob@example.org", preferences=interests, at=NOW - 3 * DAY)
        unit.notices.queue(ada.id, NoticeKind.WELCOME, NOW, NOW)
        account = unit.library_accounts.get(unit.library_accounts.connect(ada.id, zotero_library("users/5"), "sealed", NOW))
        assert account
        unit.library_accounts.reject(account, {"ABCD2345": "title: is missing"}, NOW)
    edition = freeze(store)
    with store.begin() as unit:
        unit.saved_papers.save(ada.id, edition.picks[0].ranked.paper.id, NOW)
    cohort = type(COHORT)("main", "Europe/Berlin", COHORT.hour, COHORT.weekdays)
    with store.begin() as unit:
        create_due(unit, edition.id, cohort, NOW, NOW + DAY, NOW.date())
        for each in unit.deliveries.claim(10, "me", NOW, HOUR).claimed:
            failed = replied(each.id, 550, text=f"<{each.address}> unknown", enhanced="5.1.1")
            unit.deliveries.record([(failed, RetryPolicy().decide(failed, 0, NOW + DAY))], "me")
            unit.feedback_events.add(each.id, ReturnKind.HARD, NOW, f"<{each.address}> unknown")
            unit.suppressions.add(each.address, SuppressionReason.BOUNCE, NOW, f"<{each.address}> unknown")
    with store.engine.begin() as connection:
        refused = {"subscription_id": ada.id, "at": NOW, "words": "unknown", "suppress": "hard bounce", "state": "held"}
        connection.execute(insert(refusals).values(refused))
        connection.execute(insert(sent_before_restore).values(subscription_id=ada.id, day=NOW.date()))
    request_limits.check_request_limits(store, ADA, "192.0.2.1", NOW)


def test_everything_held_about_a_person_is_told(store: Store) -> None:
    _a_life(store)
    told = PrivacyService(store, Retention()).export_personal_data(Address("Ada@EXAMPLE.org"), NOW)
    assert json.loads(json.dumps(told)) == told
    [subscription] = told["subscriptions"]
    [delivery] = subscription["deliveries"]
    assert [(each["kind"], each["attempts"]) for each in subscription["notices"]] == [("welcome", 0)]
    assert (told["address"], told["requests_today"], told["suppressions"][0]["reason"]) == (ADA.text, 1, "hard bounce")
    assert subscription["interests"] == {"words": ["secret interest"]}
    assert (subscription["weekdays"], subscription["hour"], subscription["picks"]) == ("daily", "07:00", 5)
    assert subscription["consent_event"] == "recorded by operator"
    assert (delivery["edition"], delivery["state"]) == (NOW.date().isoformat(), "failed")
    assert "ada@example.org" in delivery["attempts"][0]["text"]
    assert "ada@example.org" in delivery["returns"][0]["detail"]
    [account] = subscription["library_accounts"]
    assert (account["library"], account["key"], account["items"][0]["problem"]) == (
        "users/5",
        "kept encrypted",
        "title: is missing",
    )
    assert "bob" not in json.dumps(told)
    assert "sealed" not in json.dumps(told)


def test_no_column_about_a_person_is_forgotten(store: Store) -> None:
    """Whatever hangs on a reader by foreign keys, in any table, is in the document; so is a column added one day."""
    _a_life(store)
    told = PrivacyService(store, Retention()).export_personal_data(ADA, NOW)
    said = {**told, **told["subscriptions"][0], **told["subscriptions"][0]["deliveries"][0]}
    levels = [
        said,
        *(said[name][0] for name in ("attempts", "returns", "suppressions", "notices", "refusals", "sent_before_restore")),
        said["library_accounts"][0],
        said["saved_papers"][0],
        said["library_accounts"][0]["items"][0],
    ]
    names = {name for level in levels for name in level}
    for table in [*_hanging_on(metadata, subscribers), metadata.tables["suppressions"]]:
        missing = {column.name for column in table.c} - names - SAYS_NOTHING
        assert not missing, f"{table.name}: {missing}"


def _hanging_on(tables: MetaData, root: Table) -> list[Table]:
    found = [root]
    for table in tables.sorted_tables:
        if any(key.column.table in found for key in table.foreign_keys) and table not in found:
            found.append(table)
    return found


def test_nothing_is_held_about_a_stranger(store: Store) -> None:
    told = PrivacyService(store, Retention()).export_personal_data(ADA, NOW)
    assert (told["subscriptions"], told["suppressions"], told["requests_today"]) == ([], [], 0)


def test_forgetting_leaves_a_keyed_hash_and_nothing_else(store: Store) -> None:
    """Also where servers had quoted the address back to us."""
    _a_life(store)
    assert erase(store, ADA, NOW + DAY)
    with store.engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(text(f'SELECT * FROM "{table.name}"')):
                assert "ada@" not in str(row).lower(), table.name
                assert "secret interest" not in str(row), table.name
    with store.read() as unit:
        kept_one = unit.suppressions.find(ADA)
        assert kept_one
        assert (kept_one.address_hash, kept_one.reason, kept_one.detail) == (hash_address(ADA.key), SuppressionReason.BOUNCE, "")
        assert unit.subscribers.subscriptions(Address("bob@example.org"))[0].state is SubscriptionState.ACTIVE
    assert erase(store, ADA, NOW + DAY) is False
