"""Lists: the configuration is their truth; the store keeps them so that rows can refer to them, and whether they are paused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from digest.domain.edition import PaperList
from digest.domain.errors import NotFound
from digest.domain.schedule import format_weekdays
from digest.store.departures import Departures
from digest.store.dialect import insert_into
from digest.store.schema import lists


class Lists:
    def __init__(self, connection: Connection, departures: Departures) -> None:
        self._connection = connection
        self._departures = departures

    def sync(self, configured: Sequence[PaperList]) -> None:
        """Makes the store name exactly these as configured. Others stay, with what refers to them, but are no longer named."""
        names = [each.name for each in configured]
        self._connection.execute(update(lists).where(lists.c.name.not_in(names)).values(configured=False))
        for each in configured:
            row = {"title": each.title, "settings": _settings(each), "configured": True}
            statement = insert_into(self._connection, lists).values(name=each.name, **row)
            self._connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=row))

    def names(self) -> tuple[str, ...]:
        """The configured ones, alphabetically."""
        return tuple(self._connection.scalars(select(lists.c.name).where(lists.c.configured).order_by(lists.c.name)))

    def pause(self, name: str, reason: str, at: datetime) -> None:
        """No edition is made and no delivery claimed until `resume`. Raises NotFound."""
        self._mark(name, at, reason)
        self._departures.paused(name, reason, at)

    def resume(self, name: str) -> None:
        """Raises NotFound."""
        self._mark(name, None, None)
        self._departures.resumed(name)

    def paused(self, name: str) -> str | None:
        """Why the list is paused; None when it is not (or not known)."""
        row = self._connection.execute(select(lists.c.paused_at, lists.c.paused_reason).where(lists.c.name == name)).first()
        return (row.paused_reason or "no reason given") if row and row.paused_at is not None else None

    def _mark(self, name: str, at: datetime | None, reason: str | None) -> None:
        statement = update(lists).where(lists.c.name == name).values(paused_at=at, paused_reason=reason)
        if self._connection.execute(statement).rowcount == 0:
            raise NotFound(f"list {name}", f"known lists: {', '.join(self.names()) or 'none'}")


def _settings(each: PaperList) -> dict[str, object]:
    """For people who look into the database; nothing reads it back."""
    return {
        "description": each.description,
        "picks": each.picks,
        "cutoff": each.cutoff.isoformat("minutes"),
        "timezone": each.timezone,
        "weekdays": format_weekdays(each.weekdays),
        "sources": sorted(each.sources),
        "categories": sorted(each.categories),
    }
