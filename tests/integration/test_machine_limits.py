"""Machines that misbehave: files, disks, rights and connections that are not to be had. See `KINDS` of test_machines.py."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from digest.config import load
from digest.container import Container
from digest.domain.delivery import DeliveryState
from digest.domain.errors import DigestError
from digest.services.delivery import run
from digest.store import engine as engines
from tests.command_line import clean_environment
from tests.integration.test_machines import READERS, SlowRelay, ended, got, on, states
from tests.outbox import configured, queue
from tests.servers.running import PATIENCE, until
from tests.servers.smtp import SmtpServer


def one_line(said: str) -> str:
    [line] = said.strip().splitlines()
    assert line.startswith("digest: "), line
    return line


# ---- records and disks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", [1, 8, 40], ids=lambda pages: f"{pages} pages")
def test_files_that_may_grow_no_more(tmp_path: Path, sqlite_url: str, room: int) -> None:
    """Neither the table nor its log nor the journal: what the relay has answered is known when there is room again."""
    with SmtpServer(tmp_path / "kept") as server:
        config = configured(tmp_path, sqlite_url, server.port, "connections = 3\nclaim_size = 5")
        queue(load(config), READERS)
        code, said = ended(on({"file_size": room * 16384}, config))
        if code:
            one_line(said)
        assert ended(on({}, config)) == (0, "")
        everybody = got(server)
    assert (len(everybody), set(everybody.values())) == (READERS, {1})
    assert states(config) == {DeliveryState.ACCEPTED: READERS}


@contextmanager
def breaking(monkeypatch: pytest.MonkeyPatch, at: int, breaks: Callable[[], object]) -> Iterator[None]:
    """`breaks` is called as a run is about to record for the `at`-th time."""
    record, calls = run._DeliveryRun._record, []

    def recording(running: run._DeliveryRun) -> None:
        calls.append(running)
        if len(calls) == at:
            breaks()
        record(running)

    with monkeypatch.context() as patch:
        patch.setattr(run._DeliveryRun, "_record", recording)
        yield
    assert len(calls) >= at


def broken_while_recording(config: Path, monkeypatch: pytest.MonkeyPatch, at: int, breaks: Callable[[], object]) -> None:
    with breaking(monkeypatch, at, breaks), Container(load(config)) as container, pytest.raises(DigestError):
        container.delivery.deliver(lambda: datetime.now(UTC))


@pytest.mark.parametrize("at", [1, 3])
def test_a_database_that_others_keep_locked(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    with SmtpServer(tmp_path / "kept") as server:
        config = configured(tmp_path, sqlite_url, server.port, "connections = 3\nclaim_size = 5")
        queue(load(config), READERS)
        monkeypatch.setattr(engines, "_BUSY_SECONDS", 1)
        with closing(sqlite3.connect(make_url(sqlite_url).database or "")) as other:
            broken_while_recording(config, monkeypatch, at, lambda: other.execute("BEGIN IMMEDIATE"))
            begun = got(server)
            other.rollback()
        assert ended(on({}, config)) == (0, "")
        everybody = got(server)
    assert 0 < len(begun) < READERS
    assert (len(everybody), set(everybody.values())) == (READERS, {1})
    assert states(config) == {DeliveryState.ACCEPTED: READERS}


@pytest.mark.parametrize("at", [1, 3])
def test_a_database_that_hangs_up_while_mail_goes_out(
    tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """And lets nobody in for a while."""
    with SmtpServer(tmp_path / "kept") as server:
        config = configured(tmp_path, postgresql_url, server.port, "connections = 3\nclaim_size = 5")
        queue(load(config), READERS)
        url = make_url(postgresql_url)
        other = engines.open_engine(url.set(database="postgres").render_as_string(hide_password=False))

        def let(connections: bool) -> None:
            with other.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text(f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS {connections}'))
                if not connections:
                    theirs = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
                    connection.execute(text(theirs), {"name": url.database})

        broken_while_recording(config, monkeypatch, at, lambda: let(False))
        begun = got(server)
        let(True)
        other.dispose()
        assert ended(on({}, config)) == (0, "")
        everybody = got(server)
    assert 0 < len(begun) < READERS
    assert (len(everybody), set(everybody.values())) == (READERS, {1})
    assert states(config) == {DeliveryState.ACCEPTED: READERS}


# ---- journals, keys, settings ------------------------------------------------------------------------------------------------


def in_circles(path: Path) -> None:
    path.symlink_to(path)


def a_folder(path: Path) -> None:
    path.mkdir()


def a_file(path: Path) -> None:
    path.write_bytes(b"")


def no_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")


def refused(tmp_path: Path, url: str, place: Path, made: Callable[[Path], None], command: str = "deliver") -> str:
    """The one line that is said when `place` is `made` so; nothing is sent and nothing changes."""
    with SmtpServer(tmp_path / "kept") as server:
        config = configured(tmp_path, url, server.port)
        queue(load(config), 3)
        kept = tmp_path / "as it was"
        if place.exists():
            place.rename(kept)
        place.parent.mkdir(exist_ok=True)
        made(place)
        code, said = ended(on({}, config, command))
        assert (code in (1, 2), server.accepted()) == (True, []), said
        place.unlink() if place.is_symlink() or place.is_file() else place.rmdir()
        if kept.exists():
            kept.rename(place)
    assert states(config) == {DeliveryState.QUEUED: 3}
    line = one_line(said)
    assert str(place) in line
    return line


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("journal/deliver-1-x.journal", in_circles),
        ("journal/deliver-1-x.journal", a_folder),
        ("journal", a_file),
        ("journal", in_circles),
    ],
)
def test_a_journal_that_is_not_ours(tmp_path: Path, sqlite_url: str, name: str, made: Callable[[Path], None]) -> None:
    assert "journal" in refused(tmp_path, sqlite_url, tmp_path / name, made)


@pytest.mark.parametrize("made", [in_circles, a_folder, a_file, no_text])
def test_a_key_that_cannot_be_read(tmp_path: Path, sqlite_url: str, made: Callable[[Path], None]) -> None:
    """No link in a mail could be followed."""
    assert "key" in refused(tmp_path, sqlite_url, tmp_path / "digest.key", made)


@pytest.mark.parametrize("made", [in_circles, a_folder, no_text])
@pytest.mark.parametrize("words", ["deliver", "worker"])
def test_settings_that_cannot_be_read(tmp_path: Path, sqlite_url: str, made: Callable[[Path], None], words: str) -> None:
    refused(tmp_path, sqlite_url, tmp_path / "digest.toml", made, words)


# ---- signals, files, connections ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", [[0], [1], [2], [0, 1, 2], ["stdout's reader"]], ids=str)
@pytest.mark.parametrize("words", [["deliver"], ["status", "--json"], ["subscribers", "export"]], ids=" ".join)
def test_what_nobody_reads_or_writes(tmp_path: Path, sqlite_url: str, words: list[str], closed: list[int] | list[str]) -> None:
    with SmtpServer(tmp_path / "kept") as server:
        config = configured(tmp_path, sqlite_url, server.port)
        queue(load(config), READERS)
        if closed == ["stdout's reader"]:
            reading, writing = os.pipe()
            os.close(reading)
            with os.fdopen(writing, "wb") as nobodys:
                process = on({}, config, *words, stdout=nobodys)
        else:
            process = on({"closed": closed}, config, *words)
        code, said = ended(process)
        sent = len(server.accepted())
    assert "Traceback" not in said
    assert len(said.splitlines()) <= 1
    assert code in (0, 1)
    assert sent == (READERS if words == ["deliver"] else 0)


def test_what_a_shell_has_closed(tmp_path: Path, sqlite_url: str) -> None:
    """An interpreter that is new, and so has no streams."""
    shell = ["sh", "-c", '"$@" <&- >&- 2>&-', "sh", sys.executable, "-m", "digest", "deliver", "--config"]
    with SmtpServer(tmp_path / "kept") as server:
        config = configured(tmp_path, sqlite_url, server.port)
        queue(load(config), READERS)
        done = subprocess.run([*shell, str(config)], cwd=tmp_path, env=clean_environment(), timeout=PATIENCE, check=False)
        sent = len(server.accepted())
    assert (done.returncode, sent) == (0, READERS)


@pytest.mark.parametrize("words", [["run", "--no-web", "--no-collect"], ["deliver"]], ids=" ".join)
def test_a_terminal_that_closes_is_ignored_where_it_was_asked_for(tmp_path: Path, sqlite_url: str, words: list[str]) -> None:
    """As nohup does."""
    with SlowRelay(tmp_path / "kept") as server:
        config = configured(tmp_path, sqlite_url, server.port)
        queue(load(config), READERS)
        process = on({"ignored": [signal.SIGHUP]}, config, *words)
        until(server.accepted, "the first mail is out")
        process.send_signal(signal.SIGHUP)
        until(lambda: len(server.accepted()) == READERS, "everybody has one")
        if words[0] == "run":
            process.terminate()
        assert ended(process)[0] == 0
    assert states(config) == {DeliveryState.ACCEPTED: READERS}


@pytest.mark.parametrize("words", [["deliver"], ["status"], ["run", "--no-web"], ["worker"]], ids=" ".join)
def test_a_server_with_no_connection_left(tmp_path: Path, postgresql_url: str, words: list[str]) -> None:
    """A worker waits for one, and says so."""
    ours = engines.open_engine(postgresql_url)
    with ours.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS few"))
        connection.execute(text("CREATE ROLE few LOGIN CONNECTION LIMIT 0"))
    ours.dispose()
    url = make_url(postgresql_url).set(username="few").render_as_string(hide_password=False)
    process = on({}, configured(tmp_path, url, 9), *words)
    until(lambda: "\n" in process.errors(), "it says so")
    line, _, _ = process.errors().partition("\n")
    assert 'too many connections for role "few"' in line
    if words == ["worker"]:
        process.terminate()
    code, said = ended(process)
    assert "Traceback" not in said
    if words != ["worker"]:
        assert (code, said) == (1, f"{line}\n")
        one_line(line)
