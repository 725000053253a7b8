"""`digest deliver` under `kill -9`: nobody is lost; who is mailed twice is counted, and gets the same bytes.

The relay is a process of its own that has each message on disk before its 250. Each run is a process of its own, killed at a
named stage or at a random moment, and another is started, until one comes to the end.
"""

from __future__ import annotations

import signal
import time
from collections import defaultdict
from functools import partial
from pathlib import Path

from digest.config import load
from digest.domain.delivery import Delivery, DeliveryState
from tests.outbox import configured, queue, rows
from tests.servers import preloaded
from tests.servers.killing import all_equal, at_random, copies, doubles, recorder, run, staged
from tests.servers.running import PATIENCE

CONNECTIONS = 3
READERS = 300


def killed_until_done(config: Path, store: Path, ways: list[partial[None]]) -> tuple[int, int]:
    """Runs that are killed in each of these ways, then to the end. (kills, doubles); after each kill the doubles must be
    explained by what was under way: one message a connection.
    """
    kills = 0
    for way in ways:
        status, said = run(config, way)
        assert status in (0, -signal.SIGKILL), f"{way}: {status}: {said}"
        kills += status == -signal.SIGKILL
        assert doubles(copies(store)) <= kills * CONNECTIONS, way
    for _ in range(3):
        status, said = run(config)
        assert status == 0, said
    return kills, doubles(copies(store))


def states(found: dict[str, Delivery]) -> dict[DeliveryState, set[str]]:
    by_state = defaultdict(set)
    for email, row in found.items():
        by_state[row.state].add(email)
    return dict(by_state)


def test_killed_again_and_again_nobody_is_lost(tmp_path: Path, database_url: str) -> None:
    """9 stages and some random moments, twice as many on SQLite."""
    ways, least = [*staged(1, 6), *at_random(8)], 22
    if not database_url.startswith("sqlite"):
        ways, least = ways[::2], least // 2  # nine stages a round: every stage once
    with recorder(tmp_path) as (port, store):
        config = configured(
            tmp_path,
            database_url,
            port,
            f"connections = {CONNECTIONS}\nclaim_size = 20\nretry_initial_delay = 0.001\nmax_attempts = 99",
        )
        emails = queue(load(config), READERS)
        kills, twice = killed_until_done(config, store, ways)
        got = copies(store)
    assert kills >= least, "the runs ended before they could be killed: give them more readers"
    assert set(got) == set(emails), "lost, or mailed for nobody"
    assert twice <= kills * CONNECTIONS
    assert all_equal(got)
    assert states(rows(config)) == {DeliveryState.ACCEPTED: set(emails)}
    assert list((tmp_path / "journal").glob("deliver-*")) == []


def test_where_the_policy_is_to_hold_nobody_is_mailed_twice(tmp_path: Path, sqlite_url: str) -> None:
    """Who may or may not have got it is held, with a reason; nobody else."""
    with recorder(tmp_path) as (port, store):
        config = configured(
            tmp_path,
            sqlite_url,
            port,
            f'connections = {CONNECTIONS}\nclaim_size = 20\non_lost_reply = "hold"',
        )
        emails = queue(load(config), READERS // 2)
        kills, twice = killed_until_done(config, store, [*staged(4), *at_random(3)])
        got = copies(store)
    assert kills >= 10
    assert twice == 0
    by_state = states(found := rows(config))
    held = by_state.get(DeliveryState.UNCERTAIN, set())
    assert len(held) <= kills * CONNECTIONS
    assert by_state[DeliveryState.ACCEPTED] | held == set(emails)
    assert by_state[DeliveryState.ACCEPTED] <= set(got) <= set(emails)
    assert all("no reply after the final dot" in found[email].reason for email in held)
    assert held, "no kill came between a dot and its reply: then this test has shown nothing"


def test_the_program_itself_killed_from_outside(tmp_path: Path, sqlite_url: str) -> None:
    """`digest deliver`, with nothing wrapped: killed while the relay's store grows."""
    with recorder(tmp_path) as (port, store):
        config = configured(tmp_path, sqlite_url, port, f"connections = {CONNECTIONS}\nretry_initial_delay = 0.001")
        emails = queue(load(config), 200)
        command = ["deliver", "--config", str(config)]
        kills = 0
        for wanted in (1, 40):
            process = preloaded.start(command)
            deadline = time.monotonic() + PATIENCE
            while len(store.read_bytes().splitlines()) < wanted and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.002)
            process.kill()
            kills += process.wait(timeout=PATIENCE) == -signal.SIGKILL
        assert preloaded.run(command, timeout=PATIENCE).returncode == 0
        got = copies(store)
    assert kills >= 1
    assert set(got) == set(emails)
    assert doubles(got) <= kills * CONNECTIONS
    assert all_equal(got)
