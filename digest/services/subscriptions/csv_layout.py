"""How a CSV file of people is laid out: which delimiter, whether it has a header, and which of its columns we understand.

Each product names its columns differently (listmonk, Mailchimp, Mailman, Ghost, Google Forms, Excel, …). What we do not
understand is left out and named.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from digest.domain.errors import InvalidInput
from digest.domain.feedback import SuppressionReason

COLUMNS = ("email", "list", "timezone", "hour", "weekdays", "frequency", "interests")
STATUS = "status"
NEVER_CONFIRMED = "never confirmed there"
FLAGS: Mapping[str, tuple[bool, SuppressionReason | str]] = {
    "left": (True, SuppressionReason.ASKED),
    "bounced": (True, SuppressionReason.BOUNCE),
    "blocked": (True, SuppressionReason.OPERATOR),
    "subscribed": (False, SuppressionReason.ASKED),
    "confirmed": (False, NEVER_CONFIRMED),
}
"""Columns that say one thing of a person: (whether it is bad when it is so, what it is then)."""
_NAMES: Mapping[str, tuple[str, ...]] = {
    "email": (
        "email", "e mail", "email address", "e mail address", "subscriber email",
        "primary email", "email 1 value", "e mail 1 value", "e mail adresse", "email adresse", "mailadresse", "adresse e mail",
        "adresse mail", "courriel", "correo electronico", "correo", "indirizzo email", "emailadres", "your email",
        "your email address", "電子郵件", "メールアドレス", "邮箱", "mail", "recipient", "username", "subscriber", "address",
    ),
    "list": ("list", "liste"),
    "timezone": ("timezone", "time zone", "tz", "zeitzone", "your time zone", "fuseau horaire"),
    "hour": ("hour", "delivery time", "send time", "uhrzeit", "stunde", "heure", "your hour"),
    "weekdays": ("weekdays", "days", "send on", "wochentage", "tage", "jours"),
    "frequency": ("frequency", "cadence", "how often"),
    "interests": ("interests", "topics", "keywords", "your interests", "interessen", "themen", "centres d interet"),
    STATUS: ("status", "subscription status", "subscriber type", "subscriber status", "marketing status", "member status"),
    "left": (
        "unsub time", "unsubscribed", "unsubscribed at", "unsubscribe date", "unsubscribed on", "opted out", "opt out",
        "deleted at", "unsubscribe time", "date unsubscribed",
    ),
    "bounced": ("clean time", "bounced", "bounced at", "hard bounced", "bounce date", "email disabled"),
    "blocked": (
        "blacklisted", "blocklisted", "email blacklisted", "email blocklisted", "banned", "is this user blacklisted", "blocked",
    ),
    "subscribed": (
        "subscribed", "subscribed to emails", "active subscription", "accepts marketing", "accepts email marketing",
        "email subscribed", "newsletter",
    ),
    "confirmed": ("confirmed", "is this user confirmed", "double opt in"),
}  # fmt: skip
_FIELD_OF = {name: field for field, names in _NAMES.items() for name in names}
_STATUSES: Mapping[str, SuppressionReason | str | None] = {
    **dict.fromkeys(
        ("", "subscribed", "active", "enabled", "confirmed", "regular", "premium", "gifted", "free", "paid", "comped", "yes",
         "true", "1", "opted in", "opt in", "member", "normal"), None,
    ),
    **dict.fromkeys(
        ("unsubscribed", "opted out", "opt out", "optout", "inactive unsubscribed", "removed", "left", "deleted", "cancelled",
         "canceled", "archived", "no", "false", "0", "suppressed"), SuppressionReason.ASKED,
    ),
    **dict.fromkeys(
        ("bounced", "hard bounced", "hard bounce", "bounce", "cleaned", "undeliverable", "invalid", "undeliverable address"),
        SuppressionReason.BOUNCE,
    ),
    **dict.fromkeys(
        ("complained", "complaint", "spam", "spammy", "abuse", "marked as spam", "spam complaint", "junk"),
        SuppressionReason.COMPLAINT,
    ),
    **dict.fromkeys(("blocklisted", "blacklisted", "banned", "blocked", "bym", "byb", "bya"), SuppressionReason.OPERATOR),
    **dict.fromkeys(
        ("unconfirmed", "unactivated", "pending", "not confirmed", "waiting", "non subscribed", "nonsubscribed", "transactional",
         "not subscribed", "never subscribed"), NEVER_CONFIRMED,
    ),
    **dict.fromkeys(("disabled", "inactive", "paused", "soft bounced", "on hold", "byu"), "not mailed there either"),
}  # fmt: skip
"""What other products call a subscriber's state: None (mailed), why they must not be mailed, or why they are left out."""
_TRUE = frozenset({"yes", "true", "1", "y", "t", "x", "ja", "oui", "si", "wahr", "vrai"})
_FALSE = frozenset({"no", "false", "0", "n", "f", "nein", "non", "falsch", "faux", ""})
_DELIMITERS = ",;\t|"
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Layout:
    """`fields` has for each column what it means, "" where nothing; None: there is no header, a line is whatever holds addresses.

    `lines` begins after the header; `before` counts the lines of the file until there.
    """

    lines: Iterator[str]
    before: int
    delimiter: str
    fields: tuple[str, ...] | None
    ignored: tuple[str, ...] = ()


def read_layout(lines: Iterable[str], given: Mapping[str, str] | None = None) -> Layout:
    """`given`: by our name, the file's column. Raises InvalidInput where no column holds addresses, or one given is not there."""
    source, before, first = iter(lines), 0, ""
    delimiter = ""
    for first in source:
        before += 1
        if found := _SEPARATOR_LINE.fullmatch(first.removeprefix("\ufeff")):
            delimiter = found[1]
        elif first.strip(" \t\r\n\ufeff,;"):
            break
    first = first.removeprefix("\ufeff")
    bare = _QUOTED.sub("", first)
    delimiter = delimiter or max(_DELIMITERS, key=bare.count)
    if "@" in first and not given:
        return Layout(chain([first], source), before - 1, delimiter, None)
    header = _row(first, delimiter, source)
    fields = _fields(header, given or {})
    if "email" not in fields:
        there = ", ".join(repr(name[:40]) for name in header if name) or "none"
        say = 'say which holds the addresses: --columns email="NAME"'
        raise InvalidInput(
            "line 1", f"should name the columns {','.join(COLUMNS)}, of which only email is required; there are {there}; {say}"
        )
    ignored = tuple(name for name, field in zip(header, fields, strict=True) if name and not field)
    return Layout(source, before, delimiter, tuple(fields), ignored)


def _row(first: str, delimiter: str, rest: Iterator[str]) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader(chain([first], rest), delimiter=delimiter, strict=True), [])]
    except csv.Error as error:
        raise InvalidInput("line 1", f"should be a header; it is not CSV ({error})") from None


def _fields(header: list[str], given: Mapping[str, str]) -> list[str]:
    known = {_folded(name): name for name in header}
    for field, name in given.items():
        if field not in COLUMNS and field != STATUS:
            raise InvalidInput("--columns", f"{field[:40]!r} is none of {', '.join((*COLUMNS, STATUS))}")
        if _folded(name) not in known:
            raise InvalidInput("--columns", f"the file has no column {name[:40]!r}; there are {', '.join(header)[:200]}")
    ours = [_folded(name) for name in header if _folded(name) in _FIELD_OF]
    if len(set(ours)) < len(ours):
        raise InvalidInput("line 1", "names a column twice")
    named = {_folded(name): field for field, name in given.items()}
    fields = [named.get(_folded(name), "") for name in header]
    for field, aliases in _NAMES.items():  # of several that mean the same, the one we name first
        here = [place for place, name in enumerate(header) if not fields[place] and _FIELD_OF.get(_folded(name)) == field]
        if field in FLAGS:
            for place in here:
                fields[place] = field
        elif here and field not in fields:
            fields[min(here, key=lambda place: aliases.index(_folded(header[place])))] = field
    return fields


def _folded(name: str) -> str:
    """As people vary it: case, hyphens, underscores, a closing question mark."""
    plain = name.lower().translate(str.maketrans("éèêíóöüä", "eeeiooua"))
    return " ".join(re.sub(r"[\W_]+", " ", plain).split())


def status_value(field: str, value: str) -> SuppressionReason | str | None:
    """What a cell of a status column says: None (mail them), why they must not be mailed, or why they are left out."""
    text = _folded(value)
    if field == STATUS:
        if text in _STATUSES:
            return _STATUSES[text]
        return f"status {value[:40]!r} is not known here; should be active, unsubscribed, bounced or blocked"
    bad_when, reason = FLAGS[field]
    if text in _FALSE:
        so = False
    elif text in _TRUE or any(character.isdigit() for character in text):  # an instant: it happened then
        so = True
    else:
        return f"{field} {value[:40]!r} should be yes or no"
    if field in ("subscribed", "confirmed") and not value.strip():
        return None
    return reason if so is bad_when else None
