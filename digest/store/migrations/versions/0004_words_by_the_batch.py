"""SQLite's word index learns new papers a batch at a time (store/words.py), no longer row by row: half the time of an import."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ROW_BY_ROW = (
    "CREATE TRIGGER papers_words_insert AFTER INSERT ON papers BEGIN"
    " INSERT INTO papers_words (rowid, title, authors, abstract) VALUES (new.id, new.title, new.authors, new.abstract); END"
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER papers_words_insert")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(_ROW_BY_ROW)
