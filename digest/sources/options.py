"""A source's own options, as configured → its dataclass; what does not fit is told by its key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from digest.domain.errors import ConfigurationError

_Made = TypeVar("_Made")


def made(kind: type[_Made], name: str, base_url: str, options: Mapping[str, Any]) -> _Made:
    """`kind(name, base_url, **options)`. An option has its default's type, a list of words becomes a tuple.

    Raises ConfigurationError for an unknown option and for a value of another type.
    """
    known: dict[str, Any] = {
        field.name: field.default
        for field in fields(kind)  # type: ignore[arg-type]  # every source is a dataclass
        if field.name not in ("name", "base_url") and field.default is not MISSING
    }
    fitted: dict[str, Any] = {}
    for key, value in options.items():
        where = f"sources.{name}.options.{key}"
        if key not in known:
            raise ConfigurationError(where, f"unknown; may be {', '.join(sorted(known)) or 'nothing'}")
        fitted[key] = _fitted(where, value, known[key])
    return kind(name, base_url, **fitted)  # type: ignore[call-arg]  # every source begins with these two


def _fitted(where: str, value: Any, default: Any) -> Any:
    if isinstance(default, tuple):
        value = (value,) if isinstance(value, str) else value
        if isinstance(value, list | tuple) and value and all(isinstance(word, str) for word in value):
            return tuple(value)
        raise ConfigurationError(where, f"should be a list of words like {list(default)}")
    if isinstance(default, bool):
        if value in (0, 1, "true", "false"):
            return value in (1, "true")
        raise ConfigurationError(where, "should be true or false")
    if type(value) is not type(default):
        raise ConfigurationError(where, f"should be a {'number' if isinstance(default, int) else 'text'}, not {value!r:.40}")
    return value
