"""`digest deliver` from claim to record, against Postfix's own load generator and against the ways mail is sent elsewhere.

    python benchmarks/deliver.py [--mails N] [--rounds N]

The program itself, from a database, in one process and in two, personal mails of 40 kB, unsigned (relays sign) and signed with
RSA-2048. smtp-source hands over messages of the same size on 10 connections it keeps, right before and right after each run; a
ratio is against the mean of the two, and the median of the rounds is told with its range. smtp-sink, which takes all of it and
throws it away, is one process; everything runs on the same two cores each time, so a client has what smtp-sink leaves of them.

Beside it, what others do: render, inline (premailer) and connect for each reader; smtplib and aiosmtplib with bytes that are
ready. Prints one JSON line. A run's seconds are the program's own, from its first claim to its last record, children's start
included; processor time is the whole command's, without and with what it costs to start and find nothing to do (once: a second
process is forked).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import smtplib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial
from pathlib import Path
from typing import Any

import aiosmtplib
import jinja2
import premailer
import stock

from digest.config import load
from digest.container import Container
from digest.mail.auth.dkim import new_key

CORES = sorted(os.sched_getaffinity(0))[:2]
SESSIONS = 10
KINDS = ("sqlite", "postgresql")
SIGNED = '[dkim]\nselector = "s1"\nrsa_key_file = "{key}"\n'
PAGE = jinja2.Environment(autoescape=True).from_string(
    "<html><head><style>td { padding: 8px; font: 16px Arial } p { color: #222; margin: 8px } a { color: #05a }</style></head>"
    "<body><p>For {{ address }}</p><table>{% for n in range(13) %}<tr><td><a href='https://papers.example.org/{{ n }}'>"
    "Paper {{ n }}</a>{% for _ in range(8) %}<p>{{ abstract }}</p>{% endfor %}</td></tr>{% endfor %}</table></body></html>"
)
ABSTRACT = "We study how models learn to say what they know, and find that less is often more, at every scale we try. " * 2


def stocked(folder: Path, url: str, mails: int) -> int:
    """Fills the database: readers, an edition, and what is owed. Returns the bytes of a mail."""
    with Container(load(stock.configured(folder, url, stock.relay(9)))) as container:
        edition = stock.press_edition(container)
        stock.bulk_subscribe(container, mails)
        assert stock.queue(container, edition) == mails
        made = container.editions.edition(container.adapters.paper_list("daily"), stock.CUTOFF.date(), stock.CUTOFF)
        return len(container.editions.preview(made, container.adapters.paper_list("daily"), None, stock.CUTOFF).data)


def composing(folder: Path, url: str) -> float:
    """Processor seconds to compose one mail of those that are owed, all of it: links, header, both parts."""
    copy = stock.copy(url, "composing")
    with Container(load(stock.configured(folder, copy, stock.relay(9)))) as container:
        now = datetime.now(UTC)
        with container.adapters.store.begin() as unit:
            queued = unit.deliveries.claim(2000, "benchmark", now, timedelta(hours=1)).claimed
        container.editions.compose(queued[0], None)
        rounds = []
        for _ in range(5):
            start = time.process_time()
            for each in queued:
                assert container.editions.compose(each, None).data  # joined: what goes out
            rounds.append((time.process_time() - start) / len(queued))
    return statistics.median(rounds)


class Compared:
    """Runs each way between two runs of smtp-source."""

    def __init__(self, port: int, size: int, mails: int) -> None:
        self._port, self._size, self._mails = port, size, mails
        self.sources: list[float] = []

    def ratio(self, run: Callable[[], float]) -> tuple[float, float]:
        """(messages a second of `run`, which says them; that against smtp-source)."""
        before = self._source()
        rate = run()
        return rate, rate / statistics.mean((before, self._source()))

    def _source(self) -> float:
        self.sources.append(stock.source(self._port, min(self._mails, 10_000), self._size, SESSIONS, CORES))
        return self.sources[-1]


def delivered(folder: Path, url: str, port: int, mails: int, signed: str = "") -> tuple[float, float]:
    """(messages a second, processor seconds a message) of the program, on a fresh copy of the database."""
    copy = stock.copy(url, "run")
    ran = stock.digest(stock.configured(folder, copy, stock.relay(port) + signed), "deliver", cores=CORES)
    assert ran.answer["accepted"] == mails, ran.answer
    return mails / ran.answer["seconds"], ran.cpu / mails


def starting(folder: Path, url: str) -> float:
    """Processor seconds of a `digest deliver` that finds nothing to do."""
    copy = stock.copy(url, "idle")
    config = stock.configured(folder, copy, stock.relay(9))
    with Container(load(config)) as container, container.adapters.store.begin() as unit:
        unit.lists.pause("daily", "benchmark", datetime.now(UTC))
    return statistics.median(stock.digest(config, "deliver", cores=CORES).cpu for _ in range(3))


def naive(port: int, count: int, size: int) -> float:
    """As scripts do: for each reader a template, premailer, EmailMessage and a connection."""
    start = time.perf_counter()
    for number in range(count):
        address = f"reader{number}@example.org"
        html = premailer.Premailer(
            PAGE.render(address=address, abstract=ABSTRACT), allow_network=False, disable_validation=True
        ).transform()
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"], message["Subject"] = "a@x.test", address, "Papers"
        message.set_content(ABSTRACT * 8)
        message.add_alternative(html, subtype="html")
        with smtplib.SMTP("127.0.0.1", port, local_hostname="me.test") as client:
            client.sendmail("a@x.test", [address], message.as_bytes())
    return count / (time.perf_counter() - start)


def with_smtplib(port: int, count: int, size: int) -> float:
    data = ready(size)
    start = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port, local_hostname="me.test") as client:
        for _ in range(count):
            client.sendmail("a@x.test", ["b@x.test"], data)
    return count / (time.perf_counter() - start)


def with_aiosmtplib(port: int, count: int, size: int) -> float:
    data = ready(size)

    async def session(share: int) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, use_tls=False, start_tls=False) as client:
            for _ in range(share):
                await client.sendmail("a@x.test", ["b@x.test"], data)

    async def sessions() -> None:
        await asyncio.gather(*(session(count // SESSIONS) for _ in range(SESSIONS)))

    start = time.perf_counter()
    asyncio.run(sessions())
    return count / (time.perf_counter() - start)


def ready(size: int) -> bytes:
    head = b"From: a@x.test\r\nTo: b@x.test\r\nSubject: benchmark\r\n\r\n"
    return head + (b"x" * 70 + b"\r\n") * ((size - len(head)) // 72)


WAYS = {
    "render_inline_connect_each": (naive, 40),
    "smtplib_ready_bytes": (with_smtplib, 2),
    "aiosmtplib_ready_bytes": (with_aiosmtplib, 2),
}
"""How, and how many times fewer messages than ours: they take long."""


def pinned(name: str, port: int, count: int, size: int) -> float:
    """One of those ways in a process of its own, on the same cores as everything else."""
    words = stock.pinned([sys.executable, __file__, "--way", name, str(port), str(count), str(size)], CORES)
    return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def main(mails: int, rounds: int, kinds: list[str]) -> None:
    found: dict[str, list[tuple[float, float]]] = {}
    cpu: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        folder.chmod(0o755)  # PostgreSQL and smtp-sink are other users
        key = folder / "dkim.pem"
        key.write_bytes(new_key("rsa"))
        with stock.databases(folder, kinds) as urls, stock.sink(cores=CORES) as port:
            size = max([stocked(folder, url, mails) for url in urls.values()])
            compose = composing(folder, urls["sqlite"])
            start = starting(folder, urls["sqlite"])
            compared = Compared(port, size, mails)

            def measure(name: str, run: Callable[[], tuple[float, float]]) -> None:
                spent: list[float] = []

                def rate() -> float:
                    each, processor = run()
                    spent.append(processor)
                    return each

                found.setdefault(name, []).append(compared.ratio(rate))
                cpu.setdefault(name, []).extend(spent)

            signed = SIGNED.format(key=key)
            for _ in range(rounds):
                for kind, url in urls.items():
                    measure(kind, partial(delivered, folder, url, port, mails))
                measure("signed", lambda: delivered(folder, urls["sqlite"], port, mails, signed))
            for name, (_, fewer) in WAYS.items():
                found[name] = [compared.ratio(partial(pinned, name, port, max(mails // fewer, 20), size))]
    line: dict[str, Any] = {
        "benchmark": "deliver",
        "mails": mails,
        "bytes": size,
        "rounds": rounds,
        "cores": CORES,
        "smtp_source_per_second": round(statistics.median(compared.sources)),
        "smtp_source_range": [round(min(compared.sources)), round(max(compared.sources))],
        "ratio": {name: round(statistics.median(ratio for _, ratio in each), 2) for name, each in found.items()},
        "ratio_range": {name: stock.spread([ratio for _, ratio in each]) for name, each in found.items()},
        "per_second": {name: round(statistics.median(rate for rate, _ in each)) for name, each in found.items()},
        "cpu_us": {name: round((statistics.median(each) - start / mails) * 1e6) for name, each in cpu.items()},
        "cpu_us_with_start": {name: round(statistics.median(each) * 1e6) for name, each in cpu.items()},
        "composing_us": round(compose * 1e6, 1),
    }
    print(json.dumps(line))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--mails", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--databases", nargs="*", default=list(KINDS), choices=KINDS)
    parser.add_argument("--way", nargs=4, metavar=("NAME", "PORT", "COUNT", "BYTES"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        name, *numbers = given.way
        print(WAYS[name][0](*map(int, numbers)))
    else:
        main(given.mails, given.rounds, given.databases)
