"""How long a search takes over the corpus, on SQLite and on PostgreSQL: p50 and p95 over many queries, warm.

    python benchmarks/search.py [PAPERS.jsonl.gz [SQLITE_FILE]]    prints one JSON line

Queries are what people type: common words, two to five words of titles, phrases, authors, filters, kin of a paper, questions,
long ones, misspelled ones. Each is asked as the pages and commands ask it (papers are read too). SQLITE_FILE is a store to use,
or to make and keep.
"""

from __future__ import annotations

import gzip
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from digest.services.papers.import_files import load
from digest.store import migrate
from digest.store.engine import open_engine
from digest.store.unit_of_work import Store

ROOT = Path(__file__).resolve().parents[1]
COMMON = "learning model language diffusion attention network method data training robot protein vision graph reasoning agents"
MOST = 30
"""Papers asked for, as on the search page."""


def queries(corpus: Path, chance: random.Random) -> dict[str, list[str]]:
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    some = chance.sample(rows, 60)
    titles = [row["title"].split() for row in some]
    starts = [chance.randrange(max(1, len(title) - 4)) for title in titles]
    words = [" ".join(title[at : at + 2 + n % 4]) for n, (title, at) in enumerate(zip(titles, starts, strict=True))]
    return {
        "common words": COMMON.split(),
        "words": words,
        "phrases": [f'"{" ".join(title[at : at + 2])}"' for title, at in zip(titles, starts, strict=True)],
        "authors": [f'author:"{row["authors"][0]}"' for row in some if row["authors"]],
        "filters": [f"cat:{row['categories'][0]} since:2026-0{1 + n % 6} {words[n].split()[0]}" for n, row in enumerate(some)],
        "filters alone": [f"cat:{row['categories'][0]} since:2025-0{3 + n % 6}" for n, row in enumerate(some[:20])],
        "similar": [f"like:{row['id']}" for row in some[:30]],
        "20 words of an abstract": [" ".join(row["abstract"].split()[:20]) for row in some],
        "20 words of several": [" ".join(chance.choice(rows)["abstract"].split()[5] for _ in range(20)) for _ in some],
        "common words together": [" ".join(chance.sample(COMMON.split(), 2 + n % 9)) for n in range(30)],
        "questions": [f"how can {words[n]} be done without {words[-n]}" for n in range(1, 30)],
        "misspelled": [_misspelled(line, chance) for line in words[:30]],
    }


def _misspelled(words: str, chance: random.Random) -> str:
    at = chance.randrange(len(words))
    return words[:at] + words[at + 1 :]


def timed(store: Store, asked: dict[str, list[str]]) -> dict[str, object]:
    spent: dict[str, list[float]] = {}
    for kind, some in asked.items():
        for query in some:
            best = []
            for _ in range(2):  # the second time what it reads is in memory, as in a server that runs
                began = time.perf_counter()
                with store.read() as unit:
                    unit.papers.search(query, MOST)
                best.append(1000 * (time.perf_counter() - began))
            spent.setdefault(kind, []).append(best[-1])
    every = [each for some in spent.values() for each in some]
    return {
        "queries": len(every),
        "p50_ms": round(statistics.median(every), 1),
        "p95_ms": round(statistics.quantiles(every, n=20)[-1], 1),
        "worst_ms": round(max(every), 1),
        "p95_by_kind": {kind: round(statistics.quantiles(some, n=20)[-1], 1) for kind, some in spent.items()},
    }


@contextmanager
def stocked(url: str, corpus: Path) -> Iterator[tuple[Store, int]]:
    engine = open_engine(url)
    migrate.upgrade(engine)
    store = Store(engine, lambda key: key)
    with store.read() as unit:
        known = unit.papers.count()
    if not known:
        load([corpus], store, None, datetime.now(UTC))
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
    try:
        with store.read() as unit:
            known = unit.papers.count()
        yield store, known
    finally:
        engine.dispose()


def main(corpus: Path, file: Path | None) -> None:
    asked = queries(corpus, random.Random(7))
    result: dict[str, object] = {"benchmark": "search"}

    def measure(name: str, url: str) -> None:
        with stocked(url, corpus) as (store, known):
            result["papers"] = known
            result[name] = timed(store, asked)

    with tempfile.TemporaryDirectory() as folder:
        measure("sqlite", f"sqlite:///{file or Path(folder) / 'digest.sqlite3'}")
    sys.path.insert(0, str(ROOT))
    from tests.servers import postgresql

    if reason := postgresql.missing():
        result["postgresql"] = reason
    else:
        with postgresql.postgresql() as url:
            measure("postgresql", url)
    print(json.dumps(result))


if __name__ == "__main__":
    given = list(map(Path, sys.argv[1:]))
    main(
        given[0] if given else ROOT.parent / "shared/data/corpus/arxiv_papers.jsonl.gz",
        given[1] if len(given) > 1 else None,
    )
