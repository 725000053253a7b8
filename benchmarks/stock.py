"""What the benchmarks of delivery measure with: a database with readers and what they are owed, servers, pinned processes.

Not a benchmark itself: `./run bench deliver`, `scale` and `kill` use it.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as hour
from pathlib import Path

from sqlalchemy import make_url, text

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from digest.config import load
from digest.container import Container
from digest.domain.identifier import Identifier
from digest.domain.paper import Sighting, Signal
from digest.domain.subscriber import Address, Cohort, Consent, NewReader
from digest.store.engine import open_engine
from digest.store.types import Instant
from tests.servers import postgresql
from tests.servers.stocked import create_due

CUTOFF = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
"""The edition is today's, made at midnight; deliveries are due by the real clock."""
EVERYBODY = Cohort("daily", "UTC", hour(0, 1), frozenset(range(7)))
_CONSENT = Consent(CUTOFF - timedelta(days=1), "csv import", "v1", "recorded by operator")
_ABSTRACT = "We study how models learn to say what they know, and find that “less” is often more, at every scale we try. "
_DURABLE = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "256MB", "max_wal_size": "4GB"}


def configured(folder: Path, url: str, relays: str, delivery: str = "", more: str = "") -> Path:
    """A settings file; `relays` are whole tables, `delivery` lines of that table."""
    file = folder / "digest.toml"
    file.write_text(
        f"""
[database]
url = "{url}"
[secrets]
key_file = "{folder / "digest.key"}"
[web]
base_url = "https://digest.example.org"
[mail]
from_name = "Digest"
from_address = "digest@digest.example.org"
postal_address = "1 Example Street"
[delivery]
journal = "{folder / "journal"}"
{delivery}
[[lists]]
name = "daily"
title = "Trending papers"
cutoff = 00:00:00
picks = 13
{more}
{relays}
""",
        "utf-8",
    )
    return file


def relay(port: int, more: str = "") -> str:
    return f'[[relays]]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nname = "sink"\n{more}\n'


def _papers(count: int) -> list[Sighting]:
    seen = CUTOFF - timedelta(hours=9)
    return [
        Sighting(
            source="arxiv",
            identifiers=(Identifier("arxiv", f"2603.{number:05}"),),
            title=f"Paper number {number} on learning to rank what is new among all that is written",
            abstract=f"Method {number}. " + _ABSTRACT * 8,
            authors=(f"Ann Author{number}", "Bo Writer", "Cy Reader"),
            categories=("cs.LG",),
            seen_at=seen,
            signals=(Signal("upvotes", 100.0 - number, seen + timedelta(hours=1), "huggingface"),),
        )
        for number in range(1, count + 1)
    ]


def bulk_subscribe(container: Container, readers: int, first: int = 0) -> None:
    """ACTIVE readers at EVERYBODY's hour, in transactions of some thousand."""
    for start in range(first, first + readers, 20_000):
        some = [
            NewReader(Address(f"reader{n}@example{n % 50}.org"), "daily", container.adapters.preferences(None, EVERYBODY.hour))
            for n in range(start, min(start + 20_000, first + readers))
        ]
        with container.adapters.store.begin() as unit:
            unit.subscribers.add_confirmed(some, _CONSENT, CUTOFF - timedelta(hours=2))


def enrol_in_bulk(container: Container, readers: int, first: int = 0) -> None:
    """As `enrol`, by SQL: a million in some seconds. Nobody unsubscribes from these, so their hashes are any."""
    postgresql = container.adapters.store.engine.dialect.name == "postgresql"
    numbers = (
        "SELECT g AS n FROM generate_series(CAST(:first AS int), CAST(:last AS int)) g"
        if postgresql
        else "WITH RECURSIVE g(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM g WHERE n < :last) SELECT n FROM g"
    )
    hashed = "encode(sha256(n::text::bytea), 'hex')" if postgresql else "lower(hex(randomblob(32)))"
    address = "'reader' || n || '@example' || (n % 50) || '.org'"
    bulk_subscribe(container, 1, first)  # the pattern: what the store writes for one, the rest gets too
    with container.adapters.store.engine.begin() as connection:
        pattern = connection.execute(text("SELECT * FROM subscriptions ORDER BY id DESC LIMIT 1")).mappings().one()
        wishes = [name for name in pattern if name not in ("id", "subscriber_id")]
        connection.execute(
            text(
                "INSERT INTO subscribers (address, address_key, address_hash, created_at)"
                f" SELECT {address}, {address}, {hashed}, (SELECT max(created_at) FROM subscribers) FROM ({numbers}) AS new"
            ),
            {"first": first + 1, "last": first + readers - 1},
        )
        named = "lpad(s.id::text, 22, 'p')" if postgresql else "substr('pppppppppppppppppppppp' || s.id, -22)"
        columns = ", ".join(wishes)
        values = ", ".join(named if name == "public_id" else f"p.{name}" for name in wishes)  # each has an id of its own
        connection.execute(
            text(
                f"INSERT INTO subscriptions (subscriber_id, {columns}) SELECT s.id, {values}"
                " FROM subscribers s, subscriptions p WHERE p.id = :pattern AND s.id > p.subscriber_id"
            ),
            {"pattern": pattern["id"]},
        )


def make_papers(container: Container) -> None:
    with container.adapters.store.begin() as unit:
        unit.papers.merge(_papers(60))


def past(container: Container, edition_id: int, editions: int) -> None:
    """As many earlier editions, which everybody got."""
    for days in range(1, editions + 1):
        at = CUTOFF - timedelta(days=days)
        earlier = another(container, edition_id, at)
        with container.adapters.store.engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO deliveries (edition_id, subscription_id, state, due_at, expires_at, next_attempt_at, attempts,"
                    " attempted_at, reason, accepted_at, relay, reply_code, reply_enhanced, reply_text)"
                    " SELECT :edition, id, 'accepted', :at, :at, :at, 1, :at, '250 2.0.0 queued', :at, 'sink', 250, '2.0.0',"
                    " 'queued' FROM subscriptions"
                ),
                {"edition": earlier, "at": _as_kept(container, at)},
            )


def another(container: Container, edition_id: int, at: datetime) -> int:
    """The same edition for another day; its id."""
    with container.adapters.store.engine.begin() as connection:
        one = connection.execute(text("SELECT * FROM editions WHERE id = :id"), {"id": edition_id}).mappings().one()
        own = {
            "date": at.date().isoformat(),
            "window_start": _as_kept(container, at - timedelta(days=1)),
            "cutoff": _as_kept(container, at),
        }
        names = ", ".join(name for name in one if name != "id")
        values = ", ".join(f":{name}" if name in own else name for name in one if name != "id")
        copied = f"INSERT INTO editions ({names}) SELECT {values} FROM editions WHERE id = :id RETURNING id"
        made: int = connection.execute(text(copied), {"id": edition_id, **own}).scalar_one()
        return made


def _as_kept(container: Container, at: datetime) -> object:
    """An instant as the database keeps it."""
    return Instant().process_bind_param(at, container.adapters.store.engine.dialect)


def press_edition(container: Container) -> int:
    make_papers(container)
    return container.editions.edition(container.adapters.paper_list("daily"), CUTOFF.date(), CUTOFF).id


def queue(container: Container, edition_id: int) -> int:
    """A delivery due now for each reader."""
    now = datetime.now(UTC)
    with container.adapters.store.begin() as unit:
        return create_due(unit, edition_id, EVERYBODY, now - timedelta(hours=1), now + timedelta(days=1), CUTOFF.date(), CUTOFF)


@contextmanager
def databases(folder: Path, kinds: Sequence[str]) -> Iterator[dict[str, str]]:
    """By kind, the URL of an empty database with a schema. PostgreSQL is as durable as a real one."""
    with ExitStack() as open_:
        urls = {}
        for kind in kinds:
            if kind == "sqlite":
                urls[kind] = f"sqlite:///{folder / 'stock.sqlite'}"
                continue
            if reason := postgresql.missing():
                print(f"PostgreSQL left out: {reason}", file=sys.stderr)
                continue
            server = open_.enter_context(postgresql.postgresql(_DURABLE))
            administer(server, "CREATE DATABASE stock")
            urls[kind] = make_url(server).set(database="stock").render_as_string(hide_password=False)
        for url in urls.values():
            with Container(load(configured(folder, url, ""))) as container:
                container.adapters.migrate()
        yield urls


def copy(url: str, name: str) -> str:
    """The URL of a database equal to the one at `url`, which nobody has open. A copy of that name is replaced."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        assert parsed.database is not None
        target = Path(parsed.database).with_name(f"{name}.sqlite")
        for suffix in ("", "-wal", "-shm"):
            Path(f"{target}{suffix}").unlink(missing_ok=True)
        shutil.copy(parsed.database, target)
        return f"sqlite:///{target}"
    server = parsed.set(database="postgres").render_as_string(hide_password=False)
    administer(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    administer(server, f"CREATE DATABASE {name} TEMPLATE {parsed.database}")
    return parsed.set(database=name).render_as_string(hide_password=False)


def administer(url: str, command: str) -> None:
    engine = open_engine(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(command))
    engine.dispose()


@dataclass(frozen=True, slots=True)
class Ran:
    """A command's answer, what it cost from start to end (its children too), and the most memory one process took, in MB."""

    answer: dict[str, float]
    wall: float
    cpu: float
    peak_mb: float


def digest(config: Path, *arguments: str, cores: Sequence[int] | None = None, after: float | None = None) -> Ran:
    """Runs a command as an operator would, `--json`, on the given cores, and asks it to end `after` so many seconds.

    Exits with what it said when it fails.
    """
    command = [sys.executable, "-m", "digest", *arguments, "--json", "--config", str(config)]
    with tempfile.TemporaryFile() as said:
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        process = subprocess.Popen(pinned(command, cores), stdout=subprocess.PIPE, stderr=said, cwd=config.parent, env=_env())
        ending = threading.Timer(after or 0, process.terminate)
        if after is not None:
            ending.start()
        with _peak(process.pid) as peak:
            out, _ = process.communicate()
        ending.cancel()
        wall, spent = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        if process.returncode:
            said.seek(0)
            sys.exit(f"{arguments}: exit code {process.returncode}: {said.read().decode()[-2000:]}")
    cpu = (spent.ru_utime + spent.ru_stime) - (before.ru_utime + before.ru_stime)
    return Ran(json.loads(out), wall, cpu, max(peak.values()) / 1024)


@contextmanager
def _peak(pid: int) -> Iterator[dict[int, int]]:
    """By process of this one's family: the most memory it has taken so far, in kB.

    From /proc, many times a second: what the kernel says when it has ended (ru_maxrss) counts what we took when we forked it.
    """
    peak, ended = {pid: 0}, threading.Event()

    def look(each: int) -> None:
        with suppress(OSError):  # it has ended meanwhile
            status = Path(f"/proc/{each}/status").read_text()
            if found := re.search(r"VmHWM:\s+(\d+) kB", status):
                peak[each] = int(found[1])
            for child in Path(f"/proc/{each}/task/{each}/children").read_text().split():
                look(int(child))

    def watch() -> None:
        while not ended.wait(0.02):
            look(pid)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield peak
    finally:
        ended.set()
        watching.join()


def _env() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}


def pinned(command: Sequence[object], cores: Sequence[int] | None) -> list[str]:
    """`command` on these cores only, where the system can."""
    words = [str(word) for word in command]
    taskset = shutil.which("taskset")
    return words if not cores or taskset is None else [taskset, "-c", ",".join(map(str, cores)), *words]


@contextmanager
def sink(*options: str, cores: Sequence[int] | None = None) -> Iterator[int]:
    """The port of Postfix's smtp-sink, which throws everything away."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with subprocess.Popen(pinned([program("smtp-sink"), *user, *options, f"127.0.0.1:{port}", 1000], cores)) as process:
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


def source(port: int, count: int, size: int, sessions: int = 10, cores: Sequence[int] | None = None) -> float:
    """Messages a second that Postfix's smtp-source hands over, keeping its connections (-d)."""
    words = [program("smtp-source"), "-d", "-s", sessions, "-m", count, "-l", size, "-f", "a@x.test", "-t", "b@x.test"]
    start = time.perf_counter()
    subprocess.run(pinned([*words, f"127.0.0.1:{port}"], cores), check=True)
    return count / (time.perf_counter() - start)


def program(name: str) -> str:
    return shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin") or sys.exit(f"{name} (Postfix) is not installed")


def spread(figures: Sequence[float]) -> list[float]:
    return [round(min(figures), 2), round(max(figures), 2)]
