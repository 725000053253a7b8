"""Handing ready bytes to Postfix's smtp-sink: our client against Postfix's own smtp-source, smtplib and aiosmtplib.

    python benchmarks/relay.py [MESSAGES] [ROUNDS]

Every client sends the same number of 40 kB messages, one recipient each, over reused connections; smtp-source runs before and
after. Ours writes its journal. Prints one JSON line; ratios are against smtp-source in the same run.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import smtplib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import aiosmtplib

from digest.domain.delivery import Envelope
from digest.mail.smtp.journal import Journal
from digest.mail.smtp.relay import Relay
from digest.mail.smtp.relay_settings import RelaySettings

LINE = b"x" * 70 + b"\r\n"
DATA = b"From: a@x.test\r\nTo: b@x.test\r\nSubject: benchmark\r\n\r\n" + LINE * 555
SESSIONS = 10


@contextmanager
def sink() -> Iterator[int]:
    """An smtp-sink that throws everything away."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin") or sys.exit("smtp-sink (Postfix) is not installed")
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with subprocess.Popen([program, *user, f"127.0.0.1:{port}", "1000"]) as process:
        try:
            for _ in range(100):
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield port
        finally:
            process.terminate()


def with_source(port: int, count: int) -> None:
    program = shutil.which("smtp-source", path="/usr/sbin:/usr/bin") or sys.exit("smtp-source (Postfix) is not installed")
    command = [
        program,
        "-d",
        "-s",
        SESSIONS,
        "-m",
        count,
        "-l",
        len(DATA),
        "-f",
        "a@x.test",
        "-t",
        "b@x.test",
        f"127.0.0.1:{port}",
    ]
    subprocess.run([str(word) for word in command], check=True)  # -d: keep connections


def with_ours(port: int, count: int) -> None:
    settings = RelaySettings(host="127.0.0.1", port=port, tls="none", max_per_connection=count)
    with tempfile.TemporaryDirectory() as directory, Journal.create(Path(directory)) as journal:
        relay = Relay(settings, lambda: datetime.now(UTC))
        envelopes = (Envelope(n, "a@x.test", "b@x.test", (DATA,), ready=True) for n in range(count))
        accepted = sum(attempt.accepted for attempt in relay.send(envelopes, journal))
        journal.recorded(range(count))
    assert accepted == count


def with_ours_in_two_processes(port: int, count: int) -> None:
    context = get_context("fork")
    halves = [context.Process(target=with_ours, args=(port, count // 2)) for _ in range(2)]
    for half in halves:
        half.start()
    for half in halves:
        half.join()
        assert half.exitcode == 0


def with_smtplib(port: int, count: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, local_hostname="me.test") as client:
        for _ in range(count):
            client.sendmail("a@x.test", ["b@x.test"], DATA)


def with_aiosmtplib(port: int, count: int) -> None:
    async def session(share: int) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, use_tls=False, start_tls=False) as client:
            for _ in range(share):
                await client.sendmail("a@x.test", ["b@x.test"], DATA)

    async def all_sessions() -> None:
        await asyncio.gather(*(session(count // SESSIONS) for _ in range(SESSIONS)))

    asyncio.run(all_sessions())


def rate(send: Callable[[int, int], None], port: int, count: int) -> float:
    start = time.perf_counter()
    send(port, count)
    return count / (time.perf_counter() - start)


def main(count: int, rounds: int) -> None:
    clients = {
        "ours": with_ours,
        "ours_two_processes": with_ours_in_two_processes,
        "smtplib": with_smtplib,
        "aiosmtplib": with_aiosmtplib,
    }
    rates: dict[str, list[float]] = {name: [] for name in clients}
    ratios: dict[str, list[float]] = {name: [] for name in clients}
    sources = []
    with sink() as port:
        for _ in range(rounds):
            for name, client in clients.items():
                before = rate(with_source, port, count)
                rates[name].append(rate(client, port, count if name.startswith("ours") else count // 2))
                after = rate(with_source, port, count)
                sources += [before, after]
                ratios[name].append(rates[name][-1] / ((before + after) / 2))
        cpu = time.process_time()
        with_ours(port, count)
        cpu = (time.process_time() - cpu) / count
    print(
        json.dumps(
            {
                "benchmark": "relay",
                "messages": count,
                "bytes": len(DATA),
                "cores": os.cpu_count(),
                "smtp_source_per_second": round(statistics.median(sources)),
                "smtp_source_range": [round(min(sources)), round(max(sources))],
                "per_second": {name: round(statistics.median(found)) for name, found in rates.items()},
                "ratio_to_smtp_source": {name: round(statistics.median(found), 2) for name, found in ratios.items()},
                "our_cpu_us_per_message": round(cpu * 1e6),
            }
        )
    )


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:3]]
    main(*given, *(4000, 3)[len(given) :])
