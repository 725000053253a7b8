"""A reader's own papers: pasted or uploaded, read, and told back by their titles."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from digest.child_process import Overrun, run_apart
from digest.domain.errors import InvalidInput
from digest.domain.phrase import phrase
from digest.render.text.latex import readable
from digest.render.text.one_line import clean
from digest.services.libraries.read_library import ReadLibrary, read_or_reason
from digest.web.site import Site

MOST_LINES = 100
LONGEST_TITLE = 200
SMALL = 64 * 1024
"""Bytes that are read in the thread that asks; more are read in a process of their own."""
PACKED = (b"\x1f\x8b", b"\xfd7zXZ\x00")


def read_upload(given: bytes, at: datetime) -> ReadLibrary:
    """BibTeX, RIS, CSL-JSON, Zotero's CSV, identifiers, titles or pasted text. Raises InvalidInput where it names no paper."""
    if given.startswith(PACKED):  # a little file can hold gigabytes
        raise InvalidInput("file", phrase("is compressed; unpack it first"))
    try:
        read = read_or_reason(given, at) if len(given) <= SMALL else run_apart(read_or_reason, given, at)
    except Overrun as error:
        raise InvalidInput("file", str(error)) from None
    if isinstance(read, str):
        raise InvalidInput("file", read)
    return read


def shown(text: str) -> str:
    """A title or a complaint as one line that is safe to show."""
    line = readable(clean(text))
    return line if len(line) <= LONGEST_TITLE else line[: LONGEST_TITLE - 1] + "…"


def titles(site: Site, identifiers: Iterable[str]) -> list[tuple[str, str]]:
    """(identifier, title) of the newest some; the title is empty where nobody could tell it yet."""
    names = list(identifiers)[: -MOST_LINES - 1 : -1]
    works = site.container.subscriptions.titles(names)
    papers = site.container.papers.known(set(names) - works.keys())
    return [(name, shown(works.get(name) or (papers[name].title if name in papers else ""))) for name in names]
