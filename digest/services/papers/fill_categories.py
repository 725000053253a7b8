"""Categories for papers whose sources have none (such as Hugging Face): arXiv is asked by id, a hundred a request, at its pace.

What arXiv says joins the paper as any sighting does. What is not known there is not asked for again the same day; when arXiv
cannot be asked, it is left alone for an hour.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from digest.domain.errors import SourceError
from digest.domain.instant import isoformat, parse_instant
from digest.sources.port import Getter, SupportsLookup
from digest.store.unit_of_work import Store

PLACE, KEY = "<categories>", "asked"
"""In the store: {"day", "ids": asked for in vain that day, "until": asks nothing before}."""
SEEN_WITHIN = timedelta(days=14)
AT_ONCE = 100
MOST = 2_000
"""Papers one run asks for."""


def fill_categories(arxiv: SupportsLookup, getter: Getter, store: Store, at: datetime) -> tuple[int, str | None]:
    """(how many papers have categories now that had none, why arXiv could not be asked for all). Raises StoreError only."""
    with store.read() as unit:
        kept: dict[str, Any] = unit.sources.load(PLACE, KEY) or {}
        missing = unit.papers.without_categories(at - SEEN_WITHIN, at, MOST)
    in_vain = set(kept.get("ids", ())) if kept.get("day") == f"{at:%Y-%m-%d}" else set()
    if "until" in kept and parse_instant(kept["until"]) > at:
        return 0, None
    wanted = [identifier for paper_id, identifier in missing.items() if paper_id not in in_vain]
    if not wanted:
        return 0, None
    filled, error = 0, None
    try:
        for start in range(0, len(wanted), AT_ONCE):
            for batch in arxiv.look_up(getter, wanted[start : start + AT_ONCE], at):
                with store.begin() as unit:
                    unit.papers.merge(batch.sightings)
                filled += sum(bool(each.categories) for each in batch.sightings)
    except SourceError as failure:
        error = str(failure)
    record: dict[str, Any] = {"day": f"{at:%Y-%m-%d}", "ids": sorted(in_vain)}
    with store.begin() as unit:
        if error:
            record["until"] = isoformat(at + timedelta(hours=1))
        else:
            record["ids"] = sorted(in_vain | unit.papers.without_categories(at - SEEN_WITHIN, at, MOST).keys())
        unit.sources.save(PLACE, KEY, record, at)
    return filled, error
