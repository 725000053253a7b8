"""Relays that hold up whoever talks to them: the pages do not notice."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from digest.config import Relay
from digest.links import Purpose
from tests.servers.website import website

LONGEST = 60.0
"""Seconds for a page, on a very busy machine; a relay is waited for 300 s."""

Talk = Callable[[socket.socket], object]


def _line_by_line(connection: socket.socket) -> None:
    connection.sendall(b"220 slow\r\n")
    while connection.recv(1000):
        connection.sendall(b"250-")
        time.sleep(0.5)


TALKS: dict[str, Talk] = {
    "says nothing": lambda connection: connection.recv(1),
    "greets and says nothing": lambda connection: (connection.sendall(b"220 here\r\n"), time.sleep(60)),
    "greets without an end": lambda connection: [
        (connection.sendall(b"220-still here\r\n"), time.sleep(0.2)) for _ in range(300)
    ],
    "never ends a reply": _line_by_line,
    "hangs up": lambda connection: connection.close(),
    "answers 421": lambda connection: (connection.sendall(b"421 busy\r\n"), connection.close()),
}


@contextmanager
def _relay(talk: Talk) -> Iterator[int]:
    """In the end it hangs up on whoever still waits."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                talk(connection)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    held.append(listener.accept()[0])
                    threading.Thread(target=serve, args=(held[-1],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    for connection in held:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("talk", TALKS)
def test_pages_answer_whatever_the_relay_does(tmp_path: Path, stocked: Path, talk: str) -> None:
    with ExitStack() as holding:
        port = holding.enter_context(_relay(TALKS[talk]))
        with website(tmp_path, stocked, relays=(Relay(host="127.0.0.1", port=port, tls="none"),)) as site:
            site.reader("gone@example.org")
            unsubscribe = site.link(Purpose.UNSUBSCRIBE, "gone@example.org")
            asks = [partial(site.post, "/subscribe", {"email": f"r{n}@example{n}.org"}, **_from(n)) for n in range(45)]
            asks += [partial(site.get, "/papers?q=attention"), partial(site.get, "/healthz"), partial(site.post, unsubscribe)]
            took = []
            for ask in asks:
                began = time.monotonic()
                assert ask().status_code == 200
                took.append(time.monotonic() - began)
            assert max(took) < LONGEST
            holding.close()


def _from(number: int) -> dict[str, str]:
    return {"x-forwarded-for": f"203.0.{number}.7"}
