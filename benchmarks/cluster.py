"""Workers on one PostgreSQL through a relay that misbehaves, killed one after another; then what a second worker is worth.

    python benchmarks/cluster.py [DELIVERIES] [RATE_DELIVERIES]

First: three workers and two schedulers; every worker is killed (SIGKILL), the elected scheduler is killed, the database is
restarted once as after a power cut, and nudges are lost and doubled on the way. Lost must be 0; doubles are those that were in
flight at a kill or whose reply the relay swallowed. (With 0 in its place, either part is left out.)

Second: mails a second with one worker and with two, through Postfix's smtp-sink, with how busy the machine's cores were. Where
they are full, no second worker can add much: workers, database and sink have the same cores. So the same again through a relay
that is 20 ms away, where the cores have time: there it shows whether workers stand in each other's way. Prints one JSON line.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from relay import sink  # noqa: E402
from round_trip import delayed  # noqa: E402
from sqlalchemy import text  # noqa: E402

from digest.config import Settings, load  # noqa: E402
from digest.container import Container  # noqa: E402
from digest.domain.delivery import DeliveryState  # noqa: E402
from digest.domain.subscriber import Address, NewReader  # noqa: E402
from digest.services.scheduler.election import SCHEDULER  # noqa: E402
from digest.store.deliveries.jobs import EACH  # noqa: E402
from digest.store.engine import open_engine  # noqa: E402
from digest.store.migrate import upgrade  # noqa: E402
from tests.outbox import AT, EVERYBODY, configured, queue  # noqa: E402 - the tests' own servers
from tests.servers import postgresql  # noqa: E402
from tests.servers.cluster import Cluster, cluster, forget_jobs  # noqa: E402
from tests.servers.running import running, until  # noqa: E402
from tests.servers.smtp import Do, Script, SmtpServer  # noqa: E402
from tests.servers.stocked import CONSENT, DAY, HOUR, create_due  # noqa: E402

CONNECTIONS = 4
AWAY = 0.02
"""Seconds there and back, to the relay that is far."""
FAR = 2 * EACH
"""Mails for it: as many as call two workers."""
EVERY = 5000
"""The relay swallows a reply, or asks to come back later, about once in so many messages."""
PATIENCE = 3600.0


class Ledger(SmtpServer):
    """Keeps of each message who got it and a hash of what: a hundred thousand mails are gigabytes."""

    def keep(self, sender: str, recipients: list[str], data: bytes) -> None:
        line = f"{recipients[0]} {hashlib.sha256(data).hexdigest()}\n"
        with self.lock, self.store.open("a", encoding="ascii") as file:
            file.write(line)


def faults(deliveries: int) -> Script:
    swallowed = {("DOT", n): Do(accept=True, close=True) for n in range(EVERY, deliveries, EVERY)}
    later = {("RCPT", n): Do("451 4.3.0 later") for n in range(EVERY // 2, deliveries, EVERY)}
    busy = {("MAIL", n): Do("421 4.3.2 busy", close=True) for n in range(EVERY // 3, deliveries, EVERY)}
    return Script(nth=swallowed | later | busy)


def serve(store: Path, port_file: Path, deliveries: int) -> None:
    """The relay: a process of its own."""
    ending = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    with Ledger(store, faults(deliveries)) as server:
        draft = port_file.with_suffix(".draft")
        draft.write_text(str(server.port))
        draft.rename(port_file)
        signal.sigwait(ending)


@contextmanager
def relay(folder: Path, deliveries: int) -> Iterator[tuple[int, Path]]:
    ledger, port_file = folder / "ledger", folder / "port"
    command: list[str | Path] = [sys.executable, __file__, "relay", ledger, port_file, str(deliveries)]
    with running(command, port_file.exists, folder / "relay.log"):
        yield int(port_file.read_text()), ledger


@contextmanager
def database() -> Iterator[str]:
    if reason := postgresql.missing():
        sys.exit(reason)
    with postgresql.postgresql() as url:
        engine = open_engine(url)
        upgrade(engine)
        engine.dispose()
        yield url


def stocked(settings: Settings, deliveries: int) -> list[str]:
    """As a database that has been up for a while: autovacuum has looked at the readers before a mail is due."""
    few = min(deliveries, 1000)
    emails = queue(settings, few)
    if deliveries > few:
        emails += [f"reader{n}@example.org" for n in range(few, deliveries)]
        with Container(settings) as container:
            with container.adapters.store.begin() as unit:
                unit.subscribers.add_confirmed([NewReader(Address(email), "daily") for email in emails[few:]], CONSENT, AT)
            with container.adapters.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("ANALYZE"))
            due, now = container.editions.edition_named("daily/2026-03-02"), datetime.now(UTC)
            with container.adapters.store.begin() as unit:
                create_due(unit, due.id, EVERYBODY, now - HOUR, now + DAY, due.date)
    return emails


def accepted(container: Container) -> int:
    with container.adapters.store.read() as unit:
        return unit.deliveries.tally().get(DeliveryState.ACCEPTED, 0)


def again_and_again(ask: Callable[[], bool]) -> Callable[[], bool]:
    """A question that the database may be away for."""
    from digest.domain.errors import StoreError

    def asked() -> bool:
        time.sleep(0.2)
        try:
            return ask()
        except StoreError:
            return False

    return asked


def nudge(container: Container, deliveries: int) -> None:
    with container.adapters.store.begin() as unit:
        unit.jobs.nudge(deliveries)


def failover(container: Container, schedulers: Cluster) -> float:
    """Kills the scheduler that holds the lease; seconds until another has it."""

    def holder() -> str:
        with container.adapters.store.read() as unit:
            held = unit.leases.holder(SCHEDULER)
        return held[0] if held and held[1] >= datetime.now(UTC) else ""

    until(lambda: bool(holder()), "a scheduler is elected", 30)
    before = holder()
    number = next(n for n in (0, 1) if f"/{schedulers.pid(n)}/" in before)
    schedulers.kill(number)
    seconds = until(lambda: holder() not in ("", before), "another scheduler is elected", 60)
    schedulers.start(number)
    return seconds


def killed(folder: Path, deliveries: int) -> dict[str, object]:
    with database() as url, relay(folder, deliveries) as (port, ledger):
        config = configured(
            folder,
            url,
            port,
            f"connections = {CONNECTIONS}\nclaim_size = 500\nretry_initial_delay = 1\nlease = 60\nmax_attempts = 50",
        )
        emails = stocked(load(config), deliveries)
        began = time.monotonic()
        with (
            Container(load(config)) as container,
            cluster(config, folder, 3) as workers,
            cluster(config, folder, 2, "run", "--no-web", "--no-deliver", "--no-collect") as schedulers,
        ):
            nudge(container, deliveries)
            for number in range(3):
                reached = deliveries * (number + 1) // 6
                until(again_and_again(lambda reached=reached: accepted(container) >= reached), f"{reached} sent", PATIENCE)
                workers.kill(number)
                workers.start(number)
                forget_jobs(container.adapters.store)
            seconds = failover(container, schedulers)
            reached = min(accepted(container) + deliveries // 20, deliveries)
            until(again_and_again(lambda: accepted(container) >= reached), "sending goes on", PATIENCE)
            postgresql.restart(url)
            nudge_twice = again_and_again(lambda: nudge(container, deliveries) is None and nudge(container, deliveries) is None)
            until(nudge_twice, "the database is back", 60)
            until(again_and_again(lambda: accepted(container) == deliveries), "everybody is accepted", PATIENCE)
            codes = {**workers.stop(), **{f"run-{n}": code for n, code in schedulers.stop().items()}}
        took = time.monotonic() - began
        got: Counter[str] = Counter()
        bodies: dict[str, set[str]] = defaultdict(set)
        for line in ledger.read_text().splitlines():
            recipient, digest = line.split()
            got[recipient] += 1
            bodies[recipient].add(digest)
    swallowed = len(range(EVERY, deliveries, EVERY))
    return {
        "deliveries": deliveries,
        "workers": 3,
        "kills": workers.kills,
        "database_restarts": 1,
        "lost": len(set(emails) - set(got)),
        "for_nobody": len(set(got) - set(emails)),
        "doubles": sum(got.values()) - len(got),
        "doubles_allowed": workers.kills * CONNECTIONS + swallowed,
        "doubles_with_other_bytes": sum(len(each) > 1 for each in bodies.values()),
        "scheduler_failover_seconds": round(seconds, 1),
        "exit_codes_clean": set(codes.values()) == {0},
        "seconds": round(took, 1),
    }


@dataclass(frozen=True)
class Rate:
    """From when the first mail is done to when the last is."""

    per_second: float
    busy: float
    """Of the cores' time, how much was used by anybody, 0 to 1."""
    worker_seconds: float
    """Processor time of the workers for each mail."""


def rate(folder: Path, port: int, count: int, deliveries: int) -> Rate:
    folder.mkdir()
    with database() as url:
        config = configured(folder, url, port, "connections = 5\nclaim_size = 500")
        stocked(load(config), deliveries)
        with Container(load(config)) as container, cluster(config, folder, count) as workers:
            warm(workers, count)
            nudge(container, deliveries)
            until(again_and_again(lambda: accepted(container) > 0), "it begins", 60)
            pids = [workers.pid(number) for number in range(count)]
            began, first, cores, used = time.monotonic(), accepted(container), Cores.now(), sum(map(processor_time, pids))
            until(again_and_again(lambda: accepted(container) == deliveries), "everybody is accepted", PATIENCE)
            took, mails = time.monotonic() - began, deliveries - first
            return Rate(mails / took, Cores.now().busy_since(cores), (sum(map(processor_time, pids)) - used) / mails)


@dataclass(frozen=True)
class Cores:
    """What the kernel has counted since it started, in ticks."""

    all: int
    idle: int

    @classmethod
    def now(cls) -> Cores:
        ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return cls(sum(ticks), ticks[3] + ticks[4])

    def busy_since(self, before: Cores) -> float:
        return 1 - (self.idle - before.idle) / max(self.all - before.all, 1)


def processor_time(pid: int) -> float:
    """Seconds that a process has used."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def rates(folder: Path, port: int, deliveries: int) -> dict[str, object]:
    """One worker and two by turns, twice; the best of each is compared, for whatever else runs here only slows them."""
    found: dict[int, list[Rate]] = {1: [], 2: []}
    for turn in range(2):
        for count in found:
            found[count].append(rate(folder / f"{port}-{count}-{turn}", port, count, deliveries))
    one, two = (max(each, key=lambda rate: rate.per_second) for each in found.values())
    return {
        "per_second": {str(count): [round(each.per_second) for each in several] for count, several in found.items()},
        "cores_busy": {"1": round(one.busy, 2), "2": round(two.busy, 2)},
        "worker_microseconds": {"1": round(one.worker_seconds * 1e6), "2": round(two.worker_seconds * 1e6)},
        "two_workers_ratio": round(two.per_second / one.per_second, 2),
    }


def warm(workers: Cluster, count: int) -> None:
    """Starting an interpreter is not what is measured."""
    until(lambda: all("worker started" in workers.finding(number) for number in range(count)), "the workers are up", 60)


def main(deliveries: int = 100_000, for_rate: int = 20_000) -> None:
    folder = Path(tempfile.mkdtemp(prefix="digest-cluster-"))
    try:
        told = killed(folder, deliveries) if deliveries else {}
        told |= {"cores": len(os.sched_getaffinity(0)), "load": round(os.getloadavg()[0], 1)}
        if for_rate:
            with sink() as port, delayed(port, AWAY) as far:
                told |= {"near": rates(folder, port, for_rate), "far": rates(folder, far, FAR)}
        print(json.dumps({"benchmark": "cluster", **told}))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["relay"]:
        serve(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main(*(int(argument) for argument in sys.argv[1:]))
