"""What we do when a relay refuses our login, asks us to be slower, or has had its share of the day."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from digest.cli import digest
from digest.config import load
from digest.container import Container
from digest.domain.delivery import DeliveryState
from digest.domain.errors import RelayRefusedUs, RelayUnreachable
from digest.domain.notice import NoticeKind
from tests.integration.test_relay_faults import IMPATIENT, Notes, envelopes, relay_to, said
from tests.outbox import configured, queue, rows
from tests.servers.running import PATIENCE
from tests.servers.smtp import OFFERS, Do, Script, SmtpServer

THROTTLED = Do("454 Throttling failure: Maximum sending rate exceeded.")


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The real clock of relays' limits, to be turned."""
    clock = [datetime.now(UTC)]
    monkeypatch.setattr("digest.container._now", lambda: clock[0])
    return clock


def logins(server: SmtpServer) -> int:
    return sum(line.startswith("AUTH") for line in server.commands)


def credentials(password: str) -> str:
    return f'username = "me"\npassword = "{password}"'


# ---- a wrong password ----


def test_a_wrong_password_makes_three_logins_in_ten_minutes_whoever_tries(
    tmp_path: Path, database_url: str, now: list[datetime]
) -> None:
    """A daemon that delivers and sends notices, and a `deliver` by cron beside it: each minute for half an hour, then around the
    end of each wait, for two hours.
    """
    with SmtpServer(tmp_path / "kept", password="right") as server:
        config = configured(tmp_path, database_url, server.port, "connections = 10", credentials("old"))
        queue(load(config), 30)
        attempts: list[datetime] = []
        begun, settings = now[0], load(config)
        elsewhere = settings.delivery.model_copy(update={"journal": tmp_path / "elsewhere"})  # as another process has its own
        with Container(load(config)) as daemon:
            confirmation_owed(daemon, begun)
            for minute in (*range(33), 45, 61, 62, 63, 90, 119):
                now[0] = begun + timedelta(minutes=minute)
                before = logins(server)
                with Container(settings.model_copy(update={"delivery": elsewhere})) as cron:
                    at_once(
                        lambda: daemon.delivery.deliver(lambda: begun),
                        lambda cron=cron: cron.delivery.deliver(lambda: begun),  # type: ignore[misc]
                        lambda minute=minute: daemon.notices.send_queued(lambda: begun + timedelta(minutes=minute)),  # type: ignore[misc]
                    )
                attempts += [now[0]] * (logins(server) - before)
            assert all(sum(start <= at < start + timedelta(minutes=10) for at in attempts) <= 3 for start in attempts)
            assert [(at - begun).seconds // 60 for at in attempts] == [0, 2, 6, 14, 30, 62]
            [trouble] = daemon.relays.troubles(now[0]).values()
            assert "our login was answered 535 5.7.8 authentication failed; it is not tried again before" in trouble
            stopped = daemon.delivery.deliver(lambda: begun).stopped
            assert "535" in stopped
            assert "not tried again before" in stopped
        repaired = configured(tmp_path, database_url, server.port, "", credentials("right"))
        with Container(load(repaired)) as container:
            assert container.delivery.deliver(lambda: begun).tally.accepted == 30, "another password is tried at once"
            assert container.relays.troubles(now[0]) == {}
        assert {row.attempts for row in rows(config).values()} <= {0, 1}


def confirmation_owed(container: Container, at: datetime) -> None:
    with container.adapters.store.begin() as unit:
        [subscription, *_] = unit.subscribers.subscriptions(container.adapters.address("reader0@example.org"))
        unit.notices.queue(subscription.id, NoticeKind.GOODBYE, at, at)


def at_once(*works: Callable[[], object]) -> None:
    def guarded(work: Callable[[], object]) -> None:
        with suppress(RelayUnreachable):
            work()

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE)
        assert not thread.is_alive()


def test_a_login_that_works_again_forgets_what_was_refused(tmp_path: Path, sqlite_url: str, now: list[datetime]) -> None:
    refused = {("AUTH", n): Do("454 4.7.0 temporary authentication failure") for n in (1, 2)}
    with SmtpServer(tmp_path / "kept", Script(nth=refused), password="right") as server:
        config = configured(tmp_path, sqlite_url, server.port, "", credentials("right"))
        queue(load(config), 5)
        with Container(load(config)) as container:
            begun, accepted = now[0], []
            for minute in (0, 1, 2, 5, 6):
                now[0] = begun + timedelta(minutes=minute)
                accepted.append(container.delivery.deliver(lambda: begun).tally.accepted)
            assert accepted == [0, 0, 0, 0, 5]
            assert logins(server) >= 3


@pytest.mark.parametrize(
    ("replies", "tried"),
    [
        (("535 5.7.8 no",), ["PLAIN"]),
        (("534 5.7.9 an application password is needed",), ["PLAIN"]),
        (("454 4.7.0 later",), ["PLAIN"]),
        (("432 4.7.12 a password transition is needed",), ["PLAIN"]),
        (("550 5.7.1 login disabled",), ["PLAIN"]),
        (("504 5.5.4 unknown mechanism", "235 ok"), ["PLAIN", "LOGIN"]),
        (("501 5.5.2 no", "535 5.7.8 no"), ["PLAIN", "LOGIN"]),
    ],
)
def test_one_answer_to_a_login_decides(tmp_path: Path, replies: tuple[str, ...], tried: list[str]) -> None:
    nth = {("AUTH", place): Do(reply) for place, reply in enumerate(replies, start=1)}
    with SmtpServer(tmp_path / "kept", Script(nth=nth), password="right") as server:
        relay = relay_to(server, username="me", password="right")
        if replies[-1].startswith("235"):
            relay.connect().close()
        else:
            with pytest.raises((RelayRefusedUs, RelayUnreachable), match=replies[-1].split()[0]):
                relay.connect()
        assert [line.split()[1] for line in server.commands if line.startswith("AUTH")] == tried


def test_doctor_tries_all_the_same_and_says_that_we_wait(tmp_path: Path, sqlite_url: str) -> None:
    with SmtpServer(tmp_path / "kept", password="right") as server:
        config = configured(tmp_path, sqlite_url, server.port, "", credentials("old"))
        queue(load(config), 3)
        with Container(load(config)) as container:
            container.delivery.deliver(lambda: datetime.now(UTC))
        answer = CliRunner().invoke(digest, ["doctor", "--no-dns", "--json"], env={"DIGEST_CONFIG": str(config)})
        checks = {each["name"]: each for each in json.loads(answer.stdout)}
        assert "it is not tried again before" in checks["limits of recorder"]["finding"]
        assert "AUTH was answered 535" in checks["relay recorder"]["finding"]
        assert logins(server) == 2


# ---- slower ----


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("DOT", "454 Throttling failure: Maximum sending rate exceeded."),
        ("MAIL", "450 4.7.1 Error: too much mail from 127.0.0.1"),
        ("RCPT", "451 4.7.500 Server busy. Please try again later"),
        ("DATA", "421 4.7.0 Try again later, closing connection"),
        ("DOT", "452 4.3.1 Message rate exceeded, slow down"),
        ("RCPT", "421 4.7.28 Our system has detected an unusual rate of mail"),
    ],
)
def test_a_throttled_message_goes_out_in_the_same_run_more_slowly(tmp_path: Path, sqlite_url: str, verb: str, words: str) -> None:
    script = Script(nth={(verb, n): Do(words, close=words.startswith("421")) for n in (12, 13)})
    with SmtpServer(tmp_path / "kept", script) as server:
        config = configured(tmp_path, sqlite_url, server.port, "connections = 2")
        queue(load(config), 20)
        with Container(load(config)) as container:
            tally = container.delivery.deliver(lambda: datetime.now(UTC)).tally
            assert (tally.accepted, tally.retry, tally.failed) == (20, 0, 0)
            assert "it throttled us: at most" in str(container.relays.troubles(datetime.now(UTC)))
        assert len(server.accepted()) == 20
        assert all(row.attempts in (0, 1) for row in rows(config).values())


def test_a_relay_that_only_throttles_is_left_and_all_wait(tmp_path: Path, sqlite_url: str) -> None:
    with SmtpServer(tmp_path / "kept", Script(nth={("DOT", 0): THROTTLED})) as server:
        config = configured(tmp_path, sqlite_url, server.port, "connections = 2")
        queue(load(config), 50)
        with Container(load(config)) as container:
            worked = container.delivery.deliver(lambda: datetime.now(UTC))
        assert "throttles us: 454 Throttling failure" in worked.stopped
        assert server.seen["DOT"] <= 20
        assert {row.state for row in rows(config).values()} == {DeliveryState.QUEUED}
        assert {row.attempts for row in rows(config).values()} == {0}


def test_what_it_only_throttles_goes_through_the_next_relay(tmp_path: Path, sqlite_url: str) -> None:
    with pair(tmp_path, Script(nth={("MAIL", 0): Do("421 4.7.0 slow down", close=True)})) as (first, second):
        config = configured(tmp_path, sqlite_url, first.port, "connections = 2", behind(second))
        queue(load(config), 20)
        with Container(load(config)) as container:
            assert container.delivery.deliver(lambda: datetime.now(UTC)).tally.accepted == 20
        assert len(second.accepted()) == 20


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("MAIL", "550 5.4.5 Daily user sending limit exceeded"),
        ("DOT", "550 5.4.5 Daily user sending limit exceeded"),
        ("RCPT", "550 relay not permitted"),
        ("MAIL", "553 Mail from must equal authorized user"),
    ],
)
def test_a_switch_to_the_next_relay_is_alarmed_in_the_first_ones_words(
    tmp_path: Path, sqlite_url: str, verb: str, words: str
) -> None:
    with pair(tmp_path, Script(nth={(verb, 0): Do(words)})) as (first, second):
        config = configured(tmp_path, sqlite_url, first.port, "claim_size = 10", behind(second))
        queue(load(config), 20)
        with Container(load(config)) as container:
            worked = container.delivery.deliver(lambda: datetime.now(UTC))
            now = datetime.now(UTC)
            assert (worked.tally.accepted, worked.stopped) == (20, "")
            assert words in worked.passed_over["recorder"]
            found = [each for each in container.monitoring.findings(now) if each.cause.startswith("relay")]
            assert [(each.cause, words in each.seen[0]) for each in found] == [("relay recorder", True)]
            assert len(container.monitoring.alarm(found, now)) == 1
            assert container.monitoring.alarm(found, now + timedelta(hours=1)) == ()
        assert len(second.accepted()) == 20


# ---- the day's share ----


@contextmanager
def pair(folder: Path, script: Script | None = None) -> Iterator[tuple[SmtpServer, SmtpServer]]:
    with SmtpServer(folder / "first", script) as first, SmtpServer(folder / "second") as second:
        yield first, second


def behind(second: SmtpServer, first: str = "") -> str:
    return f'{first}\n[[relays]]\nname = "second"\nhost = "127.0.0.1"\nport = {second.port}\ntls = "none"'


def test_when_the_days_share_is_used_the_next_relay_takes_over(tmp_path: Path, database_url: str, now: list[datetime]) -> None:
    with pair(tmp_path) as (first, second):
        config = configured(tmp_path, database_url, first.port, "connections = 2", behind(second, "per_day = 10"))
        queue(load(config), 30)
        with Container(load(config)) as container:
            assert container.delivery.deliver(lambda: datetime.now(UTC)).tally.accepted == 30
        assert (len(first.accepted()), len(second.accepted())) == (10, 20)


def test_where_there_is_no_next_all_wait_until_the_day_is_over(tmp_path: Path, database_url: str, now: list[datetime]) -> None:
    now[0] = now[0].replace(hour=12)
    with SmtpServer(tmp_path / "kept") as server:
        config = configured(tmp_path, database_url, server.port, "connections = 3", "per_day = 12")
        queue(load(config), 30)
        counts, stopped = [], []
        with Container(load(config)) as container:
            for days in (0, 0, 1, 2):
                now[0] += timedelta(days=days)
                worked = container.delivery.deliver(lambda: datetime.now(UTC))
                counts.append(worked.tally.accepted)
                stopped.append(worked.stopped)
        assert counts == [12, 0, 12, 6]
        assert all("its 12 mails of this day (per_day) are used; the rest waits until" in why for why in stopped[:3])
        assert stopped[3] == ""
        assert len(server.accepted()) == 30


# ---- PIPELINING that does not work ----


class Remembered:
    def __init__(self) -> None:
        self.failed = 0

    def unusable(self) -> frozenset[str]:
        return frozenset({"PIPELINING"} if self.failed else ())

    def extension_failed(self, keyword: str) -> None:
        assert keyword == "PIPELINING"
        self.failed += 1


@pytest.mark.parametrize("verb", ["RCPT", "DATA"])
def test_what_was_thrown_away_is_said_again_one_by_one(tmp_path: Path, verb: str) -> None:
    record = Remembered()
    with SmtpServer(tmp_path / "kept", Script(nth={(verb, 1): Do(stall=True)})) as server:
        relay = relay_to(server, IMPATIENT)
        relay._record = record
        attempts = list(relay.send(envelopes(4), Notes()))
        session = relay.connect()
        session.close()
    assert [said(each) for each in attempts] == ["dot 250"] * 4
    assert (record.failed, session.extensions.pipelining) == (1, False)
    assert server.behind_dots == [b""] * 4, "nothing travelled with a dot"


def test_it_is_remembered_for_a_day(tmp_path: Path, database_url: str, now: list[datetime]) -> None:
    config = configured(tmp_path, database_url, 9)
    with Container(load(config)) as container:
        container.relays.limits["recorder"].extension_failed("SIZE")
    with Container(load(config)) as container:
        found = []
        for hours in (0, 23, 2):
            now[0] += timedelta(hours=hours)
            found.append(container.relays.limits["recorder"].unusable())
    assert found == [{"SIZE"}, {"SIZE"}, frozenset()]


def test_it_can_be_turned_off_and_our_name_set(tmp_path: Path, sqlite_url: str) -> None:
    with SmtpServer(tmp_path / "kept", Script(extensions=OFFERS)) as server:
        config = configured(tmp_path, sqlite_url, server.port, "", 'pipelining = false\nehlo_name = "mail.example.org"')
        with Container(load(config)) as container:
            [relay] = container.relays.each(lambda: datetime.now(UTC))
            session = relay.connect()
            session.close()
    assert session.extensions.pipelining is False
    assert server.commands[0].lower() == "ehlo mail.example.org"


def test_what_a_relay_says_to_our_greeting_is_shown(tmp_path: Path) -> None:
    words = "421 4.7.0 Try again later, closing connection. (EHLO)"
    with (
        SmtpServer(tmp_path / "kept", Script(nth={("EHLO", 0): Do(words, close=True)})) as server,
        pytest.raises(RelayUnreachable, match=r"EHLO was answered 421 4\.7\.0 Try again later"),
    ):
        relay_to(server).connect()
