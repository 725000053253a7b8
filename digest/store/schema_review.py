"""The tables of what waits for the operator, and of what a restored database cannot know by itself."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Table, Text, text

from digest.store.schema_papers import Key, metadata
from digest.store.types import Instant

refusals = Table(
    "refusals",  # for good, of late: carried out, or held until the operator decides
    metadata,
    Column("subscription_id", Key, ForeignKey("subscriptions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("at", Instant, primary_key=True),
    Column("delivery_id", Key, ForeignKey("deliveries.id", ondelete="CASCADE"), index=True),  # null: of a notice
    Column("words", Text, nullable=False),  # the reply without what names a reader
    Column("suppress", Text),  # a suppression's reason; null: only this mail ends
    Column("state", Text, nullable=False),  # "done", "held" or "approved"
    Index("ix_refusals_words", "words", "at"),
    Index("ix_refusals_held", "subscription_id", sqlite_where=text("state = 'held'"), postgresql_where=text("state = 'held'")),
    sqlite_with_rowid=False,
)

restored = Table(
    "restored",  # from a backup; what was sent since it is in `sent_before_restore`, or unknown
    metadata,
    Column("at", Instant, primary_key=True),
    Column("backup_at", Instant, nullable=False),
    Column("known", Boolean, nullable=False),
)

sent_before_restore = Table(
    "sent_before_restore",
    metadata,
    Column("subscription_id", Key, ForeignKey("subscriptions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),  # the UTC day it was due
    sqlite_with_rowid=False,
)
