"""Those who kill `digest deliver` and look at what came of it: for the tests and for `./run bench kill`.

The relay is a process of its own that has each message on disk before its 250; so is each run, which killable.py
kills.
"""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.servers import preloaded
from tests.servers.killable import STAGES, strike, strike_after
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


def run(config: Path, first: Callable[[], object] | None = None) -> tuple[int, str]:
    """One run of `digest deliver`, to be killed as `first` has it: how it ended, and the end of what it printed."""
    done = preloaded.run(["deliver", "--json", "--config", str(config)], first=first, timeout=PATIENCE)
    return done.returncode, (done.stdout + done.stderr)[-4000:]


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


def staged(*nths: int) -> list[partial[None]]:
    return [partial(strike, stage, 1 if stage == "mid-record" else nth) for nth in nths for stage in STAGES]


def at_random(count: int) -> list[partial[None]]:
    moments = random.Random(count)
    return [partial(strike_after, moments.uniform(0.0, 0.08)) for _ in range(count)]
