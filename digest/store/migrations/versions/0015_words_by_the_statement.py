"""PostgreSQL learns the words of new papers a statement at a time, no longer row by row: an import is sooner done."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# as 0009 has them
_WORDS = (
    "setweight(to_tsvector('english', left(added.title, 10000)), 'A') || setweight(to_tsvector('simple',"
    " regexp_replace(normalize(left(added.authors::text, 200000), NFKD), '[\u0300-\u036f]', '', 'g')), 'B')"
    " || setweight(to_tsvector('english', left(added.abstract, 200000)), 'C')"
)
_CATEGORIES = (
    "ARRAY(SELECT DISTINCT array_to_string(part[1:n], '.')"
    " FROM regexp_matches(lower(added.categories::text), '\"([^\"]+)\"', 'g')"
    " AS quoted, string_to_array(quoted[1], '.') AS part, generate_series(1, cardinality(part)) AS n)"
)
_LEARN = (
    "INSERT INTO papers_words (paper_id, first_seen_at, shown_at, categories, words)"  # noqa: S608 - constants
    f" SELECT added.id, added.first_seen_at, coalesce(added.published_at, added.first_seen_at), {_CATEGORIES}, {_WORDS}"
    " FROM added ORDER BY added.id ON CONFLICT (paper_id) DO UPDATE SET words = excluded.words"
)
_TRIGGER = "CREATE TRIGGER papers_words_insert AFTER INSERT ON papers {of} EXECUTE FUNCTION {does}()"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("DROP TRIGGER papers_words_insert ON papers")
    op.execute(
        f"CREATE FUNCTION papers_words_learn_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_LEARN}; RETURN NULL; END $$"
    )
    op.execute(_TRIGGER.format(of="REFERENCING NEW TABLE AS added FOR EACH STATEMENT", does="papers_words_learn_added"))


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("DROP TRIGGER papers_words_insert ON papers")
    op.execute("DROP FUNCTION papers_words_learn_added()")
    op.execute(_TRIGGER.format(of="FOR EACH ROW", does="papers_words_learn"))
