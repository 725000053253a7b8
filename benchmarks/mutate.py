"""How much of a change in the rules the tests would notice: mutmut's score of a room.

    python benchmarks/mutate.py [ROOM [FOLDER]]        domain (default), ranking or mail

Works in a copy of the tree, so nothing here is touched; one in FOLDER is left there, for `mutmut show NAME`. Prints one JSON
line: mutants by outcome, and the score: the share of mutants that some test kills (or that never end), among those that any test
runs and those that none does.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {
    "domain": "breaker domain_values identifier interest query retry schedule turns",
    "ranking": "freshness identity ranking* refresh trending updates",
    "mail": "contrast dkim domain_checks inbound* journal lint mail_headers mailbox on_the_wire",
}
"""The quick tests of each room: files in tests/unit/, without test_ and .py."""
COPIED = ("digest", "tests", "templates", "config", "seeds", "pyproject.toml", "README.md")
SETTINGS = """
[mutmut]
source_paths=digest
only_mutate=digest/{room}/*
also_copy=
    templates
    config
    seeds
    README.md
pytest_add_cli_args=
    -q
    -x
    -p
    no:randomly
    -p
    no:cacheprovider
    -k
    not postgresql
pytest_add_cli_args_test_selection=
{tests}
"""


def main(room: str, keep: str = "") -> None:
    folder = Path(keep) if keep else Path(tempfile.mkdtemp(prefix="digest-mutate-"))
    folder.mkdir(exist_ok=True)
    try:
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "_data"))
            else:
                shutil.copy(source, folder)
        found = sorted({file for word in ROOMS[room].split() for file in (ROOT / "tests/unit").glob(f"test_{word}.py")})
        tests = "\n".join(f"    {file.relative_to(ROOT)}" for file in found)
        (folder / "setup.cfg").write_text(SETTINGS.format(room=room, tests=tests))
        command = [sys.executable, "-m", "mutmut"]
        done = subprocess.run([*command, "run"], cwd=folder, capture_output=True, text=True, check=False)
        told = subprocess.run([*command, "results", "--all", "true"], cwd=folder, capture_output=True, text=True, check=False)
        outcomes = re.findall(r"^\s*(\S+): ([a-z ]+)$", told.stdout, re.MULTILINE)
        if not outcomes:
            sys.exit(f"mutmut: {done.stdout[-2000:]}{done.stderr[-2000:]}{told.stderr[-500:]}")
        counts = Counter(outcome for _, outcome in outcomes)
        caught = counts["killed"] + counts["timeout"] + counts["suspicious"]
        survivors = Counter(name.split(".")[2] for name, outcome in outcomes if outcome in ("survived", "no tests"))
        score = round(100 * caught / sum(counts.values()), 1)
        print(json.dumps({"benchmark": "mutate", "room": room, **counts, "score": score, "survivors": survivors.most_common()}))
        for name, outcome in outcomes:
            if outcome in ("survived", "no tests"):
                print(f"{outcome}: {name}", file=sys.stderr)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["domain"]))
