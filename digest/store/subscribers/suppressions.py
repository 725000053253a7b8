"""Addresses we no longer mail, as keyed hashes: enough to refuse, not enough to know whom.

The hashes made before migration 0011 are of a coarser key (`Address.folded_key`): one that "a@fass.de" is stopped by may have
been meant for "a@faß.de". Such a row holds mail back from both, and the pages say so to both. Once "a@faß.de"
lifts it by their own word it is folded no more, and stays for "a@fass.de", whose hash it is. Which of the two it was meant for
is not known: lifted by "a@fass.de" it is gone for both, as it was before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select, update

from digest.domain.feedback import Suppression, SuppressionReason
from digest.domain.redaction import without_addresses
from digest.domain.subscriber import Address
from digest.store.departures import Departures
from digest.store.dialect import chunks, insert_new
from digest.store.schema import suppressions


class Suppressions:
    def __init__(self, connection: Connection, hash_address: Callable[[str], str], departures: Departures) -> None:
        self._connection = connection
        self._hash_address = hash_address
        self._departures = departures

    def add(self, address: Address, reason: SuppressionReason, at: datetime, detail: str = "") -> None:
        """From the commit on no claim takes a delivery to this address. The first reason stays."""
        self.add_hashed(self._hash_address(address.key), reason, at, detail)

    def add_hashed(self, hashed: str, reason: SuppressionReason, at: datetime, detail: str = "") -> None:
        """`add` for an address that we have never kept."""
        row = {"address_hash": hashed, "reason": reason.value, "at": at, "detail": without_addresses(detail)}
        insert_new(self._connection, suppressions, [row])
        self._departures.suppressed(hashed, reason, at)

    def redact(self, address: Address) -> None:
        """Drops the detail: what a server said may name the person."""
        self._connection.execute(update(suppressions).where(self._stops(address)).values(detail=""))

    def find(self, address: Address) -> Suppression | None:
        found = select(suppressions).where(self._stops(address))
        row = self._connection.execute(found.order_by(suppressions.c.folded, suppressions.c.at)).first()
        return Suppression(row.address_hash, SuppressionReason(row.reason), row.at, row.detail) if row else None

    def all(self) -> Iterator[Suppression]:
        for row in self._connection.execute(select(suppressions).order_by(suppressions.c.at, suppressions.c.address_hash)):
            yield Suppression(row.address_hash, SuppressionReason(row.reason), row.at, row.detail)

    def lift(
        self,
        addresses: Collection[Address] | None,
        reason: SuppressionReason | None,
        since: datetime | None,
        until: datetime | None,
        at: datetime,
    ) -> dict[str, str]:
        """Removes those that fit all that is given (addresses None: whosever), never those of erased people.

        Each one's reason, by hash.
        """
        c = suppressions.c
        where = [c.reason != SuppressionReason.ERASED.value]
        where += [] if reason is None else [c.reason == reason.value]
        where += [] if since is None else [c.at >= since]
        where += [] if until is None else [c.at < until]
        hashes = None if addresses is None else {self._hash_address(each.key) for each in addresses}
        lifted: dict[str, str] = {}
        for these in [[]] if hashes is None else [[c.address_hash.in_(some)] for some in chunks(hashes)]:
            gone = delete(suppressions).where(*where, *these).returning(c.address_hash, c.reason)
            lifted.update((row.address_hash, row.reason) for row in self._connection.execute(gone))
        self._departures.lifted(lifted, at)
        for some in chunks({self._hash_address(each.folded_key) for each in addresses or ()}):
            shared = update(suppressions).where(*where, c.folded, c.address_hash.in_(some)).values(folded=False)
            found = self._connection.execute(shared.returning(c.address_hash, c.reason))
            lifted.update((row.address_hash, row.reason) for row in found)
        return lifted

    def remove(self, address: Address) -> bool:
        """False when it was not suppressed."""
        hashed = self._hash_address(address.key)
        gone = self._connection.execute(delete(suppressions).where(suppressions.c.address_hash == hashed)).rowcount
        if gone:
            self._departures.lifted([hashed], None)
        shared = update(suppressions).where(self._stops(address)).values(folded=False)
        return gone + self._connection.execute(shared).rowcount > 0

    def _stops(self, address: Address) -> ColumnElement[bool]:
        return stops([self._hash_address(address.key)], [self._hash_address(address.folded_key)])


def stops(hashes: Collection[str], folded: Collection[str]) -> ColumnElement[bool]:
    """The suppressions of addresses with these hashes, of their keys and of their folded keys."""
    hashed = suppressions.c.address_hash
    return or_(hashed.in_(hashes), and_(hashed.in_(folded), suppressions.c.folded))
