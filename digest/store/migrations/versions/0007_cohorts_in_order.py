"""A cohort's members are found in the order of their ids, so that deliveries can be made some thousand at a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NAME = "ix_subscriptions_cohort"
_COHORT = ["list", "timezone", "hour", "weekdays"]
_ACTIVE = sa.text("state = 'active'")


def upgrade() -> None:
    _index([*_COHORT, "id"])


def downgrade() -> None:
    _index(_COHORT)


def _index(columns: list[str]) -> None:
    op.drop_index(_NAME, table_name="subscriptions")
    op.create_index(_NAME, "subscriptions", columns, unique=False, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE)
