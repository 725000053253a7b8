"""`./run demo`: what a newcomer sees first, with samples that say so; and with today's real papers from a local Hugging Face."""

from __future__ import annotations

import json
import os
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from digest.cli import digest
from tests.command_line import clean_environment, command
from tests.servers.running import free_port
from tests.servers.scripted_http import Act, Asked, ScriptedServer, reply

ROOT = Path(__file__).resolve().parents[2]
DAY = ROOT / "tests/fixtures/hugging_face/2026-04-20.json"
AT = "2026-04-20T12:00:00Z"


def demo(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(digest, ["demo", "--folder", str(folder), *words])


def mails(folder: Path) -> list[Any]:
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in sorted((folder / "inbox").glob("*.eml"))]


def test_samples_have_authors_links_and_reasons_and_say_that_they_are_samples(tmp_path: Path) -> None:
    done = demo(tmp_path)
    assert done.exit_code == 0, done.output
    assert "the votes are samples" in done.output
    [mail] = mails(tmp_path)
    text = mail.get_body(("plain",)).get_content()
    for part in (text, mail.get_body(("html",)).get_content()):
        assert "Trending papers (demo with sample votes)" in part
    assert "Alethea Power, Yuri Burda, Harri Edwards" in text
    assert "https://arxiv.org/abs/2201.02177" in text
    assert "▲ 214 today" in text
    again = demo(tmp_path)
    assert again.exit_code == 0, again.output
    assert len(mails(tmp_path)) == 2, "and nothing was counted twice"
    assert "0 new papers from seeds/" in again.output


def test_the_seeds_themselves_hold_no_votes(tmp_path: Path) -> None:
    """`digest import seeds/*` is how an installation without a network begins: no invented vote gets in there."""
    files = [str(file) for file in sorted((ROOT / "seeds").iterdir())]
    done = command(tmp_path, "import", *files, "--json", environment=clean_environment())
    counted = json.loads(done.stdout)
    assert (counted["papers_new"], counted["signals"], counted["rejected"]) == (179, 0, [])


@pytest.mark.parametrize(
    ("words", "ci", "opened"),
    [(("--open",), "", True), (("--open",), "true", False), (("--no-open",), "", False), ((), "", False)],
    ids=["asked", "in CI", "asked not to", "no terminal"],
)
def test_a_browser_is_opened_where_it_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], ci: str, opened: bool
) -> None:
    pages: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: pages.append(url) or True)
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("DISPLAY", ":0")
    assert demo(tmp_path, *words).exit_code == 0
    assert pages == ([(tmp_path / "inbox/0001.html").as_uri()] if opened else [])


def hugging_face(asked: Asked) -> Act:
    return reply(body=DAY.read_bytes() if "date=2026-04-20" in asked.target else b"[]", Content_Type="application/json")


def test_live_shows_the_papers_of_the_day(tmp_path: Path) -> None:
    with ScriptedServer(choose=hugging_face) as server:
        done = demo(tmp_path, "--live", "--source", server.url, "--at", AT)
    assert done.exit_code == 0, done.output
    assert all(each.target.startswith("/api/daily_papers") for each in server.asked)
    [mail] = mails(tmp_path / "live")
    assert "sample votes" not in mail.as_string()
    titles = {row["paper"]["title"] for row in json.loads(DAY.read_bytes())}
    html = mail.get_body(("html",)).get_content()
    assert any(title in html for title in titles)
    assert not (tmp_path / "digest.sqlite3").exists(), "the samples are elsewhere"


def test_live_without_a_network_says_so_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_HTTP__RETRIES", "0")
    done = demo(tmp_path, "--live", "--source", f"http://127.0.0.1:{free_port()}", "--at", AT)
    assert done.exit_code == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("digest: source huggingface: ")
    assert line.endswith("without a network: digest demo")
    assert not mails(tmp_path / "live")


def test_without_live_nothing_is_asked_of_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    connect, reached = socket.socket.connect, list[str]()

    def watched(self: socket.socket, address: Any) -> None:
        reached.append(str(address[0]) if isinstance(address, tuple) else "local")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    monkeypatch.delenv("DIGEST_LOOK_UPS__ARXIV_URL", raising=False)
    assert demo(tmp_path).exit_code == 0
    assert set(reached) <= {"127.0.0.1", "::1", "local"}, os.environ.get("DIGEST_LOOK_UPS__ARXIV_URL")
