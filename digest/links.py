"""Signed links: a token does one thing, for one subscription, and says nothing about whom it is for.

A token is `<payload>.<signature>`; the signature is HMAC-SHA-256 under a key derived for the purpose, so a token made for one
purpose is forged for every other. Signatures compare in constant time (itsdangerous).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from itsdangerous import BadSignature, Signer

from digest.domain.errors import InvalidToken


class Purpose(StrEnum):
    CONFIRM = "confirm"
    MANAGE = "manage"
    UNSUBSCRIBE = "unsubscribe"
    FEEDBACK = "feedback"


CONFIRM_LIFETIME = timedelta(days=7)
LIFETIMES: dict[Purpose, timedelta | None] = {
    Purpose.CONFIRM: CONFIRM_LIFETIME,
    Purpose.MANAGE: None,
    Purpose.UNSUBSCRIBE: None,  # RFC 8058: must work for mails of any age
    Purpose.FEEDBACK: None,
}


def derive_key(secret: str, purpose: str) -> bytes:
    """A key for one purpose, so that what leaks of one use tells nothing of another. 32 bytes."""
    return hmac.digest(secret.encode(), f"digest/{purpose}".encode(), hashlib.sha256)


@dataclass(frozen=True, slots=True)
class ReaderLinks:
    """Every personal address in one mail. `more` and `less` want the paper's identifier appended."""

    manage: str
    unsubscribe: str
    more: str
    less: str


class Links:
    """Makes and reads the addresses under `base_url`."""

    def __init__(self, base_url: str, secret: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._signers = {
            purpose: Signer(derive_key(secret, purpose), key_derivation="none", digest_method=hashlib.sha256)
            for purpose in Purpose
        }

    def token(self, purpose: Purpose, subscription_id: int, at: datetime | None = None) -> str:
        """`at` is needed for purposes that expire."""
        lifetime = LIFETIMES[purpose]
        if lifetime is None:
            payload = f"{subscription_id}"
        else:
            if at is None:
                raise ValueError(f"a {purpose} token expires: it needs the instant it is made")
            payload = f"{subscription_id}-{int((at + lifetime).timestamp())}"
        return self._signers[purpose].sign(payload).decode()

    def read(self, purpose: Purpose, token: str, at: datetime) -> int:
        """The subscription a token is for. Raises InvalidToken: forged, cut, for another purpose, or expired at `at`."""
        signer = self._signers[purpose]
        try:
            given = token.encode("ascii", "strict")[:200]
            payload = signer.unsign(given).decode()
            # base64 has several spellings of the same bytes (padding, spare bits); ours has one
            if not hmac.compare_digest(signer.sign(payload), given):
                raise BadSignature("not as we spell it")
        except (BadSignature, UnicodeEncodeError):
            raise InvalidToken("this link is not one of ours, or was cut; copy the whole address from the mail") from None
        subscription, _, expires = payload.partition("-")
        if LIFETIMES[purpose] is not None and at.timestamp() >= int(expires):
            raise InvalidToken("this link has expired; subscribe again to get a new one")
        return int(subscription)

    def confirm(self, subscription_id: int, at: datetime) -> str:
        return f"{self.base_url}/confirm/{self.token(Purpose.CONFIRM, subscription_id, at)}"

    def for_reader(self, subscription_id: int) -> ReaderLinks:
        feedback = self.token(Purpose.FEEDBACK, subscription_id)
        return ReaderLinks(
            manage=f"{self.base_url}/manage/{self.token(Purpose.MANAGE, subscription_id)}",
            unsubscribe=f"{self.base_url}/unsubscribe/{self.token(Purpose.UNSUBSCRIBE, subscription_id)}",
            more=f"{self.base_url}/more/{feedback}/",
            less=f"{self.base_url}/less/{feedback}/",
        )

    def edition(self, list_name: str, date: str) -> str:
        return f"{self.base_url}/lists/{list_name}/{date}"

    def archive(self, list_name: str) -> str:
        return f"{self.base_url}/lists/{list_name}"
