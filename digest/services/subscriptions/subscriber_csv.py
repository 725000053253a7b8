"""Subscribers by CSV, in and out. Bad lines are reported with their number and reason, good ones kept."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, time
from functools import lru_cache
from itertools import islice
from pathlib import Path

from digest.domain.errors import InvalidAddress, InvalidInput
from digest.domain.feedback import SuppressionReason
from digest.domain.interest import understand
from digest.domain.schedule import format_weekdays, parse_frequency, parse_weekdays, read_zone
from digest.domain.subscriber import Address, Consent, Interests, NewReader, Preferences, Subscription
from digest.services.subscriptions.csv_layout import (
    FLAGS,
    OTHER_STATUS,
    STATUS,
    Layout,
    beside_an_address,
    read_layout,
    status_value,
)
from digest.services.subscriptions.subscribe import RECORDED, WORDING
from digest.sources.encoding import decoded
from digest.store.unit_of_work import Store
from digest.translation import preferred

CHUNK = 5000
NOTHING = Interests()
ReadPreferences = Callable[[str, str, str, str, str], Preferences]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes a cell that begins so for."""
_NAMED = re.compile(r"[^<>]*<\s*(?:mailto:)?([^<>\s]+)\s*>\s*", re.IGNORECASE)
_INVISIBLE = re.compile("[\u00a0\u200b-\u200f\u2060\ufeff]+")
_ANY_ADDRESS = re.compile(r"[^\s<>,;|\"()\[\]]+@[^\s<>,;|\"()\[\]]+")


@dataclass(frozen=True, slots=True)
class SubscriberRow:
    line: int
    reader: NewReader


@dataclass(frozen=True, slots=True)
class RejectedRow:
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class SuppressedRow:
    """Somebody whom the product that the file is from does not mail any more."""

    line: int
    address: Address
    reason: SuppressionReason


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """Somebody who is left out, and who is not kept."""

    line: int
    reason: str


Row = SubscriberRow | RejectedRow | SuppressedRow | SkippedRow


def rows_of(
    layout: Layout, read_address: Callable[[str], Address], lists: tuple[str, ...], defaults: Preferences
) -> Iterator[Row]:
    """Each row of a CSV file, or of a list of addresses. Where nothing says which list, it is the first of `lists`."""
    if layout.fields is None:
        return _bare_rows(layout, read_address, lists[0], defaults)
    return _table_rows(layout, layout.fields, read_address, lists, _interests(defaults))


def _bare_rows(layout: Layout, read_address: Callable[[str], Address], name: str, defaults: Preferences) -> Iterator[Row]:
    """Lines that hold addresses, with or without names beside them; # begins a comment."""
    for number, line in enumerate(layout.lines, start=layout.before + 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        found = _ANY_ADDRESS.findall(text[:_LONGEST_LINE])
        if not found:
            yield RejectedRow(number, f"{text[:40]!r} holds no address")
        stop = beside_an_address(text[:_LONGEST_LINE].split(layout.delimiter))
        for each in found:
            try:
                address = read_address(_undefused(each))
                if isinstance(stop, SuppressionReason):
                    yield SuppressedRow(number, address, stop)
                else:
                    yield SkippedRow(number, stop) if stop else SubscriberRow(number, NewReader(address, name, defaults))
            except InvalidAddress as error:
                yield RejectedRow(number, str(error))


def _table_rows(
    layout: Layout,
    fields: tuple[str, ...],
    read_address: Callable[[str], Address],
    lists: tuple[str, ...],
    interests: ReadPreferences,
) -> Iterator[Row]:
    reader = csv.reader(layout.lines, delimiter=layout.delimiter, strict=True)
    while True:
        before = reader.line_num
        try:
            values = next(reader)
            if any("\n" in value and "@" in value for value in values):
                raise csv.Error("a quoted cell holds whole rows")
            if any(value.strip() for value in values):
                yield _row(layout.before + reader.line_num, fields, values, read_address, lists, interests)
        except StopIteration:
            return
        except csv.Error as error:
            last = layout.before + reader.line_num
            until = f", nor what follows until line {last}" if reader.line_num > before + 1 else ""
            yield RejectedRow(layout.before + before + 1, f"is not CSV{until}; a quote may not be closed ({error})")
        except (ValueError, InvalidAddress) as error:
            yield RejectedRow(layout.before + reader.line_num, str(error))


def _row(
    line: int,
    fields: tuple[str, ...],
    values: list[str],
    read_address: Callable[[str], Address],
    lists: tuple[str, ...],
    topics: ReadPreferences,
) -> Row:
    while len(values) > len(fields) and not values[-1].strip():
        values.pop()
    if len(values) != len(fields):
        raise ValueError(f"has {len(values)} columns, should have {len(fields)}")
    row = {field: _undefused(value.strip(" \t")) for field, value in zip(fields, values, strict=True) if field}
    address = read_address(_bare(row["email"]))
    words = [
        status_value(field, value) for field, value in zip(fields, values, strict=True) if field in (STATUS, OTHER_STATUS, *FLAGS)
    ]
    if reasons := [each for each in words if isinstance(each, SuppressionReason)]:
        return SuppressedRow(line, address, min(reasons, key=_GRAVEST.index))
    if left_out := next((each for each in words if each is not None), ""):
        return SkippedRow(line, str(left_out))
    name = row.get("list") or lists[0]
    if name not in lists:
        raise ValueError(f"list {name[:40]!r} is not one of {', '.join(lists)}")
    preferences = topics(*(row.get(name, "") for name in ("timezone", "hour", "weekdays", "frequency", "language")))
    text = row.get("interests", "")
    interests = understand(text).interests if text else NOTHING
    return SubscriberRow(line, NewReader(address, name, preferences, interests))


_LONGEST_LINE = 10_000
_GRAVEST = (
    SuppressionReason.COMPLAINT,
    SuppressionReason.ASKED,
    SuppressionReason.BOUNCE,
    SuppressionReason.OPERATOR,
)


def _bare(text: str) -> str:
    """The address of "Name <address>", or the text itself, without what programs put around it; of several the first."""
    text = text[:_LONGEST_LINE].partition(" ::: ")[0]  # Google's, between one person's addresses
    found = _NAMED.fullmatch(text)
    bare = _INVISIBLE.sub("", found[1] if found else text).strip(" '\"").rstrip(".,; ")
    return bare[len("mailto:") :] if bare.lower().startswith("mailto:") else bare


def _undefused(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def defused(row: Iterable[str]) -> tuple[str, ...]:
    """A row that no spreadsheet takes for formulas; the import takes the quotes away again."""
    return tuple(f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row)


def _interests(defaults: Preferences) -> ReadPreferences:
    """(time zone, hour, weekdays, frequency, language) as written → preferences; a language that we have not is the list's.

    Raises ValueError. Rows share a few: each is read once.
    """

    @lru_cache(maxsize=20_000)
    def interests(zone: str, hour: str, weekdays: str, frequency: str, language: str) -> Preferences:
        preferences = defaults
        if zone:
            preferences = replace(preferences, timezone=read_zone(zone))
        if hour:
            preferences = replace(preferences, hour=_hour(hour))
        if weekdays:
            preferences = replace(preferences, weekdays=parse_weekdays(weekdays))
        if frequency:
            preferences = replace(preferences, frequency=parse_frequency(frequency))
        if language:
            preferences = replace(preferences, language=preferred(language.replace("_", "-")))
        return preferences

    return interests


def _hour(text: str) -> time:
    """As people and spreadsheets write it: 07:00, 7:00, 7, 7:00:00 or 7:00 AM."""
    for form in ("%H:%M", "%H", "%H:%M:00", "%I:%M %p", "%I:%M:00 %p"):
        with suppress(ValueError):
            return datetime.strptime(text, form).time()  # noqa: DTZ007 an hour of the day has no zone
    raise ValueError(f"hour {text[:20]!r} should be like 07:00")


def row_of(subscription: Subscription) -> tuple[str, ...]:
    """A subscription as a row under COLUMNS."""
    preferences, interests = subscription.preferences, subscription.interests
    topics = [
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
        preferences.language or "",
        "; ".join(topics),
    )


@dataclass(frozen=True, slots=True)
class SubscriberImport:
    added: int
    unchanged: int
    rejected: tuple[RejectedRow, ...]
    suppressed: int = 0
    skipped: tuple[SkippedRow, ...] = ()
    columns_ignored: tuple[str, ...] = ()


def import_subscriber_csv(
    file: Path,
    store: Store,
    read_address: Callable[[str], Address],
    lists: Sequence[str],
    defaults: Preferences,
    at: datetime,
    *,
    confirmed: bool,
    columns: Mapping[str, str] | None = None,
    one_list: bool = False,
) -> SubscriberImport:
    """Loads a file, in chunks. `confirmed` records consent given elsewhere; else a confirmation is queued for each new reader.

    Who unsubscribed, bounced or was blocked where the file is from is suppressed here. `columns`: by our name, the file's.
    `one_list`: all are for the first of `lists`, whatever the file says.
    Raises InvalidInput when the file cannot be read or no column holds addresses.
    """
    rejected: list[RejectedRow] = []
    skipped: list[SkippedRow] = []
    added = unchanged = suppressed = 0
    consent = Consent(at, "csv import", WORDING, RECORDED)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InvalidInput(str(file), f"cannot be read ({error.strerror})") from None
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InvalidInput(str(file), "is a workbook, not CSV: open it in the spreadsheet program, and save it as CSV UTF-8")
    text = decoded(data)
    layout = read_layout(io.StringIO(text, newline=""), columns)
    if one_list and layout.fields is not None:
        layout = replace(layout, fields=tuple("" if field == "list" else field for field in layout.fields))
    rows = rows_of(layout, read_address, tuple(lists), defaults)
    while chunk := list(islice(rows, CHUNK)):
        rejected += [row for row in chunk if isinstance(row, RejectedRow)]
        skipped += [row for row in chunk if isinstance(row, SkippedRow)]
        good = [row.reader for row in chunk if isinstance(row, SubscriberRow)]
        gone = [row for row in chunk if isinstance(row, SuppressedRow)]
        with store.begin() as unit:
            for row in gone:
                unit.suppressions.add(row.address, row.reason, at, "imported")
            readers = unit.subscribers
            counts = readers.add_confirmed(good, consent, at) if confirmed else readers.ask(good, at)
        added, unchanged, suppressed = added + counts.added, unchanged + counts.unchanged, suppressed + len(gone)
    return SubscriberImport(added, unchanged, tuple(rejected), suppressed, tuple(skipped), layout.ignored)
