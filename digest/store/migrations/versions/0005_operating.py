"""Running for real: corrections of editions, urgent deliveries, leases of what may run once, and what the operator was told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_URGENT = sa.text("state = 'queued' AND urgent")


def upgrade() -> None:
    # as a plain ADD COLUMN: making the table anew, SQLite would empty what refers to it
    kind = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    foreign = op.f("fk_editions_corrects_editions")
    op.execute(f"ALTER TABLE editions ADD COLUMN corrects {kind} CONSTRAINT {foreign} REFERENCES editions (id)")
    op.create_index(op.f("ix_editions_corrects"), "editions", ["corrects"], unique=False)
    op.add_column("deliveries", sa.Column("urgent", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(
        "ix_deliveries_urgent",
        "deliveries",
        ["next_attempt_at", "id"],
        unique=False,
        sqlite_where=_URGENT,
        postgresql_where=_URGENT,
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("until", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alarms",
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("cause", "day", name=op.f("pk_alarms")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("alarms")
    op.drop_table("leases")
    op.drop_index("ix_deliveries_urgent", table_name="deliveries")
    op.execute("DELETE FROM deliveries WHERE edition_id IN (SELECT id FROM editions WHERE corrects IS NOT NULL)")
    op.execute("DELETE FROM editions WHERE corrects IS NOT NULL")
    op.execute("DELETE FROM lists WHERE name LIKE '%#%'")
    op.drop_index(op.f("ix_editions_corrects"), table_name="editions")
    op.execute("ALTER TABLE deliveries DROP COLUMN urgent")
    op.execute("ALTER TABLE editions DROP COLUMN corrects")
