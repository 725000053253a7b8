"""The ways of people who have the docs and a shell: each types only commands that README, the tutorial or a how-to names.

A CI job's way is in test_without_a_server.py; an operator's, and that of a reader with a phone, in
tests/browser/test_ways_in_a_browser.py.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import clean_environment, command
from tests.servers.libraries import KEY, elsewhere
from tests.servers.smtp import Script, SmtpServer

ROOT = Path(__file__).resolve().parents[2]
NAMED = "\n".join(
    page.read_text("utf-8") for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("[th]*o*/*.md")))
)  # README, tutorial, how-to
PASSWORD = "correct horse"
YOU = "you@uni.example"


class Person:
    """In a clone, with loopback's ports for the servers of the docs."""

    def __init__(self, folder: Path, relay: SmtpServer, **environment: str) -> None:
        self.folder, self.relay = folder, relay
        self.environment = clean_environment() | {"DIGEST_LOOK_UPS__ARXIV_URL": ""} | environment
        self.publish(datetime.now(UTC))

    def publish(self, at: datetime, topics: tuple[str, ...] = ("theorem proving", "diffusion models")) -> None:
        """A dozen papers of the day before, into the folder that is their source."""
        (self.folder / "papers").mkdir(exist_ok=True)
        day = (at - timedelta(days=1)).date()
        rows = [
            {
                "id": f"doi:10.1000/{day}.{number}",
                "title": f"Work {number} of {day} on {topics[number % len(topics)]}",
                "abstract": f"We study {topics[number % len(topics)]}. We do more.",
                "published_at": f"{day}T01:00:00Z",
            }
            for number in range(12)
        ]
        (self.folder / f"papers/{day}.jsonl").write_text("\n".join(map(json.dumps, rows)))

    def types(self, line: str, at: datetime | None = None, code: int = 0) -> str:
        """What is printed. `at`: the instant, which a person leaves to the clock."""
        run, program, name, *words = shlex.split(line)
        assert (run, program) == ("./run", "digest"), line
        options = [word for word in words if word.startswith("--")]
        unnamed = [word for word in (f"digest {name}", *options) if not re.search(rf"{re.escape(word)}\b", NAMED)]
        assert unnamed == [], f"no page names {unnamed}"
        when = ["--at", at.isoformat()] if at else []
        done = command(self.folder, name, *words, *when, environment=self.environment)
        assert done.returncode == code, f"{line}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def inbox(self, address: str) -> list[EmailMessage]:
        read = [message_from_bytes(each.data, policy=policy.default) for each in self.relay.accepted()]
        return [mail for mail in read if mail["To"] == address]  # type: ignore[misc]


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


# ---- a student, with a library in Zotero and the university's SMTP -----------------------------------------------------------


def test_the_student(tmp_path: Path) -> None:
    """The relay takes no sender but the login's; the picks follow the library; no address is made up at the university."""
    began = time.monotonic()
    with elsewhere() as there, SmtpServer(tmp_path / "kept", Script(only_sender=YOU), password=PASSWORD) as relay:
        for number, topic in enumerate(("Theorem proving with language models", "Neural theorem proving"), 1):
            there.zotero.put(f"W000000{number}", title=topic, abstractNote="We prove theorems.", creators=[], date="2024")
        you = Person(tmp_path, relay, DIGEST_LOOK_UPS__ZOTERO_URL=there.url)
        (tmp_path / "refs.bib").write_text(
            "@article{a, title={Proving theorems}, doi={10.1000/z}, author={Lovelace, Ada}, year={2025}}"
        )
        (tmp_path / "answers.toml").write_text(
            f'email = "{YOU}"\nsmtp_host = "127.0.0.1"\nsmtp_port = {relay.port}\nsmtp_tls = "none"\n'
            f'smtp_username = "{YOU}"\nsmtp_password = "{PASSWORD}"\ntimezone = "Europe/Berlin"\nsend_time = "00:00"\n'
            'sources = ["./papers"]\ninterests = ["author: Ada Lovelace"]\nlibrary = "refs.bib"\n'
            'postal_address = "Reading Group, 1 Example Street"\n'
        )
        assert "1 paper in the library" in you.types("./run digest init --answers answers.toml")
        [test_mail] = you.inbox(YOU)
        assert "Your digest is set up" in str(test_mail["Subject"])

        (tmp_path / "key.txt").write_text(KEY)
        said = you.types(f"./run digest interests {YOU} --zotero own --zotero-key-file key.txt")
        assert "2 papers kept" in said

        doctor = command(tmp_path, "doctor", "--no-dns", environment=you.environment).stdout
        assert [line for line in doctor.splitlines() if line.startswith("FAIL") and "clock" not in line] == [], doctor

        assert "1 edition made, 1 accepted" in you.types("./run digest once")
        assert "everybody has what was due" in you.types("./run digest once")
        mail = you.inbox(YOU)[-1]
        titles = re.findall(r"Work \d+ of [\d-]+ on [a-z ]+", text_of(mail))
        assert all("theorem proving" in title for title in titles[:6]), titles
        assert re.search(r"like “[^”]*[Tt]heorem", text_of(mail)), text_of(mail)
        assert mail["List-Unsubscribe"] == f"<mailto:{YOU}?subject=unsubscribe>"
        raw = mail.as_string().replace(f"<{str(mail['Message-ID']).strip('<>')}>", "")
        assert set(re.findall(r"[\w.+-]+@uni\.example", raw)) == {YOU}
        assert "state accepted" in you.types(f"./run digest explain {YOU}")
    assert time.monotonic() - began < 300, "the tutorial says ten minutes"


# ---- a group of twelve -------------------------------------------------------------------------------------------------------

BOUNCE = """\
From: MAILER-DAEMON@uni.example
To: {ours}
Subject: Undelivered Mail Returned to Sender
Date: Mon, 02 Mar 2026 08:10:00 +0000
Message-ID: <bounce@uni.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

The mail could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.uni.example

Final-Recipient: rfc822; {reader}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <{reader}>: Recipient address rejected: User unknown

--b--
"""
MONDAY = datetime(2026, 3, 2, 8, 7, tzinfo=UTC)


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Person]:
    with SmtpServer(tmp_path / "kept", Script(only_sender=YOU), password=PASSWORD) as relay:
        you = Person(tmp_path, relay)
        (tmp_path / "answers.toml").write_text(
            f'email = "{YOU}"\nsmtp_host = "127.0.0.1"\nsmtp_port = {relay.port}\nsmtp_tls = "none"\n'
            f'smtp_username = "{YOU}"\nsmtp_password = "{PASSWORD}"\ntimezone = "UTC"\nsources = ["./papers"]\n'
            'from_name = "Reading group"\n'
        )
        yield you


def test_a_group_of_twelve(group: Person) -> None:
    """Twelve from a spreadsheet; on the second day one has left, one gets it in the evening, one's mailbox is gone."""
    names = ["ada", "bob", "cyd", "dee", "eve", "fay", "gus", "hal", "ivy", "jon", "kim", "leo"]
    people = {name: f"{name}@group.example" for name in names}
    rows = [f"{name.title()};{address};07:00" for name, address in people.items()]
    (group.folder / "group.csv").write_text("\n".join(["Name;E-Mail;Uhrzeit", *rows]), "cp1252")
    group.types("./run digest init --answers answers.toml")
    said = group.types("./run digest subscribers import group.csv --confirmed", MONDAY - timedelta(days=1))
    assert "12 added, 0 unchanged, 0 rejected" in said
    assert "columns ignored: Name" in said
    assert group.types("./run digest subscribers list").count("active") == 13

    group.publish(MONDAY)
    assert "12 accepted" in group.types("./run digest once --if-due", MONDAY)
    first = {name: len(group.inbox(address)) for name, address in people.items()}
    assert set(first.values()) == {1}
    leaves = text_of(group.inbox(people["dee"])[0])
    assert f"mailto:{YOU}?subject=unsubscribe" in leaves, "dee writes there"

    assert group.types(f"./run digest unsubscribe {people['dee']}") == "ended: daily\n"
    assert "19:00 UTC" in group.types(f"./run digest preferences {people['ada']} --hour 19:00")
    (group.folder / "bounce.eml").write_text(BOUNCE.format(ours=YOU, reader=people["eve"]))
    assert "suppressed" in group.types("./run digest inbound bounce.eml")
    assert "hard bounce" in group.types(f"./run digest explain {people['eve']}")

    tuesday = MONDAY + timedelta(days=1)
    group.publish(tuesday)
    group.types("./run digest once --if-due", tuesday)
    got = {name for name, address in people.items() if len(group.inbox(address)) == 2}
    assert got == set(names) - {"ada", "dee", "eve"}
    group.types("./run digest once --if-due", tuesday.replace(hour=19, minute=7))
    assert len(group.inbox(people["ada"])) == 2
    assert {name for name, address in people.items() if len(group.inbox(address)) == 1} == {"dee", "eve"}
    for name in sorted(got):
        one, two = (set(re.findall(r"Work \d+ of [\d-]+", text_of(mail))) for mail in group.inbox(people[name]))
        assert one & two == set(), name


# ---- a newcomer, with five minutes -------------------------------------------------------------------------------------------


def test_the_newcomer(tmp_path: Path) -> None:
    """`./run demo` as README has it, from a folder of one's own: one command, and the page it names is a mail with papers."""
    assert re.search(r"^    \./run demo ", NAMED, re.MULTILINE)
    began = time.monotonic()
    environment = clean_environment() | {"CI": "true", "HOME": str(tmp_path)}
    shown = subprocess.run(
        ["env", "-C", tmp_path, str(ROOT / ".venv/bin/python"), "-m", "digest", "demo"],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert time.monotonic() - began < 300
    assert shown.stderr == ""
    [page] = [line.split()[0] for line in shown.stdout.splitlines() if "in a browser" in line]
    html = (tmp_path / page).read_text("utf-8")
    assert html.count("https://arxiv.org/abs/") >= 10
    assert "sample votes" in html


def test_everything_that_the_ways_write_is_the_persons_own(tmp_path: Path) -> None:
    """Settings, password, answers, keys and databases that the docs name are out of git's sight in a clone."""
    written = [
        "config/local.toml",
        "config/local.toml.bak",
        "config/smtp-password",
        "config/refresh-token",
        "config/client-secret",
    ]
    written += [
        "answers.toml",
        "key.txt",
        "digest.key",
        "digest.sqlite3",
        "digest.sqlite3-wal",
        "journal/left.log",
        "backup/digest.tar",
    ]
    git: dict[str, Any] = {"cwd": tmp_path, "capture_output": True, "text": True, "timeout": 60}
    if subprocess.run(["git", "init", "-q"], check=False, env=os.environ, **git).returncode:
        pytest.skip("git is not installed")
    (tmp_path / ".gitignore").write_text((ROOT / ".gitignore").read_text("utf-8"))
    seen = subprocess.run(["git", "check-ignore", *written], check=False, **git).stdout.split()
    assert set(written) - set(seen) == set()


def test_the_commands_for_a_group_are_run_as_they_stand(group: Person) -> None:
    page = (ROOT / "docs/how-to/without-a-server.md").read_text("utf-8")
    group.types("./run digest init --answers answers.toml")
    names = ("ada", "bob", "cyd", "dee", "eve")
    (group.folder / "group.csv").write_text("email\n" + "".join(f"{name}@example.org\n" for name in names))
    (group.folder / "bounce.eml").write_text(BOUNCE.format(ours=YOU, reader="eve@example.org"))
    said = {}
    for kind in ("sh group", "sh wishes"):
        [block] = re.findall(rf"^```{kind}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
        said |= {line: group.types(line) for line in block.splitlines()}
    assert len(said) == 8
    told = "\n".join(said.values())
    for part in ("5 added", "19:00", "paused until 2030-09-01", "ended: daily", "follow author ada lovelace", "hard bounce"):
        assert part in told, part
