"""Libraries kept elsewhere: a subscription is connected with a Zotero library, an ORCID iD or an author at OpenAlex."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "library_accounts",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("subscription_id", _KEY, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("collections", sa.JSON(), nullable=False),
        sa.Column("encrypted_key", sa.Text(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_library_accounts_subscription_id_subscriptions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_accounts")),
        sa.UniqueConstraint("subscription_id", "kind", "library", name=op.f("uq_library_accounts_subscription_id_kind_library")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_library_accounts_next_at"), "library_accounts", ["next_at"], unique=False)
    op.create_table(
        "library_items",
        sa.Column("account_id", _KEY, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("work_id", _KEY, nullable=True),
        sa.Column("linked", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["library_accounts.id"],
            name=op.f("fk_library_items_account_id_library_accounts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["work_id"], ["works.id"], name=op.f("fk_library_items_work_id_works"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_library_items")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_library_items_work_id"), "library_items", ["work_id"], unique=False)


def downgrade() -> None:
    op.drop_table("library_items")
    op.drop_table("library_accounts")
