"""What a setting may hold: the types that the sections share, each refusing with what would be right."""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from digest.domain.schedule import read_zone
from digest.translation import read_language

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
HTTP = r"^https?://[^\s/]+(/[^\s]*)?$"
HOST = r"^[A-Za-z0-9.:-]+$"
TENANT = r"^[A-Za-z0-9.-]+$"
_ONE_LINE = r"^[^\x00-\x1f\x7f]*$"
_BARE_HOST = r"^(?:\[?[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]?|[^\s:/@]+)$"
_BARE_ADDRESS = r"^(?:[^\s@<>]+@[^\s@<>]+)?$"
SHAPES = {
    SLUG: "lower-case letters and digits, with single hyphens between them, such as daily or machine-learning",
    HTTP: "a web address such as https://example.org",
    HOST: "a host name such as smtp.example.org",
    _BARE_HOST: "a host name alone, such as smtp.example.org; the port stands in port, encryption in tls",
    _BARE_ADDRESS: "an address alone, such as digest@example.org",
    TENANT: "the id or domain of an organisation, or common",
    _ONE_LINE: "one line of text without control characters",
}
"""What each pattern asks for, in words."""
_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]")
_PATH = re.compile(r"(/(?!\.\.?(/|$))[A-Za-z0-9._~-]+)*/?")
_LONGEST_BASE_URL = 200
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([smhdw]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_TEN_YEARS = 3653 * 86_400


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise ValueError(f"{text!r} is neither an address nor a network; such as 10.0.0.7 or 10.0.0.0/8") from None


def _base_url(text: str) -> str:
    """The address of the pages, as every link begins: scheme, host, perhaps a port and a path; no slash at its end."""
    likely = "should be like https://example.org or https://example.org/digest"
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.netloc.rpartition("@")[2].removesuffix(f":{parts.port}")
    except ValueError:
        raise ValueError(f"its host or port cannot be read; {likely}") from None
    faults = {
        "has a space or a control character in it": re.search(r"[\s\x00-\x1f\x7f]", text),
        "begins with neither http:// nor https://": parts.scheme not in ("http", "https") or "://" not in text,
        "has a query (what follows the ?)": "?" in text,
        "has a fragment (what follows the #)": "#" in text,
        "has a user name or password in it": "@" in parts.netloc,
        "has no host": not parts.hostname,
        "has a host that is not plain ASCII; write its xn-- form": not parts.netloc.isascii(),
        "has a host that is none": not _HOST.fullmatch(host),
        "has the port 0": port == 0,
        "has a path with more than letters, digits and - . _ ~ between single slashes": not _PATH.fullmatch(parts.path),
        f"is longer than {_LONGEST_BASE_URL} characters": len(text) > _LONGEST_BASE_URL,
    }
    if fault := next((fault for fault, found in faults.items() if found), None):
        raise ValueError(f"{fault}; {likely}")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path}".rstrip("/")


def _seconds(value: object) -> object:
    if not isinstance(value, str | bool):
        return value
    found = _DURATION.fullmatch(str(value).strip().lower())
    if not found:
        raise ValueError(f"{str(value)[:20]!r} should be a number of seconds, or a duration such as 30s, 10m, 4h or 7d")
    return float(found[1]) * _SECONDS[found[2]]


def _time_of_day(value: object) -> object:
    """The file has it in quotes or as TOML's own time; of a bare number pydantic would make seconds after midnight."""
    if isinstance(value, int | float):
        raise ValueError(f'{value} should be like "07:00"')
    return value


def _days(value: object) -> object:
    if not isinstance(value, str) or value.strip().isdecimal():
        return value
    seconds = _seconds(value)
    if not isinstance(seconds, float) or seconds % _SECONDS["d"]:
        raise ValueError(f"{value[:20]!r} should be a whole number of days, such as 30, 30d or 4w")
    return int(seconds // _SECONDS["d"])


BaseUrl = Annotated[str, AfterValidator(_base_url)]
Network = Annotated[str, AfterValidator(_network)]
Zone = Annotated[str, AfterValidator(read_zone)]
Language = Annotated[str, AfterValidator(read_language)]
Text = Annotated[str, Field(pattern=_ONE_LINE)]
BareHost = Annotated[str, Field(pattern=_BARE_HOST)]
BareAddress = Annotated[str, Field(pattern=_BARE_ADDRESS)]
TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]
Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0, le=_TEN_YEARS, allow_inf_nan=False)]
"""A number of seconds, or a duration such as "10m"."""
Days = Annotated[int, BeforeValidator(_days), Field(le=36_525)]
"""A number of days, or a duration such as "4w"."""


def from_older(values: Any, removed: Mapping[str, str], renamed: Mapping[str, str]) -> Any:
    """A table as it is written today: keys of older versions are still accepted, and named on stderr."""
    if not isinstance(values, dict):
        return values
    for old, new in renamed.items():
        if old in values and new in values:
            raise ValueError(f"{old} is the older name of {new}, and both are set; remove {old}")
        if old in values:
            print(f"digest: the setting {old} is called {new} now; please rename it", file=sys.stderr)
    gone = {place.rpartition(".")[2]: place for place in removed}
    for place in (gone[key] for key in values if key in gone):
        print(f"digest: {place} has no effect any more: {removed[place]}", file=sys.stderr)
    return {renamed.get(key, key): value for key, value in values.items() if key not in gone}


class Section(BaseModel):
    """A table of the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    removed_keys: ClassVar[Mapping[str, str]] = {}
    """By the key's whole name, what to do instead."""
    renamed_keys: ClassVar[Mapping[str, str]] = {}
    """Older name → name."""

    @model_validator(mode="before")
    @classmethod
    def _from_older(cls, values: Any) -> Any:
        return from_older(values, cls.removed_keys, cls.renamed_keys)
