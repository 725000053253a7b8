"""A web server on loopback that answers as a script says, faults included, and keeps a log of what it was asked."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Asked:
    """One request as it came in. Header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Act = Callable[[socket.socket, threading.Event], None]
"""Answers on the connection, which is closed afterwards; the event is set when the test is over."""


def reply(status: str = "200 OK", body: bytes = b"", *, length: int | None = None, **headers: str) -> Act:
    """A whole answer; `length` lies about it. Header names are given with underscores."""

    def act(connection: socket.socket, _: threading.Event) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return act


def zipped(body: bytes) -> Act:
    return reply(body=gzip.compress(body), Content_Encoding="gzip")


def drip(head: bytes, piece: bytes, every: float) -> Act:
    """Sends `head`, then `piece` again and again for ten seconds: never silent, never done."""

    def act(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(head)
        for _ in range(int(10 / every)):
            if over.wait(every):
                return
            connection.sendall(piece)

    return act


def silent(connection: socket.socket, _: threading.Event) -> None:
    """Says nothing until the other side goes away (or five seconds, the connection's timeout)."""
    connection.recv(1)


def hang_up(connection: socket.socket, _: threading.Event) -> None:
    """Closes without a word."""


@dataclass
class ScriptedServer:
    """Answers the n-th request with the n-th act and every later one with the last, or each as `choose` says."""

    acts: list[Act] = field(default_factory=list)
    choose: Callable[[Asked], Act] | None = None
    asked: list[Asked] = field(default_factory=list)

    def __enter__(self) -> ScriptedServer:
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                try:
                    self._answer(connection)
                except OSError:
                    continue  # the client went away, as a test may want

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        with connection.makefile("rb") as stream:
            method, target, _ = stream.readline().decode().split(" ", 2)
            headers: dict[str, str] = {}
            while line := stream.readline().decode("latin-1").strip():
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            self.asked.append(Asked(method, target, headers, stream.read(int(headers.get("content-length", "0")))))
        last = min(len(self.asked), len(self.acts)) - 1
        act = self.choose(self.asked[-1]) if self.choose else self.acts[last]
        act(connection, self._over)
        # wait for the client's end, so that closing does not reset what it has not read yet
        connection.settimeout(0.5)
        connection.shutdown(socket.SHUT_WR)
        try:
            while connection.recv(4096):
                pass
        except TimeoutError:
            pass
