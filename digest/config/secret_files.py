"""Files for their owner's eyes: written whole or not at all, mode 0600."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from digest.domain.errors import InvalidInput


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
