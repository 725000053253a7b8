"""A list has several editions a day, a reader one mail a local day, and what it shows depends on what that reader was sent.

Editions that there are keep their day; what they were made at counts as their cutoff. Mail that is queued or half sent stays so:
it gets the local day it is for, so that nobody gets a second one that day, and its papers are chosen when it is claimed.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from digest.domain.schedule import known_zone
from digest.store.types import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)
_COHORT = "ix_subscriptions_cohort"
_ACTIVE = sa.text("state = 'active'")
_PAUSED = sa.text("paused_until IS NOT NULL")
_DAILY = sa.text("'daily'")
_RECENT = timedelta(days=4)
"""Before the newest mail: no reader's today is older."""
_COLUMNS = "id, list, date, window_start, window_end, frozen_at, subject, html, text, render, notes, updates, content_hash, state"
_NEW = "cutoff, frequency, on_pages, considered, max_picks"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rebuild_editions()
    else:
        _alter_editions()
    picked = "SELECT count(*) FROM edition_pool p WHERE p.edition_id = editions.id AND p.pick_rank IS NOT NULL"
    op.execute(f"UPDATE editions SET max_picks = ({picked})")  # noqa: S608 - constants
    op.create_index("ix_editions_list_date", "editions", ["list", "date"], unique=False)
    op.add_column("edition_pool", sa.Column("section", sa.Text(), server_default=sa.text("''"), nullable=False))
    for table in ("subscriptions", "requests"):
        op.add_column(table, sa.Column("frequency", sa.Text(), server_default=_DAILY, nullable=False))
        # fewer weekdays or another number of picks need no ranking of their own any more
        op.execute(f"UPDATE {table} SET personal = (interests IS NOT NULL)")  # noqa: S608 - constants
    _index_cohorts("weekdays", "frequency", "id")
    paused = ["list", "paused_until"]
    op.create_index("ix_subscriptions_paused", "subscriptions", paused, sqlite_where=_PAUSED, postgresql_where=_PAUSED)
    op.add_column("deliveries", sa.Column("day", sa.Date(), nullable=True))
    op.add_column("deliveries", sa.Column("away", sa.Boolean(), server_default=sa.false(), nullable=False))
    _fill_days(op.get_bind())
    op.create_index("uq_deliveries_day", "deliveries", ["subscription_id", "day"], unique=True)
    op.create_index("ix_deliveries_history", "deliveries", ["subscription_id", "expires_at"], unique=False)
    op.drop_index("ix_deliveries_subscription_id", table_name="deliveries")


def downgrade() -> None:
    op.create_index("ix_deliveries_subscription_id", "deliveries", ["subscription_id"], unique=False)
    op.drop_index("ix_deliveries_history", table_name="deliveries")
    op.drop_index("uq_deliveries_day", table_name="deliveries")
    op.drop_column("deliveries", "away")
    op.drop_column("deliveries", "day")
    op.drop_index("ix_subscriptions_paused", table_name="subscriptions")
    _index_cohorts("weekdays", "id")
    for table in ("requests", "subscriptions"):
        op.drop_column(table, "frequency")
    op.drop_column("edition_pool", "section")
    op.drop_index("ix_editions_list_date", table_name="editions")
    _set_others_aside()
    if op.get_bind().dialect.name == "sqlite":
        _rebuild_editions(back=True)
        return
    op.drop_constraint("uq_editions_list_window_start_cutoff", "editions", type_="unique")
    op.create_unique_constraint("uq_editions_list_date", "editions", ["list", "date"])
    for name in ("max_picks", "considered", "on_pages", "frequency", "cutoff"):
        op.drop_column("editions", name)


def _alter_editions() -> None:
    op.add_column("editions", sa.Column("cutoff", _INSTANT, nullable=True))
    op.execute("UPDATE editions SET cutoff = window_end")
    op.alter_column("editions", "cutoff", nullable=False)
    for column in _new_columns():
        op.add_column("editions", column)
    op.drop_constraint("uq_editions_list_date", "editions", type_="unique")
    op.create_unique_constraint("uq_editions_list_window_start_cutoff", "editions", ["list", "window_start", "cutoff"])


def _rebuild_editions(*, back: bool = False) -> None:
    """SQLite drops no constraint: the table is made anew. Foreign keys are off meanwhile (migrate.py), so nothing cascades."""
    unique = sa.UniqueConstraint("list", "date", name=op.f("uq_editions_list_date"))
    if not back:
        unique = sa.UniqueConstraint("list", "window_start", "cutoff", name=op.f("uq_editions_list_window_start_cutoff"))
    op.create_table(
        "editions_new",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("window_start", _INSTANT, nullable=False),
        sa.Column("window_end", _INSTANT, nullable=False),
        *(() if back else (sa.Column("cutoff", _INSTANT, nullable=False), *_new_columns())),
        sa.Column("frozen_at", _INSTANT, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("render", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("updates", sa.JSON(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["list"], ["lists.name"], name=op.f("fk_editions_list_lists")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_editions")),
        unique,
        sqlite_autoincrement=True,
    )
    copied = f"SELECT {_COLUMNS} FROM editions" if back else f"SELECT {_COLUMNS}, window_end, 'daily', 1, 0, 10 FROM editions"  # noqa: S608
    op.execute(f"INSERT INTO editions_new ({_COLUMNS if back else f'{_COLUMNS}, {_NEW}'}) {copied}")
    op.execute("CREATE TEMPORARY TABLE corrections AS SELECT id, corrects FROM editions WHERE corrects IS NOT NULL")
    op.drop_table("editions")
    op.rename_table("editions_new", "editions")
    foreign = op.f("fk_editions_corrects_editions")  # beside its column, so that it can be dropped with it
    op.execute(f"ALTER TABLE editions ADD COLUMN corrects INTEGER CONSTRAINT {foreign} REFERENCES editions (id)")
    op.execute("UPDATE editions SET corrects = c.corrects FROM corrections c WHERE c.id = editions.id")
    op.execute("DROP TABLE corrections")
    op.create_index("ix_editions_list_frozen_at", "editions", ["list", "frozen_at"], unique=False)
    op.create_index(op.f("ix_editions_corrects"), "editions", ["corrects"], unique=False)


def _new_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("frequency", sa.Text(), server_default=_DAILY, nullable=False),
        sa.Column("on_pages", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("considered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_picks", sa.Integer(), server_default=sa.text("10"), nullable=False),
    ]


def _index_cohorts(*rest: str) -> None:
    op.drop_index(_COHORT, table_name="subscriptions")
    columns = ["list", "timezone", "hour", *rest]
    op.create_index(_COHORT, "subscriptions", columns, unique=False, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE)


def _fill_days(connection: sa.Connection) -> None:
    """The local day of each recent scheduled mail; of two on one day the later one has it."""
    d = sa.table("deliveries", *map(sa.column, ("id", "subscription_id", "edition_id", "day")), sa.column("due_at", Instant()))
    s = sa.table("subscriptions", *map(sa.column, ("id", "timezone")), sa.column("confirmed_at", Instant()))
    e = sa.table("editions", *map(sa.column, ("id", "corrects")))
    newest: datetime | None = connection.scalar(sa.select(sa.func.max(d.c.due_at, type_=Instant())))
    if newest is None:
        return
    recent = (
        sa.select(d.c.id, d.c.subscription_id, d.c.due_at, s.c.timezone)
        .join(s, s.c.id == d.c.subscription_id)
        .join(e, e.c.id == d.c.edition_id)
        .where(d.c.due_at >= newest - _RECENT, e.c.corrects.is_(None), d.c.due_at > s.c.confirmed_at)
        .order_by(d.c.due_at, d.c.id)
    )
    last: dict[tuple[int, date], int] = {}
    for row in connection.execute(recent):
        last[row.subscription_id, row.due_at.astimezone(known_zone(row.timezone) or UTC).date()] = row.id
    filled = sa.update(d).where(d.c.id == sa.bindparam("of_delivery")).values(day=sa.bindparam("local_day", type_=sa.Date()))
    if last:
        connection.execute(filled, [{"of_delivery": each, "local_day": day} for (_, day), each in last.items()])


def _set_others_aside() -> None:
    """Of a day only the last edition on its page keeps the list's name; the others get one that no list can have."""
    later = "o.cutoff > e.cutoff OR (o.cutoff = e.cutoff AND o.id > e.id)"
    last = f"SELECT 1 FROM editions o WHERE o.list = e.list AND o.date = e.date AND o.on_pages AND ({later})"  # noqa: S608
    others = f"SELECT id FROM editions e WHERE NOT on_pages OR EXISTS ({last})"  # noqa: S608 - constants
    op.execute(
        "INSERT INTO lists (name, title, settings, configured)"  # noqa: S608 - constants
        f" SELECT list || '#' || id, list, '{{}}', (1 = 0) FROM editions WHERE id IN ({others})"
    )
    op.execute(f"UPDATE editions SET list = list || '#' || id WHERE id IN ({others})")  # noqa: S608 - constants
