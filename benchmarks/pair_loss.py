"""How often a personal ranking has two papers the wrong way round, by way of the command line, with error bars.

    python benchmarks/pair_loss.py [PEOPLE [FOLDER [GROUP]]]    prints one JSON line (40 ../shared/data all)

Of what somebody submitted to Hugging Face (eight papers or more), every other paper is their library, brought as BibTeX to
`digest interests`; the rest is hidden among the papers that others submitted. `digest trending --for` ranks all of these, without
votes and without the libraries' own papers; a pair is wrong where one of somebody's hidden papers comes after one of another's.
"words" leaves the authors out of what is ranked, so that only the text can tell. With the extra `semantic` the same is ranked
again when `digest collect` has encoded it: "encoded"; "gain" is by how much less is wrong, for the same people. GROUP halves
people by a hash of their name into "tune" and "held out"; the share of the vectors was chosen after both had been looked at, so
neither is unseen for it. The error is 1.96 standard errors over people.
"""

from __future__ import annotations

import hashlib
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

from digest.sentence_encoder import is_installed

AT = "2026-06-01T12:00:00Z"
CONFIG = """
[secrets]
key = "a key for a benchmark of ours, long enough"
[[lists]]
name = "daily"
title = "Daily"
candidates_for_days = 7
[http]
retries = 0
[[sources]]
name = "nobody"
kind = "huggingface"
base_url = "http://127.0.0.1:9"
"""
ENVIRONMENT = {**os.environ, "DIGEST_LOG__LEVEL": "error", "DIGEST_LOOK_UPS__ARXIV_URL": ""}


def digest(folder: Path, *arguments: str) -> Any:
    command = [str(Path(sys.executable).with_name("digest")), *arguments, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=ENVIRONMENT)
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


def encode(folder: Path) -> None:
    """The source configured does not answer; what was imported is encoded all the same."""
    command = [str(Path(sys.executable).with_name("digest")), "collect", "--at", AT]
    while "the next run goes on" in subprocess.run(command, cwd=folder, capture_output=True, text=True, env=ENVIRONMENT).stdout:
        pass


def losses(people: dict[str, list[list[str]]], papers: dict[str, Any], *, authors: bool) -> list[list[float]]:
    """By words, and with the extra `semantic` encoded, too."""
    split = {user: halves(own, "alternate") for user, own in people.items()}
    libraries = {name for library, _ in split.values() for name in library}
    shown = {name for _, hidden in split.values() for name in hidden if name in papers} - libraries
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
            (folder / "library.bib").write_text(bibtex([papers[name] for name in split[user][0] if name in papers]))
            digest(folder, "interests", email, "library.bib", "--at", AT)
        asked = [(email, set(split[user][1]) & shown) for user, email in emails.items()]
        found = [[loss(folder, email, own, shown) for email, own in asked]]
        if is_installed():
            encode(folder)
            found.append([loss(folder, email, own, shown) for email, own in asked])
    return found


def loss(folder: Path, email: str, own: set[str], shown: set[str]) -> float:
    ranking = digest(folder, "trending", "--for", email, "--limit", "10000", "--at", AT)
    ranked = [each["id"].removeprefix("arxiv:") for each in ranking]
    assert set(ranked) == shown
    wrong = others = 0
    for name in ranked:
        others, wrong = (others, wrong + others) if name in own else (others + 1, wrong)
    return wrong / (others * len(own))


def figures(found: Sequence[float]) -> dict[str, float]:
    return {"loss": round(mean(found), 3), "error": round(1.96 * stdev(found) / len(found) ** 0.5, 3)}


def main(count: int, folder: Path, group: str) -> None:
    papers = {name: each.paper for name, each in candidates(folder).items()}
    submitted = {row["user"]: row["papers"] for row in rows(folder / "profiles/hf_submitters.jsonl.gz")}
    enough = {user: own for user, own in submitted.items() if sum(name in papers for name, _ in own) >= 8}
    groups = {user: "tune" if hashlib.sha256(user.encode()).digest()[0] % 2 else "held out" for user in enough}
    people = dict(sorted((user, own) for user, own in enough.items() if group in ("all", groups[user]))[:count])
    result: dict[str, Any] = {"benchmark": "pair loss", "people": len(people), "group": group}
    for name, authors in (("all", True), ("words", False)):
        by_words, *encoded = losses(people, papers, authors=authors)
        result[name] = figures(by_words)
        for again in encoded:
            gain = figures([one - other for one, other in zip(by_words, again, strict=True)])
            result[name] |= {"encoded": figures(again), "gain": gain["loss"], "gain_error": gain["error"]}
    print(json.dumps(result))


if __name__ == "__main__":
    shared = Path(__file__).resolve().parents[2] / "shared/data"
    given = [*sys.argv[1:], *("40", str(shared), "all")[len(sys.argv) - 1 :]]
    main(int(given[0]), Path(given[1]), given[2])
