"""Links name a subscription by a random id and a confirmation by its request; what is kept of strangers' words has no address.

International addresses are told apart as IDNA 2008 does: their keys and hashes are made anew, and a suppression of one that is
known goes along. Those of people who are not known any more stay as they are, marked as of the coarser key.
"""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_urlsafe
from typing import Any

import sqlalchemy as sa
from alembic import op

from digest.domain.errors import ConfigurationError
from digest.domain.redaction import without_addresses
from digest.domain.subscriber import Address

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NUMBERED_FOR = 60
"""Days that the links mailed before go on to unsubscribe the rows that there are now."""
_WISHES = "timezone, hour, weekdays, picks, style, paused_until, interests, personal"


def upgrade() -> None:
    connection = op.get_bind()
    random = "translate(rtrim(encode(uuid_send(gen_random_uuid()), 'base64'), '='), '+/', '-_')"
    until = f"now() + interval '{_NUMBERED_FOR} days'"
    if connection.dialect.name == "sqlite":
        random, until = "public_id()", f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '+{_NUMBERED_FOR} days')"
        driver: Any = connection.connection.dbapi_connection
        driver.create_function("public_id", 0, lambda: token_urlsafe(16))
    public_id = sa.Column("public_id", sa.String(length=22), server_default=sa.text("''"), nullable=False)
    op.add_column("subscriptions", public_id)
    op.add_column("subscriptions", sa.Column("numbered_until", sa.DateTime(timezone=True), nullable=True))
    connection.execute(sa.text(f"UPDATE subscriptions SET public_id = {random}, numbered_until = {until}"))  # noqa: S608 - constants
    op.create_index(op.f("ix_subscriptions_public_id"), "subscriptions", ["public_id"], unique=True)
    _requests()
    op.add_column("notices", sa.Column("request", sa.String(length=22), server_default=sa.text("''"), nullable=False))
    # who was a reader before and asked again is as ended as they were; what is owed a confirmation is owed that of a request
    op.execute("UPDATE subscriptions SET state = 'ended' WHERE state = 'pending' AND ended_at IS NOT NULL")
    op.execute(
        f"INSERT INTO requests (public_id, subscription_id, requested_at, {_WISHES})"  # noqa: S608 - constants
        f" SELECT {random}, id, requested_at, {_WISHES} FROM subscriptions"
        " WHERE id IN (SELECT subscription_id FROM notices WHERE kind = 'confirm')"
    )
    op.execute(
        "UPDATE notices SET request = (SELECT public_id FROM requests WHERE requests.subscription_id = notices.subscription_id)"
        " WHERE kind = 'confirm'"
    )
    op.execute(
        "UPDATE suppressions SET reason = 'asked for no more mail', detail = ''"
        " WHERE reason = 'operator' AND detail = 'asked for no more mail'"
    )
    _clean(connection, "alarms", "said", "cause", "day")
    _clean(connection, "suppressions", "detail", "address_hash")
    op.add_column("suppressions", sa.Column("folded", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("UPDATE suppressions SET folded = (1 = 1)")
    _rekey(connection, lambda address: address.key)


def downgrade() -> None:
    _rekey(op.get_bind(), lambda address: address.folded_key)
    op.drop_column("suppressions", "folded")
    op.execute("UPDATE suppressions SET reason = 'operator', detail = reason WHERE reason = 'asked for no more mail'")
    op.execute("DELETE FROM notices WHERE kind = 'link'")
    op.drop_column("notices", "request")
    op.drop_index("ix_requests_requested_at", table_name="requests")
    op.drop_index("ix_requests_subscription_id", table_name="requests")
    op.drop_table("requests")
    op.drop_index(op.f("ix_subscriptions_public_id"), table_name="subscriptions")
    op.drop_column("subscriptions", "numbered_until")
    op.drop_column("subscriptions", "public_id")


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("subscription_id", _KEY, nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("hour", sa.Time(), nullable=False),
        sa.Column("weekdays", sa.SmallInteger(), nullable=False),
        sa.Column("picks", sa.Integer(), nullable=True),
        sa.Column("style", sa.Text(), nullable=True),
        sa.Column("paused_until", sa.Date(), nullable=True),
        sa.Column("interests", sa.JSON(), nullable=True),
        sa.Column("personal", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_requests_subscription_id_subscriptions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("public_id", name=op.f("pk_requests")),
    )
    op.create_index("ix_requests_subscription_id", "requests", ["subscription_id"], unique=False)
    op.create_index("ix_requests_requested_at", "requests", ["requested_at"], unique=False)


def _rekey(connection: sa.Connection, key_of: Callable[[Address], str]) -> None:
    """Whoever's new key another row has already keeps the old one."""
    people = sa.table("subscribers", *map(sa.column, ("id", "address", "address_key", "address_hash")))
    suppressions = sa.table("suppressions", *map(sa.column, ("address_hash", "reason", "at", "detail")))
    hash_address = op.get_context().config.attributes.get("hash_address")  # type: ignore[union-attr]
    octets = "octet_length(address)" if connection.dialect.name == "postgresql" else "length(CAST(address AS BLOB))"
    for row in connection.execute(sa.select(people).where(sa.text(f"{octets} <> length(address)")).order_by(people.c.id)).all():
        key = key_of(Address(row.address))
        if key == row.address_key or connection.scalar(sa.select(people.c.id).where(people.c.address_key == key)):
            continue
        if hash_address is None:
            raise ConfigurationError("secrets.key", "is needed to bring a database with international addresses to this revision")
        hashed = hash_address(key)
        connection.execute(sa.update(people).where(people.c.id == row.id).values(address_key=key, address_hash=hashed))
        stopped = connection.execute(sa.select(suppressions).where(suppressions.c.address_hash == row.address_hash)).first()
        if stopped and not connection.scalar(sa.select(suppressions.c.reason).where(suppressions.c.address_hash == hashed)):
            connection.execute(sa.insert(suppressions).values({**stopped._mapping, "address_hash": hashed}))


def _clean(connection: sa.Connection, name: str, text: str, *key: str) -> None:
    """Takes the mail addresses out of a column."""
    table = sa.table(name, *(sa.column(each) for each in (*key, text)))
    held = connection.execute(sa.select(table).where(table.c[text].like("%@%"))).all()
    for row in held:
        this = [table.c[each] == row._mapping[each] for each in key]
        connection.execute(sa.update(table).where(*this).values({text: without_addresses(row._mapping[text])}))
