"""What a setting may hold: the types that the sections share, each refusing with what would be right."""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from digest.domain.schedule import read_zone

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
HTTP = r"^https?://[^\s/]+(/[^\s]*)?$"
_ONE_LINE = r"^[^\x00-\x1f\x7f]*$"
_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]")
_PATH = re.compile(r"(/(?!\.\.?(/|$))[A-Za-z0-9._~-]+)*/?")
_LONGEST_BASE_URL = 200


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


BaseUrl = Annotated[str, AfterValidator(_base_url)]
Network = Annotated[str, AfterValidator(_network)]
Zone = Annotated[str, AfterValidator(read_zone)]
Text = Annotated[str, Field(pattern=_ONE_LINE)]
Seconds = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A table of the settings file. A key that was removed is still accepted, and named on stderr with what to do instead."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    removed_keys: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """By its whole name, what to do instead."""

    @model_validator(mode="before")
    @classmethod
    def _without_removed_keys(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        removed = {name.rpartition(".")[2]: name for name in cls.removed_keys}
        for name in (removed[key] for key in values if key in removed):
            print(f"digest: {name} has no effect any more: {cls.removed_keys[name]}", file=sys.stderr)
        return {key: value for key, value in values.items() if key not in removed}
