"""How much of a change in the rules the tests would notice: mutmut's score of a room.

    python benchmarks/mutate.py [ROOM [FOLDER [ONE_IN]]]        domain (default), ranking or mail

Works in a copy of the tree, so nothing here is touched; one in FOLDER is left there, for `mutmut show NAME`, and the same command
again goes on where it was broken off. All of mail takes hours: with ONE_IN only every so manyth mutant is tried, spread over all
functions alike, which tells the score within a few points. Prints one JSON line: mutants by outcome, and the score: the share
that some test kills (or that never end), among those that any test runs and those that none does.
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
    "domain": "breaker domain_values identifier interest keyed_hash query retry schedule turns",
    "ranking": "freshness identity ranking* refresh selection similar spread summary trending updates contract/ranking_in_time",
    "mail": "address contrast dkim domain_checks imap_poll inbound* inbox journal lint mail_headers mailbox on_the_wire relay*"
    " waiting integration/relay_fa* integration/hearing integration/inbound_servers integration/limits",
}
"""The quick tests of each room: files in tests/unit/ (or the folder named), without test_ and .py. What starts the program anew
(a daemon) is left out: mutants live in the process that tests them."""
SKIPPED = 34
"""mutmut's number for a mutant that is not to be tried."""
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


def mutmut(folder: Path, *words: str) -> str:
    """What it said."""
    command = [sys.executable, "-m", "mutmut", *words]
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout


def outcomes(folder: Path) -> list[tuple[str, str]]:
    """(mutant, what became of it), by name."""
    return re.findall(r"^\s*(\S+): ([a-z ]+)$", mutmut(folder, "results", "--all", "true"), re.MULTILINE)


def leave_out(folder: Path, one_in: int) -> None:
    """All but every so manyth, in mutmut's own record of each file."""
    place = 0
    for record in sorted((folder / "mutants/digest").rglob("*.meta")):
        told = json.loads(record.read_text())
        for name in told["exit_code_by_key"]:
            if place % one_in:
                told["exit_code_by_key"][name] = SKIPPED
            place += 1
        record.write_text(json.dumps(told))


def main(room: str, keep: str = "", one_in: str = "1") -> None:
    folder = Path(keep) if keep else Path(tempfile.mkdtemp(prefix="digest-mutate-"))
    try:
        copied(room, folder)
        if one_in != "1":
            mutmut(folder, "run", "none of this name")  # makes them all, and tries none
            leave_out(folder, int(one_in))
        said = mutmut(folder, "run")
        found = outcomes(folder)
        counts = Counter(outcome for _, outcome in found)
        tried = sum(counts.values()) - counts["not checked"] - counts["skipped"]
        if not tried:
            sys.exit(f"mutmut: {said[-3000:]}")
        caught = counts["killed"] + counts["timeout"] + counts["suspicious"]
        survivors = Counter(name.split(".")[2] for name, outcome in found if outcome in ("survived", "no tests"))
        score = round(100 * caught / tried, 1)
        print(json.dumps({"benchmark": "mutate", "room": room, **counts, "score": score, "survivors": survivors.most_common()}))
        for name, outcome in found:
            if outcome in ("survived", "no tests"):
                print(f"{outcome}: {name}", file=sys.stderr)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["domain"]))
