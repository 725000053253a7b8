"""How long papers take into a fresh store, and how long the same file again, when nothing is new; on SQLite and on PostgreSQL.

    python benchmarks/import_papers.py [PAPERS.jsonl]    prints one JSON line

Without a file: the corpus in ../shared/data. The claim (111,859 papers): at most 60 s fresh and 20 s unchanged on two cores.
`cpu_seconds` are this process's own, without what others on the machine cost it. PostgreSQL only where it is installed; it runs
as the tests have it, without fsync.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from digest.services.papers.import_files import load  # noqa: E402
from digest.store import migrate  # noqa: E402
from digest.store.engine import open_engine  # noqa: E402
from digest.store.unit_of_work import Store  # noqa: E402
from tests.servers import postgresql  # noqa: E402 - the tests' own server

CORPUS = ROOT.parent / "shared/data/corpus/arxiv_papers.jsonl.gz"


def measured(url: str, file: Path) -> dict[str, Any]:
    engine = open_engine(url)
    migrate.upgrade(engine)
    store = Store(engine, lambda key: key)
    timed = []
    for _ in range(2):
        began, cpu = time.perf_counter(), time.process_time()
        report = load([file], store, None, datetime.now(UTC))
        timed.append((round(time.perf_counter() - began, 1), round(time.process_time() - cpu, 1), report))
    with store.read() as unit:
        found = len(unit.papers.search("diffusion", 50).matches)
    engine.dispose()
    (fresh, fresh_cpu, first), (unchanged, unchanged_cpu, again) = timed
    return {
        "papers_new": first.papers_new,
        "fresh_seconds": fresh,
        "fresh_cpu_seconds": fresh_cpu,
        "papers_unchanged": again.papers_unchanged,
        "unchanged_seconds": unchanged,
        "unchanged_cpu_seconds": unchanged_cpu,
        "rejected": len(first.rejected),
        "found": found,
    }


def main(file: Path) -> None:
    result: dict[str, Any] = {"benchmark": "import", "load_average": round(os.getloadavg()[0], 1)}
    with tempfile.TemporaryDirectory() as folder:
        result["sqlite"] = measured(f"sqlite:///{folder}/digest.sqlite3", file)
    if reason := postgresql.missing():
        result["postgresql"] = reason
    else:
        with postgresql.postgresql() as url:
            result["postgresql"] = measured(url, file)
    print(json.dumps(result))


if __name__ == "__main__":
    given = Path(sys.argv[1]) if len(sys.argv) == 2 else CORPUS
    if len(sys.argv) > 2 or not given.is_file():
        sys.exit("usage: import_papers.py [PAPERS.jsonl]")
    main(given)
