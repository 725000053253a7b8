"""How a CSV file of people is laid out: which delimiter, whether it has a header, and which of its columns we understand.

Each product names its columns differently (listmonk, Mailchimp, Mailman, Ghost, Google Forms, Excel, …). A column is known by its
whole name, or by words it holds where they tell of somebody who must not be mailed. What we do not understand is left out and
named.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice

from digest.domain.errors import InvalidInput
from digest.domain.feedback import SuppressionReason

COLUMNS = ("email", "list", "timezone", "hour", "weekdays", "frequency", "language", "interests")
STATUS = "status"
OTHER_STATUS = "another status"
"""A column that may be one by its name ("State"): only words that are known count."""
NEVER_CONFIRMED = "never confirmed there"
_NOT_MAILED = "not mailed there either"
FLAGS: Mapping[str, tuple[bool, SuppressionReason | str]] = {
    "left": (True, SuppressionReason.ASKED),
    "bounced": (True, SuppressionReason.BOUNCE),
    "blocked": (True, SuppressionReason.OPERATOR),
    "suspended": (True, _NOT_MAILED),
    "active": (False, _NOT_MAILED),
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
    "language": ("language", "lang", "locale", "preferred language", "sprache", "langue", "idioma"),
    "interests": ("interests", "topics", "keywords", "your interests", "interessen", "themen", "centres d interet"),
    STATUS: ("status", "subscription status", "subscriber type", "subscriber status", "marketing status", "member status"),
    OTHER_STATUS: (
        "email preference", "email preferences", "email setting", "email settings", "email delivery", "delivery", "delivery mode",
        "mail delivery", "mail option",
    ),
    "left": ("deleted at",),
    "bounced": ("clean time", "email disabled"),
    "suspended": ("suspended", "is suspended", "deactivated"),
    "active": ("active", "is active", "enabled"),
    "subscribed": (
        "subscribed", "subscribed to emails", "active subscription", "accepts marketing", "accepts email marketing",
        "email subscribed", "newsletter",
    ),
    "confirmed": ("confirmed", "is this user confirmed", "double opt in"),
}  # fmt: skip
_HOLDS = tuple(
    (field, re.compile(rf"\b(?:{words})"))
    for field, words in (
        ("left", "unsub|opt(?:ed)? out|desabonn|desinscri|abgemeldet|de baja|disiscri"),
        ("bounced", "bounce|on hold"),
        ("blocked", "black ?list|block ?list|banned|blocked|suppress|do not (?:e ?mail|contact)|excluded|deceased|gesperrt"),
        (OTHER_STATUS, "(?:state|statut|estado|stato)$|status|consent"),
        ("email", "e ?mail|mailadresse|courriel|correo"),
    )
)
"""Of a name that is not known as a whole."""
_OF_SOMETHING_ELSE = re.compile(
    r"\b(?:sms|phone|mobile|fax|whatsapp|links?|url|tokens?|hash|rate|score|soft|source|preference|secondary|type|label)\b"
)
_STATUSES: Mapping[str, SuppressionReason | str | None] = {
    **dict.fromkeys(
        ("", "aktiv", "activo", "actif", "attivo", "suscrito", "abonne", "abonniert", "angemeldet", "inscrit", "iscritto",
         "subscribed", "active", "enabled", "confirmed", "regular", "premium", "gifted", "free", "paid", "comped", "yes",
         "true", "1", "opted in", "opt in", "member", "normal"), None,
    ),
    **dict.fromkeys(
        ("unsubscribed", "opted out", "opt out", "optout", "inactive unsubscribed", "removed", "left", "deleted", "cancelled",
         "canceled", "archived", "no", "false", "0", "suppressed",
         "abgemeldet", "gekundigt", "desabonne", "desinscrit", "dado de baja", "baja",
         "disiscritto"), SuppressionReason.ASKED,
    ),
    **dict.fromkeys(
        ("bounced", "bouncing", "by bounces", "disabled by bounces", "unzustellbar", "rebotado",
         "hard bounced", "hard bounce", "bounce", "cleaned", "undeliverable", "invalid", "undeliverable address"),
        SuppressionReason.BOUNCE,
    ),
    **dict.fromkeys(
        ("complained", "complaint", "spam", "spammy", "abuse", "marked as spam", "spam complaint", "junk"),
        SuppressionReason.COMPLAINT,
    ),
    **dict.fromkeys(
        ("blocklisted", "blacklisted", "banned", "blocked", "bym", "byb", "bya", "gesperrt", "bloqueado", "bloque", "bloccato"),
        SuppressionReason.OPERATOR,
    ),
    **dict.fromkeys(
        ("unconfirmed", "invited", "unbestatigt", "ausstehend", "pendiente", "en attente", "in attesa", "validating",
         "unactivated", "pending", "not confirmed", "waiting", "non subscribed", "nonsubscribed", "transactional",
         "not subscribed", "never subscribed"), NEVER_CONFIRMED,
    ),
    **dict.fromkeys(
        ("disabled", "inactive", "paused", "soft bounced", "on hold", "byu", "by user",
         "by moderator", "disabled by user", "no email", "no e mail", "no mail", "nomail", "no emails", "web only"),
        _NOT_MAILED,
    ),
}  # fmt: skip
"""What other products call a subscriber's state: None (mailed), why they must not be mailed, or why they are left out."""
_TRUE = frozenset({"yes", "true", "1", "y", "t", "x", "ja", "oui", "si", "wahr", "vrai"})
_FALSE = frozenset({"no", "false", "0", "n", "f", "nein", "non", "falsch", "faux", "none", "null", "nan", "n a", "never", ""})
_NOTHING = re.compile(r"[0.,%\s]*")
"""0, 0.0 and 0%."""
_DELIMITERS = ",;\t|"
_LONGEST_NAME, _MOST_COLUMNS = 200, 1_000
_MOST_BEFORE = 8
"""Lines among which the header is looked for."""
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
    source = iter(lines)
    seen, delimiter = list(islice(source, _MOST_BEFORE)), ""
    places: list[int] = []
    for place, line in enumerate(seen):
        if found := _SEPARATOR_LINE.fullmatch(line.removeprefix("\ufeff")):
            delimiter = found[1]
        elif line.strip(" \t\r\n\ufeff,;"):
            places.append(place)
    source = chain(seen, source)
    at = places[0] if places else 0
    if named := next((place for place in places if _names_addresses(seen[place], delimiter, given or {})), 0):
        below_addresses = any("@" in seen[place] for place in places if place < named)
        at = named if not below_addresses or seen[named].count(delimiter or _delimiter(seen[named])) > 1 else at
    before = len(list(islice(source, at))) + 1
    first = next(source, "").removeprefix("\ufeff")
    delimiter = delimiter or _delimiter(first)
    if "@" in first and not given:
        return Layout(chain([first], source), before - 1, delimiter, None)
    header = _row(first, delimiter, source)
    fields = _fields(header, given or {})
    if "email" not in fields and len(header) > 1:  # whatever the one column that holds addresses is called, in whatever encoding
        row = next(source, "")
        holding = [place for place, cell in enumerate(row.split(delimiter)[: len(header)]) if "@" in cell]
        if len(holding) == 1 and '"' not in row and not fields[holding[0]]:
            fields[holding[0]] = "email"
        source = chain([row], source)
    if "email" not in fields:
        there = ", ".join(repr(name[:40]) for name in header if name) or "none"
        say = 'say which holds the addresses: --columns email="NAME"'
        raise InvalidInput(
            "line 1", f"should name the columns {','.join(COLUMNS)}, of which only email is required; there are {there}; {say}"
        )
    ignored = tuple(name for name, field in zip(header, fields, strict=True) if name and not field)
    return Layout(source, before, delimiter, tuple(fields), ignored)


def _delimiter(line: str) -> str:
    bare = _QUOTED.sub("", line)
    return max(_DELIMITERS, key=bare.count)


def _names_addresses(line: str, delimiter: str, given: Mapping[str, str]) -> bool:
    """Whether it is the header: some products put a title above it."""
    cells = [_folded(cell) for cell in line.split(delimiter or _delimiter(line), _MOST_COLUMNS)]
    return (
        "@" not in line
        and not line.startswith("#")
        and (_folded(given["email"]) in cells if "email" in given else "email" in map(_field_of, cells))
    )


def _row(first: str, delimiter: str, rest: Iterator[str]) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader(chain([first], rest), delimiter=delimiter, strict=True), [])]
    except csv.Error as error:
        raise InvalidInput("line 1", f"should be a header; it is not CSV ({error})") from None


def _fields(header: list[str], given: Mapping[str, str]) -> list[str]:
    if len(header) > _MOST_COLUMNS:
        raise InvalidInput("line 1", f"has {len(header):,} columns; the most read is {_MOST_COLUMNS:,}")
    known = {_folded(name): name for name in header}
    meanings = [_field_of(_folded(name)) for name in header]
    for field, name in given.items():
        if field not in COLUMNS and field != STATUS:
            raise InvalidInput("--columns", f"{field[:40]!r} is none of {', '.join((*COLUMNS, STATUS))}")
        if _folded(name) not in known:
            raise InvalidInput("--columns", f"the file has no column {name[:40]!r}; there are {', '.join(header)[:200]}")
    ours = [_folded(name) for name, meaning in zip(header, meanings, strict=True) if meaning in (*COLUMNS, STATUS)]
    if len(set(ours)) < len(ours):
        raise InvalidInput("line 1", "names a column twice")
    named = {_folded(name): field for field, name in given.items()}
    fields = [named.get(_folded(name), "") for name in header]
    for field in (*COLUMNS, STATUS, OTHER_STATUS, *FLAGS):  # of several that mean the same, the one we name first
        here = [place for place, meaning in enumerate(meanings) if not fields[place] and meaning == field]
        if field in FLAGS or field == OTHER_STATUS:
            for place in here:
                fields[place] = field
        elif here and field not in fields:
            fields[min(here, key=lambda place: _RANKS.get(_folded(header[place]), len(_RANKS)))] = field
    return fields


@lru_cache(maxsize=1_000)
def _field_of(name: str) -> str:
    """What a column means by its folded name; "" where nothing."""
    if name in _FIELD_OF:
        return _FIELD_OF[name]
    if _OF_SOMETHING_ELSE.search(name):
        return ""
    return next((field for field, words in _HOLDS if words.search(name)), "")


def _folded(name: str) -> str:
    """As people vary it: case (also within: doNotContact), accents, hyphens, underscores, a closing question mark."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name[:_LONGEST_NAME])
    plain = "".join(c for c in unicodedata.normalize("NFKD", apart.lower()) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[\W_]+", " ", plain).split())


_RANKS = {_folded(name): rank for names in _NAMES.values() for rank, name in enumerate(names)}
_FIELD_OF = {_folded(name): field for field, names in _NAMES.items() for name in names}


_ELSEWHERE = (
    ", left, removed, free, paid, premium, member, normal, regular, no, false, 0, archived, deleted, invalid, spam, junk, abuse"
    ", waiting, baja, bloque, pending, validating, paused, on hold, transactional"
)
_BESIDE_AN_ADDRESS = frozenset(_STATUSES).difference(_ELSEWHERE.split(", "))
"""Words that can be nothing else in a line without a header."""


def beside_an_address(cells: Iterable[str]) -> SuppressionReason | str | None:
    """What the first such word in a line says, as `status_value` does."""
    return next((_STATUSES[text] for cell in cells if (text := _folded(cell)) in _BESIDE_AN_ADDRESS and _STATUSES[text]), None)


def status_value(field: str, value: str) -> SuppressionReason | str | None:
    """What a cell of a status column says: None (mail them), why they must not be mailed, or why they are left out."""
    text = _folded(value)
    if field == STATUS:
        if text in _STATUSES:
            return _STATUSES[text]
        return f"status {value[:40]!r} is not known here; should be active, unsubscribed, bounced or blocked"
    if field == OTHER_STATUS:
        return _STATUSES.get(text)
    bad_when, reason = FLAGS[field]
    if text in _FALSE or _NOTHING.fullmatch(value):
        so = False
    elif text in _TRUE or bad_when or any(character.isdigit() for character in text):  # an instant: it happened then
        so = True
    else:
        return f"{field} {value[:40]!r} should be yes or no"
    if not bad_when and not value.strip():
        return None
    return reason if so is bad_when else None
