"""docs/operations.md, followed to the letter on a real Postfix: from an empty folder to a mail in the inbox, and out of trouble.

Only this is put in for what the page leaves to its reader: where the clone's command is, the relay's port, the day's date.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from servers.dovecot import Dovecot
from servers.postfix import Postfix

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/operations.md").read_text("utf-8")


def block(kind: str) -> str:
    """The one block of that kind."""
    [text] = re.findall(rf"^```{re.escape(kind)}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(text)


class Machine:
    """An empty folder in which the page's commands are typed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "seeds").symlink_to(ROOT / "seeds")
        run = folder / "run"
        run.write_text(f'#!/bin/sh\nshift\nexec {shlex.quote(sys.executable)} -m digest "$@"\n')
        run.chmod(0o755)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")}
        self.environment = clean | {"PYTHONPATH": str(ROOT)}

    def type(self, lines: str, **more: str) -> list[str]:
        """Each line by itself; what each printed. All must succeed."""
        said = []
        for line in lines.strip().splitlines():
            done = subprocess.run(
                ["/bin/sh", "-c", line],
                cwd=self.folder,
                env=self.environment | more,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            said.append(done.stdout)
        return said

    def status(self) -> dict[str, int]:
        outbox: dict[str, int] = json.loads(self.type("./run digest status --json")[0])["outbox"]
        return outbox


@pytest.fixture
def machine(tmp_path: Path, postfix_server: Postfix) -> Machine:
    made = Machine(tmp_path)
    (tmp_path / "config").mkdir()
    settings = block("toml")
    assert "port = 25\n" in settings
    (tmp_path / "config/digest.toml").write_text(settings.replace("port = 25\n", f"port = {postfix_server.port}\n"))
    return made


def test_from_an_empty_folder_to_a_first_mail_and_out_of_trouble(machine: Machine, dovecot_server: Dovecot) -> None:
    *_, status, explained = machine.type(block("sh"))
    assert "accepted: 1" in status
    assert "postfix" in explained
    assert machine.status() == {"accepted": 1}

    today = datetime.now(UTC).date().isoformat()
    machine.type(block("sh incident").replace("DATE", _edition(machine) or today))
    assert machine.status() == {"accepted": 2}, "the edition, and its correction"

    if shutil.which("sqlite3") is None:
        _backup(machine)
    else:
        machine.type(block("sh backup"))
    machine.type("./run digest subscribe late@example.org --confirmed")
    machine.type(block("sh restore"))
    told = json.loads(machine.type("./run digest status --json")[0])
    assert told["lists"][0]["paused"].startswith("restored")
    assert told["outbox"] == {"accepted": 2}
    assert not json.loads(machine.type("./run digest explain late@example.org --json")[0])["known"], "came after the backup"


def _edition(machine: Machine) -> str:
    [told] = json.loads(machine.type("./run digest status --json")[0])["lists"]
    return str(told["edition"])


def _backup(machine: Machine) -> None:
    """The page's sqlite3 line by Python's own module, where the program is not installed."""
    line = next(line for line in block("sh backup").splitlines() if line.startswith("sqlite3 "))
    source, order = shlex.split(line)[1:]
    target = order.removeprefix(".backup ")
    copy = f"import sqlite3; a = sqlite3.connect('{source}'); b = sqlite3.connect('{target}'); a.backup(b); b.close(); a.close()"
    others = [other for other in block("sh backup").splitlines() if other != line]
    machine.type("\n".join([others[0], f"{shlex.quote(sys.executable)} -c {shlex.quote(copy)}", *others[1:]]))


def test_postfix_takes_the_pages_settings(tmp_path: Path, postfix_server: Postfix) -> None:
    """Set in a copy of a running server's settings: Postfix knows each of them and finds no fault."""
    for name in ("main.cf", "master.cf"):
        shutil.copy(postfix_server.folder / name, tmp_path)
    lines = block("sh postfix").strip().splitlines()
    for line in lines:
        program, *arguments = shlex.split(line)
        done = subprocess.run(
            [f"/usr/sbin/{program}", "-c", str(tmp_path), *arguments], capture_output=True, text=True, timeout=30, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), line
    told = subprocess.run(
        ["/usr/sbin/postconf", "-c", str(tmp_path), "-n"], capture_output=True, text=True, timeout=30, check=True
    )
    assert len(lines) == 3
    assert "myhostname = digest.example.org" in told.stdout
    assert "unused parameter" not in told.stderr
