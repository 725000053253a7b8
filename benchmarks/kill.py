"""`digest deliver` under `kill -9`, some hundred times: at each named stage and at random moments.

    python benchmarks/kill.py [--rounds KILLS] [--readers N] [--databases sqlite,postgresql]

The harness of tests/integration/test_kill.py: a recording relay that has each message on disk before its 250, and runs of the
real command, each killed and followed by another. When everybody has been mailed, what the relay holds is compared with what was
owed, and the next 1,000 readers are owed an edition; until there have been KILLS kills on each database with each policy. Prints
one JSON line. Holds when nobody is lost, doubles never exceed the connections that were open at the kills, all of them are the
same bytes with the same Message-ID, and there are none where the policy is to hold.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from digest.config import load
from digest.domain.delivery import DeliveryState
from digest.store.engine import open_engine
from digest.store.migrate import downgrade, upgrade
from tests.outbox import configured, queue, rows
from tests.servers import postgresql
from tests.servers.killable import STAGES, strike, strike_after
from tests.servers.killing import all_equal, copies, doubles, recorder, run

CONNECTIONS = 3
POLICIES = ("resend", "hold")
DELIVERY = f"connections = {CONNECTIONS}\nclaim_size = 20\nretry_initial_delay = 0.001\nmax_attempts = 99"


def ways(draw: random.Random) -> Iterator[tuple[str, partial[None]]]:
    """For ever: every stage, early and late in a run, and as many random moments."""
    while True:
        for stage in draw.sample(STAGES, len(STAGES)):
            yield stage, partial(strike, stage, 1 if stage == "mid-record" else draw.randint(1, 12))
            yield "a random moment", partial(strike_after, draw.uniform(0.0, 0.1))


@contextmanager
def emptied(kind: str, folder: Path, server: str) -> Iterator[str]:
    """A database with a schema and nothing else."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'digest.sqlite'}"
        return
    engine = open_engine(server)
    upgrade(engine)
    try:
        yield server
    finally:
        downgrade(engine)
        engine.dispose()


def episode(kind: str, server: str, policy: str, readers: int, draw: random.Random, most: int) -> Counter[str]:
    """One edition owed to `readers`: killed up to `most` times, then left to come to its end."""
    found: Counter[str] = Counter()
    folder = Path(tempfile.mkdtemp(prefix="digest-kill-"))
    try:
        with emptied(kind, folder, server) as url, recorder(folder) as (port, store):
            config = configured(folder, url, port, f'{DELIVERY}\non_lost_reply = "{policy}"')
            emails = set(queue(load(config), readers))
            for moment, way in ways(draw):
                status, said = run(config, way)
                if status not in (0, -signal.SIGKILL):
                    sys.exit(f"{moment}: ended with {status}: {said}")
                if status == -signal.SIGKILL:
                    found["kills"] += 1
                    found[f"at {moment}"] += 1
                if status == 0 or found["kills"] >= most:
                    break
            for _ in range(3):
                status, said = run(config)
                if status:
                    sys.exit(f"without a kill: ended with {status}: {said}")
            got, states = copies(store), {email: row.state for email, row in rows(config).items()}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    held = {email for email, state in states.items() if state is DeliveryState.UNCERTAIN}
    accepted = {email for email, state in states.items() if state is DeliveryState.ACCEPTED}
    twice = doubles(got)
    found["deliveries"] = readers
    found["lost"] = len(emails - got.keys() - held)
    found["accepted and never there"] = len(accepted - got.keys())
    found["for nobody"] = len(got.keys() - emails)
    found["not done"] = len(emails - accepted - held)
    found["held"] = len(held)
    found["doubles"] = twice
    found["bound"] = found["kills"] * CONNECTIONS
    found["over the bound"] = max(0, twice - found["bound"])
    found["unequal bytes"] = sum(len(set(each)) > 1 for each in got.values()) or int(not all_equal(got))
    return found


def main() -> None:
    asked = argparse.ArgumentParser(description="kill -9, again and again")
    asked.add_argument("--rounds", type=int, default=500, help="kills in all, shared by databases and policies")
    asked.add_argument("--readers", type=int, default=1000)
    asked.add_argument("--databases", default="sqlite,postgresql")
    asked.add_argument("--seed", type=int, default=1)
    options = asked.parse_args()
    kinds = [kind for kind in options.databases.split(",") if kind == "sqlite" or postgresql.missing() is None]
    began, draw = time.monotonic(), random.Random(options.seed)
    share = -(-options.rounds // (len(kinds) * len(POLICIES)))
    cases: dict[str, Counter[str]] = {}

    def all_of(kind: str, server: str) -> None:
        for policy in POLICIES:
            case = cases[f"{kind}, {policy}"] = Counter()
            while case["kills"] < share:
                case.update(episode(kind, server, policy, options.readers, draw, share - case["kills"]))
                case["episodes"] += 1
                print(f"{kind}, {policy}: {case['kills']} kills, {case['lost']} lost", file=sys.stderr)

    for kind in kinds:
        if kind == "sqlite":
            all_of(kind, "")
        else:
            with postgresql.postgresql() as server:
                all_of(kind, server)
    total = sum(cases.values(), Counter())
    on_hold = sum(case["doubles"] for name, case in cases.items() if name.endswith("hold"))
    faults = ("lost", "accepted and never there", "for nobody", "not done", "over the bound", "unequal bytes")
    print(
        json.dumps(
            {
                "benchmark": "kill",
                "holds": not any(total[fault] for fault in faults) and on_hold == 0 and total["kills"] >= options.rounds,
                "kills": total["kills"],
                "lost": total["lost"],
                "doubles": total["doubles"],
                "bound": total["bound"],
                "unequal_bytes": total["unequal bytes"],
                "doubles_on_hold": on_hold,
                "seconds": round(time.monotonic() - began, 1),
                "load": round(os.getloadavg()[0], 1),
                "cases": {
                    name: {key: case[key] for key in ("kills", "deliveries", "held", "doubles", *faults)}
                    for name, case in cases.items()
                },
                "kills_by_stage": {name[3:]: count for name, count in sorted(total.items()) if name.startswith("at ")},
            }
        )
    )


if __name__ == "__main__":
    main()
