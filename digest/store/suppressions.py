"""Addresses we no longer mail, as keyed hashes: enough to refuse, not enough to know whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from digest.domain.feedback import Suppression, SuppressionReason
from digest.domain.redaction import without_addresses
from digest.domain.subscriber import Address
from digest.store.schema import suppressions
from digest.store.statements import insert_new


class Suppressions:
    def __init__(self, connection: Connection, hash_address: Callable[[str], str]) -> None:
        self._connection = connection
        self._hash_address = hash_address

    def add(self, address: Address, reason: SuppressionReason, at: datetime, detail: str = "") -> None:
        """From the commit on no claim takes a delivery to this address. The first reason stays."""
        self.add_hashed(self._hash_address(address.key), reason, at, detail)

    def add_hashed(self, hashed: str, reason: SuppressionReason, at: datetime, detail: str = "") -> None:
        """`add` for an address that we have never kept."""
        row = {"address_hash": hashed, "reason": reason.value, "at": at, "detail": without_addresses(detail)}
        insert_new(self._connection, suppressions, [row])

    def bare(self, address: Address) -> None:
        """Drops the detail: what a server said may name the person."""
        where = suppressions.c.address_hash == self._hash_address(address.key)
        self._connection.execute(update(suppressions).where(where).values(detail=""))

    def find(self, address: Address) -> Suppression | None:
        where = suppressions.c.address_hash == self._hash_address(address.key)
        row = self._connection.execute(select(suppressions).where(where)).first()
        return Suppression(row.address_hash, SuppressionReason(row.reason), row.at, row.detail) if row else None

    def remove(self, address: Address) -> bool:
        """False when it was not suppressed."""
        where = suppressions.c.address_hash == self._hash_address(address.key)
        return self._connection.execute(delete(suppressions).where(where)).rowcount > 0
