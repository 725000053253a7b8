"""Secrets that people entrust to us, encrypted at rest under a key derived from the installation's own (Fernet)."""

from __future__ import annotations

from base64 import urlsafe_b64encode


class Encryption:
    def __init__(self, key: bytes) -> None:
        """`key`: 32 bytes."""
        from cryptography.fernet import Fernet

        self._fernet = Fernet(urlsafe_b64encode(key))

    def encrypt(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, encrypted: str) -> str | None:
        """None where it was not encrypted under this key."""
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(encrypted.encode()).decode()
        except InvalidToken:
            return None
