"""How long the ranking of a 7-day window takes while the store grows: 10,000, 100,000, 1,000,000 papers, SQLite and PostgreSQL.

    python benchmarks/trending.py [PAPERS ...]    prints one JSON line

The window holds 2,000 papers, more than Hugging Face and six busy arXiv categories list in a week; 400 have votes, stars and
comments, read every six hours. Older papers are rows, each with two readings, 2,000 a week back in time. Timed is
what an edition does: the candidates read, the ranking with its reasons, and the choice of ten.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from stock import databases

from digest.domain.edition import PaperList
from digest.domain.identifier import Identifier
from digest.domain.paper import Sighting, Signal
from digest.ranking.model import parse
from digest.ranking.selection import select as choose
from digest.ranking.trending import Trending
from digest.store.engine import open_engine
from digest.store.unit_of_work import Store

ROOT = Path(__file__).resolve().parents[1]
NOW = datetime(2026, 3, 3, 5, tzinfo=UTC)
WEEK = timedelta(days=7)
WINDOW, VOTED = 2_000, 400
LIST = PaperList(name="daily", title="Daily")
SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 7
FIRST = 10_000_000
"""Numbers of older papers are above."""
_APART = WEEK.total_seconds() / WINDOW
_POSTGRESQL = (
    "SELECT g AS n FROM generate_series(CAST(:since AS int), CAST(:until AS int)) AS g",
    f"timestamptz '{NOW}' - n * interval '{_APART} seconds'",
    "first_seen_at + interval '{hours} hours'",
)
"""Numbers; when the n-th paper was seen first: as many a week as now; and some hours after one was."""
_SQLITE = (
    "WITH RECURSIVE g(n) AS (SELECT :since UNION ALL SELECT n + 1 FROM g WHERE n < :until) SELECT n FROM g",
    f"strftime('%Y-%m-%d %H:%M:%f000', '{NOW:%Y-%m-%d %H:%M:%S}', (-n * {_APART}) || ' seconds')",
    "strftime('%Y-%m-%d %H:%M:%f000', first_seen_at, '+{hours} hours')",
)


def window() -> list[Sighting]:
    """A week's papers, each with an abstract of usual length; every fifth is voted on."""
    shown = []
    for n in range(WINDOW):
        seen = NOW - WEEK * (n + 1) / (WINDOW + 1)
        readings = []
        for k in range(int((NOW - seen) / timedelta(hours=6)) if n % (WINDOW // VOTED) == 0 else 0):
            at = seen + k * timedelta(hours=6)
            readings += [Signal(kind, float(k * (1 + n % 17)), at, "hub") for kind in ("upvotes", "github_stars", "comments")]
        shown.append(
            Sighting(
                source="hub",
                identifiers=(Identifier("arxiv", f"2603.{n:05}"),),
                title=f"Paper {n} on subject {n % 97} by method {n % 89}",
                abstract=" ".join(f"word{(n * 31 + m * m) % 4999}" for m in range(180)),
                authors=tuple(f"Author {n}-{m}" for m in range(6)),
                categories=(f"cs.{('LG', 'CL', 'CV', 'AI', 'RO')[n % 5]}",),
                seen_at=seen,
                signals=tuple(readings),
            )
        )
    return shown


def grow(store: Store, known: int, size: int) -> None:
    """Older papers until the store holds `size`, made by the database itself: a million sent to it took minutes.

    PostgreSQL's triggers rest meanwhile. Ranking asks for no words, and what these rows refer to is there.
    """
    postgresql = store.engine.dialect.name == "postgresql"
    numbers, earlier, later = _POSTGRESQL if postgresql else _SQLITE
    with store.engine.begin() as connection:
        if postgresql:
            connection.execute(text("SET LOCAL session_replication_role = 'replica'"))
        pattern = connection.execute(text("SELECT * FROM papers LIMIT 1")).mappings().one()
        own = {"id": f"{FIRST} + n", "title": "'Older ' || n", "title_key": "'older ' || n"}
        own |= dict.fromkeys(("first_seen_at", "changed_at"), earlier)
        values = [own.get(name, f"pattern.{name}") for name in pattern]
        made = f"SELECT {', '.join(values)} FROM ({numbers}) AS new, papers AS pattern WHERE pattern.id = :pattern"
        bounds = {"since": known + 1, "until": size}
        connection.execute(text(f"INSERT INTO papers ({', '.join(pattern.keys())}) {made}"), {**bounds, "pattern": pattern["id"]})
        new = f"FROM papers WHERE id BETWEEN {FIRST} + :since AND {FIRST} + :until"
        connection.execute(
            text(f"INSERT INTO identifiers (scheme, value, paper_id) SELECT 'arxiv', 'old.' || id, id {new}"), bounds
        )
        for hours in (1, 30):
            observed = later.format(hours=hours)
            read = f"SELECT id, 'upvotes', 'hub', {observed}, {hours} {new}"
            connection.execute(text(f"INSERT INTO signals (paper_id, kind, source, observed_at, value) {read}"), bounds)
    if postgresql:
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))


def timed(store: Store, ranker: Trending) -> dict[str, object]:
    """Milliseconds, median of ROUNDS; the first look apart: it finds nothing in memory. Processor time is of this process."""
    spent: list[tuple[float, float, float]] = []
    processor: list[float] = []
    for _ in range(ROUNDS + 1):
        worked, began = time.process_time(), time.perf_counter()
        with store.read() as unit:
            candidates = unit.papers.candidates(NOW, NOW - WEEK, LIST)
        read = time.perf_counter()
        ranked = ranker(candidates, NOW)
        done = time.perf_counter()
        assert len(choose(ranked, 10, frozenset()).picks) == 10
        spent.append((read - began, done - read, time.perf_counter() - done))
        processor.append(time.process_time() - worked)
    assert len(candidates) == WINDOW
    parts = [round(1000 * statistics.median(column)) for column in zip(*spent[1:], strict=True)]
    whole = [1000 * sum(each) for each in spent]
    return {
        "ms": round(statistics.median(whole[1:])),
        "worst_ms": round(max(whole[1:])),
        "processor_ms": round(1000 * statistics.median(processor[1:])),
        "first_ms": round(whole[0]),
        "read_rank_choose_ms": parts,
    }


def main(sizes: list[int]) -> None:
    ranker = Trending(parse((ROOT / "config/trending.toml").read_text("utf-8"), "config/trending.toml"))
    result: dict[str, object] = {"benchmark": "trending", "window": WINDOW}
    with tempfile.TemporaryDirectory() as folder, databases(Path(folder), ("sqlite", "postgresql")) as urls:
        for kind, url in urls.items():
            store = Store(open_engine(url), str)
            with store.begin() as unit:
                unit.papers.merge(window())
            known, figures = WINDOW, {}
            for size in sizes:
                grow(store, known, size)
                known = size
                figures[f"{size:,} papers"] = timed(store, ranker)
            result[kind] = figures
            store.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main(sorted(map(int, sys.argv[1:])) or list(SIZES))
