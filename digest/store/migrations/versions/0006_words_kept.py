"""PostgreSQL keeps the words of a paper: ranking made them anew for each match, some 0.3 ms each."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# names without accents; what is too long for a tsvector is left off
_WORDS = (
    "setweight(to_tsvector('english', left({row}title, 10000)), 'A') || setweight(to_tsvector('simple',"
    " regexp_replace(normalize(left({row}authors::text, 200000), NFKD), '[\u0300-\u036f]', '', 'g')), 'B')"
    " || setweight(to_tsvector('english', left({row}abstract, 200000)), 'C')"
)
_BEFORE = (
    "setweight(to_tsvector('english', title), 'A')"
    " || setweight(to_tsvector('simple', authors::text), 'B')"
    " || setweight(to_tsvector('english', abstract), 'C')"
)


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("DROP INDEX ix_papers_words")
    op.execute(
        "CREATE TABLE papers_words (words tsvector NOT NULL,"
        " paper_id bigint PRIMARY KEY REFERENCES papers (id) ON DELETE CASCADE)"
    )
    learn = _WORDS.format(row="new.")
    insert = f"INSERT INTO papers_words (paper_id, words) VALUES (new.id, {learn})"  # noqa: S608 - constants
    op.execute(
        f"CREATE FUNCTION papers_words_learn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {insert}"
        " ON CONFLICT (paper_id) DO UPDATE SET words = excluded.words; RETURN NULL; END $$"
    )
    run = "FOR EACH ROW {when} EXECUTE FUNCTION papers_words_learn()"
    changed = "WHEN (old.title <> new.title OR old.authors::text <> new.authors::text OR old.abstract <> new.abstract)"
    op.execute(f"CREATE TRIGGER papers_words_insert AFTER INSERT ON papers {run.format(when='')}")
    op.execute(f"CREATE TRIGGER papers_words_update AFTER UPDATE ON papers {run.format(when=changed)}")
    op.execute(f"INSERT INTO papers_words (paper_id, words) SELECT id, {_WORDS.format(row='')} FROM papers")  # noqa: S608 - constants
    op.execute("CREATE INDEX ix_papers_words ON papers_words USING gin (words)")


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("DROP TRIGGER papers_words_insert ON papers")
    op.execute("DROP TRIGGER papers_words_update ON papers")
    op.execute("DROP FUNCTION papers_words_learn()")
    op.execute("DROP TABLE papers_words")
    op.execute(f"CREATE INDEX ix_papers_words ON papers USING gin (({_BEFORE}))")
