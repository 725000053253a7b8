"""Those who kill `digest deliver` and look at what came of it: for the tests and for `./run bench kill`.

The relay is a process of its own that has each message on disk before its 250; so is each run (killable.py).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers.killable import STAGES
from tests.servers.running import PATIENCE, running
from tests.servers.smtp import read_store

SERVERS = Path(__file__).resolve().parent


@contextmanager
def recorder(folder: Path) -> Iterator[tuple[int, Path]]:
    """The port of a recording server in a process of its own, and what it keeps."""
    store, port_file = folder / "kept.jsonl", folder / "port"
    command = [sys.executable, SERVERS / "recorder.py", store, port_file]
    with running(command, port_file.exists, folder / "recorder.log"):
        yield int(port_file.read_text()), store


@contextmanager
def killable(config: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, str(SERVERS / "killable.py")],
        env=os.environ | {"DIGEST_CONFIG": str(config)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=PATIENCE) == 0


def run(process: subprocess.Popen[str], **order: Any) -> tuple[int, str]:
    """One run of `digest deliver`: how it ended, and the end of what it said."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(order) + "\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    return answer["status"], answer["said"]


def copies(store: Path) -> dict[str, list[bytes]]:
    """By recipient: every message the relay took for them."""
    found = defaultdict(list)
    for kept in read_store(store):
        [recipient] = kept.recipients
        found[recipient].append(kept.data)
    return found


def doubles(got: dict[str, list[bytes]]) -> int:
    return sum(len(each) - 1 for each in got.values())


def all_equal(got: dict[str, list[bytes]]) -> bool:
    """Doubles are the same bytes; so they have the same Message-ID, and nobody else has it."""
    ids = {data.split(b"\r\nMessage-ID:")[1].split(b"\r\n")[0] for each in got.values() for data in each}
    return all(len(set(each)) == 1 for each in got.values()) and len(ids) == len(got)


def staged(*nths: int) -> list[dict[str, Any]]:
    return [{"stage": stage, "nth": 1 if stage == "mid-record" else nth} for nth in nths for stage in STAGES]


def at_random(count: int) -> list[dict[str, Any]]:
    moments = random.Random(count)
    return [{"after": moments.uniform(0.0, 0.08)} for _ in range(count)]
