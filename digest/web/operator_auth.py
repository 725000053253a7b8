"""Who may act as the operator: whoever holds the token, by Bearer (programs) or Basic (a browser asks for it by itself)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from fastapi import Request
from starlette.exceptions import HTTPException

from digest.config import read_secret
from digest.web.site import Site, client_of


def token_of(site: Site) -> str | None:
    """The configured token; None when there is none. Raises ConfigurationError for a file that cannot be read."""
    web = site.container.settings.web
    return read_secret(web.admin_token, web.admin_token_file, "web.admin_token") or None


def require_operator(request: Request) -> None:
    """Raises HTTPException: 404 where no token is configured (there is nothing to see), 429 where many were wrong, else 401."""
    site = Site.of(request)
    expected = token_of(site)
    if expected is None:
        raise HTTPException(404)
    given = _given(request.headers.get("authorization", ""))
    # digests of equal length, so that not even the length of the token shows in the time
    right = given is not None and hmac.compare_digest(_digest(given), _digest(expected))
    if given:  # a browser first asks without, to be told that there is something to give
        refuse_guesses(request, "token", right=right)
    if not right:
        raise HTTPException(401, "Admin token required.", {"WWW-Authenticate": 'Basic realm="operator", charset="UTF-8"'})


def refuse_guesses(request: Request, what: str, *, right: bool) -> None:
    """Raises HTTPException 429 where many wrong ones came from the network, also for a right one."""
    site = Site.of(request)
    if wait := site.container.subscriptions.guess(what, client_of(request), site.clock(), right=right):
        text = "Many wrong tokens came from your network. Please try again in a minute."
        raise HTTPException(429, text, {"Retry-After": f"{wait}"})


def _given(header: str) -> str | None:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return None
    return None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
