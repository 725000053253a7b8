"""A relay refuses everybody as if no mailbox existed: `digest deliver` holds them, and one command brings all back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from click.testing import CliRunner, Result

from digest.cli import digest
from digest.config import load
from digest.container import Container
from digest.domain.subscriber import Address, Interests, Preferences
from digest.services.operations import review
from digest.services.subscriptions.subscribe import request
from tests.outbox import configured, queue
from tests.servers.smtp import Do, Script, SmtpServer


def test_a_flood_at_rcpt_is_held_alarmed_and_undone(tmp_path: Path) -> None:
    refuse = Script(nth={("RCPT", 0): Do("550 5.1.1 User unknown")})
    with SmtpServer(tmp_path / "store", refuse) as server:
        config = configured(tmp_path, f"sqlite:///{tmp_path / 'digest.sqlite3'}", server.port)
        queue(load(config), 30)

        def call(*arguments: str) -> Result:
            return CliRunner().invoke(digest, [*arguments, "--config", str(config)])

        delivered = call("deliver", "--json")
        assert delivered.exit_code == 1
        assert "27 refusals in the same words are held for review" in delivered.stderr
        assert [(len(each["addresses"]), each["state"]) for each in json.loads(call("review", "--json").stdout)] == [
            (27, "held"),
            (3, "carried out"),
        ]
        assert json.loads(call("status", "--json").stdout)["held_for_review"] == [
            {"reply": "550 5.1.1 User unknown", "refusals": 27}
        ]
        assert call("review", "--undo").exit_code == 0
        assert json.loads(call("status", "--json").stdout)["outbox"] == {"queued": 30}
        assert call("review", "--accept", "--undo").exit_code == 2


def test_a_flood_of_refused_confirmations_is_held_and_alarmed_once(tmp_path: Path) -> None:
    """The relay knows nobody any more: three who asked are believed gone, the others get their mail when it is over."""
    now = datetime.now(UTC)
    refuse = Script(nth={("RCPT", 0): Do("550 5.1.1 User unknown")})
    with SmtpServer(tmp_path / "store", refuse) as server:
        config = configured(tmp_path, f"sqlite:///{tmp_path / 'digest.sqlite3'}", server.port)
        with Container(load(config)) as container:
            for number in range(12):
                address = Address(f"reader{number}@example.org")
                asked = request(container.adapters.store, address, "daily", Preferences(), Interests(), now, notify=True)
                assert asked.notice
            assert container.notices.send_queued(lambda: now) == 0
            assert container.notices.send_queued(lambda: now + timedelta(hours=1)) == 0, "who is held is not tried again"
            with container.adapters.store.read() as unit:
                assert (list(unit.refusals.held().values()), unit.notices.count()) == ([9], 9)
                assert [unit.suppressions.find(Address(f"reader{n}@example.org")) for n in range(12)] == [None] * 12
            found = [each for each in container.monitoring.findings(now) if each.cause == "review"]
            assert len(container.monitoring.alarm(found, now)) == 1
            assert container.monitoring.alarm(found, now + timedelta(hours=1)) == ()
            review.undo(container.adapters.store, now)
            with container.adapters.store.read() as unit:
                assert unit.notices.count() == 9, "they wait for a relay that takes them"
