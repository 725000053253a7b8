"""Extensions that a relay offers and does not keep, and a host that has no MD5 (FIPS): the mail goes out all the same."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.config import load
from digest.container import Container
from digest.domain.delivery import Envelope
from tests.command_line import clean_environment
from tests.integration.test_relay_faults import NO_PIPELINING, Notes, envelopes, relay_to, said
from tests.outbox import configured, queue
from tests.servers.running import PATIENCE
from tests.servers.smtp import OFFERS, Do, Script, SmtpServer

REFUSALS = [
    (" SIZE=", "555 5.5.4 Unsupported option: SIZE=1234", "SIZE"),
    (" SIZE=", "501 5.5.4 Syntax error in parameters or arguments", "SIZE"),
    (" SIZE=", "504 parameter not implemented", "SIZE"),
]


@pytest.mark.parametrize("extensions", [OFFERS, NO_PIPELINING], ids=["pipelined", "plain"])
@pytest.mark.parametrize(("parameter", "reply", "keyword"), REFUSALS)
def test_what_is_refused_is_left_out(
    tmp_path: Path, extensions: tuple[str, ...], parameter: str, reply: str, keyword: str
) -> None:
    script = Script(extensions=extensions, parameters={parameter: reply})
    with SmtpServer(tmp_path / "kept", script) as server:
        attempts = list(relay_to(server).send(envelopes(5), Notes()))
    assert [said(each) for each in attempts] == ["dot 250"] * 5
    assert len(server.accepted()) == 5
    assert sum(parameter in line for line in server.commands) == 1, f"{keyword} is tried once"


def test_the_one_that_the_reply_names_is_left_out(tmp_path: Path) -> None:
    """The text is UTF-8, so BODY and SMTPUTF8 are needed; SIZE goes, the others stay."""
    script = Script(parameters={" SIZE=": "555 5.5.4 SIZE: no such parameter"})
    with SmtpServer(tmp_path / "kept", script) as server:
        letter = Envelope(1, "me@x.test", "jürgen@y.test", ("Subject: grüße\r\n\r\nhallo\r\n".encode(),), smtputf8=True)
        assert [said(each) for each in relay_to(server).send([letter], Notes())] == ["dot 250"]
    assert [line.rpartition(">")[2] for line in server.commands if line.startswith("MAIL")][-1] == " BODY=8BITMIME SMTPUTF8"


def test_smtputf8_that_is_refused_costs_only_the_mail_that_needs_it(tmp_path: Path) -> None:
    script = Script(parameters={" SMTPUTF8": "555 5.5.4 SMTPUTF8 not implemented"})
    first, second, third = envelopes(3)
    with SmtpServer(tmp_path / "kept", script) as server:
        letters = [first, replace(second, recipient="jürgen@y.test"), third]
        attempts = list(relay_to(server).send(letters, Notes()))
    assert [said(each)[:7] for each in attempts] == ["dot 250", "mail 55", "dot 250"]
    assert "this relay does not offer SMTPUTF8" in str(attempts[1].reply)


def test_a_reply_about_the_address_is_no_reply_about_an_extension(tmp_path: Path) -> None:
    script = Script(nth={("MAIL", 1): Do("501 mail from address must be same as authorization user.")})
    with SmtpServer(tmp_path / "kept", script) as server:
        attempts = list(relay_to(server).send(envelopes(2), Notes()))
    assert [said(each) for each in attempts] == ["mail 501", "dot 250"]
    assert all(" SIZE=" in line for line in server.commands if line.startswith("MAIL"))


def test_it_is_not_used_again_for_a_day(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [datetime.now(UTC)]
    monkeypatch.setattr("digest.container._now", lambda: now[0])
    script = Script(parameters={" SIZE=": "555 5.5.4 Unsupported option"})
    with SmtpServer(tmp_path / "kept", script) as server:
        config = configured(tmp_path, sqlite_url, server.port)
        queue(load(config), 3)
        with Container(load(config)) as container:
            assert container.delivery.deliver(lambda: datetime.now(UTC)).tally.accepted == 3
        asked = sum(" SIZE=" in line for line in server.commands)
        found = []
        for hours in (0, 23, 2):
            now[0] += timedelta(hours=hours)
            with Container(load(config)) as container:
                [relay] = container.relays.each(lambda: now[0])
                with closing(relay.connect()) as session:
                    found.append(session.extensions.size_known)
    assert asked <= 3, "by each connection once, at most"
    assert found == [False, False, True]


FIPS = """
import hashlib, hmac, sys

def guarded(name, real):
    def made(data=b"", *, usedforsecurity=True):
        if usedforsecurity:
            raise ValueError("[digital envelope routines] unsupported: " + name)
        return real(data, usedforsecurity=False)
    return made

real_new = hashlib.new
def new(name, data=b"", **how):
    if name.lower() in ("md5", "sha1") and how.get("usedforsecurity", True):
        raise ValueError("unsupported hash type " + name)
    return real_new(name, data, **how)

hashlib.md5, hashlib.sha1, hashlib.new = guarded("md5", hashlib.md5), guarded("sha1", hashlib.sha1), new
try:
    hashlib.md5(b"")
except ValueError:
    print("no MD5 here")
from digest.cli import main
main(sys.argv[1:])
"""


def test_a_host_without_md5_and_sha1(tmp_path: Path) -> None:
    """Papers in, an edition, a signed mail through a relay: nothing needs what FIPS 140 takes away."""
    ran = subprocess.run(
        [sys.executable, "-c", FIPS, "demo", "--folder", str(tmp_path / "demo")],
        cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "no MD5 here" in ran.stdout
    assert list((tmp_path / "demo/inbox").glob("*.eml"))


def test_cram_md5_is_passed_over_where_there_is_no_md5(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_md5(_: object, challenge: bytes | None = None) -> None:
        if challenge is not None:
            raise ValueError("unsupported hash type md5")

    monkeypatch.setattr("smtplib.SMTP.auth_cram_md5", without_md5)
    script = Script(extensions=(*OFFERS, "AUTH CRAM-MD5 PLAIN"), nth={("AUTH", 1): Do("334 PDE+")})
    with SmtpServer(tmp_path / "kept", script, password="right") as server:
        relay_to(server, username="me", password="right").connect().close()
    assert [line.split()[1] for line in server.commands if line.startswith("AUTH")] == ["CRAM-MD5", "PLAIN"]
