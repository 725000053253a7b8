"""Files with secrets in them that everybody on the machine can read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, SecretStr
from sqlalchemy import make_url

from digest.config.settings import Settings

_OTHERS = 0o006
"""Reading, and writing."""
_Value = TypeVar("_Value")


def exposed(settings: Settings, settings_file: Path | None) -> list[Path]:
    """The key's file, those that hold a password, and the settings' own where one stands in it."""
    named = [file for name, file in _all(settings, Path) if name.endswith("_file") and not name.endswith("ca_file")]
    found = [file for file in dict.fromkeys(named) if _open_to_others(file)]
    if settings_file is not None and _open_to_others(settings_file):
        secrets = [secret.get_secret_value() for _, secret in _all(settings, SecretStr)]
        secrets.append(make_url(settings.database.url).password or "")
        text = settings_file.read_text("utf-8")
        found += [settings_file] if any(secret and secret in text for secret in secrets) else []
    return found


def _all(value: object, kind: type[_Value], name: str = "") -> Iterator[tuple[str, _Value]]:
    """Every value of a kind in the settings, with its key."""
    if isinstance(value, kind):
        yield name, value
    elif isinstance(value, BaseModel):
        for key in type(value).model_fields:
            yield from _all(getattr(value, key), kind, key)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _all(each, kind, name)


def _open_to_others(file: Path) -> bool:
    try:
        return bool(file.stat().st_mode & _OTHERS)
    except OSError:
        return False
