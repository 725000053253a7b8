"""Many refusals in the same words wait for the operator, on both databases; ordinary bounces are carried out as ever."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, select

from digest.domain.circuit_breaker import same_words
from digest.domain.delivery import Attempt, Claimed, DeliveryState, Reply, Stage
from digest.domain.feedback import SuppressionReason
from digest.domain.retry import Decision, Effect, RetryPolicy
from digest.domain.subscriber import Address, NewReader, Preferences
from digest.services.delivery.claims import settle
from digest.services.operations import review
from digest.services.subscriptions.service import SubscriptionService
from digest.store.schema import deliveries, suppressions
from digest.store.unit_of_work import Store
from tests.servers.stocked import COHORT, CONSENT, DAY, HOUR, NOW, create_due, freeze, know

DUE = NOW + 2 * HOUR
OK = Reply(250, "queued as 4F2A9")


class Morning:
    """One edition, a delivery due for each of `count` readers, all claimed by one run."""

    def __init__(self, store: Store, count: int = 300) -> None:
        know(store)
        self.store = store
        with store.begin() as unit:
            readers = [NewReader(Address(f"reader{n}@d{n}.example.org"), "main") for n in range(count)]
            unit.subscribers.add_confirmed(readers, CONSENT, NOW)
        self.edition = freeze(store, day=DUE.date())
        with store.begin() as unit:
            create_due(unit, self.edition.id, COHORT, DUE, DUE + DAY, DUE.date())
        self.claimed = self.claim(DUE)

    def claim(self, at: datetime) -> list[Claimed]:
        with self.store.begin() as unit:
            return list(unit.deliveries.claim(1000, "run", at, HOUR).claimed)

    def replied(
        self, refused: range, words: str, *, stage: Stage = Stage.RCPT, effect: Effect = Effect.SUPPRESS, batch: int = 50
    ) -> int:
        """Readers of `refused` get these words, all others a 250; how many wait. In batches, as a run records them."""
        waiting = accepted = 0
        for start in range(0, len(self.claimed), batch):
            results = []
            for n, each in enumerate(self.claimed[start : start + batch], start):
                text = words.format(n=n, address=each.address, domain=each.address.domain, local=f"reader{n}")
                no = Decision(DeliveryState.FAILED, f"550 {text}", effect=effect)
                yes = Decision(DeliveryState.ACCEPTED, "250 queued")
                if n in refused:
                    results.append((Attempt(each.id, DUE, "relay", stage, Reply(550, text)), no))
                else:
                    results.append((Attempt(each.id, DUE, "relay", Stage.DOT, OK), yes))
            accepted += sum(decision.state is DeliveryState.ACCEPTED for _, decision in results)
            with self.store.begin() as unit:
                waiting += settle(unit, results, {each.id: each for each in self.claimed}, "run", accepted)
        return waiting

    def states(self) -> Counter[str]:
        with self.store.read() as unit:
            return Counter(unit.connection.scalars(select(deliveries.c.state)).all())

    def suppressed(self) -> int:
        with self.store.read() as unit:
            return len(unit.connection.scalars(select(suppressions.c.address_hash)).all())


FLOODS = [
    "Domain example.net has exceeded the max emails per hour (300/300 (100%)) allowed. Message discarded.",
    "<{address}>: Recipient address rejected: User unknown in relay recipient table",
    "5.1.1 {address} sender not allowed, id {n}-a8f{n}",
    "5.7.1 relaying to {domain} denied for 192.0.2.{n}",
    "No such user {local} here (#{n})",
    "5.1.10 RESOLVER.ADR.RecipientNotFound; [{n}.prod.example.com 2026-03-02T07:00:{n}Z]",
]


@pytest.mark.parametrize("words", FLOODS)
def test_a_flood_in_the_same_words_suppresses_a_few_and_holds_the_rest(store: Store, words: str) -> None:
    morning = Morning(store, 60)
    assert morning.replied(range(60), words) == 57
    assert morning.suppressed() == 3
    assert morning.states() == {"failed": 3, "queued": 57}
    assert morning.claim(DUE + HOUR) == []
    groups = review.waiting(store)
    assert [(len(each.addresses), each.state) for each in groups] == [(57, "held"), (3, "carried out")]
    assert len({each.reply for each in groups}) == 1


@pytest.mark.parametrize(("refused", "at_least"), [(3, 0), (5, 0), (50, 44)])
def test_a_few_of_three_hundred_are_ordinary_and_fifty_are_not(store: Store, refused: int, at_least: int) -> None:
    morning = Morning(store)
    waiting = morning.replied(range(300 - refused, 300), FLOODS[1])
    assert morning.suppressed() == refused - waiting
    assert (waiting == 0) if not at_least else (waiting >= at_least)


def test_different_words_are_different_readers_troubles(store: Store) -> None:
    morning = Morning(store, 12)
    words = "abcdefghijkl"
    for each, letter in zip(list(morning.claimed), words, strict=True):
        morning.claimed = [each]
        assert morning.replied(range(1), f"no mailbox, said {letter}{letter}") == 0
    assert morning.suppressed() == 12


def test_undo_brings_back_everybody_and_sends_what_is_worth_it(store: Store) -> None:
    morning = Morning(store, 60)
    morning.replied(range(60), FLOODS[0])
    groups, queued = review.undo(store, DUE + HOUR)
    assert ([len(each.addresses) for each in groups], [each.state for each in groups], queued) == ([60], ["undone"], 60)
    assert morning.suppressed() == 0
    assert len(morning.claim(DUE + HOUR)) == 60
    assert review.waiting(store) == []


def test_accept_carries_out_what_was_held_and_the_next_like_it(store: Store) -> None:
    morning = Morning(store, 60)
    morning.replied(range(60), FLOODS[1])
    assert [(len(each.addresses), each.state) for each in review.accept(store)] == [(57, "accepted")]
    assert morning.suppressed() == 60
    assert morning.states() == {"failed": 60}
    assert review.waiting(store) == []
    groups, queued = review.undo(store, DUE + HOUR, reply="user unknown")
    assert (len(groups[0].addresses), queued, morning.suppressed()) == (60, 60, 0)


def test_final_failures_that_suppress_nobody_are_held_as_well(store: Store) -> None:
    morning = Morning(store, 60)
    assert morning.replied(range(60), "5.3.4 message too big", stage=Stage.DOT, effect=Effect.NONE) == 57
    assert (morning.suppressed(), morning.states()) == (0, {"failed": 3, "queued": 57})
    review.accept(store)
    assert (morning.suppressed(), morning.states()) == (0, {"failed": 60})


def test_who_is_held_gets_no_other_mail_meanwhile_and_what_expires_says_why(store: Store) -> None:
    morning = Morning(store, 10)
    morning.replied(range(10), FLOODS[0])
    tomorrow = freeze(store, day=(DUE + DAY).date())
    with store.begin() as unit:
        create_due(unit, tomorrow.id, COHORT, DUE + DAY, DUE + 2 * DAY, (DUE + DAY).date())
    assert morning.claim(DUE + DAY + HOUR) == []
    with store.read() as unit:
        states = unit.deliveries.tally(morning.edition.id)
        (reason,) = set(unit.connection.scalars(select(deliveries.c.reason).where(deliveries.c.state == "expired")))
        assert unit.deliveries.tally(tomorrow.id) == {DeliveryState.QUEUED: 7}, "the first three are suppressed: they get no row"
    assert states == {DeliveryState.FAILED: 3, DeliveryState.EXPIRED: 7}
    assert reason.startswith("held for review, and not sent before")
    review.undo(store, DUE + DAY + HOUR)
    assert len(morning.claim(DUE + DAY + HOUR)) == 7, "today's; yesterday's is too late"


def test_undo_never_lifts_what_a_person_asked_for(store: Store) -> None:
    morning = Morning(store, 10)
    morning.replied(range(10), FLOODS[0])
    gone, spam = morning.claimed[0].address, morning.claimed[5].address
    with store.begin() as unit:
        unit.connection.execute(delete(suppressions))
        unit.subscribers.erase(gone)
        unit.suppressions.add(gone, SuppressionReason.ERASED, DUE)
        unit.suppressions.add(spam, SuppressionReason.COMPLAINT, DUE)
    review.undo(store, DUE + HOUR)
    assert morning.suppressed() == 2
    assert spam not in [each.address for each in morning.claim(DUE + HOUR)]


def test_an_uncertain_outcome_dropped_by_policy_is_no_flood(store: Store) -> None:
    morning = Morning(store, 10)
    policy = RetryPolicy()
    lost = [Attempt(each.id, DUE, "relay", Stage.DOT, None, "connection lost") for each in morning.claimed]
    results = [(each, Decision(DeliveryState.FAILED, "dropped by policy")) for each in lost]
    with store.begin() as unit:
        assert settle(unit, results, {each.id: each for each in morning.claimed}, "run") == 0
    assert policy.max_attempts


def test_unsuppress_by_reason_and_time_and_never_who_was_erased(store: Store) -> None:
    know(store)
    people = [Address(f"p{n}@example.org") for n in range(4)]
    reasons = [SuppressionReason.BOUNCE, SuppressionReason.BOUNCE, SuppressionReason.COMPLAINT, SuppressionReason.ERASED]
    with store.begin() as unit:
        for n, (person, reason) in enumerate(zip(people, reasons, strict=True)):
            unit.suppressions.add(person, reason, NOW + n * HOUR)
    late, unsuppress = NOW + timedelta(minutes=30), SubscriptionService(store, [], Preferences, "UTC").unsuppress
    assert list(unsuppress(None, NOW, reason=SuppressionReason.BOUNCE, since=late).values()) == ["hard bounce"]
    assert len(unsuppress(people, NOW, until=late)) == 1
    assert list(unsuppress(people, NOW).values()) == ["complaint"]
    with store.read() as unit:
        assert unit.suppressions.find(people[3])


def test_words_keep_the_relays_and_lose_the_readers() -> None:
    said = "550 5.1.1 <Ada@Example.org>: mailbox ada unknown at example.org (id 4F2A-77) see https://example.com/help"
    assert same_words(said, Address("ada@example.org")) == (
        "550 5.1.1 … mailbox … unknown at … (id … see https://example.com/help"
    )
