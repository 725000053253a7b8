"""Readers by CSV: no row is lost without a word, and hours as spreadsheets write them."""

from __future__ import annotations

import time as time_module
from datetime import time

import pytest

from digest.domain.errors import InvalidInput
from digest.domain.subscriber import Address, Preferences
from digest.services.subscriptions.csv_layout import read_layout
from digest.services.subscriptions.subscriber_csv import RejectedRow, SubscriberRow, rows_of
from tests.tables import every_row


def read(text: str) -> tuple[list[str], list[int]]:
    """(the addresses that were read, the lines that were rejected)."""
    rows = list(rows_of(read_layout(iter(text.splitlines(keepends=True))), Address, ("daily",), Preferences()))
    good = [str(row.reader.address) for row in rows if isinstance(row, SubscriberRow)]
    return good, [row.line for row in rows if isinstance(row, RejectedRow)]


@pytest.mark.parametrize(
    ("rows", "good", "rejected"),
    [
        ('a@x.org,"open\nb@x.org,x\nc@x.org,y\n', [], [2]),
        ('z@x.org,\na@x.org,"open\nb@x.org,"x"\nc@x.org,y\n', ["z@x.org", "c@x.org"], [3]),
        ('a@x.org,"open\nb@x.org,x\nc@x.org,"\nd@x.org,\n', ["d@x.org"], [2]),
        ('a@x.org,"graphs\nneural, nets"\nb@x.org,x\n', ["a@x.org", "b@x.org"], []),
        ('a@x.org,"x"y\nb@x.org,\n', ["b@x.org"], [2]),
        ('a@x.org,"' + "x" * 140_000 + '"\nb@x.org,\n', ["b@x.org"], [2]),
        ('a@x.org,x "quoted" y\nb@x.org,"he said ""x"""\n', ["a@x.org", "b@x.org"], []),
    ],
)
def test_a_quote_that_is_not_closed_takes_no_row_along_without_a_word(rows: str, good: list[str], rejected: list[int]) -> None:
    assert read("email,interests\n" + rows) == (good, rejected)


@every_row(
    ("written", "hour"),
    [
        ("07:00", time(7)),
        ("7:00", time(7)),
        ("7", time(7)),
        ("7:30:00", time(7, 30)),
        ("7:00 AM", time(7)),
        ("12:15 am", time(0, 15)),
        ("7:30:15", None),
        ("07:00+05:00", None),
        ("25:00", None),
        ("0.291666", None),
        ("noon", None),
    ],
)
def test_an_hour_is_read_as_a_spreadsheet_writes_it(written: str, hour: time | None) -> None:
    (row,) = rows_of(read_layout(iter(["email,hour\n", f"a@x.org,{written}\n"])), Address, ("daily",), Preferences())
    assert (row.reader.preferences.hour if isinstance(row, SubscriberRow) else None) == hour


def test_a_column_named_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"line 1.*twice"):
        read("email,Email\na@x.org,b@x.org\n")


@pytest.mark.parametrize("unit", [",", "x,", "email status,", "unsubscribed ", "state "])
def test_a_header_of_a_megabyte_is_refused_within_a_second(unit: str) -> None:
    began = time_module.process_time()
    with pytest.raises(InvalidInput, match="line 1"):
        read(unit * (1_000_000 // len(unit)))
    assert time_module.process_time() - began < 2.0
