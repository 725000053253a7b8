"""A pooler in front of PostgreSQL, as pgbouncer is one: it gives each transaction (or each session) a server of its choice."""

from __future__ import annotations

import contextlib
import secrets
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

_PLAIN = {80877103, 80877104}
"""What asks for TLS or GSSAPI: answered with N."""


class Pooler:
    def __init__(self, server: Path, *, by_transaction: bool) -> None:
        self._server, self._by_transaction = server, by_transaction
        self._free: list[socket.socket] = []
        self._lock = threading.Lock()
        self._greeting = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        for each in self._free:
            each.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        backend: socket.socket | None = None
        with contextlib.suppress(OSError, EOFError), client, ExitStack() as ends:
            ends.callback(lambda: backend and backend.close())
            startup = _startup(client)
            backend = self._taken(startup)
            if self._by_transaction:
                self._free.append(backend)
                backend = None
            client.sendall(self._greeting + b"K" + struct.pack("!iii", 12, secrets.randbits(30), 0) + b"Z\0\0\0\5I")
            while True:
                kind, message = _message(client)
                if kind == b"X":
                    return
                backend = backend or self._taken(startup)
                backend.sendall(message)
                if kind not in (b"Q", b"S"):
                    continue
                while True:
                    kind, message = _message(backend)
                    client.sendall(message)
                    if kind == b"Z":
                        break
                if self._by_transaction and message.endswith(b"I"):
                    self._free.append(backend)
                    backend = None

    def _taken(self, startup: bytes) -> socket.socket:
        with self._lock:
            if self._free and self._by_transaction:
                return self._free.pop()
            backend = socket.socket(socket.AF_UNIX)
            backend.connect(str(self._server))
            backend.sendall(startup)
            greeting = b""
            while True:
                kind, message = _message(backend)
                if kind == b"Z":
                    self._greeting = greeting
                    return backend
                greeting += b"" if kind == b"K" else message


def _startup(client: socket.socket) -> bytes:
    while True:
        head = _exactly(client, 8)
        length, code = struct.unpack("!ii", head)
        if code not in _PLAIN:
            return head + _exactly(client, length - 8)
        client.sendall(b"N")


def _message(sock: socket.socket) -> tuple[bytes, bytes]:
    head = _exactly(sock, 5)
    return head[:1], head + _exactly(sock, struct.unpack("!i", head[1:])[0] - 4)


def _exactly(sock: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = sock.recv(count - len(found))
        if not part:
            raise EOFError
        found += part
    return found


@contextmanager
def pooler(server: Path, *, by_transaction: bool) -> Iterator[int]:
    """Its port."""
    running = Pooler(server, by_transaction=by_transaction)
    try:
        yield running.port
    finally:
        running.close()
