"""How well trending tells what will matter, on a stored history: fitted on the months before, judged on the last two.

    python benchmarks/backtest.py [FOLDER [MORE]]    prints one JSON line; FOLDER is ../shared/data/hf_history

The history goes through the project's own doors: papers and readings as JSON lines, `import`, `train`, `backtest`. The last two
months are judged at five cutoffs (05:00 to 09:00 UTC), so that no figure hangs on one hour, with every formula beside the model
and the shipped coefficients beside those fitted here. With MORE = "months" also each month before: fitted on all before it. With
MORE = "table" a table of the last two months instead: errors, and paired differences from what was fitted here.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from statistics import fmean

from digest.domain.edition import PaperList
from digest.ranking.baselines import FORMULAS
from digest.ranking.model import parse
from digest.ranking.trending import Ranker, Trending
from digest.services.papers.import_files import load
from digest.services.ranking.backtest import backtest
from digest.services.ranking.train import train
from digest.store import migrate
from digest.store.engine import open_engine
from digest.store.unit_of_work import Store

ROOT = Path(__file__).resolve().parents[1]
LIST = PaperList(name="daily", title="Daily")
END = datetime(2026, 5, 27, tzinfo=UTC)
"""Where the history ends."""
EVER = datetime(2000, 1, 1, tzinfo=UTC)
LAST_TWO_MONTHS = date(2026, 3, 27)
CUTOFFS = (5, 6, 7, 8, 9)
MONTHS = (date(2026, 1, 27), date(2026, 2, 27), date(2026, 3, 27), date(2026, 4, 27))
KINDS = {"upvotes": "upvotes", "github_stars": "github_stars", "num_comments": "comments"}


def as_json_lines(folder: Path, into: Path, since: datetime = EVER, until: datetime = END) -> list[Path]:
    """The history in the project's exchange format (papers and signals, JSONL): what was seen or read in [since, until)."""
    first, end = since.isoformat(), until.isoformat()
    papers, readings = into / "papers.jsonl", into / "readings.jsonl"
    with gzip.open(folder / "papers.jsonl.gz", "rt", encoding="utf-8") as lines, papers.open("w", encoding="utf-8") as out:
        for row in map(json.loads, lines):
            if not first <= row["first_seen_at"] < end:
                continue
            told = {
                "id": f"arxiv:{row['paper_id']}",
                "title": row["title"],
                "abstract": row.get("abstract"),
                "authors": row.get("authors"),
                "seen_at": row["first_seen_at"],
                "published_at": row.get("published_at"),
                "code_url": row.get("github_repo"),
            }
            out.write(json.dumps({key: value for key, value in told.items() if value}) + "\n")
    with gzip.open(folder / "observations.csv.gz", "rt", encoding="utf-8") as lines, readings.open("w", encoding="utf-8") as out:
        for row in csv.DictReader(lines):
            for column, kind in KINDS.items():
                if row[column] and first <= row["observed_at"] < end:
                    paper, at = f"arxiv:{row['paper_id']}", row["observed_at"]
                    told = {"paper": paper, "kind": kind, "value": float(row[column]), "observed_at": at, "source": row["source"]}
                    out.write(json.dumps(told) + "\n")
    return [papers, readings]


def loaded(folder: Path, into: Path) -> Store:
    engine = open_engine(f"sqlite:///{into / 'history.sqlite'}")
    migrate.upgrade(engine)
    store = Store(engine, str)
    load(as_json_lines(folder, into), store, None, END)
    return store


def judged(store: Store, rankers: Mapping[str, Ranker], since: date, until: date) -> dict[str, dict[str, object]]:
    """By ranker: figures as means over the cutoffs, and NDCG@10 at each."""
    runs = [backtest(store, replace(LIST, cutoff=time(hour)), rankers, since, until, END) for hour in CUTOFFS]
    found: dict[str, dict[str, object]] = {}
    for scores in zip(*(run.scores for run in runs), strict=True):
        found[scores[0].ranker] = {
            "ndcg@10": round(fmean(each.ndcg for each in scores), 3),
            "captured": round(fmean(each.captured for each in scores), 3),
            "hours": round(fmean(each.hours for each in scores), 1),
            "by cutoff": [round(each.ndcg, 3) for each in scores],
            "by month": {month: round(fmean(each.months[month] for each in scores), 3) for month in scores[0].months},
        }
    return found


def table(store: Store, rankers: Mapping[str, Ranker], since: date, until: date) -> str:
    """Markdown: NDCG@10 of each ranker at each cutoff with its standard error, and below it how it differs from the first, paired
    morning by morning, as a 95 % interval. The last column has means of the others: its errors are no smaller, since the mornings
    are the same.
    """
    runs = [backtest(store, replace(LIST, cutoff=time(hour)), rankers, since, until, END, again=False) for hour in CUTOFFS]
    mornings = f"{min(run.mornings for run in runs)} mornings from {runs[0].since} to {runs[0].until}"
    rows = [[mornings, *(f"{hour:02}:00 UTC" for hour in CUTOFFS), "all five"], ["---"] * (len(CUTOFFS) + 2)]
    for scores in zip(*(run.scores for run in runs), strict=True):
        ndcg = [(each.ndcg, each.ndcg_error) for each in scores]
        less = [(each.difference.mean, 1.96 * each.difference.error) for each in scores]
        means, ranges = ([*each, tuple(map(fmean, zip(*each, strict=True)))] for each in (ndcg, less))
        rows.append([scores[0].ranker, *(f"{mean:.3f} ± {error:.3f}" for mean, error in means)])
        if scores[0].ranker != next(iter(rankers)):
            rows.append(["", *(f"{mean - half:+.3f} to {mean + half:+.3f}" for mean, half in ranges)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def fitted_before(store: Store, day: date) -> Trending:
    return Trending(train(store, LIST, datetime.combine(day, time(), UTC)))


def main(folder: Path, more: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        store = loaded(folder, Path(scratch))
        shipped = Trending(parse((ROOT / "config/trending.toml").read_text("utf-8"), "config/trending.toml"))
        rankers: dict[str, Ranker] = {"fitted here": fitted_before(store, LAST_TWO_MONTHS), "shipped": shipped, **FORMULAS}
        if more == "table":
            print(table(store, rankers, LAST_TWO_MONTHS, END.date()))
            store.close()
            return
        figures: dict[str, object] = {"last two months": judged(store, rankers, LAST_TWO_MONTHS, END.date())}
        if more == "months":
            for start, end in zip(MONTHS, (*MONTHS[1:], END.date()), strict=True):
                month = {"fitted before it": fitted_before(store, start), **FORMULAS}
                figures[f"from {start}"] = {
                    name: told["ndcg@10"] for name, told in judged(store, month, start, end - timedelta(days=1)).items()
                }
        store.close()
    print(json.dumps(figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared/data/hf_history", (sys.argv[2:] or [""])[0])
