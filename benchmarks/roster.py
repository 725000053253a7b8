"""How long 100,000 subscribers take in by CSV with some bad lines among them, the same file again, and out again; and the same
file as people who are still to be asked (no relay: each is owed a confirmation).

    python benchmarks/roster.py [READERS]

The claim: at most 20 s, every bad line reported with its number, on SQLite and on PostgreSQL. The command is run as an operator
runs it, in a process of its own. Prints one JSON line.
"""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.servers import postgresql

BAD_EVERY = 97
BAD = (
    ("no-address", "", "", "", "", ""),
    ("a@b@example.org", "", "", "", "", ""),
    ("reader@example.org", "nope", "", "", "", ""),
    ("reader@example.org", "daily", "Mars/Olympus", "", "", ""),
    ("reader@example.org", "daily", "UTC", "25:00", "", ""),
    ("reader@example.org", "daily", "UTC", "07:00", "someday", ""),
    ("too", "few"),
)
NAMES = ("reader", "Ada.Lovelace+papers", "a_b", "first.last", "x", "o'neill", "josé", "news-papers", "j.doe", "用户")
DOMAINS = (*(f"mail{n}.example.com" for n in range(300)), "bücher.example", "例子.example")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Asia/Kolkata", "Australia/Sydney")
DAYS = ("daily", "weekdays", "mon;wed;fri", "")
PREFERENCE_COLUMNS = ("", "", "", "diffusion; cs.CL; author: Ada Lovelace; -benchmark", "language models; retrieval")


def write(file: Path, readers: int) -> list[int]:
    """Writes the file; returns the numbers of its bad lines."""
    draw = random.Random(7)
    bad: list[int] = []
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("email", "list", "timezone", "hour", "weekdays", "interests"))
        line = 1
        for number in range(readers):
            line += 1
            if number % BAD_EVERY == 5:
                bad.append(line)
                writer.writerow(BAD[len(bad) % len(BAD)])
                line += 1
            name = draw.choice(NAMES)
            domain = draw.choice(DOMAINS)
            wishes = (
                draw.choice(ZONES),
                f"{draw.randrange(24):02}:{draw.choice((0, 15, 30, 45)):02}",
                draw.choice(DAYS),
                draw.choice(PREFERENCE_COLUMNS),
            )
            writer.writerow((f"{name}.{number}@{domain}", "daily", *wishes))
    return bad


def digest(folder: Path, url: str, *words: str) -> tuple[float, str]:
    """(seconds, what the command printed)."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DIGEST_")}
    environment |= {"DIGEST_DATABASE__URL": url, "DIGEST_SECRETS__KEY_FILE": str(folder / "digest.key")}
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "digest", *words], env=environment, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"digest {' '.join(words)}: {done.stderr}")
    return round(time.perf_counter() - began, 1), done.stdout


def measured(folder: Path, url: str, file: Path, readers: int, bad: list[int]) -> dict[str, float]:
    digest(folder, url, "migrate")
    fresh, told = digest(folder, url, "subscribers", "import", str(file), "--confirmed", "--json")
    report = json.loads(told)
    if report["added"] != readers or [each["line"] for each in report["rejected"]] != bad:
        sys.exit(f"{report['added']} added and {len(report['rejected'])} rejected, not {readers} and {len(bad)}")
    again, told = digest(folder, url, "subscribers", "import", str(file), "--confirmed", "--json")
    if json.loads(told)["unchanged"] != readers:
        sys.exit("the second time something changed")
    out, exported = digest(folder, url, "subscribers", "export")
    if exported.count("\n") != readers + 1:
        sys.exit("not everybody came out again")
    return {"fresh_seconds": fresh, "again_seconds": again, "export_seconds": out}


def asked(folder: Path, url: str, file: Path, readers: int, bad: list[int]) -> dict[str, float]:
    digest(folder, url, "migrate")
    seconds, told = digest(folder, url, "subscribers", "import", str(file), "--json")
    report = json.loads(told)
    if report["added"] != readers or [each["line"] for each in report["rejected"]] != bad:
        sys.exit(f"{report['added']} to be asked and {len(report['rejected'])} rejected, not {readers} and {len(bad)}")
    return {"asked_seconds": seconds}


def main(readers: int) -> None:
    with tempfile.TemporaryDirectory() as place, ExitStack() as open_:
        folder = Path(place)
        file = folder / "readers.csv"
        bad = write(file, readers)
        urls = {"sqlite": f"sqlite:///{folder}/digest.sqlite3"}
        if postgresql.missing() is None:
            urls["postgresql"] = open_.enter_context(postgresql.postgresql({"fsync": "on", "full_page_writes": "on"}))
        timed = {kind: measured(folder, url, file, readers, bad) for kind, url in urls.items()}
        timed["sqlite"] |= asked(folder, f"sqlite:///{folder}/asked.sqlite3", file, readers, bad)
    print(json.dumps({"benchmark": "roster", "readers": readers, "bad_lines": len(bad), **timed}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
