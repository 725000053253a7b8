"""What freezing an edition costs, in one style and in both: rendering and proofreading a pool of 300 papers, and keeping it.

    python benchmarks/freeze.py [ROUNDS]

Prints one JSON line: medians in seconds, one core, SQLite on disk. An edition is frozen once, whatever the number of readers.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from digest.config import Database, Secrets, Settings
from digest.container import Container
from digest.domain.edition import Edition, Pick, Pooled, Window
from digest.domain.identifier import Identifier
from digest.domain.paper import Ranked, Reason, Sighting
from digest.render.edition.cards import render_edition

POOL, PICKS = 300, 10
AT = datetime(2026, 3, 2, 5, tzinfo=UTC)
SENTENCE = (
    "We propose method {n} of kind {k}, which does what was asked of it and a little more besides, at a cost few will mind. "
)


class Watch:
    """Seconds by what was done."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[what].append(time.perf_counter() - started)


def main(rounds: int) -> None:
    watch = Watch()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        settings = Settings(
            database=Database(url=f"sqlite:///{place / 'digest.sqlite3'}"), secrets=Secrets(key_file=place / "key")
        )
        with Container(settings) as container:
            for number in range(rounds):
                once(container, number, watch)
    print(
        json.dumps(
            {"benchmark": "freeze", "pool": POOL, "picks": PICKS, "rounds": rounds}
            | {f"{what}_seconds": round(statistics.median(each), 3) for what, each in watch.seconds.items()}
        )
    )


def once(container: Container, number: int, watch: Watch) -> None:
    """Other papers each time, so that nothing remembered of the last round helps."""
    paper_list, edition_renderer = container.adapters.paper_list(None), container.adapters.edition_renderer
    draft = drafted(container, number, paper_list.name)
    with watch.timed("first_style"):
        rendered = render_edition(container.adapters.templates, edition_renderer.view(draft, paper_list, 0, "full"))
    with watch.timed("second_style"):
        other = render_edition(container.adapters.templates, edition_renderer.view(draft, paper_list, 0, "compact"))
    whole = replace(rendered, other=other)
    with watch.timed("proof_of_both"):
        assert edition_renderer.proof(draft, paper_list, whole) == ()
    with watch.timed("keep_both"), container.adapters.store.begin() as unit:
        unit.editions.freeze(draft, whole)


def drafted(container: Container, number: int, list_name: str) -> Edition:
    names = [Identifier("arxiv", f"26{number % 90 + 10}.{n:05}") for n in range(1, POOL + 1)]
    with container.adapters.store.begin() as unit:
        unit.papers.merge([seen(name, n, number) for n, name in enumerate(names)])
        papers = [found for name in names if (found := unit.papers.find(name))]
    ranked = [
        Ranked(paper, 1 / (n + 1), (Reason("votes", f"+{n} upvotes since yesterday"),), (1, 2, n + 3))
        for n, paper in enumerate(papers)
    ]
    day = date(2026, 3, 2) + timedelta(days=number)
    return Edition(
        id=0,
        list=list_name,
        date=day,
        window=Window(AT, AT + timedelta(days=1)),
        cutoff=AT + timedelta(days=number),
        frozen_at=AT + timedelta(days=number),
        picks=tuple(Pick(rank, each) for rank, each in enumerate(ranked[:PICKS], start=1)),
        pool=tuple(Pooled(position, each) for position, each in enumerate(ranked)),
        content_hash=f"{number:064}",
    )


def seen(name: Identifier, n: int, number: int) -> Sighting:
    return Sighting(
        source="arxiv",
        identifiers=(name,),
        title=f"Method {n} of kind {number}: what was asked of it, $O(n^{n % 9})$ and a little more",
        abstract="".join(SENTENCE.format(n=f"{n}.{sentence}", k=number) for sentence in range(10)),
        authors=tuple(f"Ann Author{k}" for k in range(7)),
        categories=("cs.LG",),
        url=f"https://arxiv.org/abs/{name.value}",
        pdf_url=f"https://arxiv.org/pdf/{name.value}",
        published_at=AT,
        seen_at=AT,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
