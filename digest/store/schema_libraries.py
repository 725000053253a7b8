"""The tables of readers' libraries: a work is one row however many readers hold it, and goes with the last of them."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, false, text

from digest.store.schema_papers import Key, document, metadata, paper_id
from digest.store.types import Instant

_UNENCODED = text("NOT encoded AND title <> ''")

works = Table(
    "works",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),  # empty: only its identifier is known yet
    Column("abstract", Text, nullable=False),
    Column("authors", document(), nullable=False),
    Column("year", Integer),
    Column("title_key", Text, index=True),
    Column("terms", document(), nullable=False),  # counted when the text changed last
    Column("look_ups", Integer, nullable=False, server_default=text("0")),
    Column("look_up_at", Instant),  # null: nothing to look up, or not any more
    Column("encoded", Boolean, nullable=False, server_default=false()),  # its text as it is has a sentence vector
    Index(
        "ix_works_look_up_at",
        "look_up_at",
        sqlite_where=text("look_up_at IS NOT NULL"),
        postgresql_where=text("look_up_at IS NOT NULL"),
    ),
    Index(
        "ix_works_id",
        "id",
        sqlite_where=text("NOT encoded AND title <> ''"),
        postgresql_where=text("NOT encoded AND title <> ''"),
    ),
    sqlite_autoincrement=True,
)

work_identifiers = Table(
    "work_identifiers",
    metadata,
    Column("scheme", String(32), primary_key=True),
    Column("value", Text, primary_key=True),
    Column("work_id", Key, ForeignKey("works.id", ondelete="CASCADE"), nullable=False, index=True),
    sqlite_with_rowid=False,
)

library = Table(
    "library",  # who holds which work, in the order they named them
    metadata,
    Column("subscription_id", Key, ForeignKey("subscriptions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("work_id", Key, ForeignKey("works.id"), primary_key=True, autoincrement=False, index=True),
    Column("position", Integer, nullable=False),
    sqlite_with_rowid=False,
)

library_accounts = Table(
    "library_accounts",  # libraries that are kept elsewhere, and read for a subscription
    metadata,
    Column("id", Key, primary_key=True),
    Column("subscription_id", Key, ForeignKey("subscriptions.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("library", Text, nullable=False),
    Column("collections", document(), nullable=False),
    Column("encrypted_key", Text, nullable=False),  # under the installation's key; empty: none is needed
    Column("state", document(), nullable=False),  # what its reader must remember
    Column("connected_at", Instant, nullable=False),
    Column("started_at", Instant),  # of a read under way
    Column("read_at", Instant),
    Column("next_at", Instant, nullable=False, index=True),
    Column("problem", Text, nullable=False),
    UniqueConstraint("subscription_id", "kind", "library"),
    sqlite_autoincrement=True,
)

library_items = Table(
    "library_items",  # what such a library holds, by its own keys
    metadata,
    Column("account_id", Key, ForeignKey("library_accounts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("key", String(64), primary_key=True),
    # null: not understood, or taken off by the reader, who is not brought it again
    Column("work_id", Key, ForeignKey("works.id", ondelete="SET NULL"), index=True),
    Column("linked", Boolean, nullable=False),  # the library has the work by this account, not by hand
    Column("problem", Text, nullable=False),  # why it was not understood
    Column("seen_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

saved_papers = Table(
    "saved_papers",  # kept by a reader to come back to; they choose nothing
    metadata,
    Column("subscription_id", Key, ForeignKey("subscriptions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    paper_id(primary_key=True, autoincrement=False, index=True),
    Column("saved_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
