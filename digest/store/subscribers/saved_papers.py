"""Papers that readers saved to come back to."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from digest.store.dialect import chunks, insert_new
from digest.store.schema_libraries import saved_papers


class SavedPapers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, subscription_id: int, paper_id: int, at: datetime) -> None:
        """One that is saved already stays as it is."""
        row = {"subscription_id": subscription_id, "paper_id": paper_id, "saved_at": at}
        insert_new(self._connection, saved_papers, [row])

    def remove(self, subscription_id: int, paper_ids: Collection[int]) -> None:
        s = saved_papers.c
        for some in chunks(sorted(paper_ids)):
            these = (s.subscription_id == subscription_id, s.paper_id.in_(some))
            self._connection.execute(delete(saved_papers).where(*these))

    def count(self, subscription_id: int) -> int:
        own = saved_papers.c.subscription_id == subscription_id
        return self._connection.scalar(select(func.count()).select_from(saved_papers).where(own)) or 0

    def of(self, subscription_id: int, limit: int | None = None, offset: int = 0) -> dict[int, datetime]:
        """By paper, when it was saved; the newest first."""
        s = saved_papers.c
        rows = select(s.paper_id, s.saved_at).where(s.subscription_id == subscription_id)
        rows = rows.order_by(s.saved_at.desc(), s.paper_id.desc()).limit(limit).offset(offset)
        return {row.paper_id: row.saved_at for row in self._connection.execute(rows)}
