"""Vectors of papers and of readers' works, for installations with a sentence encoder."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


_UNENCODED = sa.text("NOT encoded AND title <> ''")


def upgrade() -> None:
    _create("paper_vectors", "paper_id", "papers", sa.Column("characters", sa.Integer(), nullable=False))
    _create("work_vectors", "work_id", "works")
    op.add_column("works", sa.Column("encoded", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index("ix_works_id", "works", ["id"], sqlite_where=_UNENCODED, postgresql_where=_UNENCODED)


def _create(name: str, key: str, of: str, *more: sa.Column[int]) -> None:
    op.create_table(
        name,
        sa.Column(key, _KEY, autoincrement=False, nullable=False),
        sa.Column("text_hash", sa.String(length=32), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        *more,
        sa.Column("encoded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint([key], [f"{of}.id"], name=op.f(f"fk_{name}_{key}_{of}"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint(key, "text_hash", name=op.f(f"pk_{name}")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_index("ix_works_id", "works")
    op.drop_column("works", "encoded")
    op.drop_table("work_vectors")
    op.drop_table("paper_vectors")
