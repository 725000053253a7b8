"""Handing over mails to a relay that is 20 ms away: ours against smtplib, on the same number of connections.

    python benchmarks/round_trip.py [--mails N] [--round-trip MILLISECONDS]

A proxy on loopback holds every byte back for half the round trip, each way, in front of a real Postfix that throws away what it
took; it does not limit how much is under way. smtplib sends ready bytes, a thread a connection; ours too, one thread for all,
with its journal.

What to expect: smtplib waits for four answers a mail (MAIL, RCPT, DATA, the final dot). Ours waits for one: the dot travels with
the next mail's MAIL, RCPT and DATA. It cannot be less while only one message a connection may be between its dot and the answer,
which is what bounds how many can be sent twice after a crash; so that ratio has a ceiling of 4.

Prints one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import smtplib
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import stock

from digest.domain.delivery import Envelope
from digest.mail.smtp.journal import Journal
from digest.mail.smtp.relay import Relay
from digest.mail.smtp.relay_pool import RelayPool
from digest.mail.smtp.relay_settings import RelaySettings
from tests.servers import postfix

DATA = b"From: a@x.test\r\nTo: b@x.test\r\nSubject: benchmark\r\n\r\n" + (b"x" * 70 + b"\r\n") * 555
CONNECTIONS = 5
ROUNDS = 3


class Delayed:
    """A way to a server on which everything takes `seconds` longer, in each direction."""

    def __init__(self, port: int, seconds: float) -> None:
        self._port, self._seconds = port, seconds

    async def serve(self, ready: threading.Event, ends: asyncio.Event) -> None:
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        async with server:
            await ends.wait()
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _carry(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        there, away = await asyncio.open_connection("127.0.0.1", self._port)
        with contextlib.suppress(asyncio.CancelledError):  # at the end, whoever still hangs on
            await asyncio.gather(self._one_way(here, away), self._one_way(there, back))

    async def _one_way(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        clock = asyncio.get_running_loop().time
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def arrive() -> None:
            while True:
                due, data = await under_way.get()
                await asyncio.sleep(max(due - clock(), 0))
                if not data:
                    target.close()
                    return
                target.write(data)

        with contextlib.suppress(ConnectionError):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(arrive())
                data = b"-"
                while data:
                    data = await source.read(1 << 18)
                    under_way.put_nowait((clock() + self._seconds, data))


@contextmanager
def delayed(port: int, round_trip: float) -> Iterator[int]:
    """The port of a way to `port` that takes `round_trip` seconds there and back."""
    way, ready, ends = Delayed(port, round_trip / 2), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(way.serve(ready, ends),))
    thread.start()
    try:
        assert ready.wait(10)
        yield way.port
    finally:
        loop.call_soon_threadsafe(ends.set)
        thread.join()
        loop.close()


def ours(port: int, mails: int) -> float:
    settings = RelaySettings(host="127.0.0.1", port=port, tls="none", max_per_connection=mails)
    envelopes = (Envelope(n, "a@x.test", "b@x.test", (DATA,), ready=True) for n in range(mails))
    with tempfile.TemporaryDirectory() as directory, Journal.create(Path(directory)) as journal:
        post = RelayPool([Relay(settings, lambda: datetime.now(UTC))], journal, CONNECTIONS)
        start = time.perf_counter()
        accepted = sum(attempt.accepted for attempt in post.send_many(envelopes))
        seconds = time.perf_counter() - start
        journal.recorded(range(mails))
    assert accepted == mails
    return mails / seconds


def with_smtplib(port: int, mails: int) -> float:
    def session() -> None:
        with smtplib.SMTP("127.0.0.1", port, local_hostname="me.test") as client:
            for _ in range(mails // CONNECTIONS):
                client.sendmail("a@x.test", ["b@x.test"], DATA)

    threads = [threading.Thread(target=session) for _ in range(CONNECTIONS)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return mails / (time.perf_counter() - start)


def main(mails: int, milliseconds: float) -> None:
    rates: dict[str, list[float]] = {"smtplib": [], "ours": []}
    with postfix.postfix(None) as relay, delayed(relay.port, milliseconds / 1000) as port:
        for _ in range(ROUNDS):
            rates["smtplib"].append(with_smtplib(port, mails // 4))
            rates["ours"].append(ours(port, mails))
    theirs = rates["smtplib"]
    ratios = {
        name: [one / other for one, other in zip(each, theirs, strict=True)] for name, each in rates.items() if each is not theirs
    }
    line = {
        "benchmark": "round_trip",
        "mails": mails,
        "bytes": len(DATA),
        "round_trip_ms": milliseconds,
        "connections": CONNECTIONS,
        "per_second": {name: round(statistics.median(each)) for name, each in rates.items()},
        "ratio": {name: round(statistics.median(each), 2) for name, each in ratios.items()},
        "ratio_range": {name: stock.spread(each) for name, each in ratios.items()},
        "ms_a_mail": {
            name: round(statistics.median(CONNECTIONS / rate for rate in each) * 1000, 1) for name, each in rates.items()
        },
    }
    print(json.dumps(line))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--mails", type=int, default=2000)
    parser.add_argument("--round-trip", type=float, default=20.0)
    given = parser.parse_args()
    main(given.mails, given.round_trip)
