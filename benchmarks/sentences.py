"""How often the sentence that sums up a paper is good, by two readers who know neither the rules nor each other's marks.

    python benchmarks/sentences.py SEED SHEET [FOLDER]     draws 100 abstracts by SEED and writes SHEET (CSV) for the readers
    python benchmarks/sentences.py marks SHEET ...         prints a JSON line a marked sheet: good by each, both, agreement, kappa

Half of the abstracts are of ../shared/data/corpus, half of ../shared/data/hf_history. A sheet has title, abstract and sentence as
mails show them. A marked one has the columns paper, sentence, first and second: 1 or 0 of each reader (tests/quality/sentences).
"""

from __future__ import annotations

import csv
import gzip
import json
import random
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from digest.domain.identifier import Identifier
from digest.domain.paper import Paper
from digest.ranking.summary import summarise
from digest.render.text.latex import readable

DRAWN = 100
READERS = ("first", "second")
"""Columns of their marks, 1 or 0."""
SEEN = datetime(2026, 1, 1, tzinfo=UTC)


def drawn(folder: Path, seed: int) -> list[tuple[str, str, str]]:
    """(arXiv name, title, abstract): the same for the same seed."""
    papers: list[list[tuple[str, str, str]]] = []
    for file, name in (("corpus/arxiv_papers.jsonl.gz", "id"), ("hf_history/papers.jsonl.gz", "paper_id")):
        with gzip.open(folder / file, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        papers.append(
            sorted((r[name], r["title"], r["abstract"]) for r in rows if r.get("abstract") and not r.get("abstract_source"))
        )
    chosen = random.Random(seed)
    return [each for some in papers for each in chosen.sample(some, DRAWN // 2)]


def sentence(title: str, abstract: str) -> str:
    named = (Identifier("arxiv", "2601.00001"),)
    found = summarise(Paper(id=1, identifiers=named, title=title, first_seen_at=SEEN, abstract=abstract))
    return found.text if found else ""


def write(seed: int, sheet: Path, folder: Path) -> None:
    rows = drawn(folder, seed)
    random.Random(seed + 1).shuffle(rows)
    with sheet.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["paper", "title", "abstract", "sentence", *READERS])
        for name, title, abstract in rows:
            shown = [readable(title), readable(" ".join(abstract.split())), readable(sentence(title, abstract))]
            out.writerow([name, *shown, "", ""])


def agreement(sheet: Path, readers: Sequence[str] = READERS) -> dict[str, float]:
    """Of a marked sheet, by the columns of two readers' marks; one other than 0 or 1 is refused."""
    with sheet.open(encoding="utf-8", newline="") as file:
        pairs = [tuple(("0", "1").index(row[reader].strip()) for reader in readers) for row in csv.DictReader(file)]
    share = [sum(marks) / len(pairs) for marks in zip(*pairs, strict=True)]
    same = sum(one == two for one, two in pairs) / len(pairs)
    chance = share[0] * share[1] + (1 - share[0]) * (1 - share[1])
    both = sum(one and two for one, two in pairs) / len(pairs)
    kappa = (same - chance) / (1 - chance) if chance < 1 else 1.0
    figures = {"good_by_first": share[0], "good_by_second": share[1], "good_by_both": both, "agree": same, "kappa": kappa}
    return {"rows": len(pairs), **{name: round(value, 3) for name, value in figures.items()}}


def main(words: list[str]) -> None:
    if words[:1] == ["marks"]:
        for name in words[1:]:
            print(json.dumps({"sheet": Path(name).name, **agreement(Path(name))}))
    else:
        write(int(words[0]), Path(words[1]), Path(words[2] if len(words) > 2 else "../shared/data"))


if __name__ == "__main__":
    main(sys.argv[1:])
