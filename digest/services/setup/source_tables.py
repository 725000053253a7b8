"""A source in one word, as `digest init` takes it, and the `[[sources]]` table that it stands for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from digest.sources.registry import KINDS

if TYPE_CHECKING:
    from digest.config.papers import SourceSettings

ARXIV = "arxiv"
_OF_ARXIV = "arxiv-rss"
_NEED_A_PLACE = ("feed", "folder")


def source_table(word: str, categories: Sequence[str]) -> dict[str, Any]:
    """The table for a kind, a feed's address or a folder. Raises ValueError saying what it may be."""
    if word in (ARXIV, _OF_ARXIV):
        options = {"options": {"categories": list(categories)}} if categories else {}
        return {"name": word, "kind": _OF_ARXIV, **options}
    if word in KINDS and word not in _NEED_A_PLACE:
        return {"name": word, "kind": word}
    if re.match(r"https?://", word):
        return {"name": _slug(urlsplit(word).netloc), "kind": "feed", "base_url": word}
    if ("/" in word or word.startswith(".")) and Path(word).is_dir():
        return {"name": _slug(Path(word).resolve().name), "kind": "folder", "options": {"path": word}}
    kinds = ", ".join([ARXIV, *(kind for kind in KINDS if kind not in (*_NEED_A_PLACE, _OF_ARXIV))])
    raise ValueError(f"{word[:60]!r} is no source; should be {kinds}, a feed's address (https://…) or a folder (./papers)")


def source_word(table: SourceSettings) -> str:
    """The word that `source_table` makes this table of, as far as there is one."""
    if table.kind == "feed" and table.base_url:
        return table.base_url
    if table.kind == "folder":
        return str(table.options.get("path", ""))
    return ARXIV if table.kind == _OF_ARXIV else table.kind


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-") or "papers"
