"""Whatever is wrong, an operator gets one line that names the place, the exit code of the contract, and nothing half-written."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import clean_environment, command


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return command(folder, *arguments, environment=clean_environment() | environment)


CASES = [  # what is written to digest.toml, command, exit code, what the line must name
    ("[web]\nbse_url = 'x'", ["status"], 2, ["web.bse_url", "base_url"]),
    ("[web]\nport = 'eighty'", ["status"], 2, ["web.port", "whole number"]),
    ("lists = []", ["status"], 2, ["lists", "[[lists]]"]),
    ("[[lists]]\nname = 'a b'\ntitle = 'x'", ["status"], 2, ["lists.0.name"]),
    ("[[lists]]\nname = 'a'\ntitle = 'x'\ntimezone = 'Europe/Berln'", ["status"], 2, ["Europe/Berlin"]),
    ("x = [", ["status"], 2, ["digest.toml", "TOML"]),
    ("[database]\nurl = 'postgresql+psycopg://u:hidden@127.0.0.1:9/none'", ["status"], 1, ["127.0.0.1"]),
    ("[database]\nurl = 'sqlite:////dev/null/x.sqlite3'", ["status"], 1, ["/dev/null"]),
    ("", ["edition", "--list", "weekly"], 1, ["weekly", "daily"]),
    ("", ["edition"], 1, ["no papers collected"]),
    ("", ["subscribe", "a\nb@example.org"], 2, ["address"]),
    ("", ["subscribe", "ada@example.org", "--timezone", "Mars/Base"], 2, ["Mars/Base"]),
    ("", ["subscribe", "ada@example.org", "--weekdays", "moonday"], 2, ["moonday"]),
    ("", ["trending", "--at", "2026-05-01T00:00:00"], 2, ["offset"]),
    ("", ["trending", "--at", "yesterday"], 2, ["2025-11-06T02:45:08Z"]),
    ("", ["collect", "--source", "nasa"], 1, ["nasa", "huggingface"]),
    ("", ["send", "--to", "nobody"], 2, ["nobody"]),
]


@pytest.mark.parametrize(("toml", "arguments", "code", "named"), CASES, ids=lambda case: str(case)[:40])
def test_one_line_names_the_place(tmp_path: Path, toml: str, arguments: list[str], code: int, named: list[str]) -> None:
    config = tmp_path / "digest.toml"
    config.write_text(toml)
    result = run(tmp_path, *arguments, DIGEST_CONFIG=str(config))
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    assert "hidden" not in result.stderr
    said = result.stderr.strip().splitlines()[-1]
    for word in named:
        assert word in said


def test_an_unreachable_relay_fails_and_keeps_the_delivery(tmp_path: Path) -> None:
    relay = {"DIGEST_RELAYS": '[{"host":"127.0.0.1","port":9,"tls":"none"}]'}
    papers = tmp_path / "papers.jsonl"
    papers.write_text(json.dumps({"id": "arxiv:2605.00001", "title": "One"}))
    assert run(tmp_path, "import", str(papers)).returncode == 0
    subscribed = run(tmp_path, "subscribe", "ada@example.org", "--confirmed", "--hour", "00:00", "--at", "2026-05-03T00:00:00Z")
    assert subscribed.returncode == 0, subscribed.stderr
    assert json.loads(run(tmp_path, "tick", "--json").stdout) == {"editions": 1, "deliveries": 1, "skipped": []}
    result = run(tmp_path, "deliver", **relay)
    assert result.returncode == 1
    assert "127.0.0.1:9" in result.stderr
    assert "Traceback" not in result.stderr
    assert json.loads(run(tmp_path, "status", "--json").stdout)["outbox"] == {"queued": 1}


def test_line_317_is_rejected_by_its_number_and_the_rest_is_kept(tmp_path: Path) -> None:
    lines = [json.dumps({"id": f"arxiv:2605.{n:05}", "title": f"Paper {n}"}) for n in range(1, 401)]
    lines[316] = lines[316][:-3]
    lines[99] = json.dumps({"id": "arxiv:2605.00100"})
    file = tmp_path / "papers.jsonl"
    file.write_text("\n".join(lines))
    report = json.loads(run(tmp_path, "import", str(file), "--json").stdout)
    assert report["papers_new"] == 398
    assert [each["where"] for each in report["rejected"]] == ["line 100", "line 317"]
    again = json.loads(run(tmp_path, "import", str(file), "--json").stdout)
    assert (again["papers_new"], again["papers_updated"], again["papers_unchanged"]) == (0, 0, 398)


def test_an_unreadable_template_stops_the_edition_and_keeps_nothing(tmp_path: Path) -> None:
    own = tmp_path / "own/mail/edition"
    own.mkdir(parents=True)
    (own / "body.txt").write_text("{{ view.nothing }}")
    papers = tmp_path / "papers.jsonl"
    papers.write_text(json.dumps({"id": "arxiv:2605.00001", "title": "One"}))
    assert run(tmp_path, "import", str(papers)).returncode == 0
    result = run(tmp_path, "edition", DIGEST_TEMPLATES__FOLDER=str(tmp_path / "own"))
    assert result.returncode == 1
    assert "mail/edition/body.txt line 1" in result.stderr
    assert run(tmp_path, "edition", "--json").returncode == 0, "with the template repaired, the edition is made"


def test_help_answers_in_a_blink() -> None:
    """A new interpreter; by processor time, which a busy machine does not change."""
    taken = []
    for _ in range(5):
        before = spent()
        subprocess.run([sys.executable, "-m", "digest", "--help"], env=clean_environment(), stdout=subprocess.DEVNULL, check=True)
        taken.append(spent() - before)
    assert min(taken) < 0.3


def spent() -> float:
    """Seconds of a processor that children used."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
