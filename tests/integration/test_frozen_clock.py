"""`digest deliver --at`: the clock stands still, and the run comes to its end whatever the relay does."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.config import load
from digest.domain.delivery import DeliveryState
from tests.outbox import configured, queue, rows
from tests.servers import preloaded
from tests.servers.running import PATIENCE
from tests.servers.smtp import Do, Script, SmtpServer

READERS = 3
KINDS: dict[str, tuple[Script, int]] = {
    # (what the relay does, how often at most it is sent one reader's mail in a run)
    "hangs up after each final dot": (Script(nth={("DOT", 0): Do(close=True)}), 2),
    "hangs up before the mail is whole": (Script(nth={("DATA", 0): Do(close=True)}), 3),
    "refuses each recipient for now": (Script(nth={("RCPT", 0): Do("450 4.2.1 try later")}), 1),
    "refuses each mail for now": (Script(nth={("DOT", 0): Do("451 4.3.0 try later")}), 1),
    "is busy": (Script(nth={("MAIL", 0): Do("421 4.3.2 busy", close=True)}), 5),
    "hangs up at each sender": (Script(nth={("MAIL", 0): Do(close=True)}), 10),
    "takes none for good": (Script(nth={("DOT", 0): Do("554 5.6.0 no")}), 1),
}


def deliver(config: Path, at: datetime) -> None:
    preloaded.run(["deliver", "--config", str(config), "--at", at.isoformat()], timeout=PATIENCE)


def begun(server: SmtpServer) -> Counter[str]:
    return Counter(command for command in server.commands if command.startswith("MAIL"))


@pytest.mark.parametrize("kind", KINDS)
def test_it_ends_and_sends_no_more_copies_than_the_policy_has(kind: str, tmp_path: Path, sqlite_url: str) -> None:
    script, most = KINDS[kind]
    with SmtpServer(tmp_path / "kept", script) as server:
        config = configured(tmp_path, sqlite_url, server.port, "connections = 1")
        queue(load(config), READERS)
        at = datetime.now(UTC) + timedelta(minutes=5)
        deliver(config, at)
        assert max(begun(server).values()) <= most
        assert {row.state for row in rows(config).values()} <= {DeliveryState.QUEUED, DeliveryState.FAILED}


@pytest.mark.parametrize("later", [timedelta(0), timedelta(minutes=-30)], ids=["at the same instant", "with the clock set back"])
def test_another_run_goes_on_where_the_first_stopped(later: timedelta, tmp_path: Path, sqlite_url: str) -> None:
    """However often it is run, a relay that never answers gets the copies of one run and no more before their time."""
    with SmtpServer(tmp_path / "kept", Script(nth={("DOT", 0): Do(close=True)})) as server:
        config = configured(tmp_path, sqlite_url, server.port, "connections = 1")
        queue(load(config), READERS)
        at = datetime.now(UTC) + timedelta(minutes=5)
        for _ in range(3):
            deliver(config, at)
            at += later
        assert set(begun(server).values()) == {2}
        assert {(row.state, row.attempts) for row in rows(config).values()} == {(DeliveryState.QUEUED, 2)}
