"""How well search finds a paper by other words than its title: a sentence of the abstract, whole or with words left out.

    python benchmarks/search_quality.py [PAPERS.jsonl.gz [STORE_URL [QUERIES]]]    prints one JSON line

Each of QUERIES papers (a seeded sample) is asked for in several ways, and is the one right answer: nDCG@10 is 1 where it comes
first, 0.63 where it comes second, 0 where it is not among ten. Beside it stands BM25 as FTS5 has it (any of the words, no stop
words), which needs SQLite. STORE_URL is a store that holds the corpus already; without one it is loaded into SQLite.
"""

from __future__ import annotations

import gzip
import json
import math
import random
import re
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from digest.ranking.sentences import sentences
from digest.services.papers.import_files import load
from digest.store import migrate
from digest.store.engine import open_engine
from digest.store.schema import identifiers
from digest.store.unit_of_work import Store

ROOT = Path(__file__).resolve().parents[1]
WORD = re.compile(r"[^\W_]+")
_STOP = """
    a about above after again all also an and any are as at be because been before being between both but by can could
    did do does each few for from further had has have having here how i if in into is it its itself just more most no
    nor not of off on once only or other our out over own same should so some such than that the their them then there
    these they this those through to too under until up very was we were what when where which while who whom why will
    with you your
    """
STOP = frozenset(_STOP.split())
SHORTEST = 8
"""Content words of a sentence that is asked with."""
FRAMES = ("how can {}", "methods to {}", "are there any papers on {}?", "what is known about {}")


def content(words: str) -> list[str]:
    return [word for word in WORD.findall(words.lower()) if word not in STOP]


def questions(corpus: Path, number: int) -> dict[str, list[tuple[str, str]]]:
    """By kind: (query, id of the paper that it is about)."""
    chance = random.Random(22)
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    asked: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in chance.sample(rows, 4 * number):
        long = [sentence for sentence in sentences(row["abstract"]) if len(content(sentence)) >= SHORTEST]
        title = row["title"].split()
        if not long or len(title) < 5:
            continue
        words = content(chance.choice(long))
        kept = {share: [word for word in words if chance.random() < share] or words[:3] for share in (0.7, 0.4, 0.35)}
        shuffled = chance.sample(kept[0.35], len(kept[0.35]))
        start, named = chance.randrange(len(title) - 3), content(row["title"]) or title
        ways = {
            "sentence": chance.choice(long),
            "sentence without stop words": " ".join(words),
            "sentence, 3 of 10 words dropped": " ".join(kept[0.7]),
            "sentence, 6 of 10 words dropped": " ".join(kept[0.4]),
            "question": chance.choice(FRAMES).format(" ".join(shuffled)),
            "title": row["title"],
            "2 to 4 words of the title": " ".join(title[start : start + 2 + len(asked["title"]) % 3]),
            "half of the title's words": " ".join([word for word in named if chance.random() < 0.5] or named[:2]),
        }
        for way, query in ways.items():
            asked[way].append((query, row["id"]))
        if len(asked["title"]) == number:
            break
    return asked


def gain(found: list[int], wanted: int) -> float:
    return 1 / math.log2(2 + found.index(wanted)) if wanted in found else 0.0


def bm25(store: Store, query: str) -> list[int]:
    matching = " OR ".join(f'"{word}"' for word in dict.fromkeys(content(query)))
    statement = text("SELECT rowid FROM papers_words WHERE papers_words MATCH :q ORDER BY bm25(papers_words) LIMIT 10")
    with store.engine.connect() as connection:
        return list(connection.scalars(statement, {"q": matching})) if matching else []


def ours(store: Store, query: str) -> list[int]:
    with store.read() as unit:
        found: Any = unit.papers.search(query, 10)
        # so that the same file measures a version whose search gives pairs
        return [match.paper.id for match in found.matches] if hasattr(found, "matches") else [paper.id for paper, _ in found]


def measured(store: Store, asked: dict[str, list[tuple[str, str]]]) -> dict[str, Any]:
    with store.engine.connect() as connection:
        ids = {row.value: row.paper_id for row in connection.execute(select(identifiers).where(identifiers.c.scheme == "arxiv"))}
    ways = {"digest": ours} | ({"bm25": bm25} if store.engine.dialect.name == "sqlite" else {})
    result: dict[str, Any] = {}
    for name, way in ways.items():
        gains, spent = {}, []
        for kind, queries in asked.items():
            each = []
            for query, wanted in queries:
                began = time.perf_counter()
                found = way(store, query)
                spent.append(1000 * (time.perf_counter() - began))
                each.append(gain(found, ids[wanted]))
            gains[kind] = round(statistics.mean(each), 3)
        result[name] = {
            "ndcg@10": gains,
            "p50_ms": round(statistics.median(spent)),
            "p95_ms": round(statistics.quantiles(spent, n=20)[-1]),
        }
    return result


def main(corpus: Path, url: str | None, number: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(url or f"sqlite:///{folder}/digest.sqlite3")
        store = Store(engine, lambda key: key)
        if url is None:
            migrate.upgrade(engine)
            load([corpus], store, None, datetime.now(UTC))
        result = measured(store, questions(corpus, number))
        engine.dispose()
    print(json.dumps({"benchmark": "search_quality", "sqlite": sqlite3.sqlite_version, "queries_of_a_kind": number, **result}))


if __name__ == "__main__":
    given = sys.argv[1:]
    main(
        Path(given[0]) if given else ROOT.parent / "shared/data/corpus/arxiv_papers.jsonl.gz",
        given[1] if len(given) > 1 else None,
        int(given[2]) if len(given) > 2 else 200,
    )
