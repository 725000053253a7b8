"""Answers of sources in files, and what a person sees of one paper in them."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from digest.domain.instant import isoformat
from digest.domain.paper import Sighting
from digest.sources.port import Parsed, Parser

FIXTURES = Path(__file__).with_name("fixtures")
"""Files of our own making in the formats of others; README.md there says how they are made."""
SEEN = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Shown:
    """What a reader of the file sees of one paper. `date`: of publication, else of the announcement or the update."""

    ids: str
    title: str
    authors: tuple[str, ...]
    date: str
    categories: str
    links: tuple[str, str]


def arxiv(ids: str, title: str, authors: str, date: str, categories: str) -> Shown:
    """A paper of arXiv's: its links follow from its id."""
    key = ids.split()[0].removeprefix("arxiv:")
    links = f"https://arxiv.org/abs/{key}", f"https://arxiv.org/pdf/{key}"
    names = authors.split("; " if ";" in authors else ", ") if authors else ()
    return Shown(ids, title, tuple(names), date, categories, links)


def shown(s: Sighting) -> Shown:
    date = s.published_at or s.listed_at or s.updated_at
    ids, categories = (
        " ".join(map(str, s.identifiers)),
        "|".join(s.categories) if " " in "".join(s.categories) else " ".join(s.categories),
    )
    return Shown(ids, s.title, s.authors, isoformat(date) if date else "", categories, (s.url, s.pdf_url))


def read(parser: Parser, file: Path) -> Parsed:
    data = file.read_bytes()
    return parser(gzip.decompress(data) if file.suffix == ".gz" else data, source="table", seen_at=SEEN)
