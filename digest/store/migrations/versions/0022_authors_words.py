"""A reader chooses to get the authors' own words only, never a model's; an index finds who is not sent what the list sends."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_COHORT = ["list", "timezone", "hour", "weekdays", "frequency"]
_VARIANTS = sa.text("state = 'active' AND (language IS NOT NULL OR authors_words)")


def upgrade() -> None:
    for table in ("subscriptions", "requests"):
        op.add_column(table, sa.Column("authors_words", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(
        "ix_subscriptions_variants",
        "subscriptions",
        [*_COHORT, "language", "authors_words"],
        sqlite_where=_VARIANTS,
        postgresql_where=_VARIANTS,
    )


def downgrade() -> None:
    op.drop_index("ix_subscriptions_variants", table_name="subscriptions")
    for table in ("requests", "subscriptions"):
        op.drop_column(table, "authors_words")
