"""A reader's address changes once the new one has confirmed it; until then the change stands beside the subscription.

A notice may go to another address than the reader's: the one to be confirmed, or the one that was left.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_COLUMNS = "subscription_id, kind, request, owed_at, next_attempt_at, attempts, lease_until"
_KEEP = f"CREATE TABLE notices_before AS SELECT {_COLUMNS} FROM notices"  # noqa: S608 constants
_FILL = f"INSERT INTO notices ({_COLUMNS}) SELECT {_COLUMNS} FROM notices_before"  # noqa: S608 constants


def upgrade() -> None:
    op.add_column("subscribers", sa.Column("address_since", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "address_changes",
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("subscription_id", _KEY, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_address_changes_subscription_id_subscriptions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("public_id", name=op.f("pk_address_changes")),
        sa.UniqueConstraint("subscription_id", name=op.f("uq_address_changes_subscription_id")),
    )
    op.create_index(op.f("ix_address_changes_requested_at"), "address_changes", ["requested_at"], unique=False)
    _make_notices(sa.Column("address", sa.Text(), server_default=sa.text("''"), nullable=False))


def downgrade() -> None:
    op.execute("DELETE FROM notices WHERE address <> ''")
    _make_notices()
    op.drop_table("address_changes")
    op.drop_column("subscribers", "address_since")


def _make_notices(*address: sa.Column[str]) -> None:
    """The table anew, with what is in it: neither database changes a primary key in place under the same name."""
    op.execute(_KEEP)
    op.drop_table("notices")
    op.create_table(
        "notices",
        sa.Column("subscription_id", _KEY, autoincrement=False, nullable=False),
        *address,
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("request", sa.String(length=22), server_default=sa.text("''"), nullable=False),
        sa.Column("owed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("fk_notices_subscription_id_subscriptions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subscription_id", *(each.name for each in address), name=op.f("pk_notices")),
    )
    op.create_index(op.f("ix_notices_next_attempt_at"), "notices", ["next_attempt_at"], unique=False)
    op.execute(_FILL)
    op.drop_table("notices_before")
