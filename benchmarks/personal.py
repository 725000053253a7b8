"""Personal picks for many readers: seconds and peak memory for the whole batch, and in batches as a delivery run claims them.

    python benchmarks/personal.py [READERS [PAPERS [CORPUS]]]    prints one JSON line; 100,000 readers x 300 papers by default

Papers are real ones (../shared/data/corpus). Each reader has two wishes of two words, a category, an author in every other case,
five papers liked and one disliked out of 5,000, some had already, every fifth a mute, and gets ten picks with reasons.
"""

from __future__ import annotations

import gzip
import json
import random
import resource
import sys
import time
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from digest.domain.edition import Pooled
from digest.domain.identifier import Identifier
from digest.domain.paper import Paper, Ranked, Reason
from digest.domain.subscriber import Interests
from digest.ranking.relevance import Reader, Window, personal_picks

LIKEABLE = 5_000
CLAIMED = 500


def papers(file: Path, count: int) -> list[Paper]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = list(map(json.loads, islice(lines, count)))
    return [
        Paper(
            id=n,
            identifiers=(Identifier("arxiv", row["id"]),),
            title=row["title"],
            abstract=row["abstract"],
            authors=tuple(row["authors"]),
            categories=tuple(row["categories"]),
            first_seen_at=datetime(2026, 5, 1, tzinfo=UTC),
        )
        for n, row in enumerate(rows, 1)
    ]


def reader(chance: random.Random, pool: list[Paper], likeable: list[Paper]) -> Reader:
    def words() -> str:
        title = chance.choice(likeable).title.lower().split()
        start = chance.randrange(max(1, len(title) - 1))
        return " ".join(title[start : start + 2])

    def names(count: int) -> tuple[str, ...]:
        return tuple(str(each.identifier) for each in chance.sample(likeable, count))

    author = chance.choice(pool).authors
    interests = Interests(
        words=(words(), words()),
        categories=(chance.choice(chance.choice(pool).categories),),
        authors=author[:1] if chance.random() < 0.5 else (),
        muted_words=(words(),) if chance.random() < 0.2 else (),
        liked=names(5),
        disliked=names(1),
    )
    return Reader(interests, 10, frozenset(each.id for each in chance.sample(pool, 5)))


def main(readers: int, size: int, file: Path) -> None:
    real = papers(file, size + LIKEABLE)
    shown, likeable = real[:size], real[size:]
    pool = [Pooled(n, Ranked(paper, 1.0 - n / size, (Reason("votes", "+1 upvote"),))) for n, paper in enumerate(shown)]
    outside = {str(paper.identifier): paper for paper in likeable}
    chance = random.Random(7)
    asking = [reader(chance, shown, likeable) for _ in range(readers)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    began = time.perf_counter()
    picks = personal_picks(pool, asking, outside)
    whole = time.perf_counter() - began

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert sum(len(own) == 10 for own in picks) > 0.99 * readers, "fewer only where a mute took nearly the whole pool"
    some = asking[: 20 * CLAIMED]
    window = Window(pool)
    began = time.perf_counter()
    batched = [own for n in range(0, len(some), CLAIMED) for own in personal_picks(window, some[n : n + CLAIMED], outside)]
    claimed = time.perf_counter() - began
    assert batched == picks[: len(some)], "a reader gets the same picks whoever else is in the batch"
    result = {
        "benchmark": "personal",
        "readers": readers,
        "papers": size,
        "seconds": round(whole, 1),
        "peak_mb": round(peak),
        "of_which_the_readers_mb": round(before),
        f"ms_a_batch_of_{CLAIMED}": round(1000 * claimed / (len(some) / CLAIMED), 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    given = sys.argv[1:]
    corpus = Path(__file__).resolve().parents[2] / "shared/data/corpus/arxiv_papers.jsonl.gz"
    main(
        int(given[0]) if given else 100_000,
        int(given[1]) if len(given) > 1 else 300,
        Path(given[2]) if len(given) > 2 else corpus,
    )
