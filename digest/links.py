"""Signed links: a token does one thing, for one subscription, and says nothing about whom it is for.

A token is `<payload>.<signature>`; the signature is HMAC-SHA-256 under a key derived for the purpose, so a token made for one
purpose is forged for every other. Signatures compare in constant time (itsdangerous).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from binascii import b2a_base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import quote, urlsplit

from itsdangerous import BadSignature, Signer

from digest.domain.errors import InvalidToken
from digest.domain.keyed_hash import keyed_hash
from digest.domain.phrase import phrase
from digest.domain.subscriber import Address

_NUMBERED = re.compile(r"[0-9]+(?:-[0-9]+)?")
"""A subscription's number, with the instant a confirmation expires: the form that links had before migration 0011."""
_LONGEST_NUMBER = 18
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
"""RFC 4648 §5."""


def address_hasher(secret: str) -> Callable[[str], str]:
    """Turns an address's key into what is kept of an address that is not mailed any more."""
    key = derive_key(secret, "suppression")
    return lambda text: hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


class Purpose(StrEnum):
    CONFIRM = "confirm"
    MANAGE = "manage"
    UNSUBSCRIBE = "unsubscribe"
    FEEDBACK = "feedback"
    ADDRESS = "address"
    """A reader's mail goes to the address that this link came to."""
    STOP = "stop"
    """No more mail at all to an address that has no subscription; its token holds the address's keyed hash."""


CONFIRM_LIFETIME = timedelta(days=7)
LIFETIMES: dict[Purpose, timedelta | None] = {
    Purpose.CONFIRM: CONFIRM_LIFETIME,
    Purpose.MANAGE: None,
    Purpose.UNSUBSCRIBE: None,  # RFC 8058: must work for mails of any age
    Purpose.FEEDBACK: None,
    Purpose.ADDRESS: CONFIRM_LIFETIME,
    Purpose.STOP: None,
}


def derive_key(secret: str, purpose: str) -> bytes:
    """A key for one purpose, so that what leaks of one use tells nothing of another. 32 bytes."""
    return hmac.digest(secret.encode(), f"digest/{purpose}".encode(), hashlib.sha256)


@dataclass(frozen=True, slots=True)
class ReaderLinks:
    """Every personal address in one mail. `more`, `less` and `save` want the paper's identifier appended."""

    manage: str
    unsubscribe: str
    more: str
    less: str
    save: str


NO_PAGES = ReaderLinks("", "", "", "", "")


class Links:
    """Makes and reads the addresses under `base_url`."""

    def __init__(self, base_url: str, secret: str, *, pages: bool = True) -> None:
        """`pages`: whether there are pages to link to. Without them, links to them are empty."""
        self.base_url = base_url.rstrip("/")
        self.pages = pages
        self.home = self.base_url if pages else ""
        """Where a mail says that we are."""
        self.root_path = urlsplit(self.base_url).path
        """What stands before every path of ours where the pages are not at their host's root: "/digest", else empty."""
        self._hash_address = address_hasher(secret)
        keys = {purpose: derive_key(secret, purpose) for purpose in Purpose}
        self._signed = {purpose: _signing(key) for purpose, key in keys.items()}
        self._signers = {
            purpose: Signer(key, key_derivation="none", digest_method=hashlib.sha256) for purpose, key in keys.items()
        }
        self._lasting = tuple(self._signed[each] for each in (Purpose.MANAGE, Purpose.UNSUBSCRIBE, Purpose.FEEDBACK))

    def token(self, purpose: Purpose, public_id: str, at: datetime | None = None) -> str:
        """`public_id` is a subscription's, or for CONFIRM and ADDRESS a request's; `at` is needed for purposes that expire."""
        lifetime = LIFETIMES[purpose]
        if lifetime is None:
            return self._signed[purpose](public_id)
        if at is None:
            raise ValueError(f"a {purpose} token expires: it needs the instant it is made")
        return self._signed[purpose](f"{public_id}.{int((at + lifetime).timestamp())}")

    def verify(self, purpose: Purpose, token: str, at: datetime) -> str:
        """Verifies a token: the public id that it names. Raises InvalidToken: forged, cut, of another purpose, expired.

        Links used to name a subscription by its number. Of those only the ones that unsubscribe are read: as that number.
        """
        named, _, expires = self._unsigned(purpose, token).partition(".")
        if _NUMBERED.fullmatch(named) and (purpose is not Purpose.UNSUBSCRIBE or len(named) > _LONGEST_NUMBER):
            raise InvalidToken(phrase("this link is from an older email and no longer works; use the link in a newer email"))
        if LIFETIMES[purpose] is not None and at.timestamp() >= int(expires):
            raise InvalidToken(
                phrase("this link has expired; ask again for a new one (subscribe again, or change your address again)")
            )
        return named

    def _unsigned(self, purpose: Purpose, token: str) -> str:
        signer = self._signers[purpose]
        try:
            given = token.encode("ascii", "strict")[:200]
            payload = signer.unsign(given).decode()
            # base64 has several spellings of the same bytes (padding, spare bits); ours has one
            if not hmac.compare_digest(self._signed[purpose](payload).encode(), given):
                raise BadSignature("not as we spell it")
        except (BadSignature, UnicodeEncodeError):
            raise InvalidToken(phrase("this link is invalid or incomplete; copy the full link from the email")) from None
        return payload

    def confirm(self, request: str, at: datetime) -> str:
        return f"{self.base_url}/confirm/{self.token(Purpose.CONFIRM, request, at)}"

    def address(self, change: str, at: datetime) -> str:
        return f"{self.base_url}/address/{self.token(Purpose.ADDRESS, change, at)}"

    def for_reader(self, public_id: str) -> ReaderLinks:
        """They never expire."""
        if not self.pages:
            return NO_PAGES
        manage, unsubscribe, feedback = self._lasting
        base_url = self.base_url
        liked = feedback(public_id)
        return ReaderLinks(
            manage=f"{base_url}/manage/{manage(public_id)}",
            unsubscribe=f"{base_url}/unsubscribe/{unsubscribe(public_id)}",
            more=f"{base_url}/more/{liked}/",
            less=f"{base_url}/less/{liked}/",
            save=f"{base_url}/save/{liked}/",
        )

    def for_stranger(self, address: Address, list_name: str) -> ReaderLinks:
        """For a mail outside subscriptions: to leave is to be mailed no more, and all else leads to the subscribe form."""
        if not self.pages:
            return NO_PAGES
        token = self._signers[Purpose.STOP].sign(self._hash_address(address.key)).decode()
        form = f"{self.base_url}/subscribe?list={list_name}"
        like = f"{form}&like="
        stop = f"{self.base_url}/unsubscribe/stop/{token}"
        return ReaderLinks(manage=form, unsubscribe=stop, more=like, less=like, save=like)

    def verify_stop(self, token: str) -> str:
        """The hash of the address that wants no more mail. Raises InvalidToken."""
        return self._unsigned(Purpose.STOP, token)

    def edition(self, list_name: str, date: str) -> str:
        return f"{self.base_url}/lists/{list_name}/{date}" if self.pages else ""

    def paper(self, identifier: str) -> str:
        """A paper's own page."""
        return f"{self.base_url}/papers/{quote(identifier, safe='/:')}" if self.pages else ""

    def archive(self, list_name: str) -> str:
        return f"{self.base_url}/lists/{list_name}" if self.pages else ""


def _signing(key: bytes) -> Callable[[str], str]:
    """What itsdangerous' `sign` gives (it reads them back), in a tenth of the time: three of them are in every mail."""
    digest = keyed_hash(key)

    def signed(payload: str) -> str:
        signature = b2a_base64(digest(payload.encode()), newline=False)
        return f"{payload}.{signature.translate(_URL_SAFE, b'=').decode()}"

    return signed
