"""How long a paper's own page takes with a million papers in the store: read, similar papers, rendered. On both databases.

    python benchmarks/paper_page.py [PAPERS.jsonl.gz [SQLITE_FILE [COPIES]]]    prints one JSON line

The corpus is there nine times over, each copy under names of its own, so that search words are as common as they would be.
Papers that are asked for have sixty readings of votes. SQLITE_FILE is a store to use, or to make and keep. Each
figure has what asking costs by itself ("asking_alone": client and application share the process). Trending pages are timed too.
PostgreSQL only where it is installed; `processor` figures leave out what its server does.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastapi.testclient import TestClient
from pages import configured
from sqlalchemy import text

from digest.config import load as configuration
from digest.container import Container
from digest.domain.identifier import Identifier
from digest.domain.paper import Signal
from digest.services.papers.import_files import load
from digest.store.dialect import words_filed
from digest.store.schema import papers
from digest.store.unit_of_work import Store
from digest.web.app import create_app
from digest.web.trending import WINDOWS
from tests.servers import postgresql

ROOT = Path(__file__).resolve().parents[1]
ASKED, READINGS = 100, 60
OFFSET = 1_000_000
APART = 7 * 86_400 / 2_000
"""Seconds between two papers, when they were first seen: 2,000 a week."""
VOTED = 60
"""Papers a day that readers vote on, each read every six hours for three days."""
NOW = datetime.now(UTC)


def stock(store: Store, corpus: Path, copies: int) -> None:
    """Copies are made by the database itself; a store that holds them already stays as it is."""
    triggers = store.engine.dialect.name == "postgresql"
    with store.read() as unit:
        known = unit.papers.count()
    if not known:
        load([corpus], store, None, NOW)
    with store.engine.begin() as connection, words_filed(connection):
        if connection.scalar(text("SELECT max(id) FROM papers")) > OFFSET:
            return
        spread = later(store, f"'{NOW:%Y-%m-%d %H:%M:%S}'", f"-({{id}} % {OFFSET} * {copies} + {{id}} / {OFFSET}) * {APART}")
        columns = papers.c.keys()
        for copy in range(1, copies):
            new = f"(id + {copy * OFFSET})"
            own = {"id": new, "title_key": "NULL"} | dict.fromkeys(("first_seen_at", "changed_at"), spread.format(id=new))
            values = ", ".join(own.get(name, name) for name in columns)
            first = f"FROM papers WHERE id < {OFFSET}"
            connection.execute(text(f"INSERT INTO papers ({', '.join(columns)}) SELECT {values} {first}"))
            names = f"SELECT 'copy{copy}', scheme || '.' || value, paper_id + {copy * OFFSET} FROM identifiers"
            connection.execute(
                text(f"INSERT INTO identifiers (scheme, value, paper_id) {names} WHERE paper_id < {OFFSET} AND scheme = 'arxiv'")
            )
            words = f"SELECT id, title, authors, abstract FROM papers WHERE id BETWEEN {copy * OFFSET} AND {(copy + 1) * OFFSET}"
            if not triggers:
                connection.execute(text(f"INSERT INTO papers_words (rowid, title, authors, abstract) {words}"))
        spread = spread.format(id="id")
        connection.execute(text(f"UPDATE papers SET first_seen_at = {spread}, changed_at = {spread} WHERE id < {OFFSET}"))
        if triggers:
            connection.execute(text("ANALYZE"))


def later(store: Store, instant: str, seconds: str) -> str:
    """SQL for an instant so many seconds after one."""
    if store.engine.dialect.name == "postgresql":
        return f"CAST({instant} AS timestamptz) + ({seconds}) * interval '1 second'"
    return f"strftime('%Y-%m-%d %H:%M:%f000', {instant}, ({seconds}) || ' seconds')"


def voted(store: Store, chance: random.Random) -> list[Identifier]:
    """Papers to ask for, each with readings of its votes."""
    with store.engine.connect() as connection:
        rows = connection.execute(text("SELECT scheme, value FROM identifiers ORDER BY random() LIMIT :most"), {"most": ASKED})
        asked = [Identifier(row.scheme, row.value) for row in rows]
    hours = [NOW - timedelta(hours=12 * n) for n in range(READINGS)]
    with store.begin() as unit:
        unit.papers.add_signals(
            [(each, Signal("upvotes", float(READINGS - n), at, "hub")) for each in asked for n, at in enumerate(hours)]
        )
    return asked


def talked_about(store: Store) -> None:
    """Votes of the last weeks, as a source with sixty papers a day has them."""
    observed = later(store, "first_seen_at", "21600 * n")
    with store.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO signals (paper_id, kind, source, observed_at, value)"
                " WITH RECURSIVE g(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM g WHERE n < 11)"
                f" SELECT id, 'upvotes', 'hub', {observed}, n * (id % 17)"
                " FROM papers, g WHERE first_seen_at > :since AND id % :every = 0 ON CONFLICT DO NOTHING"
            ),
            {"since": f"{NOW - timedelta(days=45):%Y-%m-%d %H:%M:%S}", "every": max(1, 2_000 // 7 // VOTED)},
        )


def timed(ask: Callable[[str], object], paths: list[str]) -> dict[str, float]:
    spent, worked = [], []
    for path in paths:
        ask(path)  # the second time what it reads is in memory, as in a server that runs
        began, busy = time.perf_counter(), time.process_time()
        ask(path)
        spent.append(1000 * (time.perf_counter() - began))
        worked.append(1000 * (time.process_time() - busy))
    quantiles = statistics.quantiles(spent, n=20)
    found = {"p50_ms": statistics.median(spent), "p95_ms": quantiles[-1], "processor_p50_ms": statistics.median(worked)}
    found["processor_p95_ms"] = statistics.quantiles(worked, n=20)[-1]
    return {name: round(value, 1) for name, value in found.items()}


def measured(place: Path, url: str, corpus: Path, copies: int) -> dict[str, object]:
    config = configured(place, 8999)
    config.write_text(config.read_text().replace(f"sqlite:///{place}/digest.sqlite3", url))
    with Container(configuration(config, {})) as container:
        stock(container.adapters.migrated_store(), corpus, copies)
        asked = voted(container.adapters.store, random.Random(7))
        client = TestClient(create_app(container, keep_seconds=0), base_url="http://127.0.0.1:8999")

        def ask(path: str) -> None:
            answer = client.get(path)
            assert answer.status_code == 200, (path, answer.status_code)

        result: dict[str, object] = {"papers": container.papers.count()}
        result["page"] = timed(ask, [f"/papers/{each}" for each in asked])
        result["asking_alone"] = timed(ask, ["/robots.txt"] * 40)
        talked_about(container.adapters.store)
        result["trending"] = {each: timed(ask, [f"/trending?window={each}"] * 2) for each in WINDOWS}
    return result


def main(corpus: Path, file: Path | None, copies: int) -> None:
    result: dict[str, object] = {"benchmark": "paper_page"}
    with tempfile.TemporaryDirectory() as place:
        result["sqlite"] = measured(Path(place), f"sqlite:///{file or Path(place, 'digest.sqlite3')}", corpus, copies)
        if reason := postgresql.missing():
            result["postgresql"] = reason
        else:
            with postgresql.postgresql() as url:
                result["postgresql"] = measured(Path(place), url, corpus, copies)
    print(json.dumps(result))


if __name__ == "__main__":
    given = sys.argv[1:]
    main(
        Path(given[0]) if given else ROOT.parent / "shared/data/corpus/arxiv_papers.jsonl.gz",
        Path(given[1]) if len(given) > 1 else None,
        int(given[2]) if len(given) > 2 else 9,
    )
