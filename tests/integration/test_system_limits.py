"""What a machine has no more of: one line, never a traceback. And secrets that everybody on it can read."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from digest import cli
from digest.config import load
from digest.container import Container
from digest.mail.auth.dkim import new_key
from tests.command_line import clean_environment
from tests.outbox import configured, queue, rows
from tests.servers import preloaded
from tests.servers.machine import become
from tests.servers.running import PATIENCE, until
from tests.servers.smtp import SmtpServer


def one_line(told: str) -> str:
    [line] = told.strip().splitlines()
    assert line.startswith("digest: "), line
    return line


@pytest.mark.parametrize("arguments", [["status"], ["status", "--json"], ["--help"], ["subscribers", "export"]], ids=" ".join)
def test_stdout_that_takes_nothing(tmp_path: Path, arguments: list[str]) -> None:
    config = configured(tmp_path, f"sqlite:///{tmp_path / 'd.sqlite3'}", 9)
    environment = clean_environment() | {"DIGEST_CONFIG": str(config)}
    with Path("/dev/full").open("wb") as full:
        done = preloaded.run(arguments, stdout=full, cwd=tmp_path, env=environment, timeout=PATIENCE)
    assert "No space left on device" in one_line(done.stderr)
    assert done.returncode == 1


@pytest.mark.parametrize(("files", "new"), [(12, True), (12, False), (16, False), (20, False)])
def test_too_few_files(tmp_path: Path, files: int, new: bool) -> None:
    """Also for a new interpreter, which has its libraries to load."""
    with SmtpServer(tmp_path / "kept") as server:
        config = configured(tmp_path, f"sqlite:///{tmp_path / 'd.sqlite3'}", server.port)
        queue(load(config), 30)
        command, environment = ["deliver", "--quiet", "--config", str(config)], clean_environment()
        if new:
            shell = ["sh", "-c", f'ulimit -n {files} && exec "$@"', "sh", sys.executable, "-m", "digest", *command]
            done = subprocess.run(shell, capture_output=True, text=True, env=environment, timeout=PATIENCE, check=False)
        else:
            done = preloaded.run(command, first=partial(become, files=files), env=environment, timeout=PATIENCE)
        if done.returncode:
            one_line(done.stderr)
        sent = [kept.recipients[0] for kept in server.accepted()]
        assert len(sent) == len(set(sent))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.EMFILE, "Too many open files", "/x"),
            "Too many open files: /x; this process may open no more files (ulimit",
        ),
        (
            BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
            "Resource temporarily unavailable; this user may start",
        ),
        (RuntimeError("can't start new thread"), "cannot start a thread: this user may have no more processes"),
        (MemoryError(), "out of memory"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "Permission denied: /x"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_one_line_each(error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def fails() -> None:
        raise error

    monkeypatch.setattr(cli, "_give_up_stdout", lambda: None)
    monkeypatch.setattr(cli.Commands, "get_command", lambda self, ctx, name: fails)
    with pytest.raises(SystemExit) as ended:
        cli.main(["status"])
    assert ended.value.code == 1
    assert one_line(capsys.readouterr().err).startswith(f"digest: {said}")


def test_a_fault_of_ours_is_no_fault_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def fails() -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(cli.Commands, "get_command", lambda self, ctx, name: fails)
    with pytest.raises(RuntimeError, match="a fault"):
        cli.main(["status"])


@pytest.mark.parametrize("secret", ["digest.key", "rsa.pem", "relay.password", "digest.toml"])
def test_doctor_warns_of_what_everybody_can_read(tmp_path: Path, secret: str) -> None:
    config = configured(tmp_path, f"sqlite:///{tmp_path / 'd.sqlite3'}", 9, relay='username = "u"\npassword = "letmein"')
    if secret == "rsa.pem":
        (tmp_path / secret).write_bytes(new_key("rsa"))
        config.write_text(config.read_text("utf-8") + f'[dkim]\nrsa_key_file = "{tmp_path / secret}"\n', "utf-8")
    elif secret == "relay.password":
        (tmp_path / secret).write_text("letmein", "utf-8")
        named = f'password_file = "{tmp_path / secret}"'
        config.write_text(config.read_text("utf-8").replace('password = "letmein"', named), "utf-8")
    with Container(load(config)) as container:
        assert container.adapters.secret
    config.chmod(0o600)

    def warned() -> list[str]:
        told = CliRunner().invoke(cli.digest, ["doctor", "--no-dns", "--config", str(config)]).output
        return [line for line in told.splitlines() if line.startswith(("warn", "     chmod"))]

    (tmp_path / secret).chmod(0o640)
    assert warned() == []
    (tmp_path / secret).chmod(0o644)
    assert warned() == [
        f"warn secrets: {tmp_path / secret} holds a secret and is readable by everybody on this machine",
        f"     chmod o-rw {tmp_path / secret}",
    ]


def test_a_settings_file_without_secrets_may_be_read(tmp_path: Path) -> None:
    config = configured(tmp_path, f"sqlite:///{tmp_path / 'd.sqlite3'}", 9)
    config.chmod(0o644)
    assert "warn" not in CliRunner().invoke(cli.digest, ["doctor", "--no-dns", "--config", str(config)]).output


def test_doctor_names_a_journal_that_cannot_be_read_and_nothing_is_sent(tmp_path: Path) -> None:
    with SmtpServer(tmp_path / "kept") as server:
        config = configured(tmp_path, f"sqlite:///{tmp_path / 'd.sqlite3'}", server.port)
        queue(load(config), 3)
        left = tmp_path / "journal" / "deliver-1-x.journal"
        left.mkdir(parents=True)  # as good as another user's: root may read those
        told = CliRunner().invoke(cli.digest, ["doctor", "--no-dns", "--config", str(config)]).output
        assert f"FAIL journal: {left}: Is a directory; nothing is sent before it can be read" in told.splitlines()
        done = preloaded.run(["deliver", "--config", str(config)], cwd=tmp_path, env=clean_environment(), timeout=PATIENCE)
        assert str(left) in one_line(done.stderr)
        assert (done.returncode, server.accepted()) == (1, [])


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
@pytest.mark.parametrize("command", [["run", "--no-web", "--no-collect"], ["deliver"]], ids=" ".join)
def test_a_terminal_that_closes_ends_it_as_sigterm_does(tmp_path: Path, command: list[str], number: signal.Signals) -> None:
    with SmtpServer(tmp_path / "kept") as server:
        config = configured(tmp_path, f"sqlite:///{tmp_path / 'd.sqlite3'}", server.port)
        queue(load(config), 1000)
        process = preloaded.start([*command, "--config", str(config)], cwd=tmp_path, env=clean_environment())
        until(server.accepted, "the first mail is out")
        process.send_signal(number)
        assert process.wait(timeout=PATIENCE) == 0
        sent = {kept.recipients[0] for kept in server.accepted()}
        recorded = {email for email, each in rows(config).items() if each.accepted_at}
    assert recorded == sent
