"""The commands an operator scripts, one after the other on one store: what each answers with `--json`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from digest.cli import COMMANDS, digest

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in an empty directory and reads its one JSON document."""
    for name in [name for name in os.environ if name.startswith("DIGEST_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, code: int = 0) -> Any:
        done = CliRunner().invoke(digest, [*arguments, "--json"])
        assert done.exit_code == code, done.output
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_listed_is_there_and_explains_itself(name: str) -> None:
    command = digest.get_command(None, name)  # type: ignore[arg-type]  # the context is not looked at
    assert command is not None
    assert command.help


@pytest.mark.parametrize("name", ["subscribers", "translations"])
def test_what_a_group_lists_is_said_in_full(name: str) -> None:
    assert "..." not in CliRunner().invoke(digest, [name, "--help"]).output.partition("Commands:")[2]


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("trending", "no papers to rank: none was seen lately that this list takes; see digest status, digest collect"),
        ("subscribers list", "nobody is subscribed yet"),
        ("search diffusion", "nothing found"),
        ("review", "nothing is held for review"),
    ],
)
def test_a_command_with_nothing_to_show_says_so(run: Run, command: str, line: str) -> None:
    run("migrate")
    done = CliRunner().invoke(digest, command.split())
    assert (done.exit_code, done.stdout) == (0, f"{line}\n")


def test_words_for_people_in_what_a_command_says(run: Run) -> None:
    run("migrate")
    assert "known: no\n" in CliRunner().invoke(digest, ["explain", "nobody@example.org"]).stdout
    assert run("explain", "nobody@example.org")["known"] is False


def test_a_morning_by_hand(run: Run, tmp_path: Path) -> None:
    papers = [
        {
            "id": f"arxiv:2605.{n:05}",
            "title": f"Paper {n} on subject {n}",
            "abstract": f"We present thing {n}.",
            "authors": ["A. B"],
        }
        for n in range(1, 41)
    ]
    signals = [
        {
            "paper": "arxiv:2605.00007",
            "kind": "upvotes",
            "value": value,
            "observed_at": f"2026-05-03T{hour:02}:00:00Z",
            "source": "hf",
        }
        for hour, value in ((6, 3), (12, 40), (18, 90))
    ]
    (tmp_path / "papers.jsonl").write_text("\n".join(json.dumps(row) for row in papers))
    (tmp_path / "signals.jsonl").write_text("\n".join(json.dumps(row) for row in signals))
    first, later = "2026-05-03T05:00:00Z", "2026-05-04T06:00:00Z"

    assert run("migrate")["to"]
    assert run("import", "papers.jsonl", "--at", first)["papers_new"] == 40
    assert run("import", "signals.jsonl", "--at", later)["signals"] == 3
    again = run("import", "papers.jsonl", "signals.jsonl", "--at", later)
    assert (again["papers_new"], again["papers_updated"], again["signals"], again["rejected"]) == (0, 0, 0, [])

    best = run("trending", "--at", later)[0]
    assert best["id"] == "arxiv:2605.00007"
    assert any("▲" in reason for reason in best["reasons"])
    before = run("trending", "--at", "2026-05-03T05:30:00Z")
    assert all("upvotes" not in " ".join(each["reasons"]) for each in before), "no signal is seen before it was observed"
    assert {each["id"] for each in run("search", "subject 17")} >= {"arxiv:2605.00017"}

    assert run("subscribe", "ada@example.org", "--confirmed", "--hour", "06:00", "--at", first) == {"state": "active"}
    assert run("interests", "ada@example.org", "--text", "thing 33, -subject 7")["understood"] == [
        "words: thing 33",
        "mute subject 7",
    ]
    mine = run("trending", "--for", "ada@example.org", "--at", later, "--limit", "40")
    assert mine[0]["id"] == "arxiv:2605.00033"
    assert "arxiv:2605.00007" not in {each["id"] for each in mine}

    ticked = run("tick", "--at", later)
    assert (ticked["editions"], ticked["deliveries"]) == (1, 1)
    edition = run("edition", "--date", "2026-05-04", "--at", later)
    assert [pick["rank"] for pick in edition["picks"]] == list(range(1, 11))
    assert run("edition", "--date", "2026-05-04", "--at", later) == edition
    trial = run("edition", "--date", "2026-05-05", "--at", "2026-05-05T06:00:00Z", "--include-featured")
    assert trial["picks"][0]["id"] == "arxiv:2605.00007"
    preview = run("preview", "--date", "2026-05-04", "--at", later, "--for", "ada@example.org", "--out", "out")
    assert preview["content_hash"] == edition["content_hash"]
    assert "Paper 33" in (tmp_path / "out/message.txt").read_text()
    assert run("lint", "out/message.eml")["errors"] == []
    [dry] = run("send", "--to", "bob@example.org", "--date", "2026-05-04", "--at", later, "--dry-run")
    assert (dry["to"], dry["state"]) == ("bob@example.org", "dry-run")

    told = run("explain", "ada@example.org", "--at", later)
    assert told["subscriptions"][0]["consent"]["how"] == "command line"
    assert run("status", "--at", later)["outbox"] == {"queued": 1}
    assert run("unsubscribe", "ada@example.org", "--at", later) == {"ended": ["daily"]}
    assert run("erase", "ada@example.org", "--at", later) == {"erased": True}
    [refused] = run("send", "--to", "ada@example.org", "--date", "2026-05-04", "--at", later, "--dry-run", code=1)
    assert refused["state"] == "suppressed"


def test_subscribers_by_csv(run: Run, tmp_path: Path) -> None:
    (tmp_path / "readers.csv").write_text(
        "email,list,timezone,hour,weekdays,interests\n"
        "ada@example.org,daily,Europe/Berlin,07:00,mon;thu,robots\n"
        "bob@example.org,,,,,\n"
        "not an address,daily,UTC,07:00,daily,\n"
        "eve@example.org,daily,Mars/Base,07:00,daily,\n"
    )
    report = run("subscribers", "import", "readers.csv", "--confirmed")
    assert (report["added"], report["unchanged"]) == (2, 0)
    assert [each["line"] for each in report["rejected"]] == [4, 5]
    assert run("subscribers", "import", "readers.csv", "--confirmed")["unchanged"] == 2
    exported = run("subscribers", "export")
    assert {each["email"] for each in exported} == {"ada@example.org", "bob@example.org"}


def test_an_operator_changes_when_mail_is_due(run: Run) -> None:
    """What is not named stays, on the list named or on all; what names nothing is one line."""
    run("migrate")
    run("subscribe", "ada@example.org", "--confirmed", "--timezone", "Europe/Berlin", "--hour", "07:00")
    [shown] = run("preferences", "ada@example.org")
    assert (shown["hour"], shown["timezone"], shown["weekdays"]) == ("07:00", "Europe/Berlin", "daily")
    [late] = run("preferences", "ada@example.org", "--hour", "19:30", "--weekdays", "mon,thu")
    assert late == shown | {"hour": "19:30", "weekdays": "mon,thu"}
    [moved] = run("preferences", "ada@example.org", "--timezone", "Asia/Tokyo", "--frequency", "weekly", "--list", "daily")
    assert moved == late | {"timezone": "Asia/Tokyo", "frequency": "weekly"}
    [paused] = run("preferences", "ada@example.org", "--pause-until", "2030-09-01")
    assert paused == moved | {"paused_until": "2030-09-01"}
    assert run("preferences", "ada@example.org") == [paused]
    told = CliRunner().invoke(digest, ["subscribe", "ada@example.org", "--confirmed", "--hour", "05:00"])
    assert told.output == "ada@example.org: active (already confirmed; digest preferences changes when mail is due)\n"
    wrong = [["--weekdays", "someday"], ["--timezone", "Nowhere"], ["--list", "weekly"], ["--frequency", "often"]]
    refused = [CliRunner().invoke(digest, ["preferences", "ada@example.org", *words]).exit_code for words in wrong]
    assert 0 not in refused
    assert run("preferences", "ada@example.org") == [paused]
    run("unsubscribe", "ada@example.org")
    assert CliRunner().invoke(digest, ["preferences", "ada@example.org"]).exit_code != 0
