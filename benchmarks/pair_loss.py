"""How often a personal ranking has two papers the wrong way round, by way of the command line, with error bars.

    python benchmarks/pair_loss.py [PEOPLE [FOLDER]]    prints one JSON line (40 ../shared/data)

Of what somebody submitted to Hugging Face (eight papers or more), every other paper is their library, brought as BibTeX to
`digest interests`; the rest is hidden among the papers that others submitted. `digest trending --for` ranks all of these, without
votes and without the libraries' own papers; a pair is wrong where one of somebody's hidden papers comes after one of another's.
"words" leaves the authors out of what is ranked, so that only the text can tell. The error is 1.96 standard errors over people.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from tempfile import TemporaryDirectory
from typing import Any

from profiles import candidates, halves, rows

AT = "2026-06-01T12:00:00Z"
CONFIG = """
[secrets]
key = "a key for a benchmark of ours, long enough"
[[lists]]
name = "daily"
title = "Daily"
candidates_for_days = 7
"""


def digest(folder: Path, *arguments: str) -> Any:
    command = [str(Path(sys.executable).with_name("digest")), *arguments, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "DIGEST_LOG__LEVEL": "error"})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def bibtex(papers: Sequence[Any]) -> str:
    return "\n".join(
        f"@article{{k{n},\n  title = {{{_plain(p.title)}}},\n  author = {{{' and '.join(map(_plain, p.authors))}}},\n"
        f"  abstract = {{{_plain(p.abstract)}}},\n  eprint = {{{p.identifier.value}}}\n}}"
        for n, p in enumerate(papers)
    )


def _plain(text: str) -> str:
    return text.replace("{", "").replace("}", "").replace("\\", "")


def losses(people: dict[str, list[list[str]]], papers: dict[str, Any], *, authors: bool) -> list[float]:
    split = {user: halves(own, "alternate") for user, own in people.items()}
    libraries = {name for library, _ in split.values() for name in library}
    shown = {name for _, hidden in split.values() for name in hidden if name in papers} - libraries
    found = []
    with TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "digest.toml").write_text(CONFIG)
        lines = [
            {
                "id": f"arxiv:{name}",
                "title": papers[name].title,
                "abstract": papers[name].abstract,
                "authors": list(papers[name].authors) if authors else [],
                "published": "2026-05-31",
            }
            for name in sorted(shown)
        ]
        (folder / "papers.jsonl").write_text("\n".join(map(json.dumps, lines)))
        digest(folder, "import", "papers.jsonl", "--at", AT)
        emails = {user: f"person{n}@example.org" for n, user in enumerate(people)}
        (folder / "people.csv").write_text("\n".join(["email", *emails.values()]))
        digest(folder, "subscribers", "import", "people.csv", "--confirmed", "--at", AT)
        for user, email in emails.items():
            library, hidden = split[user]
            own = set(hidden) & shown
            (folder / "library.bib").write_text(bibtex([papers[name] for name in library if name in papers]))
            digest(folder, "interests", email, "library.bib", "--at", AT)
            ranked = [
                each["id"].removeprefix("arxiv:")
                for each in digest(folder, "trending", "--for", email, "--limit", "10000", "--at", AT)
            ]
            assert set(ranked) == shown
            wrong = others = 0
            for name in ranked:
                others, wrong = (others, wrong + others) if name in own else (others + 1, wrong)
            found.append(wrong / (others * len(own)))
    return found


def main(count: int, folder: Path) -> None:
    papers = {name: each.paper for name, each in candidates(folder).items()}
    submitted = {row["user"]: row["papers"] for row in rows(folder / "profiles/hf_submitters.jsonl.gz")}
    enough = {user: own for user, own in submitted.items() if sum(name in papers for name, _ in own) >= 8}
    people = dict(sorted(enough.items())[:count])
    result: dict[str, object] = {"benchmark": "pair loss", "people": len(people)}
    for name, authors in (("all", True), ("words", False)):
        found = losses(people, papers, authors=authors)
        result[name] = {"loss": round(mean(found), 3), "error": round(1.96 * stdev(found) / len(found) ** 0.5, 3)}
    print(json.dumps(result))


if __name__ == "__main__":
    shared = Path(__file__).resolve().parents[2] / "shared/data"
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40, Path(sys.argv[2]) if len(sys.argv) > 2 else shared)
