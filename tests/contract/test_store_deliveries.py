"""The outbox: created once, claimed once, ended with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from digest.domain.delivery import Attempt, ClaimBatch, Claimed, Delivery, DeliveryState, Reply, Stage
from digest.domain.edition import PaperList
from digest.domain.feedback import SuppressionReason
from digest.domain.retry import Decision, RetryPolicy, UncertainPolicy
from digest.domain.subscriber import Address, Cohort, Interests, NewReader, Preferences
from digest.services.scheduler import create_deliveries
from digest.store.unit_of_work import Store
from tests.servers.stocked import (
    COHORT,
    CONSENT,
    DAY,
    HOUR,
    MAIN,
    NOW,
    TODAY,
    create_due,
    freeze,
    know,
    queue,
    replied,
    subscribe,
)

DUE = NOW + 2 * HOUR
LATER = NOW + 3 * HOUR
QUEUED, CLAIMED, ACCEPTED = DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.ACCEPTED
FAILED, WITHHELD, EXPIRED, UNCERTAIN = (
    DeliveryState.FAILED,
    DeliveryState.WITHHELD,
    DeliveryState.EXPIRED,
    DeliveryState.UNCERTAIN,
)


def claim(store: Store, limit: int = 100, owner: str = "me", now: datetime = LATER) -> tuple[Claimed, ...]:
    with store.begin() as unit:
        return unit.deliveries.claim(limit, owner, now, HOUR).claimed


def tally(store: Store) -> dict[DeliveryState, int]:
    with store.read() as unit:
        return unit.deliveries.tally()


def decided(attempt: Attempt, policy: RetryPolicy | None = None, before: int = 0) -> tuple[Attempt, Decision]:
    return attempt, (policy or RetryPolicy()).decide(attempt, before, DUE + DAY)


def record(store: Store, results: Sequence[tuple[Attempt, Decision]], owner: str | None = None) -> None:
    with store.begin() as unit:
        unit.deliveries.record(results, owner)


def of(store: Store, subscription_id: int) -> Delivery:
    with store.read() as unit:
        return unit.deliveries.of_subscription(subscription_id)[0]


# ---- creating --------------------------------------------------------------------------------------------------------------


def test_only_who_is_due_gets_a_row_and_only_one(store: Store) -> None:
    know(store, MAIN, PaperList(name="other", title="Other"))
    edition = freeze(store)
    with store.begin() as unit:
        due = subscribe(unit, "due@example.org")
        resumed = subscribe(unit, "resumed@example.org", preferences=Preferences(paused_until=TODAY))
        subscribe(unit, "paused@example.org", preferences=Preferences(paused_until=TODAY + DAY))
        subscribe(unit, "late@example.org", at=DUE + timedelta(seconds=1))
        subscribe(unit, "elsewhere@example.org", preferences=Preferences(timezone="Europe/Berlin"))
        subscribe(unit, "at-eight@example.org", preferences=Preferences(hour=time(8)))
        subscribe(unit, "mondays@example.org", preferences=Preferences(weekdays=frozenset({0})))
        subscribe(unit, "other@example.org", "other")
        unit.subscribers.request(Address("pending@example.org"), "main", Preferences(), Interests(), NOW - DAY)
        unit.subscribers.end(subscribe(unit, "ended@example.org").id, "goodbye", NOW)
        subscribe(unit, "complained@example.org")
        unit.suppressions.add(Address("Complained@example.org"), SuppressionReason.COMPLAINT, NOW)
    with store.begin() as unit:
        assert create_due(unit, edition.id, COHORT, DUE, DUE + DAY, TODAY) == 2
        assert create_due(unit, edition.id, COHORT, DUE, DUE + DAY, TODAY) == 0
        assert create_due(unit, edition.id, COHORT, DUE, DUE + DAY, TODAY, DUE + HOUR) == 1
        mondays = Cohort("main", "UTC", time(7), frozenset({0}))
        assert create_due(unit, edition.id, mondays, DUE, DUE + DAY, TODAY) == 1
    got = {c.address.text for c in claim(store)}
    assert got == {"due@example.org", "resumed@example.org", "late@example.org", "mondays@example.org"}
    assert of(store, due.id).due_at == of(store, resumed.id).next_attempt_at == DUE
    assert of(store, due.id).expires_at == DUE + DAY


def test_many_are_owed_a_step_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step its own transaction; whoever comes or goes meanwhile, nobody has two rows and nobody is left out."""
    once_a_day = replace(MAIN, cutoff_every=DAY)
    know(store)
    freeze(store)
    with store.begin() as unit:
        readers = [NewReader(Address(f"r{n}@example.org"), "main", Preferences(hour=time(7 + n % 2))) for n in range(20)]
        unit.subscribers.add_confirmed(readers, CONSENT, NOW)
        unit.subscribers.end(3, "goodbye", NOW)
        assert unit.subscribers.nth_id(COHORT, 0, 4) == 9, "1, 5, 7, 9: the eights and who left are not of them"
        assert unit.subscribers.nth_id(COHORT, 9, 5) == 19
        assert unit.subscribers.nth_id(COHORT, 9, 6) is None
        assert unit.subscribers.nth_id(COHORT, 19, 1) is None
    for step, made in ((4, 9), (3, 0)):
        monkeypatch.setattr(create_deliveries, "STEP", step)
        assert create_deliveries.create_deliveries([once_a_day], store, DUE).created == made
    with store.begin() as unit:
        unit.subscribers.add_confirmed([NewReader(Address("new@example.org"), "main")], CONSENT, NOW)
    monkeypatch.setattr(create_deliveries, "STEP", 1)
    assert create_deliveries.create_deliveries([once_a_day], store, DUE).created == 1
    assert create_deliveries.create_deliveries([once_a_day], store, DUE + HOUR).created == 10, "the eights"
    assert tally(store) == {QUEUED: 20}


def test_a_welcome(store: Store) -> None:
    edition = queue(store, 1)
    with store.begin() as unit:
        newcomer = subscribe(unit, "new@example.org")
        made = unit.deliveries.create_one(edition.id, newcomer.id, LATER, LATER + DAY)
        assert made is not None
        assert unit.deliveries.create_one(edition.id, newcomer.id, LATER, LATER + DAY) is None
        assert create_due(unit, edition.id, COHORT, DUE, DUE + DAY, TODAY) == 0
    assert made in {c.id for c in claim(store)}


# ---- claiming --------------------------------------------------------------------------------------------------------------


def test_a_claim_holds_what_composing_needs(store: Store) -> None:
    know(store)
    edition = freeze(store)
    interests, likes = Preferences(picks=3, style="compact"), Interests(words=("graphs",))
    with store.begin() as unit:
        plain = subscribe(unit, "plain@example.org")
        fussy = subscribe(unit, "fussy@example.org", preferences=interests, interests=likes)
        create_due(unit, edition.id, COHORT, DUE, DUE + DAY, TODAY)
    one, two = claim(store)
    assert (one.subscription_id, one.personal, one.wanted, one.interests, one.style, one.picks) == (
        plain.id,
        False,
        None,
        Interests(),
        None,
        None,
    )
    assert two == Claimed(
        id=two.id,
        edition_id=edition.id,
        subscription_id=fussy.id,
        subscriber_id=fussy.subscriber_id,
        address=fussy.address,
        attempts=0,
        due_at=DUE,
        expires_at=DUE + DAY,
        picks=None,
        personal=True,
        wanted=3,
        interests=likes,
        style="compact",
        public_id=two.public_id,
    )
    assert len(two.public_id) >= 22


def test_nothing_is_claimed_before_it_is_due(store: Store) -> None:
    queue(store, 1)
    assert claim(store, now=DUE - timedelta(microseconds=1)) == ()
    with store.read() as unit:
        assert unit.deliveries.oldest_due(DUE - HOUR) is None
        assert unit.deliveries.next_due(DUE - HOUR) == DUE
        assert unit.deliveries.oldest_due(DUE + HOUR) == DUE
        assert unit.deliveries.next_due(DUE) is None
    with store.begin() as unit:
        unit.lists.pause("main", "at night", DUE)
        assert unit.deliveries.oldest_due(DUE + HOUR) is None, "what a pause holds back is not due"
        unit.lists.resume("main")
    assert len(claim(store, now=DUE)) == 1


def test_claims_at_the_same_time_never_share_a_row(store: Store) -> None:
    queue(store, 300)

    def drain(owner: int) -> list[int]:
        mine: list[int] = []
        while claimed := claim(store, 7, f"worker {owner}"):
            mine += [c.id for c in claimed]
        return mine

    with ThreadPoolExecutor(4) as pool:
        taken = [delivery_id for mine in pool.map(drain, range(4)) for delivery_id in mine]
    assert len(taken) == len(set(taken)) == 300
    assert tally(store) == {CLAIMED: 300}


@pytest.mark.parametrize(
    ("what", "state", "reason"),
    [
        ("suppress", WITHHELD, "the address is suppressed: complaint"),
        ("end", WITHHELD, "the subscription is ended: one click"),
        ("again", WITHHELD, "the subscription is ended: one click"),
        ("cancel", WITHHELD, "the edition is cancelled"),
        ("wait", EXPIRED, "not sent before 2026-03-03T07:00:00Z, when the next edition was due"),
    ],
)
def test_what_happens_a_moment_before_the_claim_counts(store: Store, what: str, state: DeliveryState, reason: str) -> None:
    edition = queue(store, 2)
    address = Address("reader0@example.org")
    with store.begin() as unit:
        (subscription,) = unit.subscribers.subscriptions(address)
        if what == "suppress":
            unit.suppressions.add(address, SuppressionReason.COMPLAINT, LATER)
        elif what in ("end", "again"):
            unit.subscribers.end(subscription.id, "one click", LATER)
            if what == "again":
                unit.subscribers.request(address, "main", Preferences(), Interests(), LATER)
        elif what == "cancel":
            unit.editions.cancel(edition.id)
    with store.begin() as unit:
        batch = unit.deliveries.claim(100, "me", DUE + DAY if what == "wait" else LATER, DAY)
    everybody = what in ("cancel", "wait")
    assert [c.address.text for c in batch.claimed] == ([] if everybody else ["reader1@example.org"])
    assert (batch.withheld, batch.expired) == ((0, 2) if what == "wait" else (2 if everybody else 1, 0))
    ended = of(store, subscription.id)
    assert (ended.state, ended.reason) == (state, reason)


def test_a_claim_that_only_ended_rows_says_how_many_and_then_there_are_none(store: Store) -> None:
    edition = queue(store, 1)
    with store.begin() as unit:
        unit.editions.cancel(edition.id)
        assert unit.deliveries.claim(9, "me", LATER, HOUR) == ClaimBatch(withheld=1)
        assert unit.deliveries.claim(9, "me", LATER, HOUR) == ClaimBatch()


def test_a_paused_list_waits_and_others_do_not(store: Store) -> None:
    queue(store, 1)
    other = PaperList(name="other", title="Other")
    know(store, MAIN, other)
    elsewhere = freeze(store, list_name="other")
    with store.begin() as unit:
        reader = subscribe(unit, "other@example.org", "other")
        unit.deliveries.create_one(elsewhere.id, reader.id, DUE, DUE + DAY)
        unit.lists.pause("main", "a wrong template", NOW)
    assert [c.subscription_id for c in claim(store)] == [reader.id]
    assert claim(store) == ()
    with store.begin() as unit:
        unit.lists.resume("main")
    assert len(claim(store)) == 1


def test_leases(store: Store) -> None:
    queue(store, 3)
    mine, yours = claim(store, 1, "me"), claim(store, 1, "you")
    with store.begin() as unit:
        assert unit.deliveries.release("me") == 1
        assert unit.deliveries.release("me") == 0
    assert claim(store, 1, "me") == mine
    with store.begin() as unit:
        assert unit.deliveries.reclaim_dead_leases(HOUR) == 0, "whatever instant the claim was for"
        unit.deliveries.renew("me", -timedelta(seconds=1))
        unit.deliveries.renew("you", -timedelta(seconds=1))
        assert unit.deliveries.reclaim_dead_leases(HOUR) == 2
    row = of(store, yours[0].subscription_id)
    assert (row.state, row.reason) == (QUEUED, "the lease ran out: whoever had claimed it stopped")


def test_picks_are_frozen_once(store: Store) -> None:
    queue(store, 2)
    one, two = claim(store)
    with store.begin() as unit:
        unit.deliveries.freeze_picks({(3, 1): [one.id], (): [two.id]})
        unit.deliveries.freeze_picks({(0,): [one.id, two.id]})
        unit.deliveries.freeze_picks({})
        unit.deliveries.release("me")
    assert [c.picks for c in claim(store)] == [(3, 1), ()]


# ---- recording -------------------------------------------------------------------------------------------------------------


def test_every_outcome_ends_with_its_reason_and_a_second_recording_changes_nothing(store: Store) -> None:
    queue(store, 5)
    claimed = claim(store)
    silent = Attempt(claimed[3].id, LATER, "relay", Stage.DOT, None, "connection lost")
    unreachable = Attempt(claimed[4].id, LATER, "relay", Stage.CONNECT, None, "no route to host")
    hold = RetryPolicy(uncertain=UncertainPolicy.HOLD)
    results = [
        decided(replied(claimed[0].id, 250, text="queued as 1", enhanced="2.0.0")),
        decided(replied(claimed[1].id, 451, text="try later", enhanced="4.3.0")),
        decided(replied(claimed[2].id, 550, text="no such user", enhanced="5.1.1")),
        decided(silent, hold),
        decided(unreachable),
    ]
    record(store, results, "me")
    expected = [
        (ACCEPTED, 1, "250 2.0.0 queued as 1", DUE, LATER),
        (QUEUED, 1, "451 4.3.0 try later", LATER + timedelta(minutes=30), None),
        (FAILED, 1, "550 5.1.1 no such user", DUE, None),
        (UNCERTAIN, 1, "relay: no reply after the final dot (connection lost); held by policy", DUE, None),
        (QUEUED, 0, "relay: no route to host", LATER + timedelta(minutes=1), None),
    ]

    def told() -> list[tuple[object, ...]]:
        rows = [of(store, c.subscription_id) for c in claimed]
        return [(r.state, r.attempts, r.reason, r.next_attempt_at, r.accepted_at) for r in rows]

    assert told() == expected
    accepted, later, _, uncertain, _ = (of(store, c.subscription_id) for c in claimed)
    assert (accepted.relay, accepted.reply, accepted.tries) == ("relay.example.org:25", Reply(250, "queued as 1", "2.0.0"), ())
    assert later.tries == (results[1][0],)
    assert uncertain.tries == (silent,)
    record(store, results)
    assert told() == expected
    with store.begin() as unit:
        assert unit.deliveries.release("me") == 0


def test_accepted_is_final_and_wins_over_whoever_holds_the_row(store: Store) -> None:
    queue(store, 1)
    (claimed,) = claim(store)
    with store.begin() as unit:
        unit.deliveries.renew("me", -HOUR)
        assert unit.deliveries.reclaim_dead_leases(HOUR) == 1
    assert len(claim(store, owner="somebody else")) == 1
    record(store, [decided(replied(claimed.id, 451))], "me")
    assert tally(store) == {CLAIMED: 1}
    record(store, [decided(replied(claimed.id, 250))], "me")
    record(store, [decided(replied(claimed.id, 550, at=LATER + HOUR))])
    record(store, [decided(replied(claimed.id, 250, at=LATER + HOUR, text="once more"))])
    row = of(store, claimed.subscription_id)
    assert (row.state, row.attempts, row.accepted_at) == (ACCEPTED, 1, LATER)


def test_a_journal_found_later_says_what_became_of_a_row_given_back(store: Store) -> None:
    queue(store, 1)
    (claimed,) = claim(store)
    with store.begin() as unit:
        unit.deliveries.release("me")
    hold = RetryPolicy(uncertain=UncertainPolicy.HOLD)
    record(store, [decided(Attempt(claimed.id, LATER, "relay", Stage.DOT, None), hold)])
    assert tally(store) == {UNCERTAIN: 1}
    assert claim(store) == ()


def test_recording_what_was_erased_is_no_error(store: Store) -> None:
    queue(store, 1)
    (claimed,) = claim(store)
    with store.begin() as unit:
        unit.subscribers.erase(claimed.address)
    record(store, [decided(replied(claimed.id, 250))])
    record(store, [decided(replied(claimed.id, 451))])
    assert tally(store) == {}


def test_what_was_sent_to_a_reader_by_any_list(store: Store) -> None:
    edition = queue(store, 3)
    know(store, MAIN, PaperList(name="other", title="Other"))
    elsewhere = freeze(store, 6, 1, list_name="other")
    with store.begin() as unit:
        for n in range(3):
            unit.subscribers.confirm(
                unit.subscribers.request(Address(f"reader{n}@example.org"), "other", Preferences(), Interests(), NOW).id,
                CONSENT,
                NOW,
            )
        create_due(unit, elsewhere.id, Cohort("other", "UTC", time(7), frozenset(range(7))), DUE, DUE + DAY, TODAY)
        papers = [pooled.ranked.paper.id for pooled in unit.editions.pool(elsewhere.id)]
    claimed = claim(store)
    with store.begin() as unit:
        unit.deliveries.freeze_picks({(5, 4): [c.id for c in claimed if c.edition_id == elsewhere.id and c.subscriber_id == 1]})
    record(store, [decided(replied(c.id, 250 if c.subscriber_id != 3 else 550)) for c in claimed])
    with store.read() as unit:
        assert unit.sent_papers.papers_sent([1, 2, 3, 4], DUE) == {
            1: {papers[i] for i in (0, 1, 5, 4)},
            2: {papers[0], papers[1]},
        }
        first = [c.id for c in claimed if c.subscriber_id == 1 and c.edition_id == edition.id]
        assert unit.sent_papers.papers_sent([1, 2], DUE, first)[1] == {papers[5], papers[4]}, "a mail left out by its own id"
        assert unit.sent_papers.papers_sent([1, 2], DUE + DAY + timedelta(seconds=1)) == {}
        assert unit.sent_papers.papers_sent([], DUE) == {}
        assert unit.deliveries.tally(edition.id) == {ACCEPTED: 2, FAILED: 1}


def test_the_latest_deliveries_of_a_subscription_come_first(store: Store) -> None:
    queue(store, 1)
    with store.begin() as unit:
        (subscription,) = unit.subscribers.subscriptions(Address("reader0@example.org"))
    for n in range(1, 4):
        edition = freeze(store, day=TODAY + n * DAY)
        with store.begin() as unit:
            unit.deliveries.create_one(edition.id, subscription.id, DUE + n * DAY, DUE + (n + 1) * DAY)
    with store.read() as unit:
        days: list[date] = [d.edition_date for d in unit.deliveries.of_subscription(subscription.id, 3)]
    assert days == [TODAY + n * DAY for n in (3, 2, 1)]


# ---- cost ------------------------------------------------------------------------------------------------------------------


@contextmanager
def plans_of(store: Store, begins: str, holds: str) -> Iterator[list[str]]:
    """How the database goes about statements of ours: caught on their way and explained there, without fresh statistics."""
    sqlite = store.engine.dialect.name == "sqlite"
    plans: list[str] = []

    def explain(_connection: object, cursor: Any, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith(begins) and holds in statement:
            cursor.execute(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + statement, parameters)
            plans.append("\n".join(str(row[-1]) for row in cursor.fetchall()))

    event.listen(store.engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(store.engine, "before_cursor_execute", explain)


def test_a_claim_walks_only_the_index_of_what_is_queued(store: Store) -> None:
    know(store)
    edition = freeze(store)
    with store.begin() as unit:
        readers = [NewReader(Address(f"r{n}@example.org"), "main") for n in range(1500)]
        unit.subscribers.add_confirmed(readers, CONSENT, NOW)
        create_due(unit, edition.id, COHORT, DUE, DUE + DAY, TODAY)
        unit.deliveries.record([decided(replied(c.id, 250)) for c in unit.deliveries.claim(700, "me", LATER, HOUR).claimed])
    with plans_of(store, "SELECT", "next_attempt_at <=") as plans:
        assert len(claim(store)) == 100
    urgent, others = plans
    sqlite = store.engine.dialect.name == "sqlite"
    for plan, index in ((urgent, "ix_deliveries_urgent"), (others, "ix_deliveries_queued")):
        assert (f"INDEX {index}" if sqlite else f"Index Scan using {index}") in plan
        assert "Sort" not in plan
        assert "TEMP B-TREE" not in plan


def test_making_rows_asks_for_each_reader_by_index(store: Store) -> None:
    """Where nothing is known of the tables yet too: comparing each reader with each row there is took minutes for 100,000."""
    know(store)
    earlier, edition = freeze(store, day=TODAY - DAY), freeze(store)
    with store.begin() as unit:
        readers = [NewReader(Address(f"r{n}@example.org"), "main") for n in range(1500)]
        unit.subscribers.add_confirmed(readers, CONSENT, NOW)
    with plans_of(store, "INSERT INTO deliveries", "SELECT") as plans, store.begin() as unit:
        for one, among, made in ((earlier, (0, 1000), 1000), (earlier, (1000, None), 500)):
            assert create_due(unit, one.id, COHORT, DUE - DAY, DUE, TODAY - DAY, NOW, among=among) == made
        assert create_due(unit, edition.id, COHORT, DUE, DUE + DAY, TODAY) == 1500
    with plans_of(store, "SELECT", "OFFSET") as reaching, store.begin() as unit:
        unit.subscribers.nth_id(COHORT, 0, 1000)
    assert (len(plans), len(reaching)) == (3, 1)
    sqlite = store.engine.dialect.name == "sqlite"
    look = r"SEARCH deliveries.*" if sqlite else r"Index Cond: .*subscription_id = subscriptions.id.*"
    asked = [re.findall(look, plan) for plan in plans]
    assert all(all("subscription_id" in one for one in each) for each in asked), plans
    # the editions of the issue, the day, and what was due on it: never all that the reader ever had
    assert [len(each) for each in asked] == [3, 3, 2], plans
    assert all(re.search("edition_id|expires_at", one) for one in asked[-1]), plans
    for plan in (*plans, *reaching):
        assert "ix_subscriptions_cohort" in plan
        assert not re.search(r"SCAN |Seq Scan|Sort|TEMP B-TREE", plan), plan
