"""The tables. What is odd stands beside it; the migrations arrive at exactly this (tests/contract/test_store_schema.py).
`sqlite_autoincrement`: a key shown to the world (links, Message-IDs) must not come back for another row after an erasure.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
    false,
    text,
)

from digest.store import schema_libraries as schema_libraries
from digest.store.schema_editions import card_translations, edition_pool, edition_translations, editions, featured, lists
from digest.store.schema_papers import Key, document, identifiers, metadata, papers, sightings, signals
from digest.store.schema_review import refusals as refusals  # all belong to the same metadata
from digest.store.types import PREFERENCE_COLUMNS, Instant, Weekdays

REVISION = "0022"
"""The migration that arrives at these tables; kept here so that a check at start need not import Alembic."""
VARIANTS = text("state = 'active' AND (language IS NOT NULL OR authors_words)")
"""Who is not sent what the list sends: in these words an index on them is found."""
# ---- readers ---------------------------------------------------------------------------------------------------------------

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", Key, primary_key=True),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False, unique=True),
    Column("address_hash", String(64), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("address_since", Instant),  # of one that changed: mails accepted before went to another mailbox
    sqlite_autoincrement=True,
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Key, primary_key=True),
    Column("public_id", String(22), nullable=False, server_default=text("''"), unique=True, index=True),  # in links: random
    Column("numbered_until", Instant),  # until then links with the row's number unsubscribe it; null for rows since 0011
    Column("subscriber_id", Key, ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
    Column("list", Text, ForeignKey("lists.name"), nullable=False),
    Column("state", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("hour", Time, nullable=False),
    Column("weekdays", Weekdays, nullable=False),
    Column("frequency", Text, nullable=False, server_default=text("'daily'")),
    Column("picks", Integer),
    Column("style", Text),
    Column("language", Text),  # null: the list's
    Column("authors_words", Boolean, nullable=False, server_default=false()),
    Column("paused_until", Date),
    Column("interests", document()),  # null: none, the common case
    Column("personal", Boolean, nullable=False),  # follows from interests; kept so that a claim need not ask
    Column("requested_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("consent_at", Instant),
    Column("consent_how", Text),
    Column("consent_wording", Text),
    Column("consent_event", Text),
    Column("ended_at", Instant),
    Column("end_reason", Text, nullable=False, server_default=text("''")),
    UniqueConstraint("subscriber_id", "list"),
    # finds a cohort's members, some thousand at a time, and the cohorts themselves, without touching the table
    Index(
        "ix_subscriptions_cohort",
        "list",
        "timezone",
        "hour",
        "weekdays",
        "frequency",
        "id",
        sqlite_where=text("state = 'active'"),
        postgresql_where=text("state = 'active'"),
    ),
    # finds in which languages a cohort's mail is needed
    Index(
        "ix_subscriptions_variants",
        "list",
        "timezone",
        "hour",
        "weekdays",
        "frequency",
        "language",
        "authors_words",
        sqlite_where=VARIANTS,
        postgresql_where=VARIANTS,
    ),
    Index(
        "ix_subscriptions_paused",
        "list",
        "paused_until",
        sqlite_where=text("paused_until IS NOT NULL"),
        postgresql_where=text("paused_until IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

requests = Table(
    "requests",  # what was asked for and is not proven: it counts only once its own link is used
    metadata,
    Column("public_id", String(22), primary_key=True),
    Column("subscription_id", Key, ForeignKey("subscriptions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("requested_at", Instant, nullable=False, index=True),
    *(
        Column(c.name, c.type, nullable=c.nullable, server_default=getattr(c.server_default, "arg", None))
        for c in (subscriptions.c[name] for name in PREFERENCE_COLUMNS)
    ),
)

address_changes = Table(
    "address_changes",  # asked for behind a reader's link, and not proven: done once the link that went to the address is used
    metadata,
    Column("public_id", String(22), primary_key=True),
    Column("subscription_id", Key, ForeignKey("subscriptions.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("address", Text, nullable=False),
    Column("requested_at", Instant, nullable=False, index=True),
)

notices = Table(
    "notices",  # mails to one person not sent yet; one a subscription and address: a later step's takes its place
    metadata,
    Column("subscription_id", Key, ForeignKey("subscriptions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("address", Text, primary_key=True, server_default=text("''")),  # "": the reader's own
    Column("kind", Text, nullable=False),
    Column("request", String(22), nullable=False, server_default=text("''")),  # of a confirmation: what it confirms
    Column("owed_at", Instant, nullable=False),
    Column("next_attempt_at", Instant, nullable=False, index=True),
    Column("attempts", Integer, nullable=False),
    Column("lease_until", Instant),  # by the database's clock; null: nobody is sending it
)

# ---- the outbox ------------------------------------------------------------------------------------------------------------

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Key, primary_key=True),
    Column("edition_id", Key, ForeignKey("editions.id"), nullable=False),
    Column("subscription_id", Key, ForeignKey("subscriptions.id", ondelete="CASCADE"), nullable=False),
    Column("state", Text, nullable=False),
    Column("day", Date),  # the reader's, of a scheduled mail; null: a welcome, a correction, one sent by hand
    Column("away", Boolean, nullable=False, server_default=false()),  # the first after a pause
    Column("due_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("next_attempt_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),  # those that counted
    Column("attempted_at", Instant),  # of the last attempt recorded: replaying it changes nothing
    Column("lease_owner", Text),
    Column("lease_until", Instant),
    Column("picks", document()),
    Column("reasons", document()),  # of each pick what is this reader's own; null: nothing is
    Column("reason", Text, nullable=False, server_default=text("''")),
    Column("accepted_at", Instant),
    Column("relay", Text),
    Column("reply_code", SmallInteger),
    Column("reply_enhanced", Text),
    Column("reply_text", Text),
    Column("urgent", Boolean, nullable=False, server_default=false()),  # for one reader who waits: claimed before everybody's
    UniqueConstraint("edition_id", "subscription_id"),
    Index("uq_deliveries_day", "subscription_id", "day", unique=True),  # an index: SQLite adds no constraint to a table
    Index("ix_deliveries_history", "subscription_id", "expires_at"),
    # only what is still to be done: finished rows leave these indexes, so a claim never walks over them
    Index(
        "ix_deliveries_queued",
        "next_attempt_at",
        "id",
        sqlite_where=text("state = 'queued'"),
        postgresql_where=text("state = 'queued'"),
    ),
    Index(
        "ix_deliveries_claimed",
        "lease_owner",
        "lease_until",
        sqlite_where=text("state = 'claimed'"),
        postgresql_where=text("state = 'claimed'"),
    ),
    Index(
        "ix_deliveries_urgent",
        "next_attempt_at",
        "id",
        sqlite_where=text("state = 'queued' AND urgent"),
        postgresql_where=text("state = 'queued' AND urgent"),
    ),
    sqlite_autoincrement=True,
)

attempts = Table(
    "attempts",
    metadata,
    Column("delivery_id", Key, ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("at", Instant, primary_key=True),
    Column("relay", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("code", SmallInteger),
    Column("enhanced", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    sqlite_with_rowid=False,
)

returns = Table(
    "returns",
    metadata,
    Column("delivery_id", Key, ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),  # "hard", "soft", "sender" or "complaint"
    Column("at", Instant, nullable=False),
    Column("detail", Text, nullable=False),
    Column("tripped", Boolean, nullable=False),  # has paused its list once: does not do so again
    sqlite_with_rowid=False,
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("address_hash", String(64), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("detail", Text, nullable=False),
    Column("folded", Boolean, nullable=False, server_default=false()),  # of a key that others may share: Address.folded_key
    sqlite_with_rowid=False,
)

rate_limits = Table(
    "allowances",
    metadata,
    Column("key_hash", String(64), primary_key=True),
    Column("window_start", Instant, primary_key=True),
    Column("used", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# ---- what sources must remember --------------------------------------------------------------------------------------------

source_states = Table(
    "source_states",
    metadata,
    Column("source", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", document(), nullable=False),
    Column("updated_at", Instant, nullable=False),
)

# ---- what runs once, and what the operator was told ------------------------------------------------------------------------

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("until", Instant, nullable=False),
    sqlite_with_rowid=False,
)

alarms = Table(
    "alarms",
    metadata,
    Column("cause", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("said", Text, nullable=False),
    sqlite_with_rowid=False,
)

__all__ = [
    "REVISION",
    "Key",
    "address_changes",
    "alarms",
    "attempts",
    "card_translations",
    "deliveries",
    "edition_pool",
    "edition_translations",
    "editions",
    "featured",
    "identifiers",
    "leases",
    "lists",
    "metadata",
    "notices",
    "papers",
    "rate_limits",
    "requests",
    "returns",
    "sightings",
    "signals",
    "source_states",
    "subscribers",
    "subscriptions",
    "suppressions",
]
