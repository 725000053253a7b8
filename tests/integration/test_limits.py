"""Limits a minute to each relay and to each recipient's domain: kept by the database, so by all processes and after a restart."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.config import load
from digest.container import Container
from digest.domain.delivery import Attempt, Claimed, DeliveryState, Envelope, Reply, Stage
from digest.domain.errors import MailError, RelayUnreachable
from digest.domain.subscriber import Address, Interests
from digest.mail.smtp.journal import NullSendLog
from digest.mail.smtp.relay_health import HALF_LIFE, RelayHealth
from digest.mail.smtp.relay_pool import RelayPool
from digest.services.delivery.rate_limits import within_domain_limits
from digest.services.delivery.relay_limits import RelayLimits
from digest.store.engine import open_engine
from digest.store.unit_of_work import Store
from tests.outbox import configured, queue, rows
from tests.servers.databases import hash_address
from tests.servers.running import PATIENCE
from tests.servers.smtp import Do, Script, SmtpServer
from tests.transport import FakeTransport, OfflineContainer

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SPAN = timedelta(seconds=6)


def claimed(number: int, domain: str) -> Claimed:
    day = timedelta(days=1)
    return Claimed(
        id=number,
        edition_id=1,
        subscription_id=number,
        subscriber_id=number,
        address=Address(f"reader{number}@{domain}"),
        attempts=0,
        due_at=AT,
        expires_at=AT + day,
        picks=None,
        personal=False,
        wanted=None,
        interests=Interests(),
    )


# ---- counted in the database ----


def test_takers_at_once_are_never_granted_more_than_the_limit(database_url: str) -> None:
    """Each with a store of its own, as processes have."""
    granted: list[int] = []

    def take() -> None:
        store = Store(open_engine(database_url), hash_address)
        for _ in range(12):
            with store.begin() as unit:
                granted.append(unit.rate_limits.take("relay/a", AT, SPAN, 50, 3))
        store.close()

    takers = [threading.Thread(target=take) for _ in range(3)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join(timeout=PATIENCE)
    assert len(granted) == 36
    assert sum(granted) == 50


@pytest.mark.parametrize(("per_minute", "at_once"), [(600, 60), (25, 2), (7, 1)])
def test_a_relay_gets_its_share_of_a_minute_whoever_asks(store: Store, per_minute: int, at_once: int) -> None:
    now = [AT]

    def limits() -> RelayLimits:
        return RelayLimits(store, "a", lambda: now[0], per_minute=per_minute)

    takers = [limits(), limits()]
    begun = []
    for half in range(240):  # two minutes
        now[0] = AT + timedelta(seconds=half / 2)
        takers[1] = limits() if half % 80 == 0 else takers[1]  # a restart does not get more
        for taker in takers:
            while taker.take():
                begun.append(now[0])
            assert 0 < taker.wait() <= 60 / per_minute + 60
    assert begun.count(AT) <= at_once
    for start in begun:
        assert sum(start <= at < start + timedelta(minutes=1) for at in begun) <= per_minute + at_once
    assert len(begun) >= 0.8 * 2 * per_minute, "and it gets that much"


def test_a_day_has_its_share_and_the_next_has_its_own(store: Store) -> None:
    now = [AT]
    first, second = (RelayLimits(store, "a", lambda: now[0], per_day=50) for _ in range(2))
    assert sum(first.take() for _ in range(7)) == 7
    first.release()
    assert sum(second.take() for _ in range(100)) == 43, "what was reserved and not used is there for others"
    assert not first.take()
    assert first.wait() == (datetime(2026, 3, 3, tzinfo=UTC) - AT).total_seconds()
    assert "its 50 mails of this day (per_day) are used; the rest waits until 2026-03-03 00:00 UTC" in (first.why(), second.why())
    assert RelayLimits(store, "a", lambda: now[0], per_day=50).full_at(AT)
    now[0] = datetime(2026, 3, 3, 0, 0, 1, tzinfo=UTC)
    assert first.wait() == 0
    assert sum(first.take() for _ in range(100)) == 50
    assert RelayLimits(store, "b", lambda: now[0], per_day=50).full_at(AT) == ""


def test_a_domain_gets_its_share_and_the_others_wait_in_turn(store: Store) -> None:
    readers = [claimed(n, "big.example") for n in range(100)] + [claimed(n, "small.example") for n in range(100, 105)]
    with store.begin() as unit:
        ready, later = within_domain_limits(readers, 200, unit.rate_limits, AT)
    assert Counter(each.address.domain for each in ready) == {"big.example": 20, "small.example": 5}
    assert Counter(later.values()) == {AT + n * SPAN: 20 for n in range(1, 5)}
    with store.begin() as unit:
        ready, later = within_domain_limits([claimed(n, "big.example") for n in range(200, 230)], 200, unit.rate_limits, AT)
    assert ready == []
    assert Counter(later.values()) == {AT + 5 * SPAN: 20, AT + 6 * SPAN: 10}, "behind those who wait already"
    with store.begin() as unit:
        assert len(within_domain_limits(readers, None, unit.rate_limits, AT)[0]) == len(readers)


def test_deliver_keeps_to_a_domains_share(tmp_path: Path, database_url: str) -> None:
    """Three runs: at one instant, at the same again, and a span later."""
    with SmtpServer(tmp_path / "kept") as server:
        config = configured(tmp_path, database_url, server.port, "claim_size = 15\nper_domain_per_minute = 200")
        queue(load(config), 50)
        begun = datetime.now(UTC)
        begun = datetime.fromtimestamp(begun.timestamp() // 6 * 6 + 6, UTC)
        counts = []
        with Container(load(config)) as container:
            for at in (begun, begun, begun + SPAN, begun + 2 * SPAN):
                counts.append(container.delivery.deliver(lambda at=at: at).tally.accepted)  # type: ignore[misc]
                if len(counts) == 1:
                    waiting = [row for row in rows(config).values() if row.state is DeliveryState.QUEUED]
        assert counts == [20, 0, 20, 10]
        assert len(waiting) == 30
        assert all("its domain has had as many" in row.reason and row.attempts == 0 for row in waiting)
        assert len(server.accepted()) == 50


def test_a_run_waits_for_the_next_share(tmp_path: Path, sqlite_url: str) -> None:
    with SmtpServer(tmp_path / "kept") as server:
        config = configured(tmp_path, sqlite_url, server.port, "per_domain_per_minute = 100", "per_minute = 120")
        queue(load(config), 15)
        with Container(load(config)) as container:
            assert container.delivery.deliver(lambda: datetime.now(UTC)).tally.accepted == 15


def test_what_one_relay_may_not_have_goes_to_the_next(tmp_path: Path, database_url: str) -> None:
    with SmtpServer(tmp_path / "first") as first, SmtpServer(tmp_path / "second") as second:
        relays = f'per_minute = 5\n[[relays]]\nname = "second"\nhost = "127.0.0.1"\nport = {second.port}\ntls = "none"'
        config = configured(tmp_path, database_url, first.port, "connections = 2", relays)
        queue(load(config), 30)
        with Container(load(config)) as container:
            assert container.delivery.deliver(lambda: datetime.now(UTC)).tally.accepted == 30
        assert 1 <= len(first.accepted()) <= 6, "one, and one each 12 seconds"
        assert len(first.accepted()) + len(second.accepted()) == 30


# ---- the post ----


class FakeRelay:
    def __init__(self, name: str, dead: bool = False) -> None:
        self.name, self.dead = name, dead
        self.got: list[int] = []

    def sending(self, envelopes: Iterable[Envelope], log: object, *_: object) -> Iterator[Attempt]:
        for envelope in envelopes:
            if self.dead:
                yield Attempt(envelope.delivery_id, AT, self.name, Stage.CONNECT, None, "refused")
                raise RelayUnreachable(self.name, "refused")
            self.got.append(envelope.delivery_id)
            yield Attempt(envelope.delivery_id, AT, self.name, Stage.DOT, Reply(250))


class FakeQuota:
    """Room for `rooms[0]`, after a wait for `rooms[1]` …"""

    def __init__(self, *rooms: int) -> None:
        self.rooms = list(rooms)
        self.waits = 0

    def take(self) -> bool:
        if not self.rooms or not self.rooms[0]:
            return False
        self.rooms[0] -= 1
        return True

    def wait(self) -> float:
        if self.rooms and self.rooms[0]:
            return 0.0
        self.waits += 1
        self.rooms = self.rooms[1:]
        return 0.01

    def accepted(self) -> None: ...
    def release(self) -> None: ...


def envelopes(count: int) -> list[Envelope]:
    return [Envelope(n, "a@x.test", "b@x.test", (b"x\r\n",)) for n in range(count)]


def test_a_full_relay_is_waited_for_and_nobody_is_lost() -> None:
    relay, quota = FakeRelay("a"), FakeQuota(3, 4, 50)
    post = RelayPool([relay], NullSendLog(), 1, quotas={"a": quota})  # type: ignore[list-item,dict-item]
    assert [attempt.delivery_id for attempt in post.send_many(envelopes(20))] == list(range(20))
    assert quota.waits == 2


def test_asked_to_stop_while_it_waits_it_stops() -> None:
    relay, asked = FakeRelay("a"), threading.Event()
    post = RelayPool([relay], NullSendLog(), 1, quotas={"a": FakeQuota(3)}, stop=asked.is_set)  # type: ignore[list-item,dict-item]
    for attempt in post.send_many(envelopes(20)):
        if attempt.delivery_id == 2:
            asked.set()
    assert relay.got == [0, 1, 2]


def test_a_relay_that_was_down_is_tried_last_until_it_is_forgiven() -> None:
    now = [0.0]
    health = RelayHealth(lambda: now[0])
    first, second = FakeRelay("first", dead=True), FakeRelay("second")
    post = RelayPool([first, second], NullSendLog(), 1, health=health)  # type: ignore[list-item]
    assert [attempt.relay for attempt in post.send_many(envelopes(2))] == ["second", "second"]
    assert [relay.name for relay in health.in_order([first, second])] == ["second", "first"]  # type: ignore[type-var]
    first.dead = False
    now[0] = HALF_LIFE + 1
    assert {attempt.relay for attempt in post.send_many(envelopes(2))} == {"first"}
    assert health.trouble("first") == 0, "it took one: all is forgotten"
    health.unreachable("second")
    assert [relay.name for relay in health.in_order([first, second])] == ["first", "second"]  # type: ignore[type-var]


def test_nobody_will_have_us() -> None:
    post = RelayPool([FakeRelay("first", dead=True), FakeRelay("second", dead=True)], NullSendLog(), 1)  # type: ignore[list-item]
    with pytest.raises(RelayUnreachable, match="second: refused"):
        list(post.send_many(envelopes(3)))


def test_what_a_refused_connection_held_goes_through_the_other() -> None:
    class Narrow(FakeRelay):
        calls = 0

        def sending(self, envelopes: Iterable[Envelope], log: object, *_: object) -> Iterator[Attempt]:
            self.calls += 1
            if self.calls > 1:
                yield from super().sending(envelopes, log)
                return
            for envelope in envelopes:
                yield Attempt(envelope.delivery_id, AT, self.name, Stage.CONNECT, None, "refused")
                raise RelayUnreachable(self.name, "refused")

    narrow, other = Narrow("narrow"), FakeRelay("other")
    post = RelayPool([narrow, other], NullSendLog(), 2)  # type: ignore[list-item]
    sent = list(post.send_many(envelopes(6)))
    assert sorted(attempt.delivery_id for attempt in sent) == list(range(6))
    assert (sorted(narrow.got), other.got) == (list(range(6)), [])


def test_whoever_ends_it_early_gets_nothing_more_sent() -> None:
    """What is on its way is finished; the rest is still there, for the next run."""
    relay, rest = FakeRelay("a"), iter(envelopes(50))
    run = RelayPool([relay], NullSendLog(), 3).send_many(rest)  # type: ignore[list-item]
    next(run)
    run.close()  # type: ignore[attr-defined]
    assert len(relay.got) <= 3
    assert len(list(rest)) >= 47 - 3


def test_a_run_that_is_to_stop_gives_nothing_more_out_of_what_it_claimed(tmp_path: Path, sqlite_url: str) -> None:
    config = configured(tmp_path, sqlite_url, 9, "claim_size = 10")
    queue(load(config), 40)
    transport = FakeTransport(lambda: datetime.now(UTC))
    with OfflineContainer(load(config), transport) as container:
        container.delivery.deliver(lambda: datetime.now(UTC), stop=lambda: len(transport.accepted) == 3)
    assert len(transport.accepted) == 3
    assert Counter(row.state for row in rows(config).values()) == {DeliveryState.ACCEPTED: 3, DeliveryState.QUEUED: 37}


def test_a_log_that_cannot_be_written_stops_every_connection() -> None:
    class Full(FakeRelay):
        def sending(self, envelopes: Iterable[Envelope], log: object, *_: object) -> Iterator[Attempt]:
            for attempt in super().sending(envelopes, log):
                if attempt.delivery_id == 3:
                    raise MailError("journal: the disk is full")
                yield attempt

    relay, rest = Full("a"), iter(envelopes(50))
    with pytest.raises(MailError, match="disk is full"):
        list(RelayPool([relay], NullSendLog(), 2).send_many(rest))  # type: ignore[list-item]
    assert set(relay.got) <= {0, 1, 2, 3, 4}
    assert len(list(rest)) >= 44, "no other is begun"


def test_a_relay_that_goes_away_in_the_middle_of_a_run_is_replaced(tmp_path: Path, sqlite_url: str) -> None:
    """The first takes ten and then refuses every connection; no reader is blamed."""
    refusing = {("CONNECT", n): Do("421 4.3.2 closing", close=True) for n in range(3, 40)}
    script = Script(most_per_connection=5, nth=refusing)
    with ExitStack() as open_:
        first = open_.enter_context(SmtpServer(tmp_path / "first", script))
        second = open_.enter_context(SmtpServer(tmp_path / "second"))
        relays = f'[[relays]]\nname = "second"\nhost = "127.0.0.1"\nport = {second.port}\ntls = "none"'
        config = configured(tmp_path, sqlite_url, first.port, "connections = 2", relays)
        emails = queue(load(config), 40)
        with Container(load(config)) as container:
            worked = container.delivery.deliver(lambda: datetime.now(UTC))
            again = container.delivery.deliver(lambda: datetime.now(UTC) + timedelta(minutes=2))
        assert worked.stopped == again.stopped == ""
        assert worked.tally.accepted + again.tally.accepted == 40
        assert {row.state for row in rows(config).values()} == {DeliveryState.ACCEPTED}
        got = [kept.recipients[0] for server in (first, second) for kept in server.accepted()]
        assert Counter(got) == Counter(emails)
        assert len(first.accepted()) == 10
