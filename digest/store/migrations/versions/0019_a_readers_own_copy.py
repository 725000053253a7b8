"""A delivery keeps the reasons that were its reader's own, so that a past issue reads as it was sent; and readers save papers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("reasons", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "saved_papers",
        sa.Column("subscription_id", _KEY, autoincrement=False, nullable=False),
        sa.Column("paper_id", _KEY, autoincrement=False, nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["papers.id"], name=op.f("fk_saved_papers_paper_id_papers")),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_saved_papers_subscription_id_subscriptions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subscription_id", "paper_id", name=op.f("pk_saved_papers")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_saved_papers_paper_id"), "saved_papers", ["paper_id"], unique=False)


def downgrade() -> None:
    op.drop_table("saved_papers")
    op.drop_column("deliveries", "reasons")
