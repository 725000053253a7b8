"""Works without abstract, looked up: first among our own papers, then at the sources that can be asked by name.

One budget a day for the whole installation, whatever its readers bring. What nobody knows is asked for again later, and one day
no more (store/libraries.py). Nothing that is answered becomes a paper of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.domain.errors import SourceError
from digest.domain.library import Work
from digest.services.libraries.keep_library import answers_about, fill_from_papers
from digest.sources.port import Getter, SupportsLookup, best_name
from digest.store.unit_of_work import Store

PLACE, BUDGET = "<libraries>", "look-ups"
"""In the store: {"day", "asked"}."""
UNREACHABLE_FOR = timedelta(hours=1)
"""How long works wait that a source could not be asked for."""
AT_ONCE = 200
"""Works a part, so that one source's silence holds up no more."""


@dataclass(frozen=True, slots=True)
class LookedUp:
    """How many works were looked for and now have their abstract. `error`: why a source was not asked for all."""

    asked: int = 0
    found: int = 0
    error: str | None = None


def look_up(sources: Iterable[object], getter: Getter, store: Store, at: datetime, a_day: int) -> LookedUp:
    """Works through what is due, within what is left of the day's budget. Raises StoreError only."""
    able = [source for source in sources if isinstance(source, SupportsLookup)]
    asked = found = 0
    error: str | None = None
    while error is None:
        with store.read() as unit:  # the job runs every minute, and mostly there is nothing to do
            if not unit.libraries.to_look_up(at, 1):
                break
        with store.begin() as unit:
            due = unit.libraries.to_look_up(at, AT_ONCE)
            fill_from_papers(unit, list(due.values()), at)
            known = unit.libraries.get(due)
            left = taken_today(unit.sources.load(PLACE, BUDGET), at, a_day)
            missing = [work for work in known.values() if not work.abstract]
            some = [work for work in missing if _askable(work, able)][: a_day - left]
            unit.sources.save(PLACE, BUDGET, {"day": f"{at:%Y-%m-%d}", "asked": left + len(some)}, at)
            unasked = {work.name for work in missing if not _askable(work, able)}
            unit.libraries.not_found([key for key, work in known.items() if work.name in unasked], at)
        found += len(due) - len(missing)
        if not some:
            if len(missing) > len(unasked) or not due:  # the budget is spent, or nothing is left
                break
            continue
        error = _ask(able, getter, store, some, at)
        asked += len(some)
        with store.begin() as unit:
            ids = {work.name: key for key, work in unit.libraries.get(due).items() if not work.abstract}
            found += sum(work.name not in ids for work in some)
            missed = [ids[work.name] for work in some if work.name in ids]
            if error is None:
                unit.libraries.not_found(missed, at)
            else:
                unit.libraries.postpone(missed, at + UNREACHABLE_FOR)
    return LookedUp(asked, found, error)


def _ask(sources: Sequence[SupportsLookup], getter: Getter, store: Store, asked: Sequence[Work], at: datetime) -> str | None:
    """Asks one source after the other for what is still missing; keeps what they answer. Why one could not be asked."""
    missing, error = list(asked), None
    for source in sources:
        names = [name for work in missing for name in best_name(work.identifiers, source)]
        if not names:
            continue
        try:
            for batch in source.look_up(getter, names, at):
                record = answers_about(batch.sightings, missing)
                with store.begin() as unit:
                    unit.libraries.keep(record, at)
                answered = {each.identifiers[0] for each in record if each.abstract}
                missing = [work for work in missing if answered.isdisjoint(work.identifiers)]
        except SourceError as failure:
            error = str(failure)
    return error if missing else None


def _askable(work: Work, sources: Sequence[SupportsLookup]) -> bool:
    return any(best_name(work.identifiers, source) for source in sources)


def taken_today(kept: object, at: datetime, a_day: int) -> int:
    """How many were asked for today."""
    if isinstance(kept, dict) and kept.get("day") == f"{at:%Y-%m-%d}":
        return min(int(kept["asked"]), a_day)
    return 0
