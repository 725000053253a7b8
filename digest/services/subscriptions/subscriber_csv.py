"""roster: subscribers by CSV, in and out. Bad lines are reported with their number and reason, good ones kept."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, time
from functools import lru_cache
from itertools import islice
from pathlib import Path

from digest.domain.errors import InvalidAddress, InvalidInput
from digest.domain.interest import understand
from digest.domain.schedule import format_weekdays, parse_frequency, parse_weekdays, read_zone
from digest.domain.subscriber import Address, Consent, Interests, NewReader, Preferences, Subscription
from digest.services.subscriptions.subscribe import RECORDED, WORDING
from digest.store.unit_of_work import Store

COLUMNS = ("email", "list", "timezone", "hour", "weekdays", "frequency", "interests")
CHUNK = 5000
NOTHING = Interests()
Wishes = Callable[[str, str, str, str], Preferences]


@dataclass(frozen=True, slots=True)
class RosterRow:
    line: int
    reader: NewReader


@dataclass(frozen=True, slots=True)
class RejectedRow:
    line: int
    reason: str


def read_roster(
    lines: Iterable[str], read_address: Callable[[str], Address], lists: Iterable[str], defaults: Preferences
) -> Iterator[RosterRow | RejectedRow]:
    """Each row of a CSV file with a header line, read or rejected. Raises InvalidInput when the header lacks "email"."""
    names, wishes = tuple(lists), _wishes(defaults)
    reader = csv.reader(lines, strict=True)
    header = [column.strip().lower().removeprefix("\ufeff") for column in next(reader, [])]
    header = ["frequency" if column == "cadence" else column for column in header]  # as it was called once
    if "email" not in header or (unknown := set(header) - set(COLUMNS)):
        odd = "" if "email" not in header else f" ({', '.join(sorted(unknown))} unknown)"
        raise InvalidInput("line 1", f"should name the columns {','.join(COLUMNS)}, of which only email is required{odd}")
    if len(set(header)) < len(header):
        raise InvalidInput("line 1", "names a column twice")
    while True:
        before = reader.line_num
        try:
            values = next(reader)
            if any("\n" in value and "@" in value for value in values):
                raise csv.Error("a quoted cell holds whole rows")
            if any(value.strip() for value in values):
                yield _row(reader.line_num, header, values, read_address, names, wishes)
        except StopIteration:
            return
        except csv.Error as error:
            until = f", nor what follows until line {reader.line_num}" if reader.line_num > before + 1 else ""
            yield RejectedRow(before + 1, f"is not CSV{until}; a quote may not be closed ({error})")
        except (ValueError, InvalidAddress) as error:
            yield RejectedRow(reader.line_num, str(error))


def _row(
    line: int,
    header: list[str],
    values: list[str],
    read_address: Callable[[str], Address],
    lists: tuple[str, ...],
    wishes: Wishes,
) -> RosterRow:
    if len(values) != len(header):
        raise ValueError(f"has {len(values)} columns, should have {len(header)}")
    row = {name: value.strip(" \t") for name, value in zip(header, values, strict=True)}
    name = row.get("list") or lists[0]
    if name not in lists:
        raise ValueError(f"list {name[:40]!r} is not one of {', '.join(lists)}")
    preferences = wishes(row.get("timezone", ""), row.get("hour", ""), row.get("weekdays", ""), row.get("frequency", ""))
    said = row.get("interests", "")
    interests = understand(said).interests if said else NOTHING
    return RosterRow(line, NewReader(read_address(row["email"]), name, preferences, interests))


def _wishes(defaults: Preferences) -> Wishes:
    """(time zone, hour, weekdays, frequency) as written → preferences. Raises ValueError. Rows share a few: each is read once."""

    @lru_cache(maxsize=20_000)
    def wishes(zone: str, hour: str, weekdays: str, frequency: str) -> Preferences:
        preferences = defaults
        if zone:
            preferences = replace(preferences, timezone=read_zone(zone))
        if hour:
            preferences = replace(preferences, hour=_hour(hour))
        if weekdays:
            preferences = replace(preferences, weekdays=parse_weekdays(weekdays))
        if frequency:
            preferences = replace(preferences, frequency=parse_frequency(frequency))
        return preferences

    return wishes


def _hour(text: str) -> time:
    """As people and spreadsheets write it: 07:00, 7:00, 7, 7:00:00 or 7:00 AM."""
    for form in ("%H:%M", "%H", "%H:%M:00", "%I:%M %p", "%I:%M:00 %p"):
        with suppress(ValueError):
            return datetime.strptime(text, form).time()  # noqa: DTZ007 an hour of the day has no zone
    raise ValueError(f"hour {text[:20]!r} should be like 07:00")


def row_of(subscription: Subscription) -> tuple[str, ...]:
    """A subscription as a row under COLUMNS."""
    preferences, interests = subscription.preferences, subscription.interests
    wishes = [
        *interests.words,
        *interests.categories,
        *(f"author: {name}" for name in interests.authors),
        *(f"-{word}" for word in interests.muted_words),
        *(f"-author: {name}" for name in interests.muted_authors),
        *interests.liked,
    ]
    return (
        str(subscription.address),
        subscription.list,
        preferences.timezone,
        f"{preferences.hour:%H:%M}",
        format_weekdays(preferences.weekdays).replace(",", ";"),
        str(preferences.frequency),
        "; ".join(wishes),
    )


@dataclass(frozen=True, slots=True)
class RosterReport:
    added: int
    unchanged: int
    rejected: tuple[RejectedRow, ...]


def import_roster(
    file: Path,
    store: Store,
    read_address: Callable[[str], Address],
    lists: Sequence[str],
    defaults: Preferences,
    at: datetime,
    *,
    confirmed: bool,
) -> RosterReport:
    """Loads a CSV file, in chunks. `confirmed` records consent given elsewhere; else each new reader is owed a confirmation.

    Raises InvalidInput when the file cannot be read or has no email column.
    """
    rejected: list[RejectedRow] = []
    added = unchanged = 0
    consent = Consent(at, "csv import", WORDING, RECORDED)
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = read_roster(lines, read_address, lists, defaults)
            while chunk := list(islice(rows, CHUNK)):
                rejected += [row for row in chunk if isinstance(row, RejectedRow)]
                good = [row.reader for row in chunk if isinstance(row, RosterRow)]
                with store.begin() as unit:
                    readers = unit.subscribers
                    counts = readers.add_confirmed(good, consent, at) if confirmed else readers.ask(good, at)
                added, unchanged = added + counts.added, unchanged + counts.unchanged
    except UnicodeDecodeError as error:
        raise InvalidInput(str(file), f"is not UTF-8 (byte {error.start})") from None
    except OSError as error:
        raise InvalidInput(str(file), f"cannot be read ({error.strerror})") from None
    return RosterReport(added, unchanged, tuple(rejected))
