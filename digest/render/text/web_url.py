"""Addresses that a mail may link to."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit, urlunsplit

import idna

from digest.render.text.one_line import clean

LONGEST_URL = 1000
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
_URL_SAFE = "!#$%&()*+,/:;=?@[]~-._"


def web_url(text: str) -> str:
    """`text` as an absolute http(s) address in ASCII that neither part of a mail can misread, or "" when it is none."""
    try:
        parts = urlsplit(clean(text))
        host = parts.hostname or ""
        host = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
        port = f":{parts.port}" if parts.port else ""
    except (ValueError, UnicodeError):
        return ""
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host) or "@" in parts.netloc:
        return ""
    netloc = f"[{host}]{port}" if ":" in host else f"{host}{port}"
    url = quote(urlunsplit((parts.scheme, netloc, parts.path, parts.query, parts.fragment)), safe=_URL_SAFE)
    return url if len(url) <= LONGEST_URL else ""
