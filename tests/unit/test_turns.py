"""Whose turn it is, as a table; and that processes which share a store share the turns."""

from __future__ import annotations

import pytest

from digest.domain.errors import SourceThrottled
from digest.domain.rate_limit import Turn, Turns
from digest.services.papers.shared_throttle import SharedTurns
from digest.sources.http import HttpPolicy, PoliteGetter
from digest.sources.port import ARXIV_PACE
from digest.store.unit_of_work import Store
from tests.servers.scripted_http import ScriptedServer, reply
from tests.tables import every_row

NOW = 1_700_000_000.0
CASES = [
    ("nobody was here", Turns(), Turn()),
    ("the last one started a second ago", Turns(free_at=NOW + 2), Turn(wait=2.0)),
    ("the pace is nearly kept", Turns(free_at=NOW + 0.25), Turn(wait=0.25)),
    ("all of it ends this instant", Turns(free_at=NOW, busy_until=NOW, closed_until=NOW), Turn()),
    ("the last one started long ago", Turns(free_at=NOW - 60), Turn()),
    ("the clock was set back a day", Turns(free_at=NOW + 86_400), Turn(wait=3.0)),
    ("one is under way", Turns(free_at=NOW - 9, busy_until=NOW + 100), Turn(wait=0.5)),
    ("one is about to be given up", Turns(busy_until=NOW + 0.2), Turn(wait=pytest.approx(0.2))),
    ("one died long ago", Turns(busy_until=NOW - 1), Turn()),
    ("it wants peace", Turns(free_at=NOW + 2, busy_until=NOW + 100, closed_until=NOW + 30), Turn(closed=30.0)),
]


@every_row(("turns", "answer"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_entering(turns: Turns, answer: Turn) -> None:
    after, told = turns.enter(pace=3.0, lease=125.0, now=NOW)
    assert told == answer
    taken = told == Turn()
    assert after == (Turns(free_at=NOW + 3, busy_until=NOW + 125, closed_until=turns.closed_until) if taken else turns)
    if taken:
        assert after.enter(3.0, 125.0, NOW + 1)[1].wait > 0
        assert after.left().enter(3.0, 125.0, NOW + 1)[1] == Turn(wait=2.0)


class Wall:
    """One clock for several processes; sleeping moves it on."""

    def __init__(self) -> None:
        self.now = NOW

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def getter(store: Store, wall: Wall) -> PoliteGetter:
    """As a process of its own would have it: nothing is shared but the store and the time."""
    return PoliteGetter(
        HttpPolicy(), sleep=wall.sleep, clock=lambda: wall.now, jitter=lambda: 0.0, book=SharedTurns(store, lease=125.0)
    )


def test_two_processes_keep_one_pace_and_heed_one_retry_after(store: Store) -> None:
    wall = Wall()
    one, other = getter(store, wall), getter(store, wall)
    acts = [reply(body=b"rss"), reply(body=b"oai"), reply("429 Too Many Requests", Retry_After="600"), reply(body=b"fine")]
    with ScriptedServer(acts) as server:
        started = []
        for each in (one, other):
            each.get("arxiv", server.url, pace=ARXIV_PACE)
            started.append(wall.now - NOW)
        with pytest.raises(SourceThrottled, match="asks to wait 600 s"):
            one.get("arxiv", server.url, pace=ARXIV_PACE)
        with pytest.raises(SourceThrottled, match="left in peace"):
            other.get("arxiv", server.url, pace=ARXIV_PACE)
        assert len(server.asked) == 3
        wall.sleep(601)
        restarted = getter(store, wall)
        assert restarted.get("arxiv", server.url, pace=ARXIV_PACE).data == b"fine"
    assert started == [0.0, 3.0]
    for each in (one, other, restarted):
        each.close()


def test_what_a_dead_process_held_is_given_up_after_the_lease(store: Store) -> None:
    dead, alive = SharedTurns(store, lease=125.0), SharedTurns(store, lease=125.0)
    assert dead.enter("arxiv", 3.0, NOW) == Turn()
    assert alive.enter("arxiv", 3.0, NOW + 100) == Turn(wait=0.5)
    assert alive.enter("arxiv", 3.0, NOW + 126) == Turn()
    with store.read() as unit:
        assert unit.sources.load("<arxiv>", "turns") == {"free_at": NOW + 129, "busy_until": NOW + 251, "closed_until": 0.0}
