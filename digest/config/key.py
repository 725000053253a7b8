"""The one key of an installation, in a file: found, or made where there is none."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from digest.config.core import Secrets
from digest.config.read import read_secret
from digest.domain.errors import ConfigurationError

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
