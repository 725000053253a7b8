"""The one polite getter. Every request to a paper source goes through here.

    turn (pace, circuit) ─▶ request, hop by hop ─▶ answer
            ▲                     │ 5xx, 408, 425, timeout, cut short, empty: again, later (backoff with jitter, Retry-After)
            └─────────────────────┘ 429: again if it says soon, else the circuit closes for as long as it says

What goes wrong comes out as SourceUnreachable, SourceThrottled, SourceRefused or UnreadableAnswer, one line each.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import tenacity

from digest.domain.errors import SourceError, SourceRefused, SourceThrottled, SourceUnreachable, UnreadableAnswer
from digest.sources.port import Answer, Pace
from digest.sources.ssrf_guard import checked, leads_inside, public_address, shown
from digest.sources.throttle import Clock, Pacer, Sleep, TurnStore, pace_of, seconds_asked_for

_TRY_AGAIN = frozenset({408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_OF_REFUSAL = 4096  # bytes, of what comes with it
_CONDITIONS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPolicy:
    """How we behave. Times in seconds."""

    contact: str = ""
    """A mail address or page for whoever runs the server, sent with every request."""
    timeout: float = 30.0
    """The longest silence on an open connection."""
    deadline: float = 120.0
    """The longest one request may take altogether, however steadily it drips."""
    retries: int = 3
    first_wait: float = 1.0
    longest_wait: float = 60.0
    """A Retry-After beyond this is not waited for: the caller gets SourceThrottled with it."""
    most_bytes: int = 50_000_000
    most_redirects: int = 5


def _sleep(seconds: float) -> None:
    threading.Event().wait(seconds)


class _Again(Exception):
    """Worth another try. `error` is what is raised when there is none; `after` what the server asked for, in seconds."""

    def __init__(self, error: SourceError, after: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.after = after


class PoliteGetter:
    """Keeps port.Getter. Safe to share between threads. `sleep` and `clock` are arguments so that tests need not wait.

    With a `book` that other processes see, `clock` must be theirs too (`time.time`).
    """

    def __init__(
        self,
        http_policy: HttpPolicy,
        *,
        version: str = "0",
        sleep: Sleep = _sleep,
        clock: Clock = time.monotonic,
        jitter: Callable[[], float] = random.random,
        book: TurnStore | None = None,
    ) -> None:
        self._http_policy = http_policy
        self._sleep = sleep
        self._jitter = jitter
        self._pacer = Pacer(clock, sleep, book)
        # No connection is kept: the pause between two requests of a group is longer than most servers keep one.
        self._client = httpx2.Client(
            headers={"User-Agent": _user_agent(version, http_policy.contact), "Accept-Encoding": "gzip, deflate"},
            limits=httpx2.Limits(max_keepalive_connections=0),
        )

    def close(self) -> None:
        self._client.close()

    def get(
        self,
        source: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        validators: Mapping[str, str] | None = None,
        pace: Pace | None = None,
        timeout: float | None = None,
        public_only: bool = False,
    ) -> Answer:
        sent = dict(headers or {})
        sent.update({_CONDITIONS[name]: value for name, value in (validators or {}).items() if name in _CONDITIONS})
        wanted = _Wanted(source, "GET", _url(source, url, params), sent, {}, timeout or self._http_policy.timeout, public_only)
        return self._persist(wanted, pace)

    def post(
        self,
        source: str,
        url: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        pace: Pace | None = None,
    ) -> Answer:
        content, patience = {"json": json} if form is None else {"data": form}, self._http_policy.timeout
        wanted = _Wanted(source, "POST", _url(source, url, params), dict(headers or {}), content, patience, False)
        return self._persist(wanted, pace)

    def _persist(self, wanted: _Wanted, pace: Pace | None) -> Answer:
        pace = pace or pace_of(wanted.url.host)
        tries = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._http_policy.retries + 1),
            wait=self._wait,
            retry=tenacity.retry_if_exception_type(_Again),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            answer = tries(self._once, wanted, pace)
        except _Again as again:
            if again.after is not None:
                self._pacer.close(pace, again.after)
            self._pacer.failed(pace)
            raise again.error from None
        except SourceThrottled as error:
            if error.retry_after is not None:
                self._pacer.close(pace, error.retry_after.total_seconds())
            raise
        self._pacer.succeeded(pace)
        return answer

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """What the server asked for, else exponential with full jitter above half of it."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _Again) and error.after is not None:
            return error.after + self._jitter()
        ceiling = min(self._http_policy.first_wait * 2.0 ** (state.attempt_number - 1), self._http_policy.longest_wait)
        return ceiling * (1 + self._jitter()) / 2

    def _once(self, wanted: _Wanted, pace: Pace) -> Answer:
        """One try: follows redirects, each of which is a request of its own and waits its turn."""
        url, headers, public_only = wanted.url, wanted.headers, wanted.public_only
        for _ in range(self._http_policy.most_redirects + 1):
            with self._pacer.turn(wanted.source, pace if url.host == wanted.url.host else pace_of(url.host)) as hold:
                found = self._request(wanted, url, headers, public_only)
                asked = seconds_asked_for(found.headers.get("backoff", "")) if isinstance(found, Answer) else None
                hold(min(asked or 0.0, self._http_policy.longest_wait))  # Zotero's: nothing more for so long, though all is well
            if isinstance(found, Answer):
                if asked and asked > self._http_policy.longest_wait:
                    self._pacer.close(pace, asked)
                return found
            if found.host != url.host or (url.scheme == "https" and found.scheme == "http"):
                headers = {}  # what was meant for one host (a key) is not told to another
                # nobody out there sends us to an address in the operator's own network
                public_only = public_only or not leads_inside(wanted.source, wanted.url)
            url = found
        raise SourceRefused(wanted.source, f"{shown(wanted.url)}: more than {self._http_policy.most_redirects} redirects")

    def _request(self, wanted: _Wanted, url: httpx2.URL, headers: Mapping[str, str], public_only: bool) -> Answer | httpx2.URL:
        """One request on the wire: its answer, or where it redirects to."""
        source, target, sent, extensions = wanted.source, url, dict(headers), dict[str, Any]()
        if public_only:
            target = url.copy_with(host=public_address(source, url))
            sent["Host"] = url.netloc.decode("ascii")
            extensions["sni_hostname"] = url.host
        with _Deadline(self._http_policy.deadline) as deadline:
            extensions["trace"] = deadline.watch
            timeout = httpx2.Timeout(min(wanted.timeout, self._http_policy.deadline))
            try:
                with self._client.stream(
                    wanted.method, target, headers=sent, extensions=extensions, timeout=timeout, **wanted.content
                ) as response:
                    return self._read(wanted, url, response, deadline)
            except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError, ValueError) as error:
                raise self._named(source, url, error, deadline) from None

    def _read(self, wanted: _Wanted, url: httpx2.URL, response: httpx2.Response, deadline: _Deadline) -> Answer | httpx2.URL:
        source, status = wanted.source, response.status_code
        if status == 304:
            return Answer(str(url), b"", not_modified=True, validators=_validators(response), headers=_headers(response))
        if status in _REDIRECTS and (location := response.headers.get("location")):
            if wanted.method != "GET":
                raise SourceRefused(source, f"{shown(url)} redirects a {wanted.method}; give the address it moved to")
            return _url(source, location, None, base=url)
        if not 200 <= status < 300:
            raise self._refusal(source, url, response)
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self._http_policy.most_bytes:
                raise UnreadableAnswer(source, f"{shown(url)}: more than {self._http_policy.most_bytes:,} bytes")
            if deadline.passed:
                break
        if deadline.passed:
            raise SourceUnreachable(source, f"{shown(url)}: not complete after {self._http_policy.deadline:g} s")
        if not body:
            raise _Again(UnreadableAnswer(source, f"{shown(url)}: HTTP {status} with an empty body"))
        return Answer(
            str(url),
            bytes(body),
            validators=_validators(response),
            headers=_headers(response),
        )

    def _refusal(self, source: str, url: httpx2.URL, response: httpx2.Response) -> Exception:
        status = response.status_code
        problem = f"{shown(url)}: HTTP {status}"
        asked = response.headers.get("retry-after", response.headers.get("backoff", ""))
        after = seconds_asked_for(asked, response.headers.get("date", ""))
        if status == 429 or (status == 503 and after is not None):
            wait = timedelta(seconds=after) if after is not None else None
            error = SourceThrottled(source, problem + (f", asks to wait {after:.0f} s" if after is not None else ""), wait)
            return error if after is not None and after > self._http_policy.longest_wait else _Again(error, after)
        if status in _TRY_AGAIN:
            return _Again(SourceUnreachable(source, problem))
        return SourceRefused(source, problem, status, next(response.iter_bytes(_MOST_OF_REFUSAL), b""))

    def _named(self, source: str, url: httpx2.URL, error: Exception, deadline: _Deadline) -> Exception:
        """What the library raised, in our words."""
        problem = f"{shown(url)}: {type(error).__name__}: {_one_line(str(error))}"
        if deadline.passed:
            return SourceUnreachable(source, f"{shown(url)}: not complete after {self._http_policy.deadline:g} s")
        if isinstance(error, httpx2.UnsupportedProtocol | httpx2.InvalidURL | httpx2.LocalProtocolError):
            return SourceRefused(source, problem)
        if isinstance(error, httpx2.RemoteProtocolError | httpx2.DecodingError):
            return _Again(UnreadableAnswer(source, problem))
        return _Again(SourceUnreachable(source, problem))


@dataclass(frozen=True, slots=True)
class _Wanted:
    source: str
    method: str
    url: httpx2.URL
    headers: dict[str, str]
    content: Mapping[str, Any]
    timeout: float
    public_only: bool


class _Deadline:
    """Ends a request that takes too long, even one that never falls silent, by shutting its socket down from a timer."""

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._pass)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def watch(self, event: str, info: Mapping[str, Any]) -> None:
        """The client's trace extension: tells of the connection as it is made, and made anew inside TLS."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._socket = info["return_value"].get_extra_info("socket")

    def _pass(self) -> None:
        self.passed = True
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # gone already: then nobody reads from it


def _url(source: str, text: str, params: Mapping[str, str] | None, base: httpx2.URL | None = None) -> httpx2.URL:
    try:
        url = base.join(text) if base else httpx2.URL(text)
        return checked(source, url.copy_merge_params(dict(params)) if params else url)
    except (httpx2.InvalidURL, ValueError, TypeError):
        raise SourceRefused(source, f"{text[:100]!r} is not an address") from None


def _user_agent(version: str, contact: str) -> str:
    about = contact if "://" in contact else f"mailto:{contact}"
    return f"digest/{version}" + (f" (+{about})" if contact else "")


def _validators(response: httpx2.Response) -> dict[str, str]:
    return {name: response.headers[name] for name in _CONDITIONS if name in response.headers}


def _headers(response: httpx2.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text[:300]).split())[:200]
