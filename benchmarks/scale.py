"""What a million subscribers who are due at one tick cost, and what a thousand cost when a million have been served.

    python benchmarks/scale.py [--sizes 10000,100000,1000000] [--databases sqlite,postgresql] [--seconds 15]

Three questions, on each database, put to the real commands in processes of their own:

- `tick` for each size: seconds until a row is there for everybody, and the most memory (RSS) it took;
- `deliver` out of that queue into Postfix's smtp-sink, ended by SIGTERM after some seconds: the most memory one process took;
- claim and record in this process, no mail sent, until nothing is queued: the median claim of the last tenth against that of the
  first tenth, for each size; and the same for 5,000 readers after 1 past edition and after 200, with their finished rows.

PostgreSQL has never been told to ANALYZE by us: what the program does not do itself is not done. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import stock

from digest.config import load
from digest.container import Container
from digest.domain.delivery import Attempt, Reply, Stage
from digest.domain.retry import RetryPolicy
from digest.store.unit_of_work import Store

SIZES = (10_000, 100_000, 1_000_000)
BATCH = 500
PAST_READERS = 5_000
PAST = (1, 200)
TURNS = 5
LEASE = timedelta(minutes=10)
OK = Reply(250, "queued", "2.0.0")


def drained(store: Store) -> tuple[list[float], list[float]]:
    """Claims and records until nothing is queued: milliseconds of each claim, and of each record."""
    claims, records, policy = [], [], RetryPolicy()
    while True:
        now, start = datetime.now(UTC), time.perf_counter()
        with store.begin() as unit:
            batch = unit.deliveries.claim(BATCH, "scale", now, LEASE)
        claims.append((time.perf_counter() - start) * 1000)
        if not batch.claimed:
            return claims[:-1], records
        attempts = [Attempt(each.id, now, "sink", Stage.DOT, OK) for each in batch.claimed]
        results = [(each, policy.decide(each, 0, now + LEASE)) for each in attempts]
        start = time.perf_counter()
        with store.begin() as unit:
            unit.deliveries.record(results, "scale")
        records.append((time.perf_counter() - start) * 1000)


def first_and_last(claims: Sequence[float]) -> dict[str, float]:
    """Medians: one claim that waited for somebody else's disk says nothing of claims."""
    tenth = max(3, len(claims) // 10)
    first, last = statistics.median(claims[:tenth]), statistics.median(claims[-tenth:])
    return {"first_ms": round(first, 1), "last_ms": round(last, 1), "last_to_first": round(last / first, 2)}


def sized(folder: Path, url: str, size: int, seconds: float) -> dict[str, Any]:
    """Tick, deliver for a while, and drain the rest."""
    config = stock.configured(folder, url, "")
    ticked = stock.digest(config, "tick")
    if ticked.answer["deliveries"] != size:
        sys.exit(f"{ticked.answer['deliveries']} deliveries, not {size}")
    with stock.sink() as port:
        sent = stock.digest(stock.configured(folder, url, stock.relay(port)), "deliver", after=seconds)
    with Container(load(config)) as container:
        claims, _ = drained(container.adapters.store)
    return {
        "tick_seconds": round(ticked.wall, 1),
        "tick_peak_mb": round(ticked.peak_mb),
        "delivered": sent.answer["accepted"],
        "deliver_peak_mb": round(sent.peak_mb),
        "claims": len(claims),
        **(first_and_last(claims) if len(claims) >= 30 else {}),
    }


def after_past_editions(folder: Path, url: str) -> dict[str, Any]:
    """Microseconds a mail for claim and record, by how many editions everybody has had before; turn by turn, so that what else
    this machine does falls on both.
    """
    spent: dict[int, list[float]] = {past: [] for past in PAST}
    with ExitStack() as opened:
        stores: dict[int, tuple[Container, int]] = {}
        for past in PAST:
            config = stock.configured(folder, stock.copy(url, f"past{past}"), "")
            container = opened.enter_context(Container(load(config)))
            stores[past] = container, stock.press_edition(container)
            stock.past(*stores[past], past)
        for turn in range(1, TURNS + 1):
            for past, (container, edition) in stores.items():
                stock.queue(container, stock.another(container, edition, stock.CUTOFF + timedelta(days=turn)))
                claims, records = drained(container.adapters.store)
                spent[past].extend(1000 * (claim + record) / BATCH for claim, record in zip(claims, records, strict=True))
    told = {str(past): round(statistics.median(found), 1) for past, found in spent.items()}
    few, many = (told[str(past)] for past in PAST)
    return {"readers": PAST_READERS, "us_per_mail": told, "ratio": round(many / few, 2)}


def measured(folder: Path, url: str, sizes: Sequence[int], seconds: float) -> dict[str, Any]:
    told: dict[str, Any] = {}
    enrolled = 0
    for size in (PAST_READERS, *sizes):
        with Container(load(stock.configured(folder, url, ""))) as container:
            stock.enrol_in_bulk(container, size - enrolled, enrolled)
            if not enrolled:
                stock.make_papers(container)
        enrolled = size
        if size == PAST_READERS:
            told["past_editions"] = after_past_editions(folder, url)
        else:
            told[str(size)] = sized(folder, stock.copy(url, "scaled"), size, seconds)
        print(size, told, file=sys.stderr)
    return told


def holds(told: dict[str, Any]) -> bool:
    each = [found for size, found in told.items() if size.isdigit()]
    return (
        all(found["tick_seconds"] <= 60 and max(found["tick_peak_mb"], found["deliver_peak_mb"]) <= 200 for found in each)
        and all(found.get("last_to_first", 0) <= 1.5 for found in each)
        and told["past_editions"]["ratio"] <= 1.25
    )


def main() -> None:
    asked = argparse.ArgumentParser(description="a million subscribers")
    asked.add_argument("--sizes", default=",".join(map(str, SIZES)))
    asked.add_argument("--databases", default="sqlite,postgresql")
    asked.add_argument("--seconds", type=float, default=15.0, help="that deliver is given for each size")
    options = asked.parse_args()
    sizes = sorted(int(size) for size in options.sizes.split(","))
    folder = Path(tempfile.mkdtemp(prefix="digest-scale-"))
    try:
        with stock.databases(folder, options.databases.split(",")) as urls:
            told = {kind: measured(folder, url, sizes, options.seconds) for kind, url in urls.items()}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    facts = {"holds": {kind: holds(found) for kind, found in told.items()}, "load": round(os.getloadavg()[0], 1)}
    print(json.dumps({"benchmark": "scale", **facts, **told}))


if __name__ == "__main__":
    main()
