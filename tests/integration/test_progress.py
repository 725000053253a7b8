"""The live bar: where somebody watches, and nowhere else."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from digest.config import load
from tests.outbox import configured, queue
from tests.servers import preloaded
from tests.servers.running import until
from tests.servers.smtp import Do, Script, SmtpServer

READERS = 40
PATIENCE = 60
WORKED = "connections = 1\nclaim_size = 10"


def in_a_terminal(config: Path, *words: str, until_seen: str = "") -> tuple[int, str]:
    """The exit code, and all that the command drew; with `until_seen` it is asked to end once that is there."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "160", "LINES": "40"}
    with os.fdopen(theirs, "r+b", buffering=0) as terminal:
        command = [*words, "--config", str(config)]
        process = preloaded.start(command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment)
    ending = threading.Timer(PATIENCE, process.kill)
    ending.start()
    drawn = b""
    with suppress(OSError):  # the last one who wrote has gone
        while more := os.read(ours, 65536):
            drawn += more
            if until_seen and re.search(until_seen, plain(drawn)):
                process.send_signal(signal.SIGTERM)
                until_seen = ""  # one that comes when it has ended all but itself would kill it
    os.close(ours)
    code = process.wait()
    ending.cancel()
    return code, plain(drawn)


def plain(drawn: bytes) -> str:
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", drawn.decode(errors="replace"))


@pytest.fixture
def config(tmp_path: Path, sqlite_url: str):  # type: ignore[no-untyped-def]  # a generator of a path
    """Forty readers; the relay refuses the third for now and the fifth for ever."""
    script = Script(nth={("RCPT", 3): Do("451 4.3.0 later"), ("RCPT", 5): Do("550 5.1.1 nobody")})
    with SmtpServer(tmp_path / "kept", script) as server:
        made = configured(tmp_path, sqlite_url, server.port, WORKED)
        queue(load(made), READERS)
        yield made


def test_a_bar_in_a_terminal(config: Path) -> None:
    code, drawn = in_a_terminal(config, "deliver")
    assert code == 0, drawn
    frames = re.findall(r"delivering .*?(\d+)/(\d+).*?accepted ([\d,]+), retry (\d+), failed (\d+)", drawn)
    assert frames, drawn
    assert frames[0] == ("0", "40", "0", "0", "0"), "it is there before the first batch is done"
    assert frames[-1] == ("40", "40", "38", "1", "1")
    assert re.search(r"\d+/s", drawn), "the rate"
    assert "accepted 38, retry 1, failed 1" in drawn.splitlines()[-1], "what a run answers, as ever"


@pytest.mark.parametrize(("words", "said"), [(["--quiet"], ""), (["--json"], "{")])
def test_none_for_who_asked_for_none(config: Path, words: list[str], said: str) -> None:
    code, drawn = in_a_terminal(config, "deliver", *words)
    assert code == 0, drawn
    assert "delivering" not in drawn
    assert drawn.startswith(said)
    assert (json.loads(drawn)["accepted"] if said else drawn) == (38 if said else "")


def test_none_where_nobody_watches(config: Path) -> None:
    done = preloaded.run(["deliver", "--config", str(config)], timeout=PATIENCE)
    assert done.returncode == 0
    assert done.stderr == ""
    assert re.fullmatch(r"accepted 38, retry 1, failed 1, seconds [\d.]+\n", done.stdout)


def test_the_daemon_has_one_too_and_its_log_goes_on_above_it(config: Path) -> None:
    code, drawn = in_a_terminal(config, "run", "--no-web", "--no-collect", until_seen=r"delivered .*accepted=")
    assert code == 0, drawn
    assert re.search(r"delivering .*40/40.*accepted 38, retry 1, failed 1", drawn), drawn
    assert re.search(r"info +\] delivered +accepted=38 failed=1 retry=1", drawn), drawn


def test_another_process_sees_how_far_it_is(tmp_path: Path, sqlite_url: str) -> None:
    """`digest status --json`, while a relay that has stopped answering is waited for."""
    with SmtpServer(tmp_path / "kept", Script(nth={("DOT", 25): Do(stall=True)})) as server:
        config = configured(tmp_path, sqlite_url, server.port, WORKED, "timeout = 120")
        queue(load(config), READERS)
        process = preloaded.start(["deliver", "--config", str(config)])
        try:
            until(lambda: server.seen["DOT"] >= 25, "it waits for the 25th")
            asked = preloaded.run(["status", "--json", "--config", str(config)], timeout=PATIENCE)
        finally:
            process.kill()
            process.wait(PATIENCE)
    told = json.loads(asked.stdout)["underway"]
    assert told["accepted"] + told["remaining"] == READERS
    assert told["accepted"] in {10, 20}, "two batches are written down, or the second is about to be"
    assert (told["retry"], told["failed"]) == (0, 0)
    assert told["rate"] > 0
    assert told["eta_seconds"] == pytest.approx(told["remaining"] / told["rate"], abs=1)
