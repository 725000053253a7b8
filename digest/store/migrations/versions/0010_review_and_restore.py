"""Refusals in the same words wait for the operator; a restored database knows what was sent before.

A flood of refusals is more likely our trouble than the readers'; and a backup cannot know what was sent after it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_HELD = sa.text("state = 'held'")


def upgrade() -> None:
    op.create_table(
        "refusals",
        sa.Column("subscription_id", _KEY, autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivery_id", _KEY),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("suppress", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_refusals_subscription_id_subscriptions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_refusals_delivery_id_deliveries"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subscription_id", "at", name=op.f("pk_refusals")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_refusals_delivery_id", "refusals", ["delivery_id"], unique=False)
    op.create_index("ix_refusals_words", "refusals", ["words", "at"], unique=False)
    op.create_index("ix_refusals_held", "refusals", ["subscription_id"], unique=False, sqlite_where=_HELD, postgresql_where=_HELD)
    op.create_table(
        "restored",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("backup_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("at", name=op.f("pk_restored")),
    )
    op.create_table(
        "sent_before_restore",
        sa.Column("subscription_id", _KEY, autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_sent_before_restore_subscription_id_subscriptions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subscription_id", "day", name=op.f("pk_sent_before_restore")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("sent_before_restore", "restored", "refusals"):
        op.drop_table(table)
