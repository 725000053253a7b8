"""A reader chooses the language of their mail; an edition in a language that is not its list's is kept beside it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for table in ("subscriptions", "requests"):
        op.add_column(table, sa.Column("language", sa.Text(), nullable=True))
    _create("edition_translations", (), [sa.Column("shell", sa.JSON(none_as_null=True), nullable=False)])
    _create(
        "card_translations",
        ("position",),
        [
            sa.Column("html", sa.Text(), nullable=False),
            sa.Column("text", sa.Text(), nullable=False),
            sa.Column("words", sa.JSON(none_as_null=True), nullable=False),
            sa.Column("other_html", sa.Text(), nullable=True),
            sa.Column("other_text", sa.Text(), nullable=True),
        ],
    )


def _create(name: str, keys: tuple[str, ...], columns: list[sa.Column[object]]) -> None:
    op.create_table(
        name,
        sa.Column("edition_id", _KEY, autoincrement=False, nullable=False),
        *(sa.Column(key, sa.Integer(), autoincrement=False, nullable=False) for key in keys),
        sa.Column("language", sa.Text(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name=op.f(f"fk_{name}_edition_id_editions"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("edition_id", *keys, "language", name=op.f(f"pk_{name}")),
    )


def downgrade() -> None:
    op.drop_table("card_translations")
    op.drop_table("edition_translations")
    for table in ("requests", "subscriptions"):
        op.drop_column(table, "language")
