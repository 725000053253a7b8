"""The full-text index as migration 0001 makes it: never changed, only followed by another migration."""

from __future__ import annotations

from alembic import op


def index_words() -> None:
    """What papers/search.py looks in. Outside the declared schema: neither is a table or index that SQLAlchemy can describe."""
    if op.get_bind().dialect.name == "sqlite":
        for statement in _SQLITE_WORDS:
            op.execute(statement)
    else:
        op.execute(f"CREATE INDEX ix_papers_words ON papers USING gin (({_WORDS}))")


_WORDS = (
    "setweight(to_tsvector('english', title), 'A')"
    " || setweight(to_tsvector('simple', authors::text), 'B')"
    " || setweight(to_tsvector('english', abstract), 'C')"
)
_COLUMNS = "title, authors, abstract"
_FORGET = (
    f"INSERT INTO papers_words (papers_words, rowid, {_COLUMNS})"  # noqa: S608 - constants
    " VALUES ('delete', old.id, old.title, old.authors, old.abstract);"
)
_LEARN = f"INSERT INTO papers_words (rowid, {_COLUMNS}) VALUES (new.id, new.title, new.authors, new.abstract);"  # noqa: S608
_SQLITE_WORDS = (
    f"CREATE VIRTUAL TABLE papers_words USING fts5({_COLUMNS}, content='papers', content_rowid='id',"
    " tokenize='porter unicode61 remove_diacritics 2')",
    f"CREATE TRIGGER papers_words_insert AFTER INSERT ON papers BEGIN {_LEARN} END",
    f"CREATE TRIGGER papers_words_delete AFTER DELETE ON papers BEGIN {_FORGET} END",
    "CREATE TRIGGER papers_words_update AFTER UPDATE OF title, authors, abstract ON papers"
    " WHEN old.title <> new.title OR old.authors <> new.authors OR old.abstract <> new.abstract"
    f" BEGIN {_FORGET} {_LEARN} END",
)
