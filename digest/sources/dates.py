"""Dates as sources and people write them: whole or in part, ranges, names of months, mail's form → an instant in UTC.

What is partial stands for its first day: a year for its 1 January. A range stands for its beginning.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

from digest.sources import clean_fields

LONGEST = 100
"""Characters. No date is longer."""
_MONTH_STEMS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
    "mär": 3, "mai": 5, "okt": 10, "dez": 12, "fév": 2, "avr": 4, "jui": 7, "juin": 6, "aoû": 8, "déc": 12, "ene": 1, "abr": 4,
    "ago": 8, "dic": 12, "gen": 1, "mag": 5, "giu": 6, "lug": 7, "set": 9, "ott": 10, "fev": 2, "out": 10,
    "mei": 5, "maa": 3, "maj": 5, "des": 12, "sty": 1, "lut": 2, "kwi": 4, "cze": 6, "lip": 7, "sie": 8, "wrz": 9, "paź": 10,
    "lis": 11, "gru": 12, "янв": 1, "фев": 2, "мар": 3, "апр": 4, "мая": 5, "май": 5, "июн": 6, "июл": 7, "авг": 8, "сен": 9,
    "окт": 10, "ноя": 11, "дек": 12,
    "spr": 3, "sum": 6, "aut": 9, "fal": 9, "win": 12,
}  # fmt: skip
"""How months begin in English, German, French, Spanish, Italian, Portuguese, Dutch, Polish and Russian, and the
first month of a season."""
_SEASONS = {21: 3, 22: 6, 23: 9, 24: 12}
"""EDTF's (ISO 8601-2)."""
_RANGE = re.compile(r"\s*(?:/(?=\d{4}|\.\.|$)|--+|–|—|\s+(?:to|-|until)\s+)\s*")
_NUMBERS = re.compile(r"(?<![\d.])(\d{4})(?:([-/.])(\d{1,2})(?:\2(\d{1,2}))?)?(?![\d.])")
_ORDINAL = re.compile(r"(\d{4})-(\d{3})(?!\d)")
_YEAR_LAST = re.compile(r"(?:(\d{1,2})([-/.]))?(\d{1,2})[-/.](\d{4})(?!\d)")
_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)")
_WORD = re.compile(r"[^\W\d_]{3,12}")
_IN_MONTH = re.compile(r"(?<![\d:])(\d{1,2})(?![\d:])(?:st|nd|rd|th)?\b")
_QUARTER = re.compile(r"\bQ([1-4])\b", re.IGNORECASE)
_NAMED_UTC = re.compile(r" ?(?:UTC|GMT)$")
_EAST_ASIAN = re.compile(r"(?<=\d)\s*[年년月월日일]\s*")
"""2019年11月15日"""
_SPACED = re.compile(r"(?<=\d)\. +(?=\d)")
"""6. 5. 2021, 2021. 5. 6."""
_ISSUE = re.compile(r"\b(?:vol(?:ume)?|iss(?:ue)?|no|number|pages?|pp|article)\b\.? ?[\d–-]+,? ?", re.IGNORECASE)
_CLOCK = re.compile(r"\d{1,2}:\d\d")


def dated(value: object, seen_at: datetime) -> datetime | None:
    """The instant that a record's field names: text, a year, or [2018, 4, 13]. None where unreadable or still to come."""
    found = _of_parts(value) if isinstance(value, list) else read_date(str(value)) if isinstance(value, str | int) else None
    return not_to_come(found, seen_at) if found else None


def not_to_come(found: datetime, seen_at: datetime) -> datetime | None:
    """A date that is still to come (beyond every time zone's tomorrow) is a mistake or a print date: it says nothing."""
    try:
        return found if found - seen_at <= timedelta(days=2) else None
    except OverflowError:
        return None


def read_date(text: str) -> datetime | None:
    """The instant, without an offset taken as UTC; midnight for a date. None where it is none."""
    if len(text) > LONGEST or not (text := text.strip(" \t\r\n{}[]()\"'~?%.,;")):
        return None
    if not text.isascii():
        text = _EAST_ASIAN.sub("-", text)
    text = _ISSUE.sub("", _SPACED.sub(".", text))
    try:
        return _utc(datetime.fromisoformat(_NAMED_UTC.sub("+00:00", text)))
    except (ValueError, OverflowError):
        pass
    if ordinal := _ORDINAL.match(text):
        return _day(lambda: date(int(ordinal[1]), 1, 1) + timedelta(days=int(ordinal[2]) - 1))
    for written in _NUMBERS.finditer(text):
        if written[4] or (written.start() == 0 and not _WORD.search(text, written.end())):
            numbers = [int(part) for part in written.group(1, 3, 4) if part]
            return calendar_day(numbers[:1] if len(numbers) == 2 and numbers[1] == numbers[0] % 100 + 1 > 12 else numbers)
    if last := _YEAR_LAST.match(text):
        one, other, year = int(last[1] or 0), int(last[3]), int(last[4])
        either = [calendar_day([year, other, one]), calendar_day([year, one, other]) if one and last[2] == "/" else None]
        return min((found for found in either if found), default=None)
    begin, *rest = _RANGE.split(text, maxsplit=1)
    if rest and not begin.strip(". "):  # "../2021": only its end is known
        begin = rest[0]
    elif rest and not _YEAR.search(begin) and (year_of := _YEAR.search(rest[0])):  # "May–June 2021", "1–5 May 2021"
        month = "" if any(map(_month, _WORD.findall(begin))) else " ".join(_WORD.findall(rest[0]))
        begin = f"{begin} {month} {year_of[1]}"
    return _in_mail(begin) or _in_words(begin)


def _in_mail(text: str) -> datetime | None:
    """ "Thu, 18 Sep 2025 00:00:00 -0400" (RFC 5322)."""
    if not _CLOCK.search(text):
        return None
    try:
        return _utc(parsedate_to_datetime(text))
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _in_words(text: str) -> datetime | None:
    """ "6 May 2021", "May 6th, 2021", "2021-May", "Spring 2021", "c2021", "Q2 2021"."""
    if not (year := _YEAR.search(text.replace("_", " "))):
        return None
    quarter = _QUARTER.search(text)
    month = 3 * int(quarter[1]) - 2 if quarter else next((n for word in _WORD.findall(text) if (n := _month(word))), None)
    rest = text[: year.start()] + " " + text[year.end() :]
    in_month = _IN_MONTH.search(rest) if month and not quarter else None
    whole = [int(year[1]), month or 1, int(in_month[1]) if in_month else 1]
    return calendar_day(whole) or calendar_day(whole[:2])


def _month(word: str) -> int | None:
    return _MONTH_STEMS.get(word.lower()) or _MONTH_STEMS.get(word.lower()[:3])


def _of_parts(parts: list[object]) -> datetime | None:
    numbers = [number for part in parts[:4] if (number := clean_fields.whole(part)) is not None]
    return calendar_day(numbers) if len(numbers) == len(parts) <= 3 else None


def calendar_day(numbers: list[int]) -> datetime | None:
    """[2018, 4, 13], [2018, 4], [2018] → midnight UTC. A month or day 0 is not known; 21 to 24 are seasons."""
    year, month, day = [*numbers, 0, 0, 0][:3]
    month = _SEASONS.get(month, month)
    return _day(lambda: date(year, month or 1, (day or 1) if month else 1))


def _day(made: Callable[[], date]) -> datetime | None:
    try:
        return datetime.combine(made(), datetime.min.time(), UTC)
    except (ValueError, OverflowError):
        return None


def _utc(found: datetime) -> datetime:
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
