"""Units of work: one short transaction each, with a repository per aggregate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from digest.domain.errors import DatabaseUnreachable, DigestError, SchemaMismatch, StoreError
from digest.store.deliveries.deliveries import Deliveries
from digest.store.deliveries.delivery_stats import DeliveryStats
from digest.store.deliveries.jobs import Jobs
from digest.store.deliveries.sent_papers import SentPapers
from digest.store.departures import DepartureLog, Departures
from digest.store.editions.edition_operations import EditionOperations
from digest.store.editions.editions import Editions
from digest.store.editions.lists import Lists
from digest.store.editions.translations import Translations
from digest.store.engine import WRITES, one_line, place_of
from digest.store.feedback.alarms import Alarms
from digest.store.feedback.feedback_events import FeedbackEvents
from digest.store.feedback.refusals import Refusals
from digest.store.leases import Leases
from digest.store.libraries import Libraries
from digest.store.library_accounts import LibraryAccounts
from digest.store.papers.papers import Papers
from digest.store.rate_limits import RateLimits
from digest.store.retention import Retention
from digest.store.sources import Sources
from digest.store.subscribers.address_changes import AddressChanges
from digest.store.subscribers.pending_notices import Notices
from digest.store.subscribers.saved_papers import SavedPapers
from digest.store.subscribers.subscriber_stats import SubscriberStats
from digest.store.subscribers.subscribers import Subscribers
from digest.store.subscribers.suppressions import Suppressions
from digest.store.vectors import Vectors

HashAddress = Callable[[str], str]
"""From an address's key (domain/subscriber.py) to its keyed hash, at most 64 characters."""

STOPPED_AFTER = 60
"""Seconds after which PostgreSQL ends a transaction that writes and asks nothing more: its process sleeps, or its machine, and
others wait for the rows. Who waits for a writer on SQLite gives up by itself."""
_MISSING_TABLES = ("no such table", "no such column", "does not exist")


class UnitOfWork:
    """What one transaction can do. Everything that comes out is a value; nothing of it is live after the transaction."""

    __slots__ = (
        "address_changes",
        "alarms",
        "connection",
        "deliveries",
        "delivery_stats",
        "departures",
        "edition_operations",
        "editions",
        "feedback_events",
        "jobs",
        "leases",
        "libraries",
        "library_accounts",
        "lists",
        "notices",
        "papers",
        "rate_limits",
        "refusals",
        "retention",
        "saved_papers",
        "sent_papers",
        "sources",
        "subscriber_stats",
        "subscribers",
        "suppressions",
        "translations",
        "vectors",
    )

    def __init__(self, connection: Connection, hash_address: HashAddress) -> None:
        self.connection = connection
        self.departures = Departures()
        self.papers = Papers(connection)
        self.lists = Lists(connection, self.departures)
        self.editions = Editions(connection)
        self.translations = Translations(connection)
        self.libraries = Libraries(connection)
        self.library_accounts = LibraryAccounts(connection)
        self.subscribers = Subscribers(connection, hash_address, self.departures)
        self.notices = Notices(connection, hash_address)
        self.address_changes = AddressChanges(connection, hash_address, self.departures)
        self.deliveries = Deliveries(connection)
        self.sent_papers = SentPapers(connection)
        self.saved_papers = SavedPapers(connection)
        self.feedback_events = FeedbackEvents(connection)
        self.refusals = Refusals(connection)
        self.retention = Retention(connection)
        self.suppressions = Suppressions(connection, hash_address, self.departures)
        self.rate_limits = RateLimits(connection, hash_address)
        self.sources = Sources(connection)
        self.vectors = Vectors(connection)
        self.subscriber_stats = SubscriberStats(connection)
        self.edition_operations = EditionOperations(connection)
        self.leases = Leases(connection)
        self.alarms = Alarms(connection)
        self.delivery_stats = DeliveryStats(connection)
        self.jobs = Jobs(connection)


class Store:
    """Gives units. Safe to share between threads; a unit is not."""

    def __init__(self, engine: Engine, hash_address: HashAddress, departures: DepartureLog | None = None) -> None:
        self.engine = engine
        self._departures = departures
        self._hash_address = hash_address

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """A unit that writes: commits at the end, rolls back on any exception. SQLite has one writer at a time.

        Raises DatabaseUnreachable, SchemaMismatch or StoreError, each one line, where the database does not do its part.
        """
        with self._transaction({WRITES: True}) as unit:
            yield unit
            if self._departures:
                self._departures.write(unit.departures)

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """A unit that sees one consistent instant of the store. Raises as `begin` does."""
        options: dict[str, object] = {}
        if self.engine.dialect.name == "postgresql":
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._transaction(options) as unit:
            yield unit

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _transaction(self, options: dict[str, object]) -> Iterator[UnitOfWork]:
        try:
            with self.engine.connect().execution_options(**options) as connection, connection.begin():
                if WRITES in options and connection.dialect.name == "postgresql":
                    connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = '{STOPPED_AFTER}s'")
                yield UnitOfWork(connection, self._hash_address)
        except DBAPIError as error:
            raise _explained(error, place_of(self.engine.url)) from error
        except StatementError as error:
            if isinstance(error.orig, DigestError):  # a value that a column type refused
                raise error.orig from None
            raise


def _explained(error: DBAPIError, place: str) -> StoreError:
    text = one_line(error)
    if any(words in text for words in _MISSING_TABLES):
        return SchemaMismatch(f"database {place}: {text}; run `digest migrate`")
    if isinstance(error, IntegrityError):
        return StoreError(f"database {place}: {text}")
    return DatabaseUnreachable(f"database {place}: {text}")
