"""The tables of lists and of the editions that they become (schema.py)."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
    true,
)

from digest.store.schema_papers import Key, document, metadata, paper_id
from digest.store.types import Instant

lists = Table(
    "lists",
    metadata,
    Column("name", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("settings", document(), nullable=False),
    Column("configured", Boolean, nullable=False),  # false once the configuration no longer names it; rows still refer to it
    Column("paused_at", Instant),
    Column("paused_reason", Text),
)

editions = Table(
    "editions",
    metadata,
    Column("id", Key, primary_key=True),
    Column("list", Text, ForeignKey("lists.name"), nullable=False),
    Column("date", Date, nullable=False),
    Column("window_start", Instant, nullable=False),
    Column("window_end", Instant, nullable=False),
    Column("cutoff", Instant, nullable=False),
    Column("frequency", Text, nullable=False, server_default=text("'daily'")),
    Column("on_pages", Boolean, nullable=False, server_default=true()),  # false: for readers who get fewer mails
    Column("considered", Integer, nullable=False, server_default=text("0")),
    Column("max_picks", Integer, nullable=False, server_default=text("10")),
    Column("max_pool", Integer, nullable=False, server_default=text("300")),  # what readers without interests choose from
    Column("frozen_at", Instant, nullable=False),
    Column("subject", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("render", document(), nullable=False),  # what composing needs besides: nonce, the list's own picks, preheader
    Column("notes", document(), nullable=False),
    Column("updates", document(), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("state", Text, nullable=False),
    Column("corrects", Key, ForeignKey("editions.id"), index=True),  # then `list` is a name of its own (edition_operations.py)
    UniqueConstraint("list", "window_start", "cutoff"),
    Index("ix_editions_list_date", "list", "date"),
    Index("ix_editions_list_frozen_at", "list", "frozen_at"),
    sqlite_autoincrement=True,
)

edition_pool = Table(
    "edition_pool",
    metadata,
    Column("edition_id", Key, ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    paper_id(index=True),
    Column("paper", document(), nullable=False),  # as it was shown: an edition never changes, a paper may
    Column("score", Float(53), nullable=False),
    Column("reasons", document(), nullable=False),
    Column("growth", document(), nullable=False),
    Column("featured_before", Boolean, nullable=False),
    Column("section", Text, nullable=False, server_default=text("''")),  # of a list made of lists: the title of which
    Column("pick_rank", SmallInteger),
    *(Column(name, Text, nullable=False) for name in ("card_html", "card_text")),
    Column("card_words", document(), nullable=False),  # identifier, title and reasons, in plain words; empty: no card yet
    *(Column(name, Text) for name in ("other_html", "other_text")),  # the same card in the edition's other style
)

edition_translations = Table(
    "edition_translations",  # an edition in a language that is not its list's: made when somebody first needs it, frozen then
    metadata,
    Column("edition_id", Key, ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("language", Text, primary_key=True),
    Column("shell", document(), nullable=False),
)

card_translations = Table(
    "card_translations",
    metadata,
    Column("edition_id", Key, ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("language", Text, primary_key=True),
    *(Column(name, Text, nullable=False) for name in ("html", "text")),
    Column("words", document(), nullable=False),
    *(Column(name, Text) for name in ("other_html", "other_text")),
)

featured = Table(
    "featured",
    metadata,
    Column("list", Text, ForeignKey("lists.name"), primary_key=True),
    paper_id(primary_key=True, autoincrement=False, index=True),
    Column("edition_id", Key, ForeignKey("editions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("rank", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)
