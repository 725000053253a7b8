"""What the settings say of sources, looked at before anything is done: an option or a name that is none brings no papers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING

from digest.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from digest.config.papers import ListSettings, SourceSettings


def check_sources(tables: Sequence[SourceSettings], lists: Sequence[ListSettings], at: datetime) -> None:
    """Raises ConfigurationError naming the key and what would be right. What reads sources is loaded only where it is needed."""
    for table in tables:
        if table.options or table.kind != "huggingface":
            _check_options(table, at)
    named = {table.name for table in tables}
    for each in lists:
        if unknown := [name for name in each.sources if name not in named]:
            _check_name(each.name, unknown, named)


def _check_options(table: SourceSettings, at: datetime) -> None:
    from digest.sources.registry import make_source

    source = make_source(table.kind, table.name, table.base_url, table.options)
    since = getattr(source, "since", "")
    if since and date.fromisoformat(since) > at.date():
        raise ConfigurationError(
            f"sources.{table.name}.options.since",
            f"{since!r} is in the future; should be the day from which on papers are wanted",
        )


def _check_name(list_name: str, unknown: Sequence[str], named: set[str]) -> None:
    """Papers of imported files are known by the names that their formats have, whether or not such a source is configured."""
    from digest.sources.detect_format import FORMATS

    imported = {each.source for each in FORMATS}
    for name in unknown:
        if name not in imported:
            near = get_close_matches(name, named | imported, 1)
            right = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(named))}"
            raise ConfigurationError(f"lists.{list_name}.sources", f"{name[:40]!r} is the name of no [[sources]] table; {right}")
