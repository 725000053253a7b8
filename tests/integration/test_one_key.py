"""A key that the database does not know: a worker's host it was not copied to, a restore without it. The operator is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from digest.cli import main
from digest.config import load
from digest.container import Container
from tests.outbox import configured, queue
from tests.servers.cluster import cluster
from tests.servers.running import until
from tests.servers.smtp import SmtpServer

THEIRS = "another host's key, made there by itself"
SAID = "is not the one that this database was used with"


def typed(config: Path, *words: str) -> int:
    """The exit code."""
    try:
        main([*words, "--config", str(config)])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture
def config(tmp_path: Path, database_url: str) -> Path:
    made = configured(tmp_path, database_url, 9)
    queue(load(made), 1)
    with Container(load(made)) as container:
        assert container.adapters.key_problem == ""
    return made


def test_another_key_is_told_of_and_the_right_one_is_as_good_as_before(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIGEST_SECRETS__KEY", THEIRS)
    typed(config, "deliver")
    assert SAID in capsys.readouterr().err
    assert typed(config, "doctor", "--no-dns") == 1
    said = capsys.readouterr().out
    assert f"FAIL key: configuration: secrets.key: {SAID}" in said
    assert "digest migrate --accept-new-key" in said
    assert THEIRS not in said
    monkeypatch.delenv("DIGEST_SECRETS__KEY")
    typed(config, "doctor", "--no-dns")
    assert "ok   key: the one that this database knows" in capsys.readouterr().out


def test_a_key_that_is_lost_is_replaced_by_the_operators_word(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_SECRETS__KEY", THEIRS)
    assert typed(config, "migrate", "--accept-new-key") == 0
    with Container(load(config)) as container:
        assert container.adapters.key_problem == ""
    monkeypatch.delenv("DIGEST_SECRETS__KEY")
    with Container(load(config)) as container:
        assert SAID in container.adapters.key_problem, "now the old one is the stranger"


@pytest.mark.parametrize("command", ["worker", "run"])
def test_a_daemon_and_a_worker_log_it_and_mail_the_operator(
    tmp_path: Path, postgresql_url: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SmtpServer(tmp_path / "kept.jsonl") as server:
        config = configured(tmp_path, postgresql_url, server.port)
        config.write_text(config.read_text() + '[alerts]\nto = "op@example.org"\n')
        with Container(load(config)) as container:
            assert container.adapters.key_problem == ""
        monkeypatch.setenv("DIGEST_SECRETS__KEY", THEIRS)
        with cluster(config, tmp_path, 1, command, *(["--no-web", "--no-collect"] if command == "run" else [])) as running:
            until(lambda: SAID in running.finding(0), "it is in the log")
            until(lambda: bool(server.accepted()), "it is mailed")
        [mail] = server.accepted()
    assert mail.recipients == ("op@example.org",)
    assert b"wrong key" in mail.data
