"""How much of a change in the rules the tests would notice: mutmut's score of a room.

    python benchmarks/mutate.py [ROOM [FOLDER [SECONDS]]]        domain (default), ranking or mail

Works in a copy of the tree, so nothing here is touched; one in FOLDER is left there, for `mutmut show NAME`, and the same command
again goes on where it ended, with the tests as they are now. After SECONDS it stops (mail takes an hour or two): what nobody has
tried yet is not in the score. Prints one JSON line: mutants by outcome, and the score: the share of mutants that some test kills
(or that never end), among those that any test runs and those that none does.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {
    "domain": "breaker domain_values identifier interest query retry schedule turns",
    "ranking": "freshness identity ranking* refresh trending updates",
    "mail": "address contrast dkim domain_checks inbound* journal lint mail_headers mailbox on_the_wire relay*"
    " integration/relay_faults integration/hearing integration/inbound_servers",
}
"""The quick tests of each room: files in tests/unit/ (or the folder named), without test_ and .py. What starts the program anew
(a daemon) is left out: mutants live in the process that tests them."""
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
    not postgresql and not daemon
pytest_add_cli_args_test_selection=
{tests}
"""


def copied(room: str, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "_data")
            shutil.copytree(source, folder / name, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy(source, folder)
    shared = folder / "shared"  # beside mutmut's own copy, where tests/shared_data.py looks
    if (ROOT.parent / "shared").is_dir() and not shared.exists():
        shared.symlink_to(ROOT.parent / "shared")
    tests = "\n".join(f"    {file}" for file in tests_of(room))
    (folder / "setup.cfg").write_text(SETTINGS.format(room=room, tests=tests))


def tests_of(room: str) -> list[Path]:
    found = set()
    for word in ROOMS[room].split():
        place, _, name = word.rpartition("/")
        found |= set((ROOT / "tests" / (place or "unit")).glob(f"test_{name}.py"))
    return sorted(file.relative_to(ROOT) for file in found)


def run(command: list[str], folder: Path, seconds: float | None) -> str:
    """Runs until the end, or asks it to end after so long: it keeps what it found. What it said."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        return process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        return process.communicate()[0]


def main(room: str, keep: str = "", seconds: str = "") -> None:
    folder = Path(keep) if keep else Path(tempfile.mkdtemp(prefix="digest-mutate-"))
    try:
        copied(room, folder)
        command = [sys.executable, "-m", "mutmut"]
        said = run([*command, "run"], folder, float(seconds) if seconds else None)
        told = subprocess.run([*command, "results", "--all", "true"], cwd=folder, capture_output=True, text=True, check=False)
        outcomes = re.findall(r"^\s*(\S+): ([a-z ]+)$", told.stdout, re.MULTILINE)
        counts = Counter(outcome for _, outcome in outcomes)
        tried = sum(counts.values()) - counts["not checked"]
        if not tried:
            sys.exit(f"mutmut: {said[-2000:]}{told.stderr[-500:]}")
        caught = counts["killed"] + counts["timeout"] + counts["suspicious"]
        survivors = Counter(name.split(".")[2] for name, outcome in outcomes if outcome in ("survived", "no tests"))
        score = round(100 * caught / tried, 1)
        print(json.dumps({"benchmark": "mutate", "room": room, **counts, "score": score, "survivors": survivors.most_common()}))
        for name, outcome in outcomes:
            if outcome in ("survived", "no tests"):
                print(f"{outcome}: {name}", file=sys.stderr)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["domain"]))
