"""How the application is served: by uvicorn, behind proxies that are trusted or none, with a bound on connections.

A client that sends nothing more of a request is cut after `STALLED` seconds, a request is cut after `LONGEST` whatever it sends.
Where as many connections are open as there may be, a new one takes the place of one that waits for its client.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
from collections import Counter
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from digest.domain.errors import PortUnavailable

if TYPE_CHECKING:
    from fastapi import FastAPI

    from digest.config import Web

STALLED = 15.0
LONGEST = 120.0
LOOK = 2.0
"""Seconds between two looks at a connection."""
ACCEPTED_AT_ONCE = 128
"""As many the event loop takes before it asks whether there is room."""
MOST_CONNECTIONS = 500
"""At most half of the files that the process may open: the database, relays and the journal need theirs."""


def server(app: FastAPI, web: Web) -> uvicorn.Server:
    """Not running yet. It says nothing of itself and logs no request: addresses of ours hold tokens. What is no HTTP is answered
    with 400 and not logged: strangers would fill the log."""
    logging.getLogger("uvicorn.error").addFilter(_not_of_strangers)
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=BoundedProtocol,
            host=web.host,
            port=web.port,
            backlog=ACCEPTED_AT_ONCE,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            proxy_headers=bool(web.trusted_proxies),
            forwarded_allow_ips=list(web.trusted_proxies),
        )
    )


def listening(web: Web) -> list[socket.socket]:
    """The sockets to serve on, one for each address of `web.host`. Raises PortUnavailable."""
    opened: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(web.host or None, web.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, address in dict.fromkeys((family, address) for family, *_, address in found):
            opened.append(socket.create_server(address[:2], family=family, backlog=ACCEPTED_AT_ONCE))
    except OSError as error:
        for each in opened:
            each.close()
        why = error.strerror or str(error)
        text = (
            f"the pages cannot be served at {web.host}:{web.port}: {why}; end what listens there, or change web.host or web.port"
        )
        raise PortUnavailable(text) from None
    return opened


def _not_of_strangers(record: logging.LogRecord) -> bool:
    return record.msg != "Invalid HTTP request received."


def most_connections() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(MOST_CONNECTIONS, soft // 2))


class BoundedProtocol(H11Protocol):
    """One connection of a server that counts them."""

    _timer: asyncio.TimerHandle | None = None
    _heard = _began = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        self._heard = self._began = self.loop.time()
        if len(self.connections) >= most_connections() and not self._make_room():
            transport.abort()
            self.transport, self.connections = transport, set()  # nothing of it is counted
            return
        super().connection_made(transport)
        self._timer = self.loop.call_later(LOOK, self._look)

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()
        super().connection_lost(exc)

    @property
    def waits(self) -> bool:
        """Whether it is the client's turn: the request is not complete, or there is none."""
        cycle = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body

    def _look(self) -> None:
        now = self.loop.time()
        if not self.waits:
            self._heard = self._began = now
        elif now - self._heard > STALLED or now - self._began > LONGEST:
            self.transport.abort()
            return
        self._timer = self.loop.call_later(LOOK, self._look)

    def _make_room(self) -> bool:
        """Cuts the connection that waits longest, of the client that has most of them."""
        waiting: list[Any] = [each for each in self.connections if isinstance(each, BoundedProtocol) and each.waits]
        if not waiting:
            return False
        held = Counter(_host(each) for each in waiting)
        cut = max(waiting, key=lambda each: (held[_host(each)], -each._began))
        self.connections.discard(cut)  # its end is told of later
        cut.transport.abort()
        return True


def _host(connection: H11Protocol) -> str:
    return connection.client[0] if connection.client else ""
