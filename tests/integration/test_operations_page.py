"""docs/how-to/operations.md, followed on a real Postfix: from an empty folder to a mail in the inbox, and out of trouble.

Only this is put in for what the page leaves to its reader: where the clone's command is, the relay's port, the day's date.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import pytest
from sqlalchemy import make_url

from digest.domain.delivery import Reply
from digest.mail.smtp.journal import Journal
from tests.command_line import clean_environment, command
from tests.servers import postgresql, preloaded
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix
from tests.servers.running import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/how-to/operations.md").read_text("utf-8")


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
        run.write_text(f'#!/bin/sh\nshift\nexec {preloaded.in_a_shell()} "$@"\n')
        run.chmod(0o755)
        self.environment = clean_environment()

    def type(self, lines: str, *, in_a_shell: bool = False) -> list[str]:
        """Each line by itself; what each printed. All must succeed. `in_a_shell`: digest too, as an operator does."""
        said = []
        for line in lines.strip().splitlines():
            words = shlex.split(line)
            if words[:2] == ["./run", "digest"] and not in_a_shell:
                named = [sorted(map(str, self.folder.glob(word))) if "*" in word else [word] for word in words[2:]]
                done = command(self.folder, *chain(*named), environment=self.environment)
            else:
                done = subprocess.run(
                    ["/bin/sh", "-c", line],
                    cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=PATIENCE, check=False,
                )  # fmt: skip
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
    *_, status, explained = machine.type(block("sh"), in_a_shell=True)
    assert "accepted: 1" in status
    assert "postfix" in explained
    assert machine.status() == {"accepted": 1}

    today = datetime.now(UTC).date().isoformat()
    machine.type(block("sh incident").replace("DATE", _edition(machine) or today))
    assert machine.status() == {"accepted": 2}, "the edition, and its correction"

    machine.type(block("sh backup"))
    machine.type("./run digest subscribe late@example.org --confirmed")
    machine.type(block("sh restore"))
    assert machine.status() == {"accepted": 2}
    assert not json.loads(machine.type("./run digest explain late@example.org --json")[0])["known"], "came after the backup"


EARLIER = """
./run digest migrate
./run digest import seeds/*
./run digest subscribe you@example.org --confirmed --hour 00:00
"""
SENT = "./run digest tick\n./run digest deliver"


def test_what_went_out_after_the_backup_is_not_sent_again(machine: Machine) -> None:
    """The backup has not even seen the edition: it is made anew, and withheld from who got it."""
    machine.type(EARLIER)
    machine.type(block("sh backup"))
    machine.type(SENT)
    assert machine.status() == {"accepted": 1}
    machine.type("./run digest subscribe leaver@example.org --confirmed\n./run digest unsubscribe you@example.org")
    machine.type(block("sh restore"))
    machine.type("./run digest subscribe new@example.org --confirmed --hour 00:00 --at 2020-01-01T00:00:00Z")
    machine.type(SENT)
    assert machine.status() == {"accepted": 1}, "to who is new"
    assert json.loads(machine.type("./run digest subscribers list --json")[0])[0]["state"] == "ended"


@pytest.mark.parametrize("lost", ["the database", "everything"])
def test_a_lost_database_mails_nobody_twice(machine: Machine, lost: str) -> None:
    machine.type(EARLIER)
    machine.type(block("sh backup"))
    machine.type(SENT)
    machine.type("rm -rf digest.sqlite3*" + (" journal" if lost == "everything" else ""))
    machine.type(block("sh restore"))
    machine.type(SENT)
    assert machine.status() == {"withheld": 1}
    assert [f"{path.stat().st_mode & 0o777:o}" for path in machine.folder.glob("**/*") if path.suffix in PRIVATE] != []
    assert {path.stat().st_mode & 0o777 for path in machine.folder.glob("**/*") if path.suffix in PRIVATE} == {0o600}
    assert (machine.folder / "backup").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("lost", ["", "rm -f digest.sqlite3*"], ids=["nothing lost", "database lost"])
def test_a_list_paused_after_the_backup_stays_paused(machine: Machine, lost: str) -> None:
    machine.type(EARLIER)
    machine.type(block("sh backup"))
    machine.type(f"./run digest pause daily --reason 'wrong papers'\n{lost}")
    machine.type(block("sh restore"))
    machine.type(SENT)
    assert machine.status() == {}
    machine.type("./run digest resume daily\n" + SENT)
    assert machine.status() == {"accepted": 1}


def test_a_list_resumed_after_the_backup_is_not_paused_again(machine: Machine) -> None:
    machine.type(EARLIER + "./run digest pause daily --reason x")
    machine.type(block("sh backup"))
    machine.type("./run digest resume daily")
    machine.type(block("sh restore"))
    machine.type(SENT)
    assert machine.status() == {"accepted": 1}


@pytest.mark.parametrize(
    ("before", "after", "lost", "left"),
    [
        ("./run digest tick", "", "", {"accepted": 1}),
        ("./run digest tick", "", "rm -f digest.sqlite3*", {"accepted": 1}),
        ("", "./run digest tick", "", {"withheld": 1}),
        ("", "./run digest tick", "rm -f digest.sqlite3*", {"withheld": 1}),
    ],
    ids=["in the backup", "in the backup, database lost", "since the backup", "since the backup, database lost"],
)
def test_what_only_a_dead_processs_journal_knows_is_not_sent_again(
    machine: Machine, before: str, after: str, lost: str, left: dict[str, int]
) -> None:
    machine.type(EARLIER + before)
    machine.type(block("sh backup"))
    machine.type(after)
    with Journal.create(machine.folder / "journal") as journal:
        journal.dot(1, datetime.now(UTC), "main")
        journal.reply(1, datetime.now(UTC), "main", Reply(250, "queued as 4XYZ"))
    assert list((machine.folder / "journal").glob("*.journal")), "as a process leaves it that was killed"
    machine.type(lost)
    machine.type(block("sh restore"))
    *_, delivered = machine.type(SENT)
    assert "accepted" not in delivered
    assert machine.status() == left


PRIVATE = {".sqlite3", ".key", ".tar", ".log", ".journal"}


@pytest.fixture
def database(machine: Machine) -> Iterator[None]:
    """A database `digest` on a server of its own, and nothing else to say for its programs."""
    if reason := postgresql.missing():
        pytest.skip(reason)
    if shutil.which("pg_dump") is None:
        pytest.skip("pg_dump is not installed (apt install postgresql-client)")
    with postgresql.postgresql() as url:
        folder = str(make_url(url).query["host"])
        machine.environment |= {
            "PGHOST": folder, "PGUSER": "digest", "DIGEST_DATABASE__URL": f"postgresql://digest@/digest?host={folder}",
        }  # fmt: skip
        machine.type("createdb digest")
        yield


def test_postgresql_from_zero(machine: Machine) -> None:
    """The page's commands on a server that has only its superuser; then the first edition goes out by it."""
    if reason := postgresql.missing():
        pytest.skip(reason)
    with postgresql.postgresql() as url:
        folder = str(make_url(url).query["host"])
        machine.environment |= {"PGHOST": folder, "PGDATABASE": "postgres"}
        machine.type("createuser --username digest --superuser postgres")
        machine.environment["PGUSER"] = "postgres"
        machine.type("psql --no-psqlrc -c 'ALTER ROLE digest RENAME TO founder'")
        machine.type(block("sh postgresql"))
        [line] = re.findall(r'^    url = "(postgresql://.*)"$', PAGE, re.MULTILINE)
        machine.environment["DIGEST_DATABASE__URL"] = line.replace("/var/run/postgresql", folder)
        machine.type(EARLIER + SENT)
        assert machine.status() == {"accepted": 1}
        owner_of = "SELECT tableowner FROM pg_tables WHERE tablename = 'deliveries'"
        assert machine.type(f'psql --no-psqlrc -At -c "{owner_of}" digest') == ["digest\n"]


@pytest.mark.usefixtures("database")
def test_postgresql_is_backed_up_and_restored_with_its_queue(machine: Machine) -> None:
    machine.type(EARLIER + SENT)
    machine.type(block("sh backup"))
    machine.type("./run digest subscribe late@example.org --confirmed --hour 00:00\n./run digest erase you@example.org")
    machine.type(block("sh restore"))
    for gone in ("late@example.org", "you@example.org"):
        assert not json.loads(machine.type(f"./run digest explain {gone} --json")[0])["known"]
    [queue] = machine.type("psql --no-psqlrc -At -c \"SELECT to_regclass('procrastinate.procrastinate_jobs')\" digest")
    assert queue.strip() == "procrastinate.procrastinate_jobs", "the workers' queue is there too"
    machine.type("./run digest subscribe new@example.org --confirmed")
    machine.type(f"./run digest redeliver daily/{_edition(machine)} --to new@example.org\n./run digest deliver")
    assert machine.status() == {"accepted": 1}, "and it goes on"


def _edition(machine: Machine) -> str:
    [told] = json.loads(machine.type("./run digest status --json")[0])["lists"]
    return str(told["edition"])


def test_postfix_takes_the_pages_settings(tmp_path: Path, postfix_server: Postfix) -> None:
    """Set in a copy of a running server's settings: Postfix knows each of them and finds no fault."""
    for name in ("main.cf", "master.cf"):
        shutil.copy(postfix_server.folder / name, tmp_path)
    lines = block("sh postfix").strip().splitlines()
    for line in lines:
        program, *arguments = shlex.split(line)
        done = subprocess.run(
            [f"/usr/sbin/{program}", "-c", str(tmp_path), *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), line
    told = subprocess.run(
        ["/usr/sbin/postconf", "-c", str(tmp_path), "-n"], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert len(lines) == 3
    assert "myhostname = digest.example.org" in told.stdout
    assert "unused parameter" not in told.stderr
