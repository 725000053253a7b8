"""Files of papers, told apart by what is in them: name and suffix do not count, gzip and xz are unpacked on the way.

JSON lines are read as a stream, so a file may be larger than memory; every other format is one document of bounded size.
"""

from __future__ import annotations

import gzip
import json
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO

from digest.domain.errors import UnreadableAnswer
from digest.sources import (
    arxiv_atom,
    arxiv_oai,
    arxiv_rss,
    bibtex,
    biorxiv,
    crossref,
    csl_json,
    feed,
    huggingface,
    jsonl,
    openalex,
    ris,
    seed_page,
    semantic_scholar,
    zotero_csv,
)
from digest.sources.clean_fields import LARGEST_ANSWER
from digest.sources.encoding import decoded, wide
from digest.sources.port import Parsed, Parser

HEAD = 65_536
"""Bytes a format is told by."""
MOST_BYTES = 4 * 1024**3
"""Of JSON lines, unpacked. A document may have fields.LARGEST_ANSWER."""

Probe = Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Format:
    """`source` is the name that sightings from such a file get, where the file does not say itself."""

    name: str
    source: str
    looks_so: Probe
    parse: Parser


def _has(*patterns: str) -> Probe:
    """The head matches every pattern."""
    compiled = [re.compile(pattern.encode()) for pattern in patterns]
    return lambda head: all(each.search(head) for each in compiled)


def _is_lines(head: bytes) -> bool:
    """One of the first lines is a whole JSON object that names a paper: as `paper`, or by `id` and `title`.

    A list or an object that is written with an item a line has lines that end with a comma or are not closed.
    """
    if not head.startswith((b"{", b"[", b"\n", b"\r", b" ")) and b"\n{" not in head:
        return False
    for line in islice((line for line in head.split(b"\n") if line.strip()), 20):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            if line.rstrip().endswith((b",", b"[", b"{")):
                return False
            continue
        if isinstance(record, dict) and (isinstance(record.get("paper"), str) or {"id", "title"} <= record.keys()):
            return b"https://openalex.org/" not in line[:200]
    return False


_JSON, _XML = r"^\s*[\[{]", r"^\s*<"
FORMATS: tuple[Format, ...] = (
    Format("seed page", "seed", _has(rf"^{seed_page.BANNER}"), seed_page.parse),
    Format("JSON lines", "file", _is_lines, jsonl.parse),
    Format("OAI-PMH", "arxiv", _has(_XML, r"<(?:\w+:)?OAI-PMH[\s>]"), arxiv_oai.parse),
    Format(
        "arXiv RSS", "arxiv", _has(_XML, r"<(?:rss|rdf:RDF)[\s>]", r"arxiv\.org/(?:schemas|rss)|rss\.arxiv\.org"), arxiv_rss.parse
    ),
    Format("arXiv Atom", "arxiv", _has(_XML, r"<feed[\s>]", r"arxiv\.org/(?:schemas|api)|rss\.arxiv\.org"), arxiv_atom.parse),
    Format("RSS or Atom", "feed", _has(_XML, r"<(?:\w+:)?(?:rss|RDF|feed|channel)[\s>]"), feed.parse),
    Format("JSON feed", "feed", _has(_JSON, r"jsonfeed\.org/version"), feed.parse),
    Format("Hugging Face", "huggingface", _has(_JSON, r"""["']paper["']\s*:\s*\{|^\s*\[\s*\]\s*$"""), huggingface.parse),
    Format("Semantic Scholar", "semanticscholar", _has(_JSON, r'"paperId"\s*:|"externalIds"\s*:'), semantic_scholar.parse),
    Format("bioRxiv", "biorxiv", _has(r"^\s*\{", r'"collection"\s*:\s*\['), biorxiv.parse),
    Format("Crossref", "crossref", _has(r"^\s*\{", r'"message-type"\s*:|"message"\s*:\s*\{'), crossref.parse),
    Format("OpenAlex", "openalex", _has(_JSON, r"https://openalex\.org/"), openalex.parse),
    Format("CSL JSON", "bibliography", _has(_JSON, r'"type"\s*:|"citation-key"\s*:', r'"title"\s*:'), csl_json.parse),
    Format("RIS", "bibliography", _has(r"(?m)^TY  ?- ?[A-Z]"), ris.parse),
    Format("Zotero CSV", "bibliography", zotero_csv.looks_so, zotero_csv.parse),
    Format("BibTeX", "bibliography", _has(r"(?m)^[ \t\r\f\v]*+@\s*+[A-Za-z]{1,40}+\s*+[{(]"), bibtex.parse),
)
"""In order of trying: the first that looks so. A new file format is one line here."""


def recognise(head: bytes) -> Format | None:
    """What the first bytes of an unpacked file show it to be."""
    bare = (decoded(head).encode() if wide(head) else head.removeprefix(b"\xef\xbb\xbf")).lstrip()
    return next((each for each in FORMATS if each.looks_so(bare)), None)


def read_file(path: Path, seen_at: datetime) -> Iterator[Parsed]:
    """What a file holds, in parts. Raises UnreadableAnswer; the parts before it stay good."""
    try:
        with _unpacked(path) as stream:
            head = stream.read(HEAD)
            known = recognise(head)
            if known is None:
                raise UnreadableAnswer("file", _unknown(head))
            if known.parse is jsonl.parse and not wide(head):
                yield from jsonl.parse_lines(_lines(head, stream), source=known.source, seen_at=seen_at)
                return
            data = head + stream.read(LARGEST_ANSWER + 1 - len(head))
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UnreadableAnswer("file", f"cannot be read: {reason}") from None
    if len(data) > LARGEST_ANSWER:
        raise UnreadableAnswer(known.source, f"larger than {LARGEST_ANSWER:,} bytes; the most read of {known.name}")
    if known.parse is jsonl.parse:
        data = decoded(data).encode()
    yield known.parse(data, source=known.source, seen_at=seen_at)


@contextmanager
def _unpacked(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as raw:
        magic = raw.read(6)
        raw.seek(0)
        if magic.startswith(b"\x1f\x8b"):
            with gzip.open(raw) as stream:
                yield stream  # type: ignore[misc]  # a GzipFile reads like any binary file
        elif magic == b"\xfd7zXZ\x00":
            with lzma.open(raw) as stream:
                yield stream
        else:
            yield raw


def _lines(head: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    """Lines of `head` and then of `stream`, none longer than what jsonl refuses, MOST_BYTES in all."""
    *whole, begun = head.split(b"\n")
    yield from whole
    read = len(head)
    while read <= MOST_BYTES:
        line = stream.readline(jsonl.LONGEST_LINE + 1)
        read += len(line)
        if not line:
            if begun:
                yield begun
            return
        line, begun = begun + line, b""
        yield line
        while not line.endswith(b"\n") and (line := stream.readline(jsonl.LONGEST_LINE)):
            read += len(line)  # the rest of a line that is too long: refused already
    raise UnreadableAnswer("file", f"larger than {MOST_BYTES:,} bytes unpacked")


def _unknown(head: bytes) -> str:
    if not head.strip():
        return "an empty file"
    if head[257:262] == b"ustar" or head.startswith(b"PK\x03\x04"):
        return "an archive; unpack it first"
    return f"no format known here; should be one of {', '.join(each.name for each in FORMATS)}"
