"""How well a list where nobody votes chooses: arXiv's announcements alone, judged by the votes Hugging Face showed later.

    ./run bench unvoted [SINCE [UNTIL]]    prints one JSON line; days from 2026-03-27 on were not fitted on

Each day's papers of ../shared/data/corpus (cs) are ranked at the hour of their announcement, as if no reading of any of them were
known. What became of earlier papers is known from ../shared/data/hf_history as far as it was read by then. "without records": the
same ranking where no earlier paper is known, as on a store that never saw a vote.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from backtest import END, LAST_TWO_MONTHS, ROOT, as_json_lines

from digest.domain.edition import PaperList
from digest.domain.paper import NO_TRACK_RECORD, Candidate, Ranked
from digest.ranking import trending
from digest.ranking.baselines import FORMULAS
from digest.ranking.model import parse
from digest.services.papers.import_files import load
from digest.services.ranking.backtest import FATE, backtest
from digest.store import migrate
from digest.store.engine import open_engine
from digest.store.unit_of_work import Store

DATA = ROOT.parent / "shared" / "data"
LIST = PaperList(name="arxiv", title="arXiv", categories=frozenset({"cs"}))
"""By category: of the history's own papers no category is known, so they are no candidates."""


def announced(since: date, until: date) -> Iterator[dict[str, Any]]:
    with gzip.open(DATA / "corpus/arxiv_papers.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["src"] == "arxiv-cs" and since <= date.fromisoformat(row["date"]) <= until:
                told = {name: row[name] for name in ("title", "abstract", "authors", "categories", "comment") if row.get(name)}
                yield {"id": f"arxiv:{row['id']}", "seen_at": f"{row['date']}T01:00:00Z", **told}


def without_records(ranker: trending.Trending) -> trending.Ranker:
    def rank(candidates: Sequence[Candidate], at: datetime) -> list[Ranked]:
        return ranker([replace(each, delivery_counts=NO_TRACK_RECORD) for each in candidates], at)

    return rank


def main(since: date, until: date) -> None:
    shipped = trending.Trending(parse((ROOT / "config/trending.toml").read_text("utf-8"), "config/trending.toml"))
    rankers: dict[str, trending.Ranker] = {
        "shipped": shipped,
        "without records": without_records(shipped),
        "newest first": FORMULAS["newest first"],
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        engine = open_engine(f"sqlite:///{folder / 'history.sqlite'}")
        migrate.upgrade(engine)
        store = Store(engine, str)
        papers = folder / "announced.jsonl"
        papers.write_text("".join(json.dumps(row) + "\n" for row in announced(since, until)), "utf-8")
        load([papers, *as_json_lines(DATA / "hf_history", folder)], store, None, END)
        done = backtest(store, LIST, rankers, since, until, END)
        store.close()
    figures = {
        "days": done.unvoted_days,
        "chance": round(done.unvoted_chance, 3),
        **{each.ranker: {name: value for name, value in asdict(each).items() if name != "ranker"} for each in done.unvoted},
    }
    print(json.dumps(figures, default=str))


if __name__ == "__main__":
    first, last = [date.fromisoformat(each) for each in sys.argv[1:]] + [LAST_TWO_MONTHS, END.date() - FATE][len(sys.argv) - 1 :]
    main(first, last)
