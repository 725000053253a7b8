"""PostgreSQL finds papers without opening their words: they lie apart, and the index knows titles and categories as well.

A row without its words is a tenth as long, and to look through the papers that hold a word is to read as much less.
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# names without accents; what is too long for a tsvector is left off (as 0006 has it)
_WORDS = (
    "setweight(to_tsvector('english', left(new.title, 10000)), 'A') || setweight(to_tsvector('simple',"
    " regexp_replace(normalize(left(new.authors::text, 200000), NFKD), '[\u0300-\u036f]', '', 'g')), 'B')"
    " || setweight(to_tsvector('english', left(new.abstract, 200000)), 'C')"
)
_DATES = "{row}first_seen_at, coalesce({row}published_at, {row}first_seen_at)"
# "cs.LG" is in cs.lg and in cs. From the text as it stands: what an escape stands for may be no text that PostgreSQL can hold
_CATEGORIES = (
    "ARRAY(SELECT DISTINCT array_to_string(part[1:n], '.') FROM regexp_matches(lower({row}categories::text), '\"([^\"]+)\"', 'g')"
    " AS quoted, string_to_array(quoted[1], '.') AS part, generate_series(1, cardinality(part)) AS n)"
)
_REWORDED = "old.title <> new.title OR old.authors::text <> new.authors::text OR old.abstract <> new.abstract"
_FILED_ANEW = f"old.categories::text <> new.categories::text OR ({_DATES.format(row='old.')}) <> ({_DATES.format(row='new.')})"
# PostgreSQL puts a value apart only where the row is longer than 2,000 bytes as it comes. Packed, room for as many is thirty
_ROOM = "room text GENERATED ALWAYS AS (repeat(' ', 2000 + 0 * length(words))) STORED"
_TRIGGER = "CREATE TRIGGER papers_words_{name} AFTER {event} ON papers FOR EACH ROW {when} EXECUTE FUNCTION papers_words_{does}()"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    _forget_triggers()
    op.execute(
        "CREATE TABLE papers_words_apart (paper_id bigint NOT NULL, first_seen_at timestamptz NOT NULL,"
        f" shown_at timestamptz NOT NULL, categories text[] NOT NULL, words tsvector NOT NULL, {_ROOM})"
        " WITH (toast_tuple_target = 256, parallel_workers = 0)"  # so short, more processes are slower
    )
    # words apart and as they are: unpacking would cost more than ranking; the rest in the row
    op.execute("ALTER TABLE papers_words_apart ALTER words SET STORAGE EXTERNAL")
    op.execute("ALTER TABLE papers_words_apart ALTER categories SET STORAGE MAIN, ALTER room SET STORAGE MAIN")
    op.execute(
        "INSERT INTO papers_words_apart"  # noqa: S608 - constants
        f" SELECT paper_id, {_DATES.format(row='')}, {_CATEGORIES.format(row='')}, words"
        " FROM papers_words JOIN papers ON papers.id = paper_id ORDER BY paper_id"
    )
    op.execute("DROP TABLE papers_words")
    op.execute("ALTER TABLE papers_words_apart RENAME TO papers_words")
    op.execute("ALTER TABLE papers_words ADD PRIMARY KEY (paper_id)")
    op.execute("ALTER TABLE papers_words ADD FOREIGN KEY (paper_id) REFERENCES papers (id) ON DELETE CASCADE")
    op.execute("CREATE INDEX ix_papers_words ON papers_words USING gin (words, ts_filter(words, '{a}'), categories)")
    filed = f"{_DATES.format(row='new.')}, {_CATEGORIES.format(row='new.')}"
    _function(
        "learn",
        f"INSERT INTO papers_words (paper_id, first_seen_at, shown_at, categories, words) VALUES (new.id, {filed}, {_WORDS})"  # noqa: S608
        " ON CONFLICT (paper_id) DO UPDATE SET words = excluded.words",
    )
    _function("file", f"UPDATE papers_words SET (first_seen_at, shown_at, categories) = ROW ({filed}) WHERE paper_id = new.id")  # noqa: S608
    op.execute(_TRIGGER.format(name="insert", event="INSERT", when="", does="learn"))
    op.execute(_TRIGGER.format(name="update", event="UPDATE", when=f"WHEN ({_REWORDED})", does="learn"))
    op.execute(_TRIGGER.format(name="file", event="UPDATE", when=f"WHEN ({_FILED_ANEW})", does="file"))


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("DROP TRIGGER papers_words_file ON papers")
    op.execute("DROP FUNCTION papers_words_file()")
    _forget_triggers()
    op.execute("CREATE TABLE papers_words_kept (words tsvector NOT NULL, paper_id bigint NOT NULL)")
    op.execute("INSERT INTO papers_words_kept SELECT words, paper_id FROM papers_words")
    op.execute("DROP TABLE papers_words")
    op.execute("ALTER TABLE papers_words_kept RENAME TO papers_words")
    op.execute("ALTER TABLE papers_words ADD PRIMARY KEY (paper_id)")
    op.execute("ALTER TABLE papers_words ADD FOREIGN KEY (paper_id) REFERENCES papers (id) ON DELETE CASCADE")
    op.execute("CREATE INDEX ix_papers_words ON papers_words USING gin (words)")
    insert = f"INSERT INTO papers_words (paper_id, words) VALUES (new.id, {_WORDS})"  # noqa: S608 - constants
    _function("learn", f"{insert} ON CONFLICT (paper_id) DO UPDATE SET words = excluded.words")
    op.execute(_TRIGGER.format(name="insert", event="INSERT", when="", does="learn"))
    op.execute(_TRIGGER.format(name="update", event="UPDATE", when=f"WHEN ({_REWORDED})", does="learn"))


def _forget_triggers() -> None:
    op.execute("DROP TRIGGER papers_words_insert ON papers")
    op.execute("DROP TRIGGER papers_words_update ON papers")
    op.execute("DROP FUNCTION papers_words_learn()")


def _function(name: str, does: str) -> None:
    op.execute(f"CREATE FUNCTION papers_words_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {does}; RETURN NULL; END $$")
