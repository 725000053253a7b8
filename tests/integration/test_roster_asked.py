"""A CSV of readers whose consent nobody has: each is owed one confirmation, sent by whoever delivers. Importing mails nobody."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from digest.cli import digest
from digest.config import load
from digest.container import Container
from digest.domain.edition import PaperList
from digest.domain.notice import NoticeKind
from digest.domain.subscriber import Address, NewReader
from digest.services.subscriptions import subscriber_csv
from digest.store.subscribers.subscribers import Subscribers
from digest.store.unit_of_work import Store
from tests.outbox import AT, configured
from tests.servers.running import PATIENCE
from tests.servers.smtp import SmtpServer
from tests.servers.stocked import CONSENT, MAIN, NOW, know
from tests.transport import FakeTransport

READERS = [f"reader{n}@example.org" for n in range(7)]
Command = Callable[..., Any]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SmtpServer]:
    with SmtpServer(tmp_path / "kept.jsonl") as running:
        yield running


@pytest.fixture
def config(tmp_path: Path, sqlite_url: str, server: SmtpServer) -> Path:
    (tmp_path / "readers.csv").write_text("\n".join(["email", *READERS]))
    return configured(tmp_path, sqlite_url, server.port)


def said(config: Path, *words: str) -> str:
    """What a command prints on its standard output."""
    result = CliRunner(env={name: None for name in os.environ if name.startswith("DIGEST_")}).invoke(
        digest, [*words, "--config", str(config)], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.stdout


def imported(config: Path, *more: str) -> dict[str, Any]:
    answer = json.loads(said(config, "subscribers", "import", str(config.parent / "readers.csv"), "--json", *more))
    assert isinstance(answer, dict)
    return answer


def mailed(server: SmtpServer) -> Counter[str]:
    return Counter(to for kept in server.accepted() for to in kept.recipients)


def test_an_import_says_what_will_go_out_and_by_what_and_mails_nobody(config: Path, server: SmtpServer) -> None:
    told = imported(config)
    assert (told["added"], told["confirmations_owed"], told["confirmations_sent_by"]) == (7, 7, "digest deliver")
    assert mailed(server) == Counter()
    again = said(config, "subscribers", "import", str(config.parent / "readers.csv"))
    assert (
        "0 added, 7 unchanged, 0 rejected\n7 confirmations will go out when `digest deliver` or `digest run` is started" in again
    )
    said(config, "deliver")
    assert mailed(server) == Counter(READERS)
    told = imported(config)
    assert (told["unchanged"], told["confirmations_owed"], told["confirmations_sent_by"]) == (7, 0, None)
    said(config, "deliver")
    assert mailed(server) == Counter(READERS), "twice imported, nobody is mailed twice"


def test_it_says_which_process_sends_them_where_one_runs(config: Path) -> None:
    with Container(load(config)) as container:
        notice_sender = container.scheduler.notice_sender()
        notice_sender.acquire_or_renew()
        assert imported(config)["confirmations_sent_by"].startswith(f"process {os.getpid()} on ")
        again = ("subscribers", "import", str(config.parent / "readers.csv"))
        assert " will go out within a minute: process " in said(config, *again)
        assert " will go out from 2126-01-01T00:00:00Z on: process " in said(config, *again, "--at", "2126-01-01T00:00:00Z")
        notice_sender.resign()
    assert imported(config)["confirmations_sent_by"] == "digest deliver"


def test_consent_given_elsewhere_owes_nobody_a_mail(config: Path, server: SmtpServer) -> None:
    told = imported(config, "--confirmed")
    assert (told["added"], told["confirmations_owed"], told["confirmations_sent_by"]) == (7, 0, None)
    said(config, "deliver")
    assert mailed(server) == Counter()


def test_an_import_broken_off_is_made_whole_by_another(config: Path, server: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    ask, asked = Subscribers.ask, list[int]()

    def broken_off(self: Subscribers, readers: Any, at: datetime) -> Any:
        asked.append(len(readers))
        if len(asked) == 3:
            ask(self, readers, at)  # done, and not committed
            raise KeyboardInterrupt
        return ask(self, readers, at)

    monkeypatch.setattr(subscriber_csv, "CHUNK", 2)
    with Container(load(config)) as container:
        with monkeypatch.context() as broken:
            broken.setattr(Subscribers, "ask", broken_off)
            with pytest.raises(KeyboardInterrupt):
                container.subscriptions.import_subscribers(config.parent / "readers.csv", False, AT)
        assert container.notices.send_queued(lambda: AT) == 4, "what was committed is owed"
        report = container.subscriptions.import_subscribers(config.parent / "readers.csv", False, AT)
        assert (report.added, report.unchanged) == (3, 4)
        assert container.notices.send_queued(lambda: AT) == 3
    assert mailed(server) == Counter(READERS)


def test_two_imports_at_once_owe_each_reader_one_mail(store: Store) -> None:
    """The second waits for the first, whose mails are sent by then: else each reader would be new to it, and owed another."""
    readers = [NewReader(Address(email), MAIN.name) for email in READERS]
    know(store, MAIN, PaperList(name="other", title="Other"))
    with store.begin() as unit:  # known as people, so that no two wait for each other there
        unit.subscribers.add_confirmed([NewReader(each.address, "other") for each in readers], CONSENT, NOW)
    second = threading.Thread(target=lambda: _ask(store, readers))
    with store.begin() as unit:
        assert unit.subscribers.ask(readers, NOW).added == 7
        second.start()
        second.join(0.5)
        assert second.is_alive(), "it waits"
        unit.notices.settle([each.notice for each in unit.notices.take(NOW, 100, timedelta(minutes=1))])
    second.join(PATIENCE)
    with store.read() as unit:
        assert unit.notices.count(NoticeKind.CONFIRM) == 0


def _ask(store: Store, readers: list[NewReader]) -> None:
    with store.begin() as unit:
        unit.subscribers.ask(readers, NOW)


def test_each_answer_is_recorded_before_the_next_mail_goes_out(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed leaves doubtful what was under way, and nothing that was answered."""
    with Container(load(config)) as container:
        container.subscriptions.import_subscribers(config.parent / "readers.csv", False, AT)
        left = list[int]()

        def count() -> None:
            with container.adapters.store.read() as unit:
                left.append(unit.notices.count())

        monkeypatch.setattr(container.relays, "pool", lambda *how, **more: FakeTransport(lambda: NOW, count))
        assert container.notices.send_queued(lambda: AT) == 7
    assert left == [7, 6, 5, 4, 3, 2, 1]


def test_who_is_told_to_stop_leaves_the_rest_to_the_next_at_once(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Container(load(config)) as container:
        container.subscriptions.import_subscribers(config.parent / "readers.csv", False, AT)
        first, second = FakeTransport(lambda: NOW), FakeTransport(lambda: NOW)
        first.stop = lambda: len(first.accepted) >= 3
        monkeypatch.setattr(container.relays, "pool", lambda *how, **more: first)
        assert container.notices.send_queued(lambda: AT, first.stop) == 3
        monkeypatch.setattr(container.relays, "pool", lambda *how, **more: second)
        assert container.notices.send_queued(lambda: AT + timedelta(seconds=1)) == 4
