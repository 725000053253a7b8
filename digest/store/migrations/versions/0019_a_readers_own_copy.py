"""A delivery keeps the reasons that were its reader's own, so that a past issue reads as it was sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("reasons", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("deliveries", "reasons")
