"""What it costs that topics of the last seven days step back, and what it brings; ./run bench variety [FOLDER [SHARE ...]]

Every morning of the last two months of hf_history, as in ./run bench backtest, but with the whole choice of a list: each SHARE is
a list's `variety`. A JSON line each: NDCG@10 by the votes of the next 72 hours, the paired difference from no variety with its
standard error, and how many picks of the seven days before are on the topic of a pick.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import fmean

from backtest import END, LAST_TWO_MONTHS, LIST, ROOT, loaded

from digest.domain.paper import Candidate, Paper, Ranked
from digest.ranking import terms
from digest.ranking.model import parse
from digest.ranking.selection import RELATED, select, stepped_back
from digest.ranking.trending import Ranker, Trending
from digest.services.ranking.backtest import backtest

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Varied:
    """The picks of a list first, as its editions choose them; remembers what it picked."""

    rank: Ranker
    variety: float
    picked: dict[int, tuple[datetime, Paper]] = field(default_factory=dict)
    related: list[int] = field(default_factory=list)

    def __call__(self, candidates: Sequence[Candidate], at: datetime) -> list[Ranked]:
        earlier = {n: (then, paper) for n, (then, paper) in self.picked.items() if then.date() < at.date()}
        lately = [paper for then, paper in earlier.values() if then >= at - WEEK]
        ranked = stepped_back(self.rank(candidates, at), lately, self.variety, LIST.picks)
        picks = [pick.ranked for pick in select(ranked, LIST.picks, frozenset(earlier)).picks]
        if at.time() == LIST.cutoff:
            self.picked.update({each.paper.id: (at, each.paper) for each in picks})
            self.related.extend(_related([each.paper for each in picks], lately))
        return [*picks, *(each for each in ranked if each not in picks)]


def _related(picks: Sequence[Paper], lately: Sequence[Paper]) -> list[int]:
    vectors = terms.vectors([*picks, *lately])
    return [sum(terms.likeness(own, other) >= RELATED for other in vectors[len(picks) :]) for own in vectors[: len(picks)]]


def main(folder: Path, shares: Sequence[float]) -> None:
    shipped = Trending(parse((ROOT / "config/trending.toml").read_text("utf-8"), "config/trending.toml"))
    rankers = {f"variety {share:g}": Varied(shipped, share) for share in shares}
    with tempfile.TemporaryDirectory() as scratch:
        store = loaded(folder, Path(scratch))
        found = backtest(store, LIST, rankers, LAST_TWO_MONTHS, END.date(), END, again=False)
        store.close()
    for score in found.scores:
        figures = {"ndcg@10": score.ndcg, "difference": score.difference.mean, "error": score.difference.error}
        figures["related of the week before"] = fmean(rankers[score.ranker].related)
        print(json.dumps({"list": score.ranker, **{name: round(value, 3) for name, value in figures.items()}}))


if __name__ == "__main__":
    given = sys.argv[1:] or [str(ROOT.parent / "shared/data/hf_history")]
    main(Path(given[0]), [0.0, *map(float, given[1:] or ("0.05", "0.1", "0.2"))])
