"""Files with secrets in them: for their owner's eyes, written whole or not at all, mode 0600; and those that others can read."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, SecretStr

from digest.config.core import Secrets
from digest.config.read import read_secret
from digest.config.settings import Settings
from digest.domain.errors import ConfigurationError, InvalidInput


def write_secret(file: Path, text: str) -> None:
    """Puts a line into `file`. Raises InvalidInput where it cannot be written; what was there is there still."""
    write_private(file, text + "\n")


def write_private(file: Path, text: str) -> None:
    """`write_secret`, of any text."""
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as made:
                made.write(text)
            beside.replace(file)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise InvalidInput(str(file), f"cannot be written: {error.strerror or error}") from None


SHORTEST = 16


def key_of(configured: Secrets, may_be_made: Callable[[], bool] = lambda: True) -> str:
    """The key that is set, else that of the file, made once where there is none. Raises ConfigurationError."""
    if configured.key is None:
        return find_or_make_key(configured.key_file, may_be_made)
    if len(configured.key.get_secret_value()) < SHORTEST:
        raise ConfigurationError("secrets.key", f"should be at least {SHORTEST} characters, best 32 random ones")
    return configured.key.get_secret_value()


def find_or_make_key(file: Path, may_be_made: Callable[[], bool] = lambda: True) -> str:
    """The key in `file`, or a new one written there, readable by its owner only. Two processes starting at once agree.

    Raises ConfigurationError where it is missing and no new one may be made: the database was used with it.
    """
    if not file.exists() and not may_be_made():
        raise ConfigurationError(
            "secrets.key_file",
            f"{file} is missing, and the database was used with a key: put that file back. If it is lost for good, run"
            " `digest migrate --accept-new-key`: links in earlier emails stop working and suppressed addresses are forgotten",
        )
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
            made.write(secrets.token_urlsafe(32) + "\n")
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigurationError("secrets.key_file", f"{file} cannot be made ({error.strerror})") from None
    key = read_secret(None, file, "secrets.key") or ""
    if len(key) < SHORTEST:
        raise ConfigurationError("secrets.key_file", f"{file} should hold at least {SHORTEST} characters")
    return key


_OTHERS = 0o006
"""Reading, and writing."""
_Value = TypeVar("_Value")


def exposed(settings: Settings, settings_file: Path | None) -> list[Path]:
    """The key's file, those that hold a password, and the settings' own where one stands in it."""
    from sqlalchemy import make_url

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
