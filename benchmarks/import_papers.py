"""How long papers take into a fresh SQLite store, and how long the same file again, when nothing is new.

    python benchmarks/import_papers.py PAPERS.jsonl    prints one JSON line

The claim (docs: 111,859 papers of the corpus): at most 60 s fresh and 20 s unchanged on two cores.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from digest.journey.load import load
from digest.store import migrate
from digest.store.engine import open_engine
from digest.store.unit import Store


def main(file: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/digest.sqlite3")
        migrate.upgrade(engine)
        store = Store(engine, lambda key: key)
        timed = []
        for _ in range(2):
            began = time.perf_counter()
            report = load([file], store, None, datetime.now(UTC))
            timed.append((round(time.perf_counter() - began, 1), report))
        engine.dispose()
    (fresh, first), (unchanged, again) = timed
    result = {
        "benchmark": "import",
        "papers_new": first.papers_new,
        "fresh_seconds": fresh,
        "papers_unchanged": again.papers_unchanged,
        "unchanged_seconds": unchanged,
        "rejected": len(first.rejected),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: import_papers.py PAPERS.jsonl")
    main(Path(sys.argv[1]))
