"""The one key of an installation, in a file: found, or made where there is none."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from digest.config.read import read_secret
from digest.domain.errors import ConfigurationError

SHORTEST = 16


def found_or_made(file: Path) -> str:
    """The key in `file`, or a new one written there, readable by its owner only. Two processes starting at once agree."""
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
