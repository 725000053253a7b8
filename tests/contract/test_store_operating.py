"""Leases, alarms and the pulse of sending, as every database keeps them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from digest.domain.delivery import Attempt, DeliveryProgress, DeliveryState, Reply, Stage
from digest.domain.errors import DatabaseUnreachable
from digest.domain.retry import RetryPolicy
from digest.services.monitoring.explain import status
from digest.services.scheduler.election import Election
from digest.store import unit_of_work
from digest.store.engine import open_engine
from digest.store.schema import leases
from digest.store.unit_of_work import Store
from tests.servers.running import PATIENCE, until
from tests.servers.stocked import DAY, HOUR, MAIN, NOW, queue, replied

MINUTE = timedelta(minutes=1)

SECOND = timedelta(seconds=1)


def take(store: Store, owner: str, term: timedelta = 20 * SECOND) -> bool:
    with store.begin() as unit:
        return unit.leases.take("bell", owner, term)


def passes(store: Store, time: timedelta) -> None:
    """As if so much of it had passed since the lease was taken; less than nothing: as if the clock had been set back."""
    with store.begin() as unit:
        end = unit.connection.execute(select(leases.c.until)).scalar_one()
        unit.connection.execute(update(leases).values(until=end - time))


def test_a_lease_is_one_owners_until_it_runs_out_or_is_given_back(store: Store) -> None:
    assert take(store, "a")
    assert not take(store, "b")
    passes(store, 10 * SECOND)
    assert take(store, "a"), "renewed"
    passes(store, 15 * SECOND)
    assert not take(store, "b")
    passes(store, 6 * SECOND)
    assert take(store, "b")
    assert not take(store, "a")
    with store.begin() as unit:
        unit.leases.give_back("bell", "a")
        assert unit.leases.held("bell"), "who does not hold it cannot give it back"
        unit.leases.give_back("bell", "b")
        assert not unit.leases.held("bell")
    assert take(store, "a")


@pytest.mark.parametrize("ahead", [MINUTE, 2 * HOUR, 365 * DAY])
def test_a_lease_of_the_future_is_taken_over(store: Store, ahead: timedelta) -> None:
    """Taken while the clock stood ahead: no lease ends later than its term from now."""
    assert take(store, "dead")
    passes(store, -ahead)
    assert take(store, "heir")
    assert not take(store, "another"), "and is the heir's for the usual term"


def test_of_many_who_ask_at_once_one_is_elected(store: Store) -> None:
    candidates = [Election(store) for _ in range(6)]
    together = threading.Barrier(6)

    def acquire_or_renew(candidate: Election) -> bool:
        together.wait(PATIENCE)
        return candidate.acquire_or_renew()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(acquire_or_renew, candidates)) == 1
    assert sum(candidate.elected for candidate in candidates) == 1
    [winner] = [candidate for candidate in candidates if candidate.elected]
    winner.resign()
    assert not winner.elected
    assert next(candidate for candidate in candidates if candidate is not winner).acquire_or_renew()


def test_who_cannot_renew_stops_by_its_own_clock(store: Store) -> None:
    now = 100.0
    election = Election(store, term=20 * SECOND, monotonic=lambda: now)
    assert election.acquire_or_renew()
    now += 19
    assert election.elected
    now += 1
    assert not election.elected


def test_a_dead_holder_is_replaced_when_its_term_is_over(store: Store) -> None:
    dead, heir = (Election(store, term=timedelta(seconds=3)) for _ in range(2))
    assert dead.acquire_or_renew()
    assert not heir.acquire_or_renew(), "three seconds are enough to ask, on a busy machine too"
    until(heir.acquire_or_renew, "the heir is elected")


def test_a_cause_is_quiet_for_a_day_from_its_telling_whoever_finds_it(store: Store) -> None:
    """Not by the calendar: a minute before midnight and a minute after it are one night, in UTC as elsewhere."""
    late = NOW.replace(hour=23, minute=59)
    with store.begin() as unit:
        assert unit.alarms.raise_once("relay", late, DAY, "refused")
        assert not unit.alarms.raise_once("relay", late + 2 * MINUTE, DAY, "refused again")
        assert not unit.alarms.raise_once("relay", late + DAY - MINUTE, DAY, "refused again")
        assert unit.alarms.raise_once("source hf", late + HOUR, DAY, "stale")
        assert unit.alarms.raise_once("relay", late + DAY, DAY, "refused")
    with store.begin() as unit:
        unit.alarms.take_back("source hf", late + HOUR)
        assert unit.alarms.raise_once("source hf", late + HOUR, DAY, "stale"), "nobody was told"
        unit.alarms.take_back("source hf", late + HOUR)
    with store.read() as unit:
        assert unit.alarms.since(late) == [("relay", late + DAY, "refused"), ("relay", late, "refused")]
        assert unit.alarms.since(late + HOUR) == [("relay", late + DAY, "refused")]


def test_a_clock_that_was_ahead_silences_nothing(store: Store) -> None:
    with store.begin() as unit:
        assert unit.alarms.raise_once("relay", NOW + 400 * DAY, DAY, "refused")
        assert unit.alarms.raise_once("relay", NOW, DAY, "refused")


def test_of_two_who_find_a_cause_at_once_one_tells(store: Store) -> None:
    """Also where midnight is between them."""
    midnight = NOW.replace(hour=0, minute=0) + DAY
    told = list[bool]()

    def other() -> None:
        with store.begin() as unit:
            told.append(unit.alarms.raise_once("relay", midnight, DAY, "refused"))

    second = threading.Thread(target=other)
    with store.begin() as unit:
        assert unit.alarms.raise_once("relay", midnight - timedelta(seconds=1), DAY, "refused")
        second.start()
        second.join(0.5)
        assert second.is_alive(), "it waits"
    second.join(PATIENCE)
    assert told == [False]


def test_how_far_sending_has_come(store: Store) -> None:
    """The numbers of `digest status`, whichever processes send."""
    edition = queue(store, 10)
    at = NOW + 3 * HOUR

    def underway(now: datetime) -> DeliveryProgress | None:
        with store.read() as unit:
            return unit.delivery_stats.underway(now)

    assert underway(NOW) is None, "nothing is due yet"
    waiting = DeliveryProgress(accepted=0, retry=0, failed=0, remaining=10, rate=0.0)
    assert underway(at) == waiting
    assert waiting.eta_seconds is None
    with store.begin() as unit:
        first, second, third, fourth, fifth, sixth, *_ = unit.deliveries.claim(7, "me", at, HOUR).claimed
        policy = RetryPolicy()
        seen = [
            replied(first.id, 250, at=at - 10 * SECOND),
            replied(second.id, 250, at=at - 5 * SECOND),
            replied(third.id, 250, at=at - 61 * SECOND),
            replied(fourth.id, 250, at=at),
            replied(fifth.id, 451, at=at),
            replied(sixth.id, 554, at=at),
        ]
        unit.deliveries.record([(each, policy.decide(each, 0, at + DAY)) for each in seen], "me")
    found = underway(at)
    assert found == DeliveryProgress(accepted=4, retry=1, failed=1, remaining=4, rate=0.3), (
        "3 in the 10 s since the first of this minute"
    )
    assert found is not None
    assert round(found.eta_seconds or 0) == 13
    told = status(store, [MAIN], [], at)["underway"]
    assert told == {"accepted": 4, "retry": 1, "failed": 1, "remaining": 4, "rate": 0.3, "eta_seconds": 13}
    with store.begin() as unit:
        unit.deliveries.release("me")
        rest = unit.deliveries.claim(10, "me", at, HOUR).claimed
        unit.deliveries.record([(each, policy.decide(each, 0, at + DAY)) for each in (replied(c.id, 250, at=at) for c in rest)])
    assert underway(at) is None, "the one to be tried again is not due"
    assert status(store, [MAIN], [], at)["underway"] is None
    assert edition.id


def test_the_pulse_of_an_edition(store: Store) -> None:
    due = NOW + 2 * HOUR
    edition = queue(store, 6, due_at=due)
    with store.read() as unit:
        nothing = unit.delivery_stats.sending(edition.id, (10.0, 60.0))
        assert (nothing.accepted, nothing.latency, nothing.began_at) == (0, ((10.0, 0), (60.0, 0)), None)
    with store.begin() as unit:
        claimed = unit.deliveries.claim(5, "me", due, HOUR).claimed
        assert unit.delivery_stats.open() == {DeliveryState.QUEUED: 1, DeliveryState.CLAIMED: 5}
    unanswered = Attempt(claimed[4].id, due + SECOND, "relay", Stage.DATA, None, "connection lost")
    attempts = [
        replied(claimed[0].id, 250, at=due + 5 * SECOND),
        replied(claimed[1].id, 250, at=due + 30 * SECOND),
        replied(claimed[2].id, 250, at=due + 100 * SECOND),
        Attempt(claimed[3].id, due + SECOND, "relay", Stage.RCPT, Reply(451, "later")),
        unanswered,
    ]
    policy = RetryPolicy()
    with store.begin() as unit:
        unit.deliveries.record([(attempt, policy.decide(attempt, 0, due + DAY)) for attempt in attempts], "me")
    with store.read() as unit:
        told = unit.delivery_stats.sending(edition.id, (10.0, 60.0))
        other = unit.delivery_stats.sending(edition.id + 1, (10.0,))
    assert told.replies == {"2xx": 3, "4xx": 1, "none": 1}
    assert told.latency == ((10.0, 1), (60.0, 2))
    assert round(told.latency_sum, 1) == 135
    assert (told.accepted, told.began_at, told.ended_at) == (3, due + 5 * SECOND, due + 100 * SECOND)
    assert other.accepted == 0


def test_a_process_that_sleeps_in_a_transaction_holds_others_up_for_a_while_only(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that is suspended keeps its connections, and what they have locked."""
    monkeypatch.setattr(unit_of_work, "STOPPED_AFTER", 1)
    asleep, awake = (Store(open_engine(postgresql_url), str) for _ in range(2))
    with awake.begin() as unit:
        unit.sources.save("x", "y", {"n": 0}, NOW)

    def overtaken() -> None:
        with asleep.begin() as stopped:
            stopped.sources.save("x", "y", {"n": 1}, NOW)
            with awake.begin() as unit:
                unit.sources.save("x", "y", {"n": 2}, NOW)
            stopped.sources.save("x", "y", {"n": 3}, NOW)

    with pytest.raises(DatabaseUnreachable):
        overtaken()
    with awake.read() as unit:
        assert unit.sources.load("x", "y") == {"n": 2}
    for each in (asleep, awake):
        each.close()
