"""Search finds the same words on both databases, and Chinese, Japanese and Korean ones, which no word index parts.

PostgreSQL took "encoder/decoder" for a file, the 4 of "GPT-4" for a number below nought, and "naïve" for another word than
"naive": it now sees words as SQLite does.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from digest.ranking.text_match import cjk_grams

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AT_ONCE = 1000

_SIGNS = "[!-/:-@\\[-`{-~‐‑‒–—―‘’“”„†•…′″×·−«»]"
_PLAIN = (
    "CREATE FUNCTION papers_words_plain(text) RETURNS text LANGUAGE sql IMMUTABLE AS $body$ SELECT regexp_replace("
    " CASE WHEN octet_length($1) = length($1) THEN $1"
    f" ELSE regexp_replace(normalize($1, NFKD), '[\u0300-\u036f]', '', 'g') END, '{_SIGNS}', ' ', 'g') $body$"
)
_WORDS = (
    "setweight(to_tsvector('english', papers_words_plain(left({row}title, 10000))), 'A')"
    " || setweight(to_tsvector('simple', papers_words_plain(left({row}authors::text, 200000))), 'B')"
    " || setweight(to_tsvector('english', papers_words_plain(left({row}abstract, 200000))), 'C')"
)
# as 0009 and 0015 have it
_WORDS_BEFORE = (
    "setweight(to_tsvector('english', left({row}title, 10000)), 'A') || setweight(to_tsvector('simple',"
    " regexp_replace(normalize(left({row}authors::text, 200000), NFKD), '[\u0300-\u036f]', '', 'g')), 'B')"
    " || setweight(to_tsvector('english', left({row}abstract, 200000)), 'C')"
)
_DATES = "{row}first_seen_at, coalesce({row}published_at, {row}first_seen_at)"
_CATEGORIES = (
    "ARRAY(SELECT DISTINCT array_to_string(part[1:n], '.') FROM regexp_matches(lower({row}categories::text), '\"([^\"]+)\"', 'g')"
    " AS quoted, string_to_array(quoted[1], '.') AS part, generate_series(1, cardinality(part)) AS n)"
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_PLAIN)
        _learn(_WORDS)
    grams = op.create_table(
        "paper_grams",
        sa.Column("gram", sa.Text(), nullable=False),
        sa.Column("paper_id", _KEY, nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["papers.id"], name=op.f("fk_paper_grams_paper_id_papers"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("gram", "paper_id", name=op.f("pk_paper_grams")),
    )
    op.create_index("ix_paper_grams_paper_id", "paper_grams", ["paper_id"])
    connection, after = op.get_bind(), 0
    statement = "SELECT id, title, abstract, authors FROM papers WHERE id > :after ORDER BY id LIMIT :most"
    some = sa.text(statement).columns(authors=sa.JSON())
    while rows := connection.execute(some, {"after": after, "most": _AT_ONCE}).all():
        after = rows[-1].id
        texts = ((row.id, "\n".join((row.title, row.abstract, *row.authors))) for row in rows)
        found = [{"gram": gram, "paper_id": paper_id} for paper_id, text in texts for gram in cjk_grams(text)]
        if found:
            op.bulk_insert(grams, found)


def downgrade() -> None:
    op.drop_table("paper_grams")
    if op.get_bind().dialect.name == "postgresql":
        _learn(_WORDS_BEFORE)
        op.execute("DROP FUNCTION papers_words_plain(text)")


def _learn(words: str) -> None:
    """Has the triggers of migrations 0009 (changes) and 0015 (new papers) index so from now on, and indexes what there is."""
    for name, row, source in (("learn", "new.", ""), ("learn_added", "added.", " FROM added ORDER BY added.id")):
        values = ", ".join(each.replace("{row}", row) for each in ("{row}id", _DATES, _CATEGORIES, words))
        columns = "paper_id, first_seen_at, shown_at, categories, words"
        insert = f"INSERT INTO papers_words ({columns}) SELECT {values}{source}"
        op.execute(
            f"CREATE OR REPLACE FUNCTION papers_words_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {insert}"
            " ON CONFLICT (paper_id) DO UPDATE SET words = excluded.words; RETURN NULL; END $$"
        )
    op.execute("DROP INDEX ix_papers_words")
    old = words.replace("{row}", "papers.")
    op.execute(f"UPDATE papers_words SET words = {old} FROM papers WHERE papers.id = papers_words.paper_id")  # noqa: S608
    op.execute("CREATE INDEX ix_papers_words ON papers_words USING gin (words, ts_filter(words, '{a}'), categories)")
