"""`digest run` as an operator starts it: it answers, makes what is due, and ends when told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.running import free_port


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    port = free_port()
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "DIGEST_DATABASE__URL": f"sqlite:///{tmp_path / 'digest.sqlite3'}",
        "DIGEST_SECRETS__KEY_FILE": str(tmp_path / "digest.key"),
        "DIGEST_DELIVERY__JOURNAL": str(tmp_path / "journal"),
        "DIGEST_WEB__PORT": str(port),
        "DIGEST_WEB__BASE_URL": f"http://127.0.0.1:{port}",
        "DIGEST_RELAYS": '[{"host":"127.0.0.1","port":9,"tls":"none"}]',
    }


def _digest(environment: dict[str, str], cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "digest", *arguments]
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def daemon(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    papers = tmp_path / "papers.jsonl"
    rows = [{"id": f"arxiv:2605.{n:05}", "title": f"Paper {n}", "abstract": "We show it."} for n in range(1, 30)]
    papers.write_text("\n".join(json.dumps(row) for row in rows))
    imported = _digest(environment, tmp_path, "import", str(papers), "--json")
    assert json.loads(imported.stdout)["papers_new"] == 29, imported.stderr
    process = subprocess.Popen(
        [sys.executable, "-m", "digest", "run", "--no-collect"], env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    yield process
    if process.poll() is None:
        process.kill()
    process.wait(10)


def _page(environment: dict[str, str], path: str, until: str = "") -> str:
    """The page, waited for: the daemon has just been started."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(environment["DIGEST_WEB__BASE_URL"] + path, timeout=5) as answer:
                page = answer.read().decode()
                if until in page or time.monotonic() > deadline:
                    return str(page)
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def test_it_answers_makes_what_is_due_and_ends_within_ten_seconds(
    daemon: subprocess.Popen[bytes], environment: dict[str, str], tmp_path: Path
) -> None:
    assert _page(environment, "/healthz")
    assert "Paper " in _page(environment, "/", until="Paper ")
    started = time.monotonic()
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(12) == 0
    assert time.monotonic() - started < 10
    status = json.loads(_digest(environment, tmp_path, "status", "--json").stdout)
    assert status["lists"][0]["picks"] == 10
