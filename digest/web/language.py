"""In which language a page is: the reader's own choice, then the address's ("/de/trending", "?lang=de"), then their browser's."""

from __future__ import annotations

from urllib.parse import parse_qs

from digest.translation import LANGUAGES, preferred

OFFERED = dict(zip(LANGUAGES, ("English", "Deutsch", "Français", "Español", "简体中文", "日本語"), strict=True))
"""By their own names. Every page offers them by `?lang=`; the links of a page that was asked for so begin with "/de", which
needs no cookie.
"""
WITHOUT = frozenset({"admin", "api", "healthz", "metrics", "readyz", "webhooks"})
"""What is in no language: a web server's rule for /metrics has to hold for all ways there."""
_LONGEST_QUERY = 4096


def in_address(path: str, query: bytes) -> tuple[str | None, str]:
    """(the language that an address asks for, the path without it). What is none that we offer asks for none."""
    _, first, *rest = path.split("/", 2) if path.startswith("/") else ("", "")
    named = _offered(first)
    if named and rest and rest[0].partition("/")[0] in WITHOUT:
        return None, path
    if named:
        path = f"/{rest[0]}" if rest else "/"
    if b"lang=" in query:
        given = parse_qs(query[:_LONGEST_QUERY].decode("latin-1")).get("lang", [""])
        named = _offered(given[-1]) or named
    return named, path


def of_browser(accept_language: str) -> str | None:
    """The best of those offered that a browser asks for."""
    return preferred(accept_language, OFFERED)


def _offered(text: str) -> str | None:
    return next((each for each in OFFERED if each.lower() == text.lower()), None)
