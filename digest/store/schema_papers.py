"""The tables of papers, and what all tables are made with (schema.py has the rest)."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.sql.type_api import TypeEngine

from digest.store.types import Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Key = BigInteger().with_variant(Integer(), "sqlite")


def document() -> TypeEngine[object]:
    return JSON(none_as_null=True)


def paper_id(**options: object) -> Column[int]:
    return Column("paper_id", Key, ForeignKey("papers.id"), nullable=False, **options)  # type: ignore[arg-type]  # forwarded


papers = Table(
    "papers",
    metadata,
    Column("id", Key, primary_key=True),
    Column("title", Text, nullable=False),
    Column("abstract", Text, nullable=False),
    Column("authors", document(), nullable=False),
    Column("published_at", Instant),
    Column("updated_at", Instant),
    Column("listed_at", Instant),
    Column("categories", document(), nullable=False),
    Column("keywords", document(), nullable=False),
    Column("url", Text, nullable=False),
    Column("pdf_url", Text, nullable=False),
    Column("code_url", Text, nullable=False),
    Column("project_url", Text, nullable=False),
    Column("summary", Text),
    Column("summary_provenance", Text),
    Column("venue", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("version", Integer),
    Column("withdrawn", Boolean, nullable=False),
    Column("sources", document(), nullable=False),
    Column("title_key", Text, index=True),  # what a sighting without a shared identifier is recognised by; see domain/identity.py
    Column("first_seen_at", Instant, nullable=False, index=True),
    Column("changed_at", Instant, nullable=False),  # of the latest sighting folded in: a look at an earlier instant refolds
    sqlite_autoincrement=True,
)

paper_grams = Table(
    "paper_grams",
    metadata,
    Column("gram", Text, primary_key=True),
    Column("paper_id", Key, ForeignKey("papers.id", ondelete="CASCADE"), primary_key=True, index=True),
)
"""Chinese, Japanese and Korean characters, alone and two together, that a paper holds: what search finds it by."""

identifiers = Table(
    "identifiers",
    metadata,
    Column("scheme", String(32), primary_key=True),
    Column("value", Text, primary_key=True),
    paper_id(index=True),
    sqlite_with_rowid=False,
)

sightings = Table(
    "sightings",
    metadata,
    Column("id", Key, primary_key=True),
    paper_id(),
    Column("source", Text, nullable=False),
    Column("seen_at", Instant, nullable=False),  # the earliest instant this content was seen, or came back
    Column("content_hash", String(64), nullable=False),
    Column("payload", document(), nullable=False),
    UniqueConstraint("paper_id", "content_hash", "seen_at"),
)

signals = Table(
    "signals",
    metadata,
    paper_id(primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("observed_at", Instant, primary_key=True),
    Column("value", Float(53), nullable=False),
    sqlite_with_rowid=False,
)


def _vectors(name: str, of: str, key: str, *more: Column[int]) -> Table:
    return Table(
        name,
        metadata,
        Column(key, Key, ForeignKey(of, ondelete="CASCADE"), primary_key=True, autoincrement=False),
        Column("text_hash", String(32), primary_key=True),
        Column("model", Text, nullable=False),
        *more,
        Column("encoded_at", Instant, nullable=False),  # an edition frozen before does not know it
        Column("vector", LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )


# by its length a paper whose text changed is found without reading its vectors
paper_vectors = _vectors("paper_vectors", "papers.id", "paper_id", Column("characters", Integer, nullable=False))
work_vectors = _vectors("work_vectors", "works.id", "work_id")
