"""`digest doctor` as an operator runs it: on a whole world, on one without records, on one where nobody answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from digest.cli import digest
from digest.config import load
from digest.container import Container
from digest.mail.auth.dkim import new_key
from digest.mail.auth.dns_lookup import Lookup
from tests.servers.name_server import name_server
from tests.servers.smtp import SmtpServer

HOST = "127.0.0.1"


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[SmtpServer]:
    with SmtpServer(tmp_path / "store") as server:
        yield server


@pytest.fixture
def config(tmp_path: Path, relay: SmtpServer) -> Path:
    (tmp_path / "rsa.pem").write_bytes(new_key("rsa"))
    (tmp_path / "rsa.pem").chmod(0o600)
    file = tmp_path / "digest.toml"
    file.write_text(
        f"""
[database]
url = "sqlite:///{tmp_path / "digest.sqlite3"}"
[secrets]
key_file = "{tmp_path / "digest.key"}"
[web]
base_url = "https://papers.test"
[mail]
from_address = "digest@papers.test"
postal_address = "1 Example Street"
[dkim]
rsa_key_file = "{tmp_path / "rsa.pem"}"
[[relays]]
name = "main"
host = "{HOST}"
port = {relay.port}
tls = "none"
""",
        "utf-8",
    )
    return file


def doctor(config: Path, dns: str) -> tuple[int, str]:
    done = CliRunner().invoke(digest, ["doctor", "--config", str(config), "--dns", dns])
    return done.exit_code, re.sub(r"(ok  |FAIL) clock: .*\n(     .*\n)?", "", done.output)


def test_every_record_advised_makes_it_well(config: Path) -> None:
    """What it says to publish is published as it stands: then all is well."""
    with name_server({}) as server:
        code, said = doctor(config, server)
    assert code == 1
    records = dict(re.findall(r"publish: (\S+)\. TXT (.*)", said))
    assert sorted(records) == ["_dmarc.papers.test", "digest._domainkey.papers.test", "papers.test"]
    zone = {(name, "TXT"): [value] for name, value in records.items()}
    zone |= {("papers.test", "MX"): ["10 mx.papers.test."], ("mx.papers.test", "A"): ["8.8.4.4"]}
    with name_server(zone) as server:
        _, said = doctor(config, server)
    assert "FAIL" not in said, said
    assert "of 10 look-ups" in said


def test_where_no_name_server_answers_it_says_so_once_and_soon(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, ask = list[str](), Lookup._ask
    monkeypatch.setattr(Lookup, "_ask", lambda lookup, name, *kind: (asked.append(name), ask(lookup, name, *kind))[1])
    monkeypatch.setattr("digest.mail.auth.dns_lookup.PATIENCE", 1)
    with name_server({}, silent=frozenset({"papers.test"})) as server:
        code, said = doctor(config, server)
    assert code == 1
    assert len(asked) == 1, "ten look-ups are not waited for"
    assert said.count("FAIL") == 1
    assert (
        "FAIL name servers: DNS: TXT of papers.test: no answer from 127.0.0.1 in 1 seconds; nothing can be said of SPF, DKIM"
        in said
    )
    assert "digest doctor --dns" in said


def test_a_relay_that_is_not_there_is_named_once(config: Path, relay: SmtpServer) -> None:
    config.write_text(config.read_text("utf-8").replace(f"port = {relay.port}", "port = 9"), "utf-8")
    done = CliRunner().invoke(digest, ["doctor", "--config", str(config), "--no-dns"])
    (line,) = [line for line in done.output.splitlines() if "cannot connect" in line]
    assert line.count("main") == 1
    assert "need you; below each stands what to do" in done.output


SOURCES = [
    ({}, {}, "ok   source huggingface: not asked yet"),
    (
        {"last_unseen_at": "2026-03-02T05:00:00Z", "ids": []},
        {"at": "2026-03-02T05:00:00Z", "stale": False, "error": None},
        "ok   source huggingface: last news: 2026-03-02T05:00:00Z",
    ),
    (
        {"last_unseen_at": "2026-03-01T05:00:00Z", "ids": []},
        {"at": "2026-03-02T05:00:00Z", "stale": True, "error": None},
        "FAIL source huggingface: The source huggingface shows nothing new: It should have by now; it answers with what we"
        " know. Last asked at 2026-03-02T05:00:00Z. last news: 2026-03-01T05:00:00Z\n"
        "     Ask it now: digest collect --source huggingface",
    ),
    (
        {},
        {"at": "2026-03-02T05:00:00Z", "stale": False, "error": "source huggingface: no connection"},
        "FAIL source huggingface: The source huggingface could not be read: source huggingface: no connection",
    ),
]


@pytest.mark.parametrize(("fresh", "health", "line"), SOURCES)
def test_a_source_is_as_its_last_collect_left_it(
    config: Path, fresh: dict[str, object], health: dict[str, object], line: str
) -> None:
    with Container(load(config)) as container, container.adapters.store.begin() as unit:
        for key, told in (("freshness", fresh), ("health", health)):
            if told:
                unit.sources.save("huggingface", key, told, datetime(2026, 3, 2, 5, tzinfo=UTC))
    done = CliRunner().invoke(digest, ["doctor", "--config", str(config), "--no-dns"])
    assert line in done.output
