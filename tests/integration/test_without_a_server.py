"""docs/how-to/without-a-server.md: the commands of each recipe, run for two simulated days, with what may go wrong in between.

Only this is put in for what the page leaves to its reader: the relay, a folder of papers for the sources, and the instant.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command_line import clean_environment
from tests.servers import preloaded
from tests.servers.running import PATIENCE
from tests.servers.smtp import SmtpServer

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/how-to/without-a-server.md").read_text("utf-8")
READER = "you@example.org"
MONDAY, TUESDAY = "2026-03-02T07:10:00Z", "2026-03-03T07:10:00Z"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{re.escape(kind)}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def _cron() -> tuple[str, dict[str, str]]:
    [line] = blocks("crontab")
    return line.strip().split(maxsplit=5)[5], {}


def _systemd() -> tuple[str, dict[str, str]]:
    unit = dict(line.split("=", 1) for line in blocks("ini")[0].splitlines() if "=" in line)
    name, value = unit["Environment"].split("=")
    command = f"cd {unit['WorkingDirectory']} && {name}={value} {unit['ExecStart']}"
    return command.replace("%h", "$HOME"), {}


def _github() -> tuple[str, dict[str, str]]:
    job = yaml.safe_load(blocks("yaml")[0])["jobs"]["once"]
    secrets = {"DIGEST_KEY": "k" * 32, "DIGEST_READER": READER, "DIGEST_SMTP_PASSWORD": "secret"}
    filled = {k: re.sub(r"\$\{\{ secrets\.(\w+) \}\}", lambda found: secrets[found[1]], v) for k, v in job["env"].items()}
    return "\n".join(["cd $HOME/digest", "set -e", *(step["run"] for step in job["steps"] if "run" in step)]), filled


def _gitlab() -> tuple[str, dict[str, str]]:
    job = yaml.safe_load(blocks("yaml")[1])["digest"]
    given = {"DIGEST_SECRETS__KEY": "k" * 32, "SMTP_PASSWORD": "secret", "READER": READER}
    return "\n".join(["cd $HOME/digest", "set -e", *job["script"]]), job["variables"] | given


def _cached(recipe: str) -> tuple[list[str], bool]:
    """The paths that a recipe keeps from run to run, and whether of a run that failed, too."""
    if recipe == "gitlab":
        cache = yaml.safe_load(blocks("yaml")[1])["digest"]["cache"]
        return cache["paths"], cache["when"] == "always"
    steps = yaml.safe_load(blocks("yaml")[0])["jobs"]["once"]["steps"]
    [restores] = [step for step in steps if "cache/restore" in step.get("uses", "")]
    [saves] = [step for step in steps if "cache/save" in step.get("uses", "")]
    assert restores["with"]["path"] == saves["with"]["path"]
    assert saves["with"]["key"].startswith(restores["with"]["restore-keys"])
    return saves["with"]["path"].split(), saves.get("if") == "always()"


RECIPES = {"cron": _cron, "systemd": _systemd, "github": _github, "gitlab": _gitlab}
IN_CI = {"github", "gitlab"}


class Clone:
    """A clone in somebody's home, with a folder of papers: twelve a day."""

    def __init__(self, home: Path, recipe: str, relay: SmtpServer) -> None:
        self.folder, self.recipe, self.relay = home / "digest", recipe, relay
        (self.folder / "config").mkdir(parents=True)
        (self.folder / "papers").mkdir()
        self.cache = home / "cache"
        self.cache.mkdir()
        (self.folder / "config/local.toml").write_text(blocks("toml")[0])
        (self.folder / "config/smtp-password").write_text("secret")
        (self.folder / "run").write_text(
            "#!/bin/sh\nshift\n"
            f'if [ "$1" = once ]; then shift; exec {preloaded.in_a_shell()} once --at "$AT" "$@"; fi\n'
            f'exec {preloaded.in_a_shell()} "$@"\n'
        )
        (self.folder / "run").chmod(0o755)
        self.command, given = RECIPES[recipe]()
        papers = {"name": "papers", "kind": "folder", "options": {"path": str(self.folder / "papers")}}
        self.environment = clean_environment() | given | {"HOME": str(home), "DIGEST_SOURCES": json.dumps([papers])}
        self.relay_at(relay.port)
        self.publish(MONDAY)

    def relay_at(self, port: int) -> None:
        self.environment["DIGEST_RELAYS"] = json.dumps([{"host": "127.0.0.1", "port": port, "tls": "none"}])

    def publish(self, at: str) -> None:
        day = at[:10]
        rows = [
            {
                "id": f"doi:10.1000/{day}.{n}",
                "title": f"Work {n} of {day}",
                "abstract": "We do.",
                "published_at": f"{day}T01:00:00Z",
            }
            for n in range(12)
        ]
        (self.folder / f"papers/{day}.jsonl").write_text("\n".join(map(json.dumps, rows)))

    def shell(self, command: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.folder, env=self.environment | more, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip

    def add_readers(self) -> None:
        if self.recipe not in IN_CI:
            done = self.shell(blocks("sh")[0].replace("--confirmed", "--confirmed --at 2026-03-01T12:00:00Z"))
            assert done.returncode == 0, done.stderr

    def run(self, at: str) -> subprocess.CompletedProcess[str]:
        """The recipe's own command. In CI a checkout has what is in the repository, and of the run before what is cached."""
        if self.recipe in IN_CI:
            self._check_out()
        ran = self.shell(self.command, AT=at)
        if self.recipe in IN_CI and (ran.returncode == 0 or _cached(self.recipe)[1]):
            for name in _cached(self.recipe)[0]:
                if (self.folder / name).exists():
                    shutil.copy(self.folder / name, self.cache / name)
        return ran

    def _check_out(self) -> None:
        for name in ("digest.sqlite3", "digest.sqlite3-wal", "digest.sqlite3-shm", "digest.key", "config/smtp-password"):
            (self.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder / "journal", ignore_errors=True)
        for kept in self.cache.iterdir():
            shutil.copy(kept, self.folder)

    def lose_the_database(self) -> None:
        for file in (*self.folder.glob("digest.sqlite3*"), *self.cache.iterdir()):
            file.unlink()

    def mails(self) -> list[Any]:
        return [message_from_bytes(each.data, policy=policy.default) for each in self.relay.accepted()]


@pytest.fixture(params=list(RECIPES))
def clone(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Clone]:
    with SmtpServer(tmp_path / "kept") as relay:
        made = Clone(tmp_path, request.param, relay)
        made.add_readers()
        yield made


@pytest.fixture
def in_ci(tmp_path: Path) -> Iterator[Clone]:
    with SmtpServer(tmp_path / "kept") as relay:
        yield Clone(tmp_path, "gitlab", relay)


def done(ran: subprocess.CompletedProcess[str]) -> str:
    assert ran.returncode == 0, f"{ran.stdout}{ran.stderr}"
    return ran.stderr


def titles(mail: Any) -> set[str]:
    return set(re.findall(r"Work \d+ of [\d-]+", mail.get_body(("plain",)).get_content()))


def test_two_days_and_each_day_twice(clone: Clone) -> None:
    for at in (MONDAY, MONDAY.replace("07:10", "09:10"), TUESDAY, TUESDAY.replace("07:10", "07:11")):
        clone.publish(at)
        done(clone.run(at))
    first, second = clone.mails()
    assert [mail["To"] for mail in (first, second)] == [READER, READER]
    assert len(titles(first)) == 10
    assert titles(first) & titles(second) == set()


def test_every_link_in_the_mail_leads_somewhere(in_ci: Clone) -> None:
    """No pages are there, so there is no link to any; one leaves by mail."""
    done(in_ci.run(MONDAY))
    [mail] = in_ci.mails()
    assert mail["List-Unsubscribe"] == f"<mailto:{READER}?subject=unsubscribe>"
    assert [name for name in ("List-Unsubscribe-Post", "List-Archive", "List-Help") if mail[name]] == []
    html, text = (mail.get_body((kind,)).get_content() for kind in ("html", "plain"))
    linked = set(re.findall(r'href="([^"]*)"', html))
    assert f"mailto:{READER}?subject=unsubscribe" in linked
    assert {each for each in linked if not each.startswith(("https://doi.org/", "mailto:"))} == set()
    assert "127.0.0.1" not in html + text
    assert "Preferences" not in html + text


def test_the_mail_server_is_down_for_one_run(clone: Clone) -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        clone.relay_at(nobody_listens.getsockname()[1])
        ran = clone.run(MONDAY)
    assert ran.returncode == 1
    [line] = [line for line in ran.stderr.splitlines() if " is new: " not in line]
    assert line.startswith("digest: ")
    assert clone.mails() == []
    clone.relay_at(clone.relay.port)
    done(clone.run(MONDAY.replace("07:10", "07:40")))
    done(clone.run(MONDAY.replace("07:10", "07:50")))
    assert len(clone.mails()) == 1


def test_the_database_is_lost(clone: Clone) -> None:
    done(clone.run(MONDAY))
    clone.lose_the_database()
    clone.publish(TUESDAY)
    said = done(clone.run(TUESDAY))
    assert "digest.sqlite3 is new" in said
    if clone.recipe not in IN_CI:
        assert len(clone.mails()) == 1, "nobody is known any more"
        clone.add_readers()
        done(clone.run(TUESDAY))
    assert len(clone.mails()) == 2


def test_the_key_is_lost(clone: Clone) -> None:
    done(clone.run(MONDAY))
    if clone.recipe in IN_CI:
        clone.environment["DIGEST_SECRETS__KEY"] = "another key, because the first is lost"
    else:
        (clone.folder / "digest.key").unlink()
    clone.publish(TUESDAY)
    for _ in range(2):
        ran = clone.run(TUESDAY)
        assert ran.returncode == 2
        [line] = ran.stderr.splitlines()
        assert "digest migrate --accept-new-key" in line
    assert len(clone.mails()) == 1
    if clone.recipe in IN_CI:  # "put the line before `digest once` for one run"
        clone.command = clone.command.replace("./run digest once", blocks("sh new-key")[0] + "./run digest once")
    else:
        done(clone.shell(blocks("sh new-key")[0], DIGEST_CONFIG="config/local.toml"))
    done(clone.run(TUESDAY))
    assert len(clone.mails()) == 2


def test_the_mail_server_is_down_for_a_whole_day(clone: Clone) -> None:
    """What could not be sent is tried by every run, until the next day's edition takes its place: one mail, with new papers."""
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        clone.relay_at(nobody_listens.getsockname()[1])
        codes = [clone.run(MONDAY.replace("07:10", at)).returncode for at in ("07:10", "09:10", "15:10")]
    assert codes == [1, 1, 1]
    clone.relay_at(clone.relay.port)
    clone.publish(TUESDAY)
    ran = clone.run(TUESDAY)
    assert (ran.returncode, ran.stderr) == (1, "digest: 1 email was not sent (`digest explain EMAIL` says why)\n"), "Monday's"
    done(clone.run(TUESDAY.replace("07:10", "09:10")))
    [mail] = clone.mails()
    assert len(titles(mail)) == 10
    assert "could not be delivered: it could not be sent" in " ".join(mail.get_body(("plain",)).get_content().split())


def test_the_database_is_lost_on_the_same_day(clone: Clone) -> None:
    """The one case in which a mail comes twice; the run says so beforehand, and the third has nothing to do."""
    done(clone.run(MONDAY))
    clone.lose_the_database()
    clone.add_readers()
    said = done(clone.run(MONDAY.replace("07:10", "09:10")))
    assert ("papers it sent may come again" in said) is (clone.recipe in IN_CI), "who adds readers again has read the page"
    done(clone.run(MONDAY.replace("07:10", "11:10")))
    assert len(clone.mails()) == 2


def test_a_repository_for_ci_has_what_the_job_needs_and_no_secret(tmp_path: Path) -> None:
    """The page's commands in a clone of this project; a checkout of what was pushed then sends, twice a day for two days."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    address = re.search(r"https://git\S+", blocks("sh repository")[0])
    assert address
    environment = os.environ | {"GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"), "GIT_CONFIG_NOSYSTEM": "1"}
    (tmp_path / "gitconfig").write_text("[user]\nname = you\nemail = you@example.org\n[init]\ndefaultBranch = main\n")

    def types(folder: Path, lines: str) -> None:
        ran = subprocess.run(
            ["/bin/sh", "-e"], input=lines, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE,
            check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr

    project, pushed = tmp_path / "project", tmp_path / "pushed.git"
    (project / ".github/workflows").mkdir(parents=True)
    shutil.copy(ROOT / ".gitignore", project)
    for file in (ROOT / ".github/workflows").iterdir():
        shutil.copy(file, project / ".github/workflows")
    types(project, f"git init -q\ngit add .\ngit commit -qm start\ngit init -q --bare {pushed}\n")
    (project / "config").mkdir()
    (project / "config/local.toml").write_text(blocks("toml")[0])
    (project / "config/smtp-password").write_text("secret")
    (project / ".github/workflows/digest.yml").write_text(blocks("yaml")[0])
    types(project, blocks("sh repository")[0].replace(address[0], str(pushed)))
    types(tmp_path, f"git clone -q {pushed} checkout\n")
    there = {str(each.relative_to(tmp_path / "checkout")) for each in (tmp_path / "checkout").rglob("*") if each.is_file()}
    assert {each for each in there if not each.startswith(".git/")} == {
        ".gitignore",
        ".github/workflows/digest.yml",
        "config/local.toml",
    }
    key = subprocess.run(["/bin/sh", "-c", blocks("sh key")[0]], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert len(key.stdout.strip()) >= 32
    with SmtpServer(tmp_path / "kept") as relay:
        clone = Clone(tmp_path, "github", relay)
        clone.environment["DIGEST_SECRETS__KEY"] = key.stdout.strip()
        shutil.copy(tmp_path / "checkout/config/local.toml", clone.folder / "config")
        crons = [each["cron"].split() for each in yaml.safe_load(blocks("yaml")[0])[True]["schedule"]]
        for day in (MONDAY, TUESDAY):
            clone.publish(day)
            for minute, hour, *_ in crons:
                done(clone.run(f"{day[:10]}T{int(hour):02}:{int(minute):02}:00Z"))
        assert [mail["To"] for mail in clone.mails()] == [READER, READER]
        assert titles(clone.mails()[0]) & titles(clone.mails()[1]) == set()


def test_no_source_answers_at_first(in_ci: Clone) -> None:
    """The edition waits, instead of being made without papers."""
    papers = in_ci.folder / "papers"
    papers.rename(in_ci.folder / "away")
    ran = in_ci.run(MONDAY)
    assert (ran.returncode, ran.stderr.count("no source answered")) == (1, 1)
    (in_ci.folder / "away").rename(papers)
    done(in_ci.run(MONDAY.replace("07:10", "07:20")))
    [mail] = in_ci.mails()
    assert len(titles(mail)) == 10


def test_who_left_is_not_subscribed_again_by_the_job(in_ci: Clone) -> None:
    done(in_ci.run(MONDAY))
    done(in_ci.shell(f"./run digest unsubscribe {READER}"))
    shutil.copy(in_ci.folder / "digest.sqlite3", in_ci.cache)
    in_ci.publish(TUESDAY)
    assert f"{READER} unsubscribed" in done(in_ci.run(TUESDAY))
    assert len(in_ci.mails()) == 1


def test_a_reader_who_is_added_later_in_the_day_gets_that_days_edition(in_ci: Clone) -> None:
    done(in_ci.run(MONDAY))
    in_ci.environment["READER"] = "late@example.org"
    done(in_ci.run(MONDAY.replace("07:10", "11:00")))
    done(in_ci.run(MONDAY.replace("07:10", "12:00")))
    assert [mail["To"] for mail in in_ci.mails()] == [READER, "late@example.org"]


def test_if_due_asks_nobody_before_somebody_waits(tmp_path: Path) -> None:
    """And the edition is made of what is there when somebody does."""
    with SmtpServer(tmp_path / "kept") as relay:
        clone = Clone(tmp_path, "cron", relay)
        clone.add_readers()
        for day, due in ((MONDAY, 1), (TUESDAY, 2)):
            clone.publish(day)
            early = clone.shell("./run digest once --if-due --json --config config/local.toml", AT=day.replace("07:10", "05:30"))
            answer = json.loads(early.stdout)
            assert {key: answer[key] for key in ("collected", "editions", "accepted")} == {
                "collected": [],
                "editions": 0,
                "accepted": 0,
            }
            done(clone.run(day))
            assert len(clone.mails()) == due


def test_an_unconfirmed_subscription_needs_a_page_to_be_confirmed_on(tmp_path: Path) -> None:
    with SmtpServer(tmp_path / "kept") as relay:
        clone = Clone(tmp_path, "cron", relay)
        ran = clone.shell("./run digest subscribe late@example.org --config config/local.toml")
        assert ran.returncode == 2
        assert "--confirmed" in ran.stderr
        assert "0" not in clone.shell("./run digest subscribers list --config config/local.toml").stdout


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    (tmp_path / "digest").mkdir()
    shutil.copy("/bin/true", tmp_path / "digest/run")
    for name, text in zip(("service", "timer"), blocks("ini"), strict=True):
        (tmp_path / f"digest-once.{name}").write_text(text.replace("%h", str(tmp_path)))
    units = sorted(map(str, tmp_path.glob("digest-once.*")))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], env=os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert [line for line in verified.stderr.splitlines() if "digest-once" in line] == []
