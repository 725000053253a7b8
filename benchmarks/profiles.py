"""How well personal picks know people: half of what each submitted to Hugging Face is their profile, the other half is hidden.

    python benchmarks/profiles.py [FOLDER]    prints one JSON line; FOLDER (../shared/data) has profiles, hf_history and corpus

A hidden paper is looked for among all papers first seen in its ISO week, ranked at that week's end with the signals known by
then: a hit is a place in the top 10 %. Lift is the share of hits of the personal ranking over that of the trend alone.
"alternate" hides every other paper of a person, in order of time; "later" hides the later half, so that a profile knows no
future. "tune" are the people (by a hash of their name) whose figures were looked at while weights were chosen,
"held out" the others.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from digest.domain.edition import Pooled
from digest.domain.identifier import Identifier
from digest.domain.paper import Candidate, Paper, Signal
from digest.domain.subscriber import Interests
from digest.ranking.relevance import Reader, personal_picks
from digest.ranking.trending import rank

TOP = 0.1
ENOUGH = 8
WEEK = timedelta(days=7)


def rows(file: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def candidates(folder: Path) -> dict[str, Candidate]:
    """Every paper of the history, its gaps (abstract, authors, categories) filled from the corpus."""
    signals: dict[str, set[Signal]] = defaultdict(set)
    with gzip.open(folder / "hf_history/observations.csv.gz", "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            at = datetime.fromisoformat(row["observed_at"])
            for kind, column in (("upvotes", "upvotes"), ("github_stars", "github_stars"), ("comments", "num_comments")):
                if row[column]:
                    signals[row["paper_id"]].add(Signal(kind, float(row[column]), at, row["source"]))
    shown = list(rows(folder / "hf_history/papers.jsonl.gz"))
    wanted = {row["paper_id"] for row in shown}
    known = {row["id"]: row for row in rows(folder / "corpus/arxiv_papers.jsonl.gz") if row["id"] in wanted}
    found = {}
    for number, row in enumerate(shown, 1):
        name, more = row["paper_id"], known.get(row["paper_id"], {})
        paper = Paper(
            id=number,
            identifiers=(Identifier("arxiv", name),),
            title=row["title"],
            abstract=row.get("abstract") or more.get("abstract", ""),
            authors=tuple(row.get("authors") or more.get("authors", ())),
            categories=tuple(more.get("categories", ())),
            keywords=tuple(row.get("ai_keywords") or ()),
            first_seen_at=datetime.fromisoformat(row["first_seen_at"]),
        )
        found[name] = Candidate(paper, tuple(sorted(signals[name], key=lambda signal: signal.observed_at)))
    return found


def monday(at: datetime) -> datetime:
    return (at - timedelta(days=at.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)


def halves(papers: list[list[str]], split: str) -> tuple[list[str], list[str]]:
    """(the profile, the hidden papers)."""
    in_order = [name for name, _ in sorted(papers, key=lambda paper: (paper[1], paper[0]))]
    if split == "alternate":
        return in_order[::2], in_order[1::2]
    return in_order[: len(in_order) // 2], in_order[len(in_order) // 2 :]


def hits(
    people: dict[str, list[list[str]]], split: str, weeks: dict[datetime, list[Candidate]]
) -> dict[str, list[tuple[bool, bool]]]:
    """For each person and hidden paper: whether the trend, and whether their own ranking, has it in the top tenth."""
    papers = {str(each.paper.identifier): each.paper for some in weeks.values() for each in some}
    week_of = {name: week for week, some in weeks.items() for name in (str(each.paper.identifier) for each in some)}
    profiles = {user: [[f"arxiv:{name}" for name in half] for half in halves(own, split)] for user, own in people.items()}
    found: dict[str, list[tuple[bool, bool]]] = {user: [] for user in people}
    for week, some in weeks.items():
        pool = [Pooled(position, ranked) for position, ranked in enumerate(rank(some, week + WEEK))]
        place = {str(each.ranked.paper.identifier): each.position for each in pool}
        asking = {user: seen for user, (_, hidden) in profiles.items() if (seen := [n for n in hidden if week_of[n] == week])}
        readers = [Reader(Interests(liked=tuple(profiles[user][0])), len(pool)) for user in asking]
        for (user, seen), picks in zip(asking.items(), personal_picks(pool, readers, papers), strict=True):
            own = {pick.position: at for at, pick in enumerate(picks)}
            found[user] += [(place[name] < TOP * len(pool), own[place[name]] < TOP * len(pool)) for name in seen]
    return found


def figures(found: dict[str, list[tuple[bool, bool]]]) -> dict[str, float]:
    """Shares of hits over all hidden papers, and as the mean over people (each counts the same)."""
    all_papers = [hit for own in found.values() for hit in own]
    trend, personal = (sum(hit[n] for hit in all_papers) / len(all_papers) for n in (0, 1))
    by_trend, by_person = (sum(sum(h[n] for h in own) / len(own) for own in found.values()) / len(found) for n in (0, 1))
    return {
        "people": len(found),
        "hidden": len(all_papers),
        "trend": round(trend, 3),
        "personal": round(personal, 3),
        "lift": round(personal / trend, 2),
        "mean_trend": round(by_trend, 3),
        "mean_personal": round(by_person, 3),
        "mean_lift": round(by_person / by_trend, 2),
    }


def main(folder: Path) -> None:
    weeks: dict[datetime, list[Candidate]] = defaultdict(list)
    for each in candidates(folder).values():
        weeks[monday(each.paper.first_seen_at)].append(each)
    people = {row["user"]: row["papers"] for row in rows(folder / "profiles/hf_submitters.jsonl.gz")}
    result: dict[str, object] = {"benchmark": "profiles", "top": TOP}
    for split in ("alternate", "later"):
        found = hits(people, split, weeks)
        tune = {user for user in people if hashlib.sha256(user.encode()).digest()[0] % 2}
        enough = {user for user, own in people.items() if len(own) >= ENOUGH}
        groups = {"all": set(people), f"{ENOUGH} papers or more": enough, "tune": tune, "held out": set(people) - tune}
        result[split] = {name: figures({user: found[user] for user in sorted(users)}) for name, users in groups.items()}
    print(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "shared/data")
