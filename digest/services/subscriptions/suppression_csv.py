"""Suppressions by CSV, in and out: who must not be mailed, from another product, or between two installations with one key.

We keep keyed hashes, no addresses. So our own export has hashes, with the fingerprint of the key that made them; what others
export has addresses.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from digest.domain.errors import InvalidInput
from digest.domain.feedback import SuppressionReason
from digest.domain.instant import isoformat, parse_instant
from digest.domain.subscriber import Address, Preferences
from digest.services.subscriptions.csv_layout import read_layout
from digest.services.subscriptions.subscriber_csv import RejectedRow, SubscriberRow, rows_of
from digest.sources.encoding import decoded
from digest.store.unit_of_work import Store

EXPORTED = ("address_hash", "key", "reason", "since")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class SuppressionReport:
    suppressed: int
    rejected: tuple[RejectedRow, ...]


def export_suppressions(store: Store, fingerprint: str) -> Iterator[tuple[str, ...]]:
    """Rows under `EXPORTED`."""
    with store.read() as unit:
        for each in unit.suppressions.all():
            yield each.address_hash, fingerprint, str(each.reason), isoformat(each.at)


def import_suppressions(
    file: Path,
    store: Store,
    read_address: Callable[[str], Address],
    reason: SuppressionReason,
    fingerprint: str,
    at: datetime,
) -> SuppressionReport:
    """Everybody in the file is suppressed, for `reason` (our own export says its own). Raises InvalidInput."""
    try:
        text = decoded(file.read_bytes())
    except OSError as error:
        raise InvalidInput(str(file), f"cannot be read ({error.strerror})") from None
    rejected: list[RejectedRow] = []
    count = 0
    with store.begin() as unit:
        if text.startswith(",".join(EXPORTED)):
            for hashed, why, since in _hashes(text, fingerprint, rejected):
                unit.suppressions.add_hashed(hashed, why, since, "imported")
                count += 1
        else:
            for address in _addresses(text, read_address, rejected):
                unit.suppressions.add(address, reason, at, "imported")
                count += 1
    return SuppressionReport(count, tuple(rejected))


def _addresses(text: str, read_address: Callable[[str], Address], rejected: list[RejectedRow]) -> Iterator[Address]:
    """Everybody in a file of any layout, whatever else it says of them."""
    layout = read_layout(io.StringIO(text, newline=""))
    if layout.fields is None:
        layout = replace(layout, delimiter="\0")  # no word beside an address is looked at
    else:
        layout = replace(layout, fields=tuple(field if field == "email" else "" for field in layout.fields))
    for row in rows_of(layout, read_address, ("",), Preferences()):
        if isinstance(row, RejectedRow):
            rejected.append(row)
        elif isinstance(row, SubscriberRow):
            yield row.reader.address


def _hashes(text: str, fingerprint: str, rejected: list[RejectedRow]) -> Iterator[tuple[str, SuppressionReason, datetime]]:
    """What `export_suppressions` wrote. With another key its hashes would stop nobody."""
    reader = csv.DictReader(io.StringIO(text, newline=""))
    for row in reader:
        try:
            if row["key"] != fingerprint:
                raise InvalidInput("key", f"{row['key']!r} is another than ours ({fingerprint}): its hashes fit no address here")
            if not _HASH.fullmatch(row["address_hash"] or ""):
                raise InvalidInput("address_hash", "should be 64 hexadecimal digits")
            yield row["address_hash"], SuppressionReason(row["reason"]), parse_instant(row["since"])
        except (ValueError, InvalidInput) as error:
            rejected.append(RejectedRow(reader.line_num, str(error)))
