"""Which kinds of source there are. A new source is its file, a line here, and a test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from digest.domain.errors import ConfigurationError
from digest.sources import (
    arxiv_atom,
    arxiv_oai,
    arxiv_rss,
    biorxiv,
    crossref,
    feed,
    folder,
    huggingface,
    openalex,
    semantic_scholar,
)
from digest.sources.port import Build, Source

KINDS: Mapping[str, Build] = {
    "huggingface": huggingface.build,
    "arxiv-rss": arxiv_rss.build,
    "arxiv-oai": arxiv_oai.build,
    "arxiv-api": arxiv_atom.build,
    "semantic-scholar": semantic_scholar.build,
    "openalex": openalex.build,
    "biorxiv": biorxiv.build,
    "crossref": crossref.build,
    "feed": feed.build,
    "folder": folder.build,
}
"""The word in the configuration → how it is made."""


def make_source(kind: str, name: str, base_url: str | None, options: Mapping[str, Any]) -> Source:
    """The source as configured. No `base_url`: the public one. An empty secret is none.

    Raises ConfigurationError for a kind or an option that there is not.
    """
    if kind not in KINDS:
        raise ConfigurationError(f"sources.{name}.kind", f"{kind!r} is unknown; may be {', '.join(KINDS)}")
    given = {key: value for key, value in options.items() if key != "api_key" or value}
    return KINDS[kind](name, base_url or "", given)
