"""The operator is told of what is wrong, a cause once in 24 hours, and of nothing else."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from digest.config import load
from digest.container import Container
from digest.daemon import Daemon
from digest.domain.edition import PaperList
from digest.domain.errors import DatabaseUnreachable, RelayUnreachable
from digest.domain.subscriber import Address, NewReader
from digest.mail.lint.lint import lint
from digest.services.delivery.run import DeliveryResult
from digest.services.monitoring import alerts
from digest.services.monitoring.alerts import Finding
from tests.outbox import AT, configured, queue
from tests.servers.running import PATIENCE, free_port
from tests.servers.smtp import Do, Script, SmtpServer

DAY = timedelta(days=1)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SmtpServer]:
    with SmtpServer(tmp_path / "kept.jsonl") as running:
        yield running


def settings(tmp_path: Path, url: str, port: int, more: str = '[alerts]\nto = "op@example.org"') -> Path:
    config = configured(tmp_path, url, port)
    config.write_text(config.read_text() + f'\n[[sources]]\nname = "hf"\nkind = "huggingface"\n{more}\n')
    return config


def causes(container: Container, at: datetime) -> set[str]:
    return {finding.cause for finding in container.monitoring.findings(at)}


def test_every_finding_is_a_mail_that_keeps_the_rules(tmp_path: Path, database_url: str, server: SmtpServer) -> None:
    findings = [
        alerts.of_source("hf", {"error": "source hf: no connection", "at": "2026-03-02T05:00:00Z"}),
        alerts.of_source("arxiv", {"stale": True, "at": "2026-03-02T05:00:00Z"}),
        alerts.of_edition("list daily, 2026-03-02: the mail breaks a rule: <links>: ü"),
        alerts.of_relay("stopped: the relay refuses us: 535 5.7.8 bad password"),
        alerts.of_step("tick", "database: no answer"),
        alerts.of_passed_over("main", "550 5.4.5 Daily user sending limit exceeded"),
        alerts.of_cohort("list daily, readers of 07:00 Asia/Tokyo: RuntimeError: a row nobody foresaw"),
        alerts.of_key("secrets.key is not the one that this database was used with (aa, not bb): copy that one here"),
        alerts.of_queue(AT, AT + 2 * DAY, alerts.Policy()),
    ]
    with Container(load(settings(tmp_path, database_url, server.port))) as container:
        told = container.monitoring.alarm([finding for finding in findings if finding], AT)
        assert len(told) == 9
        assert container.monitoring.alarm([finding for finding in findings if finding], AT + timedelta(hours=11)) == (), "quiet"
        last = AT + DAY - timedelta(minutes=1)
        assert container.monitoring.alarm([finding for finding in findings if finding], last) == (), (
            "quiet, though it is tomorrow"
        )
        assert len(container.monitoring.alarm([finding for finding in findings if finding], AT + DAY)) == 9, "24 hours on"
    mails = server.accepted()
    assert len(mails) == 18
    assert {kept.recipients for kept in mails} == {("op@example.org",)}
    for kept in mails:
        assert lint(kept.data, listed=False).errors == ()
    message: EmailMessage = message_from_bytes(mails[3].data, policy=policy.default)  # type: ignore[assignment]
    assert message["Subject"] == "[digest] Mail is not going out"
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "535 5.7.8 bad password" in text
    assert "digest doctor" in text


def test_what_could_not_be_told_is_told_later(tmp_path: Path, sqlite_url: str) -> None:
    script = Script(nth={("MAIL", 1): Do("451 4.3.0 not now")})
    with (
        SmtpServer(tmp_path / "kept.jsonl", script) as server,
        Container(load(settings(tmp_path, sqlite_url, server.port))) as container,
    ):
        finding = alerts.of_relay("stopped")
        assert container.monitoring.alarm([finding], AT) == ()
        assert container.monitoring.alarm([finding], AT) == (finding,)
        assert container.monitoring.alarm([finding], AT) == ()
        assert len(server.accepted()) == 1


def test_without_an_address_it_is_remembered_and_mailed_to_nobody(tmp_path: Path, sqlite_url: str, server: SmtpServer) -> None:
    with Container(load(settings(tmp_path, sqlite_url, server.port, ""))) as container:
        assert container.monitoring.alarm([alerts.of_relay("stopped")], AT)
        with container.adapters.store.read() as unit:
            assert [cause for cause, _, _ in unit.alarms.since(AT - DAY)] == ["relay"]
    assert server.accepted() == []


def test_what_the_store_shows(tmp_path: Path, database_url: str) -> None:
    """A calm store is silent; each trouble is found, and is gone when it is repaired."""
    config = settings(tmp_path, database_url, 9)
    with Container(load(config)) as container:
        assert container.monitoring.findings(AT) == (), "nothing collected yet is no alarm"
    queue(load(config), 2)  # an edition, and deliveries due an hour ago by the real clock
    real = datetime.now(UTC)
    with Container(load(config)) as container:
        assert causes(container, AT) == set()
        assert causes(container, AT + DAY) == {"edition daily"}, "made for the 2nd, not for the 3rd"
        assert "overdue" in causes(container, real + timedelta(hours=1))
        assert "overdue" not in causes(container, real - timedelta(minutes=30))
        container.operations.pause(["daily"], "at night", real)
        assert causes(container, real + timedelta(hours=1)) >= {"paused daily"}
        assert "overdue" not in causes(container, real + timedelta(hours=1)), "what a pause holds back is not late"
        container.operations.resume(["daily"])
        with container.adapters.store.begin() as unit:
            unit.sources.save("hf", "health", {"at": "2026-03-02T05:00:00Z", "stale": True, "error": None}, AT)
            unit.lists.pause("daily", "12 complaints among 3000 mails", AT)
        assert causes(container, AT) == {"source hf", "paused daily"}
        [paused] = [each for each in container.monitoring.findings(AT) if each.cause == "paused daily"]
        assert paused.seen == ("12 complaints among 3000 mails",)
        with container.adapters.store.begin() as unit:
            unit.sources.save("hf", "health", {"at": "2026-03-02T05:00:00Z", "stale": False, "error": None}, AT)
            unit.lists.resume("daily")
        assert causes(container, AT) == set()


LATENESS = [
    (timedelta(minutes=29), False),
    (timedelta(minutes=31), True),
]


@pytest.mark.parametrize(("after", "missed"), LATENESS)
def test_an_edition_is_missed_half_an_hour_after_its_cutoff(
    tmp_path: Path, sqlite_url: str, after: timedelta, missed: bool
) -> None:
    config = settings(tmp_path, sqlite_url, 9)
    queue(load(config), 1)
    cutoff = datetime(2026, 3, 3, 5, tzinfo=UTC)
    with Container(load(config)) as container:
        assert ("edition daily" in causes(container, cutoff + after)) == missed


def test_where_no_mail_goes_out_no_single_relay_is_told_of() -> None:
    both = [alerts.of_passed_over("main", "no connection"), alerts.of_relay("stopped")]
    assert [each.cause for each in alerts.first_causes(both)] == ["relay"]
    assert [each.cause for each in alerts.first_causes(both[:1])] == ["relay main"]


def test_readers_whose_mail_could_not_be_queued_are_no_missing_edition() -> None:
    found = alerts.of_cohort("list daily, readers of 07:00 Asia/Tokyo: RuntimeError: a row")
    assert (found.cause, found.headline) == (
        "cohort list daily, readers of 07:00 Asia/Tokyo",
        "Some readers' mail could not be queued",
    )


def test_a_list_without_weekdays_misses_nothing(tmp_path: Path, sqlite_url: str) -> None:
    config = settings(tmp_path, sqlite_url, 9)
    queue(load(config), 1)
    never = PaperList(name="daily", title="x", weekdays=frozenset())
    with Container(load(config)) as container:
        assert alerts.look(container.adapters.store, [never], [], AT + DAY) == ()


def test_one_cause_names_one_thing() -> None:
    of_lists = {alerts.of_edition(f"list {name}, 2026-03-0{day}: why").cause for name in ("a", "b") for day in (1, 2)}
    assert of_lists == {"edition a", "edition b"}, "as `of_list` has it for one that is missed: one trouble, one mail"
    assert alerts.of_source("hf", {"error": "x"}) != alerts.of_source("hf", {"stale": True})
    assert isinstance(alerts.of_source("hf", {"error": "x"}), Finding)
    assert alerts.of_source("hf", {}) is None


def test_a_relay_that_is_down_is_one_cause_whoever_runs_into_it() -> None:
    down = RelayUnreachable("smtp.example.org", "no connection")
    found = [alerts.of_relay("stopped: no connection"), alerts.of_failure("notices", down), alerts.of_failure("poll", down)]
    late = alerts.of_queue(AT, AT + DAY, alerts.Policy())
    assert late
    assert [each.cause for each in alerts.first_causes([late, *found])] == ["relay"], "mail is late because of it"
    assert alerts.first_causes([late]) == (late,), "late, and nobody knows why"
    away = [alerts.of_failure(step, DatabaseUnreachable("database x: no answer")) for step in ("tick", "lead", "deliver")]
    assert {each.cause for each in away} == {"database"}
    tick = alerts.of_failure("tick", ValueError("a fault"))
    assert (tick.cause, tick.seen) == ("step tick", ("ValueError: a fault",))
    missing, source = Finding("edition daily", "missing"), Finding("source hf", "stale")
    assert alerts.first_causes([missing, source, tick]) == (source, tick)


class _Watched:
    """Keeps what each watch would tell of once sending has been tried, and ends the daemon after `watches` of them."""

    def __init__(self, container: Container, watches: int, end: Callable[[], None], *, hangs: bool) -> None:
        self.usual = (container.monitoring.findings, container.delivery.deliver, container.notices.send_queued)
        self.end = end
        self.told, self.left = list[set[str]](), watches
        self.hangs, self.over = hangs, threading.Event()
        self.begun = Counter[str]()
        self.tried = False

    def findings(self, at: datetime) -> tuple[Finding, ...]:
        self.tried = min(self.begun["deliver"], self.begun["notices"]) >= 2  # begun again: what came of the first is recorded
        return self.usual[0](at)

    def alarm(self, findings: Iterable[Finding], at: datetime) -> tuple[Finding, ...]:
        if not self.tried:
            return ()
        self.told.append({each.cause for each in findings} & {"relay", "overdue", "step notices", "step deliver"})
        self.left -= 1
        if self.left == 0:
            self.over.set()
            self.end()
        return ()

    def deliver(self, *how: Any, **more: Any) -> DeliveryResult:
        self.begun["deliver"] += 1
        if self.begun["deliver"] > 1 and self.hangs:
            self.over.wait(PATIENCE)
        return self.usual[1](*how, **more)

    def send_queued(self, *how: Any, **more: Any) -> int:
        self.begun["notices"] += 1
        return self.usual[2](*how, **more)


@pytest.mark.parametrize("hangs", [False, True], ids=["it refuses", "then it lets us wait"])
def test_a_daemon_whose_relay_is_down_tells_of_one_thing(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    """Mail waits that was due an hour ago, a confirmation is owed, and nothing answers at the relay's port."""
    config = settings(tmp_path, sqlite_url, free_port(), "")
    config.write_text(config.read_text().replace("[delivery]", "[alerts]\nlate_after = 60\n[delivery]\nclaim_size = 1"))
    queue(load(config), 40)
    with Container(load(config)) as container, container.adapters.store.begin() as unit:
        unit.subscribers.ask([NewReader(Address("new@example.org"), "daily")], datetime.now(UTC))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with Container(load(config)) as container:
            daemon = Daemon(container, web=False, collect=False, every_seconds=0.2)
            watched = _Watched(container, 5, daemon.stop, hangs=hangs)
            monkeypatch.setattr(container.monitoring, "findings", watched.findings)
            monkeypatch.setattr(container.monitoring, "alarm", watched.alarm)
            monkeypatch.setattr(container.delivery, "deliver", watched.deliver)
            monkeypatch.setattr(container.notices, "send_queued", watched.send_queued)
            daemon.run()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert watched.told[:5] == [{"relay"}] * 5
    with Container(load(config)) as container:
        assert "overdue" in causes(container, datetime.now(UTC)), "the store alone shows late mail"
