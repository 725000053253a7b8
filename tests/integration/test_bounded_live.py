"""A daemon under hostile bytes and unfinished requests: each door answers or refuses, and the rest of the program goes on."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from benchmarks.hostile import BEARER, figures, served
from tests.servers.running import PATIENCE, until
from tests.servers.smtp import SmtpServer

LONGEST = 20.0
"""Seconds, on a busy machine; benchmarks/hostile.py measures. What was quadratic took minutes."""
LONGEST_HEALTHZ = 5.0
UNFINISHED = (
    b"POST /subscribe HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nemail="
)

Served = tuple[httpx2.Client, str, Path]


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmtpServer]:
    with SmtpServer(tmp_path_factory.mktemp("relay") / "mails") as found:
        yield found


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, relay: SmtpServer) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("bounded"), relay.port) as found:
        yield found


def test_a_megabyte_at_each_door_is_answered_or_refused_and_healthz_goes_on(daemon: Served) -> None:
    client, token, log = daemon
    found = list(figures(client, token))
    assert [each for each in found if each.seconds > LONGEST or each.worst_healthz > LONGEST_HEALTHZ] == []
    assert [each for each in found if each.status >= 500 and each.status != 503] == []
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("sent", [UNFINISHED, UNFINISHED[:20], b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"\r\n"])
def test_unfinished_requests_stop_neither_pages_nor_mail(daemon: Served, relay: SmtpServer, sent: bytes) -> None:
    client, _, log = daemon
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    before = len(log.read_text().splitlines())
    held: list[socket.socket] = []
    try:
        for _ in range(1_100):
            held.append(socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=PATIENCE))
            held[-1].sendall(sent)
        for path in ("/healthz", "/papers?q=graphs", "/readyz"):
            with httpx2.Client(base_url=client.base_url, timeout=LONGEST, trust_env=False, verify=False) as fresh:
                assert fresh.get(path).status_code == 200
        mailed = len(relay.accepted())
        with httpx2.Client(base_url=client.base_url, timeout=LONGEST, trust_env=False, verify=False) as fresh:
            assert fresh.post("/subscribe", data={"email": f"new{len(sent)}@example.org"}).status_code == 200
        until(lambda: len(relay.accepted()) > mailed, "the confirmation is mailed", LONGEST)
    finally:
        for each in held:
            each.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    log_lines = log.read_text().splitlines()[before:]
    assert len(log_lines) < 50
    assert not [line for line in log_lines if "Too many open files" in line or "Traceback" in line]


@pytest.mark.parametrize("begun", [b"", b"email=", b"--x\r\n", b'{"email":', b"\xff"])
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/subscribe", "application/x-www-form-urlencoded"),
        ("/manage/x/interests", "multipart/form-data; boundary=x"),
        ("/unsubscribe/x", "application/x-www-form-urlencoded"),
        ("/api/v1/subscriptions", "application/json"),
        ("/api/v1/subscriptions/import", "text/csv"),
        ("/webhooks/ses", "application/json"),
    ],
)
def test_who_hangs_up_in_a_body_leaves_one_line_at_most(daemon: Served, path: str, kind: str, begun: bytes) -> None:
    client, _, log = daemon
    before = len(log.read_text().splitlines())
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {BEARER['authorization']}\r\nContent-Type: {kind}\r\n"
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=PATIENCE) as connection:
        connection.sendall(head.encode() + b"Content-Length: 100\r\n\r\n" + begun)
        time.sleep(0.1)  # its body is waited for
    time.sleep(0.1)
    assert client.get("/healthz").status_code == 200
    assert len(log.read_text().splitlines()) - before <= 1
