"""`digest deliver` against a relay that misbehaves: whoever it is not about gets the mail, and every row says what happened."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.config import load
from digest.container import Container
from digest.domain.delivery import DeliveryState
from digest.domain.instant import isoformat
from tests.outbox import configured, queue, rows
from tests.servers import preloaded
from tests.servers.running import PATIENCE
from tests.servers.smtp import Do, Script, SmtpServer

READERS = 40
CONNECTIONS = 2
HASTY = "timeout = 3"
"""Where the relay stalls; long enough that a busy machine does not look like a relay that stalls."""
PATIENT = "timeout = 30"
QUEUED, ACCEPTED, FAILED = DeliveryState.QUEUED, DeliveryState.ACCEPTED, DeliveryState.FAILED


def deliver(config: Path, *, later: timedelta | None = None) -> tuple[int, str]:
    """The exit code, and what was said on stderr."""
    at = ["--at", isoformat(datetime.now(UTC) + later)] if later else []
    done = preloaded.run(["deliver", "--json", *at, "--config", str(config)], timeout=PATIENCE)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stderr


def got(server: SmtpServer) -> Counter[str]:
    return Counter(recipient for kept in server.accepted() for recipient in kept.recipients)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`troubled` rows are not done after the first run, and say `why`; after a later one all but `lost` have arrived."""

    script: Script
    why: str
    troubled: range = field(default_factory=lambda: range(1, 2))
    lost: int = 0
    doubles: int = 0
    relay: str = PATIENT
    connections: int = CONNECTIONS


def nth(verb: str, count: int, do: Do) -> Script:
    return Script(nth={(verb, count): do})


POISON = (Do("554 5.6.0 poisoned"),) * 9
FAULTS = {
    "refuses the 5th RCPT": Fault(script=nth("RCPT", 5, Do("550 5.1.1 no such user")), why=r"550 5\.1\.1 no such user", lost=1),
    "451, then accepts": Fault(
        script=Script(recipients={"reader7@example.org": (Do("451 4.7.1 greylisted"),)}), why=r"451 4\.7\.1 greylisted"
    ),
    "451 at the dot": Fault(script=nth("DOT", 3, Do("451 4.3.0 try later")), why=r"451 4\.3\.0 try later"),
    # over one connection, so that neither is the first of its connection: a 421 there counts, and a stall may be PIPELINING's
    "421 mid-session": Fault(
        script=nth("MAIL", 9, Do("421 4.3.2 closing", close=True)), why="", troubled=range(1), connections=1
    ),
    "421 before the greeting": Fault(
        script=nth("CONNECT", 2, Do("421 4.7.0 too many connections", close=True)), why="", troubled=range(1)
    ),
    "drops after 60,000 bytes": Fault(script=Script(hang_up_after=(60_000,)), why="recorder: connection", troubled=range(2)),
    "drops at the dot": Fault(script=nth("DOT", 6, Do(close=True)), why="", troubled=range(1)),
    "takes it and drops": Fault(script=nth("DOT", 6, Do(close=True, accept=True)), why="", troubled=range(1), doubles=1),
    "stalls at RCPT": Fault(
        script=nth("RCPT", 6, Do(stall=True)), why="recorder: no reply within 3 s", relay=HASTY, connections=1
    ),
    "stalls at the dot": Fault(script=nth("DOT", 6, Do(stall=True)), why="", troubled=range(1), relay=HASTY),
    "garbage for an answer": Fault(script=nth("RCPT", 6, Do("\x00\xff not smtp at all")), why="recorder: "),
    "an answer nobody asked for after RSET": Fault(
        script=Script(
            nth={("RSET", 1): Do("250 2.0.0 ok", usual=True)},
            recipients={"reader7@example.org": (Do("450 4.2.0 busy"),)},
        ),
        why=r"450 4\.2\.0 busy|recorder: ",
        troubled=range(1, 3),
    ),
    "one poisoned": Fault(script=Script(recipients={"reader7@example.org": POISON}), why=r"554 5\.6\.0 poisoned", lost=1),
}


@pytest.mark.parametrize("name", FAULTS)
def test_whom_it_is_not_about_gets_the_mail(name: str, tmp_path: Path, sqlite_url: str) -> None:
    fault = FAULTS[name]
    with SmtpServer(tmp_path / "kept", fault.script) as server:
        config = configured(tmp_path, sqlite_url, server.port, f"connections = {fault.connections}\nclaim_size = 10", fault.relay)
        emails = queue(load(config), READERS)
        code, said = deliver(config)
        assert code == 0, said
        first = rows(config)
        troubled = {email: row for email, row in first.items() if row.state is not ACCEPTED}
        assert len(troubled) in fault.troubled, {email: row.reason for email, row in troubled.items()}
        assert all(re.search(fault.why, row.reason) for row in troubled.values()), [r.reason for r in troubled.values()]
        code, said = deliver(config, later=timedelta(hours=1))
        assert code == 0, said
        arrived, final = got(server), rows(config)
    undone = {email for email, row in final.items() if row.state is not ACCEPTED}
    assert len(undone) == fault.lost
    assert set(arrived) == set(emails) - undone
    assert sum(arrived.values()) - len(arrived) == fault.doubles
    assert all(row.reason and "\n" not in row.reason for row in final.values())
    assert {final[email].state for email in undone} <= {FAILED}


def test_one_poisoned_among_a_thousand(tmp_path: Path, database_url: str) -> None:
    """The other 999 arrive, over the connections it began with; `digest explain` says what became of the one."""
    poisoned = "reader500@example.org"
    with SmtpServer(tmp_path / "kept", Script(recipients={poisoned: POISON})) as server:
        config = configured(tmp_path, database_url, server.port, f"connections = {CONNECTIONS}\nclaim_size = 100", PATIENT)
        emails = queue(load(config), 1000)
        assert deliver(config) == (0, "")
        arrived, connections = got(server), server.connections
    assert arrived == Counter(set(emails) - {poisoned})
    assert connections == CONNECTIONS, "ten batches, one stream"
    explained = preloaded.run(["explain", poisoned, "--json", "--config", str(config)], timeout=PATIENCE)
    explained.check_returncode()
    told = json.loads(explained.stdout)
    [delivery] = told["subscriptions"][0]["deliveries"]
    assert (delivery["state"], delivery["reason"]) == ("failed", "554 5.6.0 poisoned")


@pytest.mark.parametrize(
    ("script", "relay", "said"),
    [
        (Script(), 'tls = "starttls"', "does not offer STARTTLS"),
        (Script(nth={("CONNECT", 0): Do("554 5.7.1 go away", close=True)}), "", "554 5.7.1 go away"),
        (Script(nth={("CONNECT", 0): Do("421 4.3.2 not now", close=True)}), "", "421 4.3.2 not now"),
        (Script(nth={("MAIL", 0): Do("550 5.7.1 you are on a list")}), "", "550 5.7.1 you are on a list"),
        (Script(nth={("CONNECT", 0): Do("\xff\x00 what?")}), "", "recorder"),
    ],
)
def test_a_relay_that_will_not_have_us_stops_the_run_and_blames_nobody(
    script: Script, relay: str, said: str, tmp_path: Path, sqlite_url: str
) -> None:
    with SmtpServer(tmp_path / "kept", script) as server:
        config = configured(tmp_path, sqlite_url, server.port, f"connections = {CONNECTIONS}\nclaim_size = 10", PATIENT)
        config.write_text(config.read_text().replace('tls = "none"', relay or 'tls = "none"'))
        queue(load(config), READERS)
        code, error = deliver(config)
        asked = server.seen["MAIL"]
    assert code == 1
    assert said in error
    assert len(error.splitlines()) == 1
    assert asked <= 2 * CONNECTIONS, "it went on asking"
    found = rows(config)
    assert {row.state for row in found.values()} == {QUEUED}
    assert {row.attempts for row in found.values()} == {0}


def test_a_relay_that_takes_and_never_says_so_is_not_fed_for_ever(tmp_path: Path, sqlite_url: str) -> None:
    """Sent again at once, then only after a wait: the run ends."""
    with SmtpServer(tmp_path / "kept", Script(nth={("DOT", 0): Do(accept=True, close=True)})) as server:
        config = configured(tmp_path, sqlite_url, server.port, f"connections = {CONNECTIONS}\nclaim_size = 10", PATIENT)
        queue(load(config), 10)
        deliver(config)
        deliver(config)
        arrived = got(server)
    assert set(arrived.values()) <= {1, 2}
    assert all("no reply after the final dot" in row.reason for row in rows(config).values() if row.attempts)


def test_a_lease_is_kept_while_a_slow_relay_holds_what_was_claimed(tmp_path: Path, database_url: str) -> None:
    """A message takes three leases; whoever looks for dead leases meanwhile finds none, and nobody is mailed twice."""
    with SmtpServer(tmp_path / "kept", nth("DOT", 1, Do(stall=True))) as server:
        config = configured(tmp_path, database_url, server.port, 'connections = 1\nlease = 1\non_lost_reply = "hold"', HASTY)
        queue(load(config), 3)
        process = preloaded.start(["deliver", "--config", str(config)])
        freed, looks, deadline = 0, 0, time.monotonic() + PATIENCE
        with Container(load(config)) as container:
            store = container.adapters.store
            while process.poll() is None and time.monotonic() < deadline:
                with store.begin() as unit:
                    freed += unit.deliveries.reclaim_dead_leases(timedelta(hours=1))
                looks += server.seen["DOT"] > 0
                time.sleep(0.05)
        assert process.wait(timeout=PATIENCE) == 0
    assert (freed, looks > 10) == (0, True)
    states = Counter(row.state for row in rows(config).values())
    assert states == {ACCEPTED: 2, DeliveryState.UNCERTAIN: 1}
