"""Answers that are the same for everybody, made once and remembered for a moment: a front page under load is rendered once."""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

COMPRESSED_FROM = 500
"""Octets below which gzip saves nothing worth having."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A body with what a cache needs. `max_age` is in seconds."""

    body: bytes
    media_type: str
    etag: str
    packed: bytes
    max_age: int
    headers: Mapping[str, str]
    """More of them: the language, and what it depends on."""

    @classmethod
    def of(
        cls,
        body: str | bytes,
        media_type: str = "text/html; charset=utf-8",
        max_age: int = 60,
        headers: Mapping[str, str] = {},
    ) -> Answer:
        raw = body.encode() if isinstance(body, str) else body
        packed = gzip.compress(raw, 6, mtime=0) if len(raw) >= COMPRESSED_FROM else b""
        return cls(raw, media_type, f'"{hashlib.sha256(raw).hexdigest()[:24]}"', packed, max_age, headers)

    def to(self, request: Request) -> Response:
        """As the request wants it: not modified, compressed, or plain."""
        varies = ", ".join(filter(None, ("Accept-Encoding", self.headers.get("Vary"))))
        headers = {**self.headers, "ETag": self.etag, "Cache-Control": f"public, max-age={self.max_age}", "Vary": varies}
        seen = request.headers.get("if-none-match", "")
        if self.etag in (tag.strip().removeprefix("W/") for tag in seen.split(",")):
            return Response(status_code=304, headers=headers)
        if self.packed and "gzip" in request.headers.get("accept-encoding", ""):
            # the bytes differ, so the tag may only be a weak one (RFC 9110 §8.8.1)
            headers |= {"Content-Encoding": "gzip", "ETag": f"W/{self.etag}"}
            return Response(self.packed, media_type=self.media_type, headers=headers)
        return Response(self.body, media_type=self.media_type, headers=headers)


class ResponseCache:
    """The last few answers by key, each for `seconds`. Threads may share it; one of them makes an answer, the others wait."""

    def __init__(self, seconds: float, most: int = 200, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._most, self._clock = seconds, most, clock
        self._answers: OrderedDict[str, tuple[float, Answer]] = OrderedDict()
        self._lock = threading.Lock()
        self._making: dict[str, threading.Lock] = {}

    def fresh(self, key: str) -> Answer | None:
        """What is remembered and not too old, or is being remade this moment; never waits."""
        made, answer = self._answers.get(key, (0.0, None))
        return answer if self._clock() - made < self._seconds or key in self._making else None

    def get(self, key: str, make: Callable[[], Answer]) -> Answer:
        """The remembered answer, or a new one. What `make` raises is raised and nothing is remembered."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        try:
            with making:
                made, answer = self._answers.get(key, (0.0, None))
                if answer is None or self._clock() - made >= self._seconds:
                    answer = make()
                    with self._lock:
                        self._answers[key] = (self._clock(), answer)
                        self._answers.move_to_end(key)
                        while len(self._answers) > self._most:
                            self._answers.popitem(last=False)
                return answer
        finally:
            with self._lock:
                self._making.pop(key, None)
