"""`digest init` as a newcomer, a student and a script use it: from nothing to a mail in the inbox, and never half of it."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from digest.cli import digest
from digest.config import load
from digest.container import Container
from digest.services.setup.answers import Answers
from tests.command_line import clean_environment, command
from tests.servers import preloaded
from tests.servers.running import PATIENCE
from tests.servers.smtp import Do, Script, SmtpServer

PASSWORD = "correct horse"  # a person's, with a space in it


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("DIGEST_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[SmtpServer]:
    with SmtpServer(tmp_path / "kept", password=PASSWORD) as server:
        yield server


def papers(folder: Path) -> str:
    """A folder of twelve papers, as a source."""
    (folder / "papers").mkdir()
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    rows = [
        {"id": f"doi:10.1000/{n}", "title": f"Work {n}", "abstract": "We do.", "published_at": f"{yesterday}T01:00:00Z"}
        for n in range(12)
    ]
    (folder / "papers/new.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return "./papers"


def answered(tmp_path: Path, relay: SmtpServer, **more: Any) -> Path:
    """The answers of somebody with a login at a relay; None leaves one out."""
    values: dict[str, Any] = {
        "email": "you@uni.example",
        "smtp_host": "127.0.0.1",
        "smtp_port": relay.port,
        "smtp_tls": "none",
        "smtp_username": "you@uni.example",
        "smtp_password": PASSWORD,
        "send_time": "00:00",
    } | more
    file = tmp_path / "answers.toml"
    file.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items() if value is not None), "utf-8")
    return file


def run(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return command(tmp_path, *words, environment=clean_environment())


def tree(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def test_from_answers_to_an_edition_in_the_inbox(tmp_path: Path) -> None:
    """The student: the university's relay takes no sender but the login's own; two commands later the edition is there."""
    with SmtpServer(tmp_path / "kept", Script(only_sender="you@uni.example"), password=PASSWORD) as relay:
        (tmp_path / "refs.bib").write_text("@article{a, title={On Work 3}, doi={10.1000/3}, author={Lovelace, Ada}, year={2025}}")
        extra = {"sources": [papers(tmp_path)], "interests": "diffusion", "library": "refs.bib", "postal_address": "1 Example St"}
        made = run(tmp_path, "init", "--answers", str(answered(tmp_path, relay, **extra)))
        assert made.returncode == 0, made.stderr
        assert made.stdout.splitlines()[-1].startswith("Next: digest once")
        doctor = run(tmp_path, "doctor", "--no-dns")
        assert f"ok   relay 127.0.0.1:{relay.port}: takes our login" in doctor.stdout
        once = run(tmp_path, "once")
        assert once.returncode == 0, once.stderr
        again = run(tmp_path, "once")
        assert "everybody has what was due" in again.stdout
        received = [message_from_bytes(each.data, policy=policy.default) for each in relay.accepted()]
    assert [str(each["To"]) for each in received] == ["you@uni.example"] * 2
    assert "Your digest is set up" in str(received[0]["Subject"])
    assert "Work" in received[1].get_body(("plain",)).get_content()
    password = tmp_path / "config/smtp-password"
    assert stat.S_IMODE(password.stat().st_mode) == stat.S_IMODE((tmp_path / "config/local.toml").stat().st_mode) == 0o600
    assert PASSWORD not in (tmp_path / "config/local.toml").read_text()
    with Container(load(Path("config/local.toml"))) as container:
        [mine] = container.subscriptions.of(container.adapters.address("you@uni.example"))
    assert "doi:10.1000/3" in mine.interests.liked


def test_asked_in_a_terminal_it_says_what_is_wrong_and_asks_again(tmp_path: Path, relay: SmtpServer) -> None:
    relay_of = ["127.0.0.1", str(relay.port), "ssl", "none", "you@uni.example", PASSWORD]
    rest = ["", "", "1 Example St", "", "Europe/Berlim", "Europe/Berlin", "7", "nowhere", "huggingface", "cs.CL", "x; y", ""]
    typed = ["nobody", "you@uni.example", *relay_of, *rest]
    done = CliRunner().invoke(digest, ["init"], input="\n".join(typed) + "\n")
    assert done.exit_code == 0, done.output
    for part in ("email: ", "smtp_tls: ", "did you mean Europe/Berlin?", "'nowhere' is no source; should be arxiv, huggingface"):
        assert part in done.stderr, part
    assert PASSWORD not in done.output
    settings = load(Path("config/local.toml"))
    assert (settings.default_timezone, f"{settings.default_send_time:%H:%M}") == ("Europe/Berlin", "07:00")
    assert settings.mail.from_address == "you@uni.example"
    assert len(relay.accepted()) == 1
    # asked again, Enter keeps everything
    before = tree(tmp_path / "config")
    done = CliRunner().invoke(digest, ["init"], input="\n" * 20)
    assert done.exit_code == 0, done.output
    assert "nothing was written" in done.output
    assert tree(tmp_path / "config") == before


def test_a_login_that_is_refused_is_asked_for_again(tmp_path: Path, relay: SmtpServer) -> None:
    first = ["you@uni.example", "127.0.0.1", str(relay.port), "none", "you@uni.example", "wrong", *[""] * 10]
    second = ["", "", "", "", "", PASSWORD, *[""] * 10]
    done = CliRunner().invoke(digest, ["init"], input="\n".join([*first, *second]) + "\n")
    assert done.exit_code == 0, done.output
    assert "AUTH was answered 535" in done.stderr
    assert (tmp_path / "config/smtp-password").read_text().strip() == PASSWORD


@pytest.mark.parametrize(
    ("email", "host", "more"),
    [
        ("you@uni.example", "smtp.uni.example", ""),
        ("you@gmail.com", "smtp.gmail.com", ""),
        ("you@gmail.com", "smtp.gmail.com", 'smtp_tls = "tls"'),
        ("you@uni.example", "smtp.uni.example", 'smtp_port = 587\nsmtp_tls = "none"'),
        ("you@uni.example", "smtp.uni.example", "smtp_port = 465"),
    ],
)
def test_asked_again_enter_keeps_everything(tmp_path: Path, email: str, host: str, more: str) -> None:
    """Also a password in the settings file itself, and port and TLS as they are, written or not."""
    (tmp_path / "a.toml").write_text(f'email = "{email}"\nsmtp_host = "{host}"\n{more}\n')
    assert run(tmp_path, "init", "--answers", "a.toml", "--offline").returncode == 0
    config = tmp_path / "config/local.toml"
    config.write_text(config.read_text().replace(f'host = "{host}"', f'host = "{host}"\npassword = "inside"'))
    before = tree(tmp_path / "config")
    done = CliRunner().invoke(digest, ["init", "--offline"], input="\n" * 20)
    assert done.exit_code == 0, done.output
    assert "nothing was written" in done.output
    assert tree(tmp_path / "config") == before


def test_another_server_starts_from_its_own_settings(tmp_path: Path, relay: SmtpServer) -> None:
    assert run(tmp_path, "init", "--answers", str(answered(tmp_path, relay))).returncode == 0
    typed = ["", "smtp.gmail.com", "", "me@gmail.com", "abcd efgh ijkl mnop", *[""] * 10, "y"]
    done = CliRunner().invoke(digest, ["init", "--offline"], input="\n".join(typed) + "\n")
    assert done.exit_code == 0, done.output
    assert "an app password" in done.stderr
    [table] = tomllib.loads((tmp_path / "config/local.toml").read_text())["relays"]
    assert table == {"host": "smtp.gmail.com", "username": "me@gmail.com", "password_file": "config/smtp-password"}
    assert (tmp_path / "config/smtp-password").read_text() == "abcd efgh ijkl mnop\n"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"email": "nobody"}, "email: address 'nobody'"),
    ({"email": None}, "email: is missing"),
    ({"smtp_host": "a b"}, "smtp_host: 'a b' should be a host name such as smtp.example.org"),
    ({"smtp_port": 70000}, "smtp_port: should be less than or equal to 65535"),
    ({"smtp_tls": "ssl"}, "smtp_tls: should be 'starttls', 'tls' or 'none'"),
    ({"smtp_password": None, "smtp_password_file": "nowhere"}, "smtp_password_file: nowhere should be a file that can be read"),
    ({"smtp_password": "wrong"}, "AUTH was answered 535 5.7.8 authentication failed; set relays.username and relays.password"),
    ({"smtp_password": " x\n"}, "smtp_password: should be one line of ASCII without blanks before or after it"),
    ({"smtp_password": "größe"}, "smtp_password: should be one line of ASCII"),
    ({"smtp_hots": "x"}, "smtp_hots: unknown key; did you mean smtp_host?"),
    ({"timezone": "Europe/Berlim"}, "timezone: unknown time zone 'Europe/Berlim'; did you mean Europe/Berlin?"),
    ({"send_time": "25:00"}, "send_time: '25:00' should be like 07:00"),
    ({"sources": []}, "sources: there is none; should be one or more of huggingface"),
    ({"sources": ["hugingface"]}, "sources: 'hugingface' is no source; should be arxiv, huggingface"),
    ({"categories": ["CS.cl"]}, "categories: 'CS.cl' should be an arXiv category such as cs.CL"),
    ({"library": "nowhere.bib"}, "library: nowhere.bib should be a file that can be read"),
    ({"library": "answers.toml", "email": "\x00"}, "email: "),
    ({"base_url": "example.org"}, "base_url: begins with neither http:// nor https://"),
    ({"from_name": "a\nb"}, "from_name: 'a\\nb' should be one line of text without control characters"),
]


@pytest.mark.parametrize(("more", "line"), WRONG, ids=[line[:40] for _, line in WRONG])
def test_a_bad_answer_is_one_line_and_leaves_nothing(tmp_path: Path, relay: SmtpServer, more: dict[str, Any], line: str) -> None:
    file = answered(tmp_path, relay, **more)
    before = tree(tmp_path)
    done = run(tmp_path, "init", "--answers", str(file))
    assert done.returncode in (1, 2)
    [said] = done.stderr.splitlines()
    assert line in said
    assert PASSWORD not in said
    assert tree(tmp_path) == before


@pytest.mark.parametrize("text", ["email = ", b"\xff".decode("latin-1"), "email = 1\nemail = 2"])
def test_a_file_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "answers.toml").write_text(text, "latin-1")
    done = run(tmp_path, "init", "--answers", "answers.toml")
    assert done.returncode == 2
    assert done.stderr.startswith("digest: answers.toml: is not TOML") or "not UTF-8" in done.stderr
    assert run(tmp_path, "init", "--answers", "missing.toml").stderr.count("\n") == 1


def test_nobody_to_ask(tmp_path: Path) -> None:
    done = preloaded.run(["init"], cwd=tmp_path, env=clean_environment(), timeout=PATIENCE)
    assert done.returncode == 2
    assert "give --answers FILE" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_changed_only_when_told_and_keeps_what_it_had(tmp_path: Path, relay: SmtpServer) -> None:
    run(tmp_path, "init", "--answers", str(answered(tmp_path, relay)))
    config = tmp_path / "config/local.toml"
    own = '\n[dkim]  # ours\nselector = "mine"\n\n[[relays]]\nhost = "spare.example.org"\n'
    config.write_text(config.read_text().replace("tls = ", "per_day = 99 # ours too\ntls = ") + own)
    before = config.read_text()
    file = answered(tmp_path, relay, timezone="Asia/Tokyo", sources=["huggingface", "https://example.org/feed"])
    refused = run(tmp_path, "init", "--answers", str(file))
    assert refused.returncode == 2
    assert "is there and says otherwise (default_timezone" in refused.stderr
    assert config.read_text() == before
    done = run(tmp_path, "init", "--answers", str(file), "--replace", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["written"] == ["config/local.toml"]
    after = config.read_text()
    assert "per_day = 99 # ours too" in after
    assert "[dkim]  # ours" in after
    values = tomllib.loads(after)
    assert [each["host"] for each in values["relays"]] == ["127.0.0.1", "spare.example.org"]
    assert values["sources"] == [
        {"name": "huggingface", "kind": "huggingface"},
        {"name": "example-org", "kind": "feed", "base_url": "https://example.org/feed"},
    ]
    assert (tmp_path / "config/local.toml.bak").read_text() == before
    with Container(load(config)) as container:
        [mine] = container.subscriptions.of(container.adapters.address("you@uni.example"))
    assert mine.preferences.timezone == "Asia/Tokyo"


def test_a_test_mail_that_is_refused_is_said_and_can_be_tried_again(tmp_path: Path) -> None:
    script = Script(nth={("DOT", 1): Do("554 5.2.252 SendAsDenied; you@uni.example not allowed to send as x")})
    with SmtpServer(tmp_path / "kept", script, password=PASSWORD) as relay:
        file = answered(tmp_path, relay)
        done = run(tmp_path, "init", "--answers", str(file))
        assert done.returncode == 1
        [said] = done.stderr.splitlines()
        assert "config/local.toml is written, but the test mail was refused" in said
        assert "mail.from_address" in said
        assert run(tmp_path, "init", "--answers", str(file)).returncode == 0


def test_without_the_relay(tmp_path: Path, relay: SmtpServer) -> None:
    done = run(tmp_path, "init", "--answers", str(answered(tmp_path, relay)), "--offline", "--config", "other/settings.toml")
    assert done.returncode == 0, done.stderr
    assert relay.connections == 0
    assert "Next: digest once --config other/settings.toml" in done.stdout
    assert (tmp_path / "other/smtp-password").is_file()


@pytest.mark.parametrize(
    ("email", "host", "kept"),
    [
        ("me@gmail.com", "smtp.gmail.com", {"host": "smtp.gmail.com", "username": "me@gmail.com"}),
        ("me@qq.com", "smtp.qq.com", {"host": "smtp.qq.com", "username": "me@qq.com"}),
        ("me@hotmail.com", "smtp-mail.outlook.com", {"host": "smtp-mail.outlook.com", "username": "me@hotmail.com"}),
    ],
)
def test_a_mailbox_provider_is_known(tmp_path: Path, email: str, host: str, kept: dict[str, str]) -> None:
    (tmp_path / "a.toml").write_text(f'email = "{email}"\nsmtp_password = "x"\n')
    done = run(tmp_path, "init", "--answers", "a.toml", "--offline")
    assert done.returncode == 0, done.stderr
    [relay] = tomllib.loads((tmp_path / "config/local.toml").read_text())["relays"]
    assert {key: relay[key] for key in kept} == kept
    assert "port" not in relay, "the profile knows it"


def test_the_answers_of_the_tutorial_are_taken(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/tutorial/first-digest.md").read_text("utf-8")
    [block] = re.findall(r"^```toml answers\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "answers.toml").write_text(block)
    done = run(tmp_path, "init", "--answers", "answers.toml", "--offline")
    assert done.returncode == 0, done.stderr
    named = set(re.findall(r"`([a-z_]+)`", page.partition("Further keys:")[2].partition("\n\n")[0])) | set(tomllib.loads(block))
    assert named | {"smtp_password_file"} == set(Answers.model_fields), "the page names every key"
