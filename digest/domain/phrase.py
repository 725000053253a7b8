"""Sentences made where the reader's language is not known: in English, with what they are made of, to be translated.

`phrase("▲ %(votes)s (+%(gained)s today)", votes=145, gained=102)` is the text "▲ 145 (+102 today)".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import Any


class Phrase(str):
    """English text, equal to any other such text; `msgid` (or `plural`, by the value `n`) with `values` is what others read."""

    __slots__ = ("msgid", "plural", "values")
    msgid: str
    plural: str
    values: Mapping[str, Any]

    def __new__(cls, msgid: str, values: Mapping[str, Any], plural: str = "") -> Phrase:
        shown = {name: _shown(value) for name, value in values.items()}
        form = msgid if not plural or values["n"] == 1 else plural
        self = super().__new__(cls, form % shown if shown else form)
        self.msgid, self.plural, self.values = msgid, plural, values
        return self

    def __str__(self) -> str:
        return self  # whatever asks for its text, such as an exception, passes it on whole

    def __getnewargs__(self) -> tuple[str, Mapping[str, Any], str]:  # type: ignore[override]  # for pickle: ours, not a str's
        return self.msgid, self.values, self.plural


def phrase(msgid: str, /, **values: Any) -> Phrase:
    """Placeholders are str, int, float, date, time, Weekday, another phrase, or a list of some ("A, B and C")."""
    return Phrase(msgid, values)


def phrases(one: str, many: str, n: int, /, **values: Any) -> Phrase:
    """`n` chooses the form, and is %(n)s in it."""
    return Phrase(one, {"n": n, **values}, many)


def phrase_document(text: str) -> str | dict[str, Any]:
    """As JSON: plain text as it is, a phrase as what it is made of."""
    if not isinstance(text, Phrase):
        return text
    values = {name: _value_document(value) for name, value in text.values.items()}
    return {"msgid": text.msgid, **({"plural": text.plural} if text.plural else {}), **({"values": values} if values else {})}


def phrase_from(document: str | Mapping[str, Any]) -> str:
    if isinstance(document, str):
        return document
    values = {name: _value_from(value) for name, value in document.get("values", {}).items()}
    return Phrase(document["msgid"], values, document.get("plural", ""))


def _value_document(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_value_document(each) for each in value]
    if isinstance(value, Day):
        return {"day": value.isoformat()}
    return {"date": value.isoformat()} if isinstance(value, date) else phrase_document(value) if isinstance(value, str) else value


def _value_from(document: Any) -> Any:
    if isinstance(document, list):
        return [_value_from(each) for each in document]
    if not isinstance(document, dict):
        return document
    if "day" in document:
        return Day.fromisoformat(document["day"])
    return date.fromisoformat(document["date"]) if "date" in document else phrase_from(document)


def N_(msgid: str) -> str:  # noqa: N802 - its name wherever gettext is
    """Marks a msgid that becomes a phrase elsewhere."""
    return msgid


def joined(parts: Iterable[object], by: str = ", ") -> Phrase:
    """Parts that may be phrases, one after the other."""
    values = {f"part{n}": part for n, part in enumerate(parts)}
    return Phrase(by.join(f"%({name})s" for name in values), values)


def recognised(text: str, msgids: Iterable[str]) -> str:
    """Text that was kept in English, as the phrase that it was made as; other text as it is."""
    for msgid in msgids:
        pattern = re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.*)", re.escape(msgid))
        if found := re.fullmatch(pattern, text, re.DOTALL):
            return Phrase(msgid, found.groupdict())
    return text


class Weekday(int):
    """Monday is 0."""


class Month(date):
    """Any day of it."""


class Day(date):
    """Of a year that goes without saying: "6 November"."""


class Either(tuple[Any, ...]):
    """Of which one is meant: "Monday or Friday"."""


_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _shown(value: Any) -> object:
    if isinstance(value, Month):
        return f"{value:%B %Y}"
    if isinstance(value, Day):
        return f"{value.day} {value:%B}"
    if isinstance(value, date):
        return f"{value.day} {value:%B %Y}"
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, Weekday):
        return _WEEKDAYS[value]
    if isinstance(value, (list, tuple)):
        *others, last = (str(_shown(each)) for each in value)
        return f"{', '.join(others)} {'or' if isinstance(value, Either) else 'and'} {last}" if others else last
    return f"{value:,}" if isinstance(value, (int, float)) and not isinstance(value, bool) else value
