"""The lists of the settings, as the database knows them."""

from __future__ import annotations

from collections.abc import Sequence

from digest.domain.edition import PaperList
from digest.store.unit_of_work import Store


def keep(store: Store, lists: Sequence[PaperList]) -> None:
    """Brings the database's lists up to those configured."""
    with store.begin() as unit:
        unit.lists.sync(lists)
