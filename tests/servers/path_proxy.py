"""A proxy that serves the pages under a path of its host, as nginx and Caddy do: it passes the path on, or strips it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_OF_THE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "date", "server"})


@contextmanager
def path_proxy(port: int, path: str, to: str, *, strips: bool) -> Iterator[None]:
    """Passes what begins with `path` to `to`; everything else at this host belongs to somebody else: 418."""

    class Handler(BaseHTTPRequestHandler):
        def _passed(self) -> None:
            if self.path != path and not self.path.startswith((f"{path}/", f"{path}?")):
                self.send_response(418)
                self.end_headers()
                return
            asked = self.path.removeprefix(path) if strips else self.path
            behind = HTTPConnection(urlsplit(to).netloc, timeout=20)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = dict(self.headers) | {"X-Forwarded-For": self.client_address[0], "X-Forwarded-Proto": "http"}
            behind.request(self.command, asked if asked.startswith("/") else f"/{asked}", body, headers)
            answer = behind.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _OF_THE_CONNECTION:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            behind.close()

        do_GET = do_POST = do_HEAD = _passed  # noqa: N815 - the names that the library looks for

        def log_message(self, *said: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
