"""What holds for every answer, below the routes: headers, HEAD, the size of bodies, and who may post.

Plain ASGI, because it runs for every request and must not cost more than the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from urllib.parse import quote, urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digest.domain.phrase import N_, phrase
from digest.web.language import OFFERED, in_address

SECURITY = {
    "content-security-policy": "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self';"
    " img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    # not no-referrer: with it browsers post `Origin: null` to ourselves too, and nobody could be told from a stranger
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "browsing-topics=(), geolocation=(), camera=(), microphone=()",
}
PERSONAL = (
    *("/confirm/", "/manage/", "/address/", "/unsubscribe/", "/more/", "/less/", "/save/", "/subscribe", "/admin"),
    "/api/v1/subscriptions",
)
"""Paths whose answers belong to one person: kept by no cache and found by no search engine."""
ONE_CLICK = "/unsubscribe/"
"""The one route that strangers post to: mailbox providers, on the reader's behalf (RFC 8058 §3.1)."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

MOST_OCTETS = 64 * 1024
MOST_UPLOADED = {
    "/manage/": 2 * 1024 * 1024,
    "/webhooks/": 4 * 1024 * 1024,
    "/api/v1/subscriptions/import": 32 * 1024 * 1024,
}
"""Where more may come: a bibliography, a provider's batch of events, a list of subscribers (the operator's; nobody else's body is
read there)."""

Refusal = Callable[[Scope, str, int, str, str], Response]
"""(request, path, status, title, what is wrong) → a page; for the API, JSON."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
log = structlog.get_logger("digest")


class Guard:
    """Around the application. `base_url` is the address that readers use; `refusal` makes the answers that say no.

    Where `base_url` has a path, a proxy may pass it on or strip it. `pages` are the paths of our routes: one
    is taken for passed on only where one of ours follows, so that it may itself be named like a page ("/papers").
    """

    def __init__(self, app: ASGIApp, *, base_url: str, pages: Collection[str], refusal: Refusal) -> None:
        self._app = app
        self._root_path = urlsplit(base_url).path.rstrip("/")
        self._pages = frozenset(pages)
        self._first_segments = {each.split("/")[1] for each in pages} | set(OFFERED)
        self._origin = _origin(base_url)
        always = SECURITY | ({"strict-transport-security": "max-age=31536000"} if base_url.startswith("https:") else {})
        self._always = [(name.encode(), value.encode()) for name, value in always.items()]
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        language, path = in_address(self._own(scope["path"]), scope["query_string"])
        root_path, head = self._root_path + (f"/{language}" if language else ""), scope["method"] == "HEAD"
        scope = {**scope, "path": root_path + path, "root_path": root_path, "language": language}
        if head:
            scope["method"] = "GET"
        headed = Answering(self._headed(send, path, head))
        most = next((octets for prefix, octets in MOST_UPLOADED.items() if path.startswith(prefix)), MOST_OCTETS)
        if answer := self._instead(scope, path, Headers(scope=scope), most):
            await answer(scope, receive, headed)
        else:
            await self._passed_on(scope, path, receive, headed, most)

    def _own(self, path: str) -> str:
        """The path as the application has it, without what stands before it in `base_url`."""
        within = path.removeprefix(self._root_path)
        if within == path:
            return path
        if not within:  # no link of ours names the front page so; a page of the same name is meant where the proxy strips
            return path if path in self._pages else "/"
        return within if within[0] == "/" and within.split("/")[1] in self._first_segments else path

    def _instead(self, scope: Scope, path: str, headers: Headers, most: int) -> Response | None:
        """The answer to what the application need not see."""
        if _CONTROL.search(path):  # no address of ours holds one, and patterns that take "any character" take no line end
            return self._refusal(scope, path, 404, N_("Not found"), N_("There is no such page here."))
        if path.endswith("/") and path != "/" and scope["method"] == "GET":
            return _without_slash(scope["path"], scope)
        if scope["method"] not in SAFE and not path.startswith(ONE_CLICK) and self._from_elsewhere(headers):
            text = N_("For security, this form can only be submitted from this site.")
            return self._refusal(scope, path, 403, N_("Sent from another site"), text)
        if int(_digits(headers.get("content-length", "0"))) > most:
            return self._too_large(scope, path, most)
        return None

    async def _passed_on(self, scope: Scope, path: str, receive: Receive, headed: Answering, most: int) -> None:
        """The application's answer, or ours where it gave none because too much came in or something broke."""
        body = Body(receive, most, headed)
        try:
            await self._app(scope, body.receive, body.send)
        except ClientDisconnect:  # whoever hung up in the middle of a body needs no answer
            return
        except Exception:
            if not body.over:
                log.exception("page failed", path=path.split("/")[1])  # no more of it: addresses of ours hold tokens
            if headed.begun and not headed.ended:
                raise  # the server cuts the connection, so that nobody takes half an answer for a whole
            if not (headed.begun or body.over):
                await self._broken(scope, path)(scope, receive, headed)
        if body.over and not headed.begun:
            await self._too_large(scope, path, most)(scope, receive, headed)

    def _broken(self, scope: Scope, path: str) -> Response:
        text = N_("Something went wrong on our side. Please try again in a minute.")
        try:
            return self._refusal(scope, path, 500, N_("Something went wrong"), text)
        except Exception:  # the page that says so can be what is broken: an operator may have templates of their own
            return PlainTextResponse(f"{text}\n", 500)

    def _too_large(self, scope: Scope, path: str, most: int) -> Response:
        return self._refusal(
            scope, path, 413, N_("Too large"), phrase("You can send at most %(n)s kB here.", n=str(most // 1024))
        )

    def _from_elsewhere(self, headers: Headers) -> bool:
        """Whether a browser says that another site made this request. Programs that are no browsers say nothing."""
        if site := headers.get("sec-fetch-site"):
            return site not in ("same-origin", "none")
        origin, host = headers.get("origin"), headers.get("host", "")
        return origin is not None and _origin(origin) not in (self._origin, ("http", host), ("https", host))

    def _headed(self, send: Send, path: str, head: bool) -> Send:
        personal = path.startswith(PERSONAL)

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                own_policy = "content-security-policy" in headers  # a mail shown to the operator brings its own
                headers.raw.extend(self._always[1:] if own_policy else self._always)
                if personal:
                    headers["cache-control"] = "no-store"
                    headers["x-robots-tag"] = "noindex, nofollow"
                else:
                    headers.setdefault("cache-control", "no-cache")
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        return headed


class Answering:
    """Passes an answer on and knows how far it is."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = self.ended = False

    async def __call__(self, message: Message) -> None:
        self.begun = True
        self.ended = message["type"] == "http.response.body" and not message.get("more_body")
        await self._send(message)


class BodyTooLarge(Exception):
    """Raised out of `receive` where a body without a length turns out too long."""


class Body:
    """Counts what comes in. Once it is too much, no answer of the application goes out: it has not seen the whole."""

    def __init__(self, receive: Receive, most: int, send: Send) -> None:
        self._receive, self._left, self._send = receive, most, send
        self.over = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self.over = True
                raise BodyTooLarge
        return message

    async def send(self, message: Message) -> None:
        if not self.over:
            await self._send(message)


def _without_slash(path: str, scope: Scope) -> Response:
    """To the same address without slashes at its end. Only a path: nothing that the request says names a host in it."""
    path, query = quote("/" + path.strip("/")), scope["query_string"].decode("latin-1")
    return Response(status_code=308, headers={"Location": f"{path}?{query}" if query else path})


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc


def _digits(text: str) -> str:
    return text if text.isdecimal() and len(text) < 20 else "0"
