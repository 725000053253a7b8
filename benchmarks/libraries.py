"""A morning's picks for readers with libraries, out of a database: seconds and peak memory.

    python benchmarks/libraries.py [READERS [WORKS [PAPERS [SHARED]]]]    prints one JSON line (10,000 200 1,000 20,000)

Works and papers are real ones (../shared/data/corpus). Each reader holds WORKS of the SHARED works, the popular ones more often,
around two categories of their own; they are kept in a SQLite file and picked from in batches of 500, as a delivery run does:
libraries are read from the tables, works' texts only when the window has not learnt them, and cards are not made.
"""

from __future__ import annotations

import gzip
import json
import random
import resource
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import insert, select

from digest.domain.delivery import Claimed
from digest.domain.edition import Card, Edition, PaperList, Pick, Pooled, Rendered, Window
from digest.domain.identifier import Identifier
from digest.domain.paper import Paper, Ranked, Reason, Sighting
from digest.domain.subscriber import Address, Consent, Interests, NewReader
from digest.services.editions.personalise import Personaliser
from digest.store.engine import open_engine
from digest.store.migrate import upgrade
from digest.store.schema_libraries import library
from digest.store.schema_libraries import works as works_table
from digest.store.unit_of_work import Store

AT = datetime(2026, 5, 1, tzinfo=UTC)
CLAIMED = 500
PICKS = 10


def rows(file: Path, count: int) -> list[dict[str, object]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return list(map(json.loads, islice(lines, count)))


def paper(number: int, row: dict[str, object]) -> Paper:
    return Paper(
        id=number,
        identifiers=(Identifier("arxiv", str(row["id"])),),
        title=str(row["title"]),
        abstract=str(row["abstract"]),
        authors=tuple(row["authors"]),  # type: ignore[arg-type]
        categories=tuple(row["categories"]),  # type: ignore[arg-type]
        first_seen_at=AT,
    )


def stock(store: Store, real: list[dict[str, object]], readers: int, works: int, papers: int) -> int:
    """The database: an edition, readers, and who holds which work. Returns the edition's id."""
    chance = random.Random(11)
    daily = PaperList(name="daily", title="Daily")
    pool = [Pooled(n, Ranked(paper(n + 1, row), 1.0, (Reason("votes", "+1 upvote"),))) for n, row in enumerate(real[:papers])]
    shown = [
        Sighting(source="x", identifiers=each.ranked.paper.identifiers, title=each.ranked.paper.title, seen_at=AT)
        for each in pool
    ]
    edition = Edition(
        id=0, list="daily", date=AT.date(), window=Window(AT - timedelta(days=7), AT), cutoff=AT, frozen_at=AT,
        picks=tuple(Pick(n + 1, each.ranked) for n, each in enumerate(pool[:PICKS])), pool=tuple(pool),
    )  # fmt: skip
    cards = tuple(Card(each.ranked.paper.id, "", "") for each in pool)
    rendered = Rendered(subject="s", html="", text="", cards=cards, nonce="0", picks=tuple(range(PICKS)))
    with store.begin() as unit:
        unit.lists.sync([daily])
        unit.papers.merge(shown)
        edition_id = unit.editions.freeze(edition, rendered).id
    held = [
        Sighting(
            source="x",
            identifiers=(Identifier("arxiv", str(row["id"])),),
            title=str(row["title"]),
            abstract=str(row["abstract"]),
            authors=tuple(row["authors"]),  # type: ignore[arg-type]
            seen_at=AT,
        )
        for row in real[papers:]
    ]
    by_category: dict[str, list[int]] = defaultdict(list)
    with store.begin() as unit:
        unit.libraries.keep(held, AT)
        ids = {row.name: row.id for row in unit.connection.execute(select(works_table.c.id, works_table.c.name))}
    for row in real[papers:]:
        by_category[str(row["categories"][0])].append(ids[f"arxiv:{row['id']}"])  # type: ignore[index]
    topics = [category for category, some in by_category.items() if len(some) > 50]
    consent = Consent(AT, "benchmark", "x", "recorded by operator")
    for start in range(0, readers, 5000):
        people = [NewReader(Address(f"r{n}@example.org"), "daily") for n in range(start, min(readers, start + 5000))]
        with store.begin() as unit:
            unit.subscribers.add_confirmed(people, consent, AT)
        links = []
        for subscription_id in range(start + 1, min(readers, start + 5000) + 1):
            wanted: set[int] = set()
            own = [by_category[chance.choice(topics)] for _ in range(2)]
            while len(wanted) < works:
                some = own[chance.random() < 0.3] if chance.random() < 0.8 else by_category[chance.choice(topics)]
                wanted.add(some[int(len(some) * chance.random() ** 2)])
                if len(wanted) >= sum(map(len, own)):
                    break
            links += [{"subscription_id": subscription_id, "work_id": w, "position": n} for n, w in enumerate(wanted)]
        with store.begin() as unit:
            unit.connection.execute(insert(library), links)
    return edition_id


def claimed(number: int, edition_id: int) -> Claimed:
    return Claimed(
        id=number, edition_id=edition_id, subscription_id=number, subscriber_id=number, address=Address("r@example.org"),
        attempts=0, due_at=AT, expires_at=AT, picks=None, personal=True, wanted=None, interests=Interests(),
    )  # fmt: skip


def main(readers: int, works: int, papers: int, shared: int, file: Path) -> None:
    real = rows(file, papers + shared)
    with TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/b.sqlite3")
        upgrade(engine)
        store = Store(engine, str)
        edition_id = stock(store, real, readers, works, papers)
        del real
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        personaliser = Personaliser(store, lambda edition, positions: None)
        began, spent = time.perf_counter(), time.process_time()
        full = 0
        for start in range(1, readers + 1, CLAIMED):
            batch = [claimed(n, edition_id) for n in range(start, min(readers, start + CLAIMED - 1) + 1)]
            with store.read() as unit:
                chosen = personaliser(unit, batch)
            full += sum(len(own or ()) == PICKS for own in chosen.values())
        seconds, cpu = time.perf_counter() - began, time.process_time() - spent
    assert full == readers
    result = {
        "benchmark": "libraries",
        "readers": readers,
        "works_each": works,
        "papers": papers,
        "shared_works": shared,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "of_which_the_stocking_mb": round(before),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:5]]
    corpus = Path(__file__).resolve().parents[2] / "shared/data/corpus/arxiv_papers.jsonl.gz"
    main(*[*given, *(10_000, 200, 1_000, 20_000)[len(given) :]], Path(sys.argv[5]) if len(sys.argv) > 5 else corpus)
