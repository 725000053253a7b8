"""How people name an edition: by its day (the last one), or exactly (`Edition.slug`)."""

from __future__ import annotations

from datetime import date

from digest.domain.edition import Edition
from digest.domain.errors import InvalidInput
from digest.store.unit_of_work import UnitOfWork


def find_edition(unit: UnitOfWork, list_name: str, name: str) -> Edition | None:
    """The edition called "2026-11-30", "2026-11-30T1100" or "2026-11-30T1100-weekly". Raises InvalidInput for no such name."""
    day, exactly, _ = name.partition("T")
    try:
        wanted = date.fromisoformat(day)
    except ValueError:
        raise InvalidInput(
            f"edition {name[:60]!r}", "should be like 2026-05-27 or, for one of several, 2026-05-27T1100"
        ) from None
    if not exactly:
        return unit.editions.find(list_name, wanted)
    return next((each for each in unit.editions.of_day(list_name, wanted) if each.slug == name), None)
