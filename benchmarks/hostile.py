"""A megabyte of hostile bytes at each door of `digest run`: how long until it is answered, and how long /healthz takes.

    python benchmarks/hostile.py [BYTES]

The claim: answered or refused within 1 s, /healthz within 100 ms. Prints seconds, status and the worst /healthz in ms.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import httpx2

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from digest.config import load
from digest.container import Container
from digest.domain.subscriber import Interests, Preferences
from digest.links import Purpose
from digest.services.subscriptions.subscribe import confirm, request
from tests.servers.hostile import FRAMES, filled
from tests.servers.running import free_port, running

TOKEN = "a token of the operator"  # of this run
SIZE = 1_000_000
UPLOADS = {
    "upload": ("bare", b"1.1 "),
    "BibTeX": ("bibtex value", b"\n"),
    "BibTeX entries": ("bare", b"@a{k,title={x}}"),
    "XML": ("OAI end", b"<!---->"),
    "RSS": ("RSS date", b"\n@"),
    "RSS elements": ("RSS title", b"<a/>"),
    "seed page": ("seed page", b"@\n"),
    "RSS attributes": ("RSS tag", b'a="1" '),
    "JSON": ("bare", b'{"a":'),
    "JSON feed": ("JSON feed text", b"<a "),
}
Ask = Callable[[httpx2.Client, str, int], httpx2.Response]


@dataclass(frozen=True, slots=True)
class Figure:
    door: str
    seconds: float
    status: int
    worst_healthz: float
    """Seconds."""


def _uploaded(frame: str, unit: bytes) -> Ask:
    def ask(client: httpx2.Client, token: str, size: int) -> httpx2.Response:
        file = {"file": ("papers", filled(FRAMES[frame], unit, size))}
        return client.post(f"/manage/{token}", data={"interests": "graphs"}, files=file)

    return ask


def _posted(path: str, body: Callable[[int], bytes], kind: str = "application/json", **headers: str) -> Ask:
    def ask(client: httpx2.Client, token: str, size: int) -> httpx2.Response:
        return client.post(path.format(token=token), content=body(size), headers={"content-type": kind, **headers})

    return ask


def _got(path: str, most: int) -> Ask:
    """An address cannot be longer than the server takes."""
    return lambda client, token, size: client.get(path.format(x=quote('a"-' * (min(size, most) // 3), safe="")[:most]))


FORM = "application/x-www-form-urlencoded"
BEARER = {"authorization": f"Bearer {TOKEN}"}
DOORS: dict[str, Ask] = {
    **{name: _uploaded(*what) for name, what in UPLOADS.items()},
    "interests": _posted("/manage/{token}", lambda size: b"interests=" + b"not:" * (size // 4), FORM),
    "form of many fields": _posted("/manage/{token}", lambda size: b"a&" * (size // 2), FORM),
    "subscribe": _posted("/subscribe", lambda size: b"email=" + b"a@" * (size // 2), FORM),
    "search": _got("/papers?q={x}", 60_000),
    "search by API": _got("/api/v1/search?q={x}", 60_000),
    "token": _got("/manage/{x}", 60_000),
    "API": _posted("/api/v1/subscriptions", lambda size: b'{"email":' * (size // 9), **BEARER),
    "CSV": _posted(
        "/api/v1/subscriptions/import",
        lambda size: b'email,interests\na@example.org,"' + b'""' * (size // 2),
        "text/csv",
        **BEARER,
    ),
    "SES": _posted("/webhooks/ses", lambda size: b'{"Message":"' + b"[" * size + b'"}'),
    "Mailgun": _posted("/webhooks/mailgun", lambda size: b'{"signature":{"token":"' + b"\\ud800" * (size // 6) + b'"}}'),
    "JSON of a webhook": _posted("/webhooks/mailgun", lambda size: b'{"a":' * (size // 5)),
    "unending cookie": lambda client, token, size: client.get("/", headers={"cookie": "a=b;" * (min(size, 60_000) // 4)}),
}


@contextmanager
def served(folder: Path, relay_port: int = 9) -> Iterator[tuple[httpx2.Client, str, Path]]:
    """A daemon with one reader: a client of it, the token of that reader's page, and the daemon's log. By default its relay is
    not there."""
    port, log = free_port(), folder / "log"
    settings = folder / "digest.toml"
    settings.write_text(
        f'[database]\nurl = "sqlite:///{folder}/digest.sqlite3"\n[secrets]\nkey = "a key of the tests own, long enough"\n'
        f'[web]\nport = {port}\nbase_url = "http://127.0.0.1:{port}"\nadmin_token = "{TOKEN}"\n'
        f'[delivery]\njournal = "{folder}/journal"\n[inbound]\nmailgun_signing_key = "key"\n'
        f'ses_topic_arn = "arn:aws:sns:eu-west-1:123456789012:digest"\n'
        f'[[relays]]\nhost = "127.0.0.1"\nport = {relay_port}\ntls = "none"\n'
    )
    at = datetime.now(UTC) - timedelta(days=1)
    with Container(load(settings)) as container:
        address = container.adapters.address("reader@example.org")
        asked = request(container.adapters.store, address, container.adapters.lists[0].name, Preferences(), Interests(), at)
        confirm(container.adapters.store, asked.subscription.id, "test", "test", at)
        token = container.adapters.links.token(Purpose.MANAGE, asked.subscription.public_id, at)
    base = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        try:
            return httpx2.get(f"{base}/healthz", trust_env=False).status_code == 200
        except httpx2.TransportError:
            return False

    files = ["sh", "-c", 'ulimit -n 1024; exec "$@"', "sh"]  # as many as systems allow by default
    command = [*files, sys.executable, "-m", "digest", "run", "--no-collect", "--config", settings]
    with running(command, ready, log), httpx2.Client(base_url=base, timeout=120, trust_env=False) as client:
        yield client, token, log


@contextmanager
def watched(client: httpx2.Client) -> Iterator[list[float]]:
    """What /healthz took, asked for all the while."""
    took: list[float] = []
    done = threading.Event()

    def watch() -> None:
        with httpx2.Client(base_url=client.base_url, timeout=120, trust_env=False) as own:
            while not done.is_set() or not took:
                began = time.perf_counter()
                own.get("/healthz").raise_for_status()
                took.append(time.perf_counter() - began)
                time.sleep(0.01)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield took
    finally:
        done.set()
        thread.join()


def figures(client: httpx2.Client, token: str, size: int = SIZE) -> Iterator[Figure]:
    for door, ask in DOORS.items():
        with watched(client) as took:
            began = time.perf_counter()
            status = ask(client, token, size).status_code
            seconds = time.perf_counter() - began
        yield Figure(door, seconds, status, max(took))


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else SIZE
    with tempfile.TemporaryDirectory(prefix="digest-hostile-") as folder, served(Path(folder)) as (client, token, _):
        for each in figures(client, token, size):
            print(
                f"{each.door:22} {each.seconds:7.2f} s  {each.status}  /healthz {each.worst_healthz * 1000:6.0f} ms", flush=True
            )


if __name__ == "__main__":
    main()
