"""How many times a second one worker answers with the home page, from an edition of 20 papers: `digest run` under wrk.

    python benchmarks/pages.py [SECONDS] [ROUNDS]

The claim: at least 500 requests a second. Plain and compressed, and for comparison a page that is kept by nobody (a search).
Rounds alternate; the medians count. Prints one JSON line.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from digest.config import load
from digest.container import Container
from digest.domain.identifier import Identifier
from digest.domain.paper import Sighting, Signal, Summary
from tests.servers.running import free_port

PAPERS = 60
CONNECTIONS = 16
ASKED = {"home": ("/", ""), "home_gzip": ("/", "gzip"), "search": ("/papers?q=attention", "")}


def sightings(now: datetime) -> Iterator[Sighting]:
    for number in range(PAPERS):
        seen = now - timedelta(hours=6 + number / 10)
        yield Sighting(
            source="huggingface",
            identifiers=(Identifier("arxiv", f"{now:%y%m}.{number:05}"),),
            title=f"Attention and what becomes of it at scale, a study in {number} parts",
            abstract="We study how language models learn to say what they know. We find that less is often more. " * 8,
            authors=tuple(f"Given Family{number + n}" for n in range(6)),
            published_at=seen - timedelta(days=1),
            categories=("cs.CL", "cs.LG"),
            url=f"https://arxiv.org/abs/{now:%y%m}.{number:05}",
            pdf_url=f"https://arxiv.org/pdf/{now:%y%m}.{number:05}",
            code_url="https://github.com/example/code",
            summary=Summary(text="A method that needs less of everything and gives more of it. " * 2, provenance="huggingface"),
            seen_at=seen,
            signals=tuple(Signal("upvotes", number * hour, seen + timedelta(hours=hour), "huggingface") for hour in range(5)),
        )


def configured(folder: Path, port: int) -> Path:
    file = folder / "digest.toml"
    file.write_text(
        f'sources = []\n[database]\nurl = "sqlite:///{folder}/digest.sqlite3"\n[secrets]\nkey = "a key of the benchmarks own"\n'
        f'[web]\nport = {port}\nbase_url = "http://127.0.0.1:{port}"\n'
        '[[lists]]\nname = "daily"\ntitle = "Trending papers"\ndescription = "The papers people talk about"\npicks = 20\n'
        'cutoff = "00:00"\n'
    )
    return file


@contextmanager
def served(config: Path, port: int) -> Iterator[None]:
    """The daemon as it is run, without delivery and sources."""
    command = [sys.executable, "-m", "digest", "run", "--no-deliver", "--no-collect", "--config", str(config)]
    with subprocess.Popen(command, env={k: v for k, v in os.environ.items() if not k.startswith("DIGEST_")}) as process:
        try:
            for _ in range(600):
                try:
                    if b'class="number">20<' in urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read():
                        break
                except OSError:
                    pass
                time.sleep(0.1)
            else:
                sys.exit("the home page with an edition of 20 papers did not come up")
            yield
        finally:
            process.send_signal(signal.SIGTERM)


def asked(wrk: str, port: int, path: str, encoding: str, seconds: int) -> float:
    """Requests a second, all of them answered with 200."""
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *(["-H", f"Accept-Encoding: {encoding}"] if encoding else [])]
    told = subprocess.run([*command, f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        sys.exit(f"not every request was answered:\n{told}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", told)
    assert found, told
    return float(found[1])


def main(seconds: int, rounds: int) -> None:
    wrk = shutil.which("wrk") or sys.exit("wrk is not installed (apt install wrk)")
    port = free_port()
    with tempfile.TemporaryDirectory() as place:
        config = configured(Path(place), port)
        with Container(load(config, {})) as container, container.adapters.store.begin() as unit:
            unit.papers.merge(list(sightings(datetime.now(UTC))))
        rates: dict[str, list[float]] = {name: [] for name in ASKED}
        with served(config, port):
            page = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read()
            for _ in range(rounds):
                for name, (path, encoding) in ASKED.items():
                    rates[name].append(asked(wrk, port, path, encoding, seconds))
    medians = {f"{name}_per_second": round(statistics.median(found)) for name, found in rates.items()}
    result = {"benchmark": "pages", "picks": 20, "bytes": len(page), "workers": 1, "connections": CONNECTIONS, **medians}
    print(json.dumps({**result, "home_rounds": [round(rate) for rate in rates["home"]]}))


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:3]), *(5, 3)[len(sys.argv[1:3]) :])
