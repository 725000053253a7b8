"""Libraries: a liked paper is kept with its text, one row for all readers who like it.

An edition keeps all papers of its window, with the cards of those that somebody needs, each in both styles.
Papers liked until now were identifiers among a reader's interests; each becomes a work, to be looked up.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SUBSCRIPTIONS = sa.table("subscriptions", sa.column("id", _KEY), sa.column("interests", sa.JSON(none_as_null=True)))


def upgrade() -> None:
    op.create_table(
        "works",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("abstract", sa.Text(), nullable=False),
        sa.Column("authors", sa.JSON(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("title_key", sa.Text(), nullable=True),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("look_ups", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("look_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_works")),
        sa.UniqueConstraint("name", name=op.f("uq_works_name")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_works_title_key"), "works", ["title_key"], unique=False)
    some = sa.text("look_up_at IS NOT NULL")
    op.create_index("ix_works_look_up_at", "works", ["look_up_at"], sqlite_where=some, postgresql_where=some)
    op.create_table(
        "work_identifiers",
        sa.Column("scheme", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("work_id", _KEY, nullable=False),
        sa.ForeignKeyConstraint(["work_id"], ["works.id"], name=op.f("fk_work_identifiers_work_id_works"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("scheme", "value", name=op.f("pk_work_identifiers")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_work_identifiers_work_id"), "work_identifiers", ["work_id"], unique=False)
    op.create_table(
        "library",
        sa.Column("subscription_id", _KEY, nullable=False),
        sa.Column("work_id", _KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("fk_library_subscription_id_subscriptions"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["work_id"], ["works.id"], name=op.f("fk_library_work_id_works")),
        sa.PrimaryKeyConstraint("subscription_id", "work_id", name=op.f("pk_library")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_library_work_id"), "library", ["work_id"], unique=False)
    for name in ("other_html", "other_text"):
        op.add_column("edition_pool", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("editions", sa.Column("max_pool", sa.Integer(), server_default=sa.text("300"), nullable=False))
    _move_liked(op.get_bind())


def downgrade() -> None:
    connection = op.get_bind()
    held = sa.text(
        "SELECT library.subscription_id, works.name FROM library JOIN works ON works.id = library.work_id"
        " ORDER BY library.subscription_id, library.position"
    )
    liked: dict[int, list[str]] = {}
    for subscription_id, name in connection.execute(held):
        liked.setdefault(subscription_id, []).append(name)
    for subscription_id, names in liked.items():
        this = _SUBSCRIPTIONS.c.id == subscription_id
        interests = connection.scalar(sa.select(_SUBSCRIPTIONS.c.interests).where(this)) or {}
        connection.execute(sa.update(_SUBSCRIPTIONS).where(this).values(interests={**interests, "liked": names}))
    op.drop_column("editions", "max_pool")
    for name in ("other_text", "other_html"):
        op.drop_column("edition_pool", name)
    op.drop_table("library")
    op.drop_table("work_identifiers")
    op.drop_table("works")


def _move_liked(connection: sa.Connection) -> None:
    """A subscription at a time: whoever liked something is one of few."""
    works = sa.table(
        "works",
        *(sa.column(name) for name in ("id", "name", "title", "abstract")),
        *(sa.column(name, sa.JSON()) for name in ("authors", "terms")),
        sa.column("look_up_at", sa.DateTime(timezone=True)),
    )
    identifiers = sa.table("work_identifiers", *(sa.column(name) for name in ("scheme", "value", "work_id")))
    library = sa.table("library", *(sa.column(name) for name in ("subscription_id", "work_id", "position")))
    known: dict[str, int] = {}
    due = datetime(2026, 1, 1, tzinfo=UTC)
    if connection.dialect.name == "sqlite":
        due = due.replace(tzinfo=None)
    some = sa.select(_SUBSCRIPTIONS).where(sa.cast(_SUBSCRIPTIONS.c.interests, sa.Text()).like('%"liked"%'))
    for row in connection.execute(some.order_by(_SUBSCRIPTIONS.c.id)).all():
        interests = dict(row.interests)
        for position, name in enumerate(dict.fromkeys(interests.pop("liked"))):
            if name not in known:
                bare = {"name": name, "title": "", "abstract": "", "authors": [], "terms": {}, "look_up_at": due}
                connection.execute(sa.insert(works).values(bare))
                known[name] = connection.scalar(sa.select(works.c.id).where(works.c.name == name)) or 0
                scheme, _, value = name.partition(":")
                connection.execute(sa.insert(identifiers).values(scheme=scheme[:32], value=value, work_id=known[name]))
            connection.execute(sa.insert(library).values(subscription_id=row.id, work_id=known[name], position=position))
        left = {"interests": interests or None}
        connection.execute(sa.update(_SUBSCRIPTIONS).where(_SUBSCRIPTIONS.c.id == row.id).values(left))
