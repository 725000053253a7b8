"""How near a week's or a month's mail is to what gained the most votes in it; ./run bench windows [FOLDER]

FOLDER holds hf_history's papers.jsonl.gz and observations.csv.gz. Over twelve weeks and two months four readers are mailed: of a
weekly list, weekly of a daily list, of a monthly list, monthly of a daily list. The truth is made here from the readings: what
each paper's count was at the end of the window less what it was at its beginning, and of papers not sent before the ten that
gained most. Of these ten a mail should have nine, and 95 of 100 votes.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
import tempfile
from bisect import bisect_right
from collections import defaultdict
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from freshness import DATA, history_site, papers_of

from digest.config import ListSettings
from digest.domain.schedule import Frequency
from digest.domain.subscriber import Address, Consent, NewReader, Preferences

START = datetime(2026, 2, 28, tzinfo=UTC)
DUE = time(7)
Readings = dict[str, tuple[list[datetime], list[float]]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=DATA)
    parser.add_argument("--weeks", type=int, default=12)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return measure(given.folder, Path(folder), given.weeks)


def measure(data: Path, folder: Path, weeks: int) -> int:
    readings = votes_of(data)
    end = START + timedelta(weeks=weeks, days=3)
    lists = [
        ListSettings(name=f"{each}-list", title=f"{each} list", frequency=each) for each in (Frequency.WEEKLY, Frequency.MONTHLY)
    ]
    with history_site(data, folder, START - timedelta(days=75), end, *lists) as container:
        consent = Consent(START, "command line", "v1", "recorded by operator")
        readers = {
            "weekly list": ("weekly-list", Frequency.DAILY),
            "weekly reader of a daily list": ("daily", Frequency.WEEKLY),
            "monthly list": ("monthly-list", Frequency.DAILY),
            "monthly reader of a daily list": ("daily", Frequency.MONTHLY),
        }
        with container.adapters.store.begin() as unit:
            people = [
                NewReader(Address(f"r{n}@example.org"), name, Preferences(hour=DUE, frequency=frequency))
                for n, (name, frequency) in enumerate(readers.values())
            ]
            unit.subscribers.add_confirmed(people, consent, START)
        found: dict[str, list[tuple[float, float]]] = defaultdict(list)
        sent: dict[str, set[str]] = defaultdict(set)
        names = dict(zip([str(each.address) for each in people], readers, strict=True))
        at = START
        while at < end:
            at += timedelta(hours=1)
            if at.hour not in (5, 7):
                continue
            container.transport.accepted.clear()
            container.transport.clock = lambda at=at: at  # type: ignore[misc]
            container.scheduler.tick(at)
            container.delivery.deliver(container.transport.clock)
            for envelope in container.transport.envelopes:
                name, (shown, since) = names[envelope.recipient], shown_in(container, envelope.delivery_id)
                found[name].append(judged(shown, gains(readings, since, at), sent[name]))
                sent[name].update(shown)
    return report(found)


def shown_in(container: object, delivery_id: int) -> tuple[list[str], datetime]:
    """(the arXiv names of the papers that a mail shows, when its window began)."""
    ids, _ = papers_of(container, delivery_id)  # type: ignore[arg-type]
    with container.adapters.store.read() as unit:  # type: ignore[attr-defined]
        edition = unit.editions.get(unit.deliveries.known([delivery_id])[delivery_id].edition_id)
        papers = unit.papers.by_ids(ids)
    return [papers[each].identifier.value for each in ids], edition.window.start


def votes_of(data: Path) -> Readings:
    rows: dict[str, dict[datetime, float]] = defaultdict(dict)
    with gzip.open(data / "observations.csv.gz", "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if row["upvotes"]:
                at = datetime.fromisoformat(row["observed_at"])
                rows[row["paper_id"]][at] = max(float(row["upvotes"]), rows[row["paper_id"]].get(at, 0.0))
    return {paper: ([*sorted(some)], [some[at] for at in sorted(some)]) for paper, some in rows.items()}


def gains(readings: Readings, since: datetime, until: datetime) -> dict[str, float]:
    """What each paper gained, by its last reading at either end; before its first reading it had nothing."""

    def count(instants: list[datetime], values: list[float], at: datetime) -> float:
        place = bisect_right(instants, at)
        return values[place - 1] if place else 0.0

    return {paper: count(*some, until) - count(*some, since) for paper, some in readings.items()}


def judged(shown: list[str], gained: dict[str, float], before: set[str]) -> tuple[float, float]:
    """(the part of the best ten that a mail has; its votes as a part of theirs)."""
    best = sorted((paper for paper in gained if paper not in before), key=lambda paper: -gained[paper])[: len(shown) or 10]
    votes = sum(gained.get(paper, 0.0) for paper in shown) / sum(gained[paper] for paper in best)
    least = gained[best[-1]]
    return sum(gained.get(paper, 0.0) >= least for paper in shown) / len(best), votes


def report(found: dict[str, list[tuple[float, float]]]) -> int:
    met = True
    print(f"{'':<32} mails  of the ten   of the votes   worst")
    for name, pairs in found.items():
        ten, votes = (sum(column) / len(pairs) for column in zip(*pairs, strict=True))
        met = met and ten >= 0.9 and votes >= 0.95
        print(f"{name:<32} {len(pairs):>5}  {ten:>10.3f}   {votes:>12.3f}   {min(pairs)[0]:.1f}, {min(v for _, v in pairs):.3f}")
    print("met" if met and len(found) == 4 else "not met: at least 0.9 of the ten and 0.95 of the votes")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
