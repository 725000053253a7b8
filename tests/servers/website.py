"""The web application on a loopback port, as the daemon serves it, over a store with papers and an edition.

Mail goes to the fake transport, or to real relays where some are given. The clock stands still until it is moved.
"""

from __future__ import annotations

import base64
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
from fastapi import FastAPI
from sqlalchemy import select, text

from digest.config import Database, Delivery, ListSettings, Mail, Relay, Secrets, Settings, SourceSettings, Web
from digest.domain.errors import DigestError
from digest.domain.identifier import Identifier
from digest.domain.paper import Sighting, Signal, Summary
from digest.domain.subscriber import Address, Interests, Preferences, Subscription, SubscriptionState
from digest.links import Purpose
from digest.mail.inbound.message_parts import parts_of
from digest.services.subscriptions.subscribe import confirm, request
from digest.store.schema import requests
from digest.web.app import create_app
from digest.web.server import server as served
from tests.servers.running import PATIENCE, free_port, listening
from tests.transport import FakeTransport, OfflineContainer

NOON = datetime(2026, 5, 27, 12, tzinfo=UTC)
"""A Wednesday, after the cutoff."""
ADMIN = "the-operators-own-token"
BEARER = {"authorization": f"Bearer {ADMIN}"}
BASIC = {"authorization": "Basic " + base64.b64encode(f"anybody:{ADMIN}".encode()).decode()}
TOPICS = ("Attention", "Diffusion", "Retrieval", "Robots", "Proteins", "Speech", "Graphs", "Planning", "Vision", "Sampling")


class Sending(OfflineContainer):
    """Through the fake transport, unless relays are configured."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, FakeTransport(lambda: NOON), real=True)


@dataclass
class Website:
    url: str
    """Where it is served."""
    base: str
    """What its links begin with."""
    container: Sending
    client: httpx2.Client
    now: datetime = NOON

    def get(self, path: str, **headers: str) -> httpx2.Response:
        return self.client.get(self.url + path, headers=dict(headers))

    def request(self, method: str, path: str, **how: object) -> httpx2.Response:
        """No redirect is followed."""
        return self.client.request(method, self.url + path, **how)  # type: ignore[arg-type]

    def post(self, path: str, data: Mapping[str, object] | None = None, **headers: str) -> httpx2.Response:
        return self.request("POST", path, data=data or {}, headers=headers)

    def reader(
        self, address: str = "ada@example.org", interests: Interests | None = None, *, confirmed: bool = True
    ) -> Subscription:
        """Subscribes somebody, without a mail."""
        store, before = self.container.adapters.store, self.now - timedelta(days=1)
        step = request(store, Address(address), "daily", Preferences(), interests or Interests(), before)
        return (
            confirm(store, step.subscription.id, "test", "link confirmed", before).subscription
            if confirmed
            else step.subscription
        )

    def subscription(self, address: str = "ada@example.org") -> Subscription | None:
        with self.container.adapters.store.read() as unit:
            return next(iter(unit.subscribers.subscriptions(Address(address))), None)

    def state(self, address: str = "ada@example.org") -> SubscriptionState | None:
        found = self.subscription(address)
        return found.state if found else None

    def link(self, purpose: Purpose, address: str = "ada@example.org") -> str:
        """The path that a mail to them leads to."""
        found = self.subscription(address)
        assert found
        return f"/{purpose}/{self.token(purpose, found)}"

    def token(self, purpose: Purpose, subscription: Subscription) -> str:
        """As a mail has it; a confirmation's is that of the latest request."""
        named = subscription.public_id
        if purpose is Purpose.CONFIRM:
            latest = select(requests.c.public_id).where(requests.c.subscription_id == subscription.id)
            with self.container.adapters.store.engine.connect() as connection:
                named = connection.scalars(latest.order_by(requests.c.requested_at.desc()).limit(1)).one()
        return self.container.adapters.links.token(purpose, named, self.now)

    def queued(self) -> int:
        """Notices that no relay took yet."""
        with self.container.adapters.store.read() as unit:
            return unit.notices.count()

    def tables(self) -> dict[str, list[str]]:
        """Every row of every table but the search index."""
        names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'papers_words%'"
        with self.container.adapters.store.engine.connect() as connection:
            tables = connection.execute(text(names)).scalars().all()
            return {name: sorted(map(str, connection.execute(text(f'SELECT * FROM "{name}"')))) for name in tables}

    def letters(self, at_least: int = 1, seconds: float = PATIENCE) -> list[tuple[str, str]]:
        """(recipient, plain text) of the mails so far; waits for `at_least`, since they go out after the answer."""
        deadline = time.monotonic() + seconds
        while len(self.container.transport.accepted) < at_least and time.monotonic() < deadline:
            time.sleep(0.01)
        return [(letter.recipient, parts_of(letter.data)[1]) for letter in self.container.transport.envelopes]

    def path_in(self, text: str, what: str) -> str:
        """The path of the link whose address goes through /`what`/."""
        found = re.search(rf"{re.escape(self.base)}(/{what}/\S+)", text)
        assert found, text
        return found[1]


BASE = "https://digest.example"
"""What readers would use; in the tests a proxy's work."""


def stock(folder: Path, papers: Iterable[Sighting] | None = None, base: str = BASE) -> Path:
    """A database with papers and the edition of that day: made once, copied often."""
    file = folder / "stocked.sqlite3"
    if papers is None:
        file.write_bytes(_usual_stock(base))
    else:
        _fill(file, papers, base)
    return file


@cache
def _usual_stock(base: str) -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "stocked.sqlite3"
        _fill(file, sightings(), base)
        return file.read_bytes()


def _fill(file: Path, papers: Iterable[Sighting], base: str) -> None:
    with Sending(_settings(file, base)) as container:
        with container.adapters.store.begin() as unit:
            unit.papers.merge(list(papers))
        container.editions.edition(container.adapters.paper_list("daily"), NOON.date(), NOON)


@contextmanager
def website(
    folder: Path,
    stocked: Path,
    *,
    relays: Sequence[Relay] = (),
    own_base: bool = False,
    base: str = BASE,
    admin: str | None = ADMIN,
    proxies: Sequence[str] = ("127.0.0.1",),
    sources: Sequence[SourceSettings] = (),
) -> Iterator[Website]:
    """Serves a copy of `stocked`; `own_base`: links lead to where it is really served, for a browser."""
    file = folder / "web.sqlite3"
    shutil.copy(stocked, file)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    base = url if own_base else base
    client = httpx2.Client(timeout=PATIENCE, trust_env=False, verify=False)  # it speaks no TLS, and loads no certificates
    with Sending(_settings(file, base, relays, admin, sources)) as container, client:
        site = Website(url, base, container, client)
        web = Web(port=port, trusted_proxies=proxies)
        with (
            sending(container, lambda: site.now) as wake,
            serving(create_app(container, lambda: site.now, keep_seconds=0, wake_sender=wake), web),
        ):
            yield site


@contextmanager
def sending(container: Sending, clock: Callable[[], datetime]) -> Iterator[Callable[[], None]]:
    """Sends notices as the daemon does: in a thread of its own, when it is woken."""
    due, stop = threading.Event(), threading.Event()

    def send() -> None:
        while due.wait() and not stop.is_set():
            due.clear()
            with suppress(DigestError):
                container.notices.send_queued(clock, stop.is_set)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    yield due.set
    stop.set()
    due.set()
    thread.join(10)


def _settings(
    file: Path,
    base: str,
    relays: Sequence[Relay] = (),
    admin: str | None = ADMIN,
    sources: Sequence[SourceSettings] = (),
) -> Settings:
    return Settings(
        database=Database(url=f"sqlite:///{file}"),
        secrets=Secrets(key="a key of the tests' own"),
        web=Web(base_url=base, admin_token=admin),  # type: ignore[arg-type]  # pydantic makes it a secret
        mail=Mail(from_address="digest@example.test", postal_address="1 Test Street, Testville"),
        delivery=Delivery(journal=file.parent / "journal"),
        relays=tuple(relays),
        lists=(ListSettings(name="daily", title="Trending papers", description="The papers people talk about, once a day"),),
        sources=tuple(sources),
    )


@contextmanager
def serving(app: FastAPI, web: Web) -> Iterator[None]:
    """As the daemon serves it."""
    server, port = served(app, web), web.port
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE
    while not listening(port):
        assert thread.is_alive(), "the server ended"
        assert time.monotonic() < deadline, "the server did not come up"
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)


def sightings(count: int = 12) -> Iterator[Sighting]:
    """Papers as a source shows them, with votes."""
    for number in range(1, count + 1):
        topic = TOPICS[number % len(TOPICS)]
        seen = NOON - timedelta(days=1, hours=number)
        yield Sighting(
            source="huggingface",
            identifiers=(Identifier("arxiv", f"2605.{number:05}"),),
            title=f"{topic} is not all you need, part {number}",
            abstract=f"We study {topic.lower()} & its limits. We propose a method <called> P{number} that is better.",
            authors=(f"Ada Writer{number}", "Bo Author", "Cleo Third", "Dan Fourth"),
            published_at=seen - timedelta(days=1),
            categories=("cs.LG",),
            url=f"https://arxiv.org/abs/2605.{number:05}",
            pdf_url=f"https://arxiv.org/pdf/2605.{number:05}",
            code_url="https://github.com/example/code" if number % 2 else "",
            summary=Summary(text=f"A method for {topic.lower()} that needs less.", provenance="huggingface"),
            seen_at=seen,
            signals=tuple(
                Signal("upvotes", 3.0 * number * day, seen + timedelta(hours=4 * day), "huggingface") for day in range(1, 5)
            ),
        )
