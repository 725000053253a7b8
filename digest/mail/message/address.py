"""What a person typed → an address we can deliver to."""

from __future__ import annotations

import re
from functools import lru_cache

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from digest.domain.errors import InvalidAddress
from digest.domain.subscriber import Address

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
"""RFC 5321 §4.1.2, Dot-string."""
_SHORT = 64
"""Octets that a local part may have (RFC 5321 §4.5.3.1.1); with a domain no longer than that nothing else limits an address."""


def read_address(text: str) -> Address:
    """Reads a bare mailbox (RFC 5321 dot-atom, RFC 6531 international), normalised: NFC, domain in lower case and Unicode.

    No display name, quoting, comment or address literal. Blanks around it are dropped; a line break is no blank, it belongs to
    somebody who tries something. The domain need not exist: that is for the relay to find out.
    Raises InvalidAddress with what is wrong.
    """
    bare = text.strip(" \t\u00a0")
    local, _, domain = bare.rpartition("@")
    if len(local) <= _SHORT and _PLAIN_LOCAL.fullmatch(local) and (known := _domain(domain)):
        return Address(f"{local}@{known}")
    try:
        read = _validated(bare)
    except EmailNotValidError as error:
        raise InvalidAddress(f"address {text[:80]!r}", f"{error}; should be like name@example.org") from None
    return Address(f"{read.local_part}@{read.domain.lower()}")


def _validated(text: str) -> ValidatedEmail:
    return validate_email(text, test_environment=True, strict=True)  # it asks no DNS then, and "x.test" may be used


@lru_cache(maxsize=4096)
def _domain(text: str) -> str:
    """The domain, normalised; "" for what is none, or too long to be taken without a look at the whole. Lists repeat them."""
    try:
        read = _validated(f"a@{text}")
    except EmailNotValidError:
        return ""
    return read.domain.lower() if len(read.ascii_domain or text) <= 2 * _SHORT else ""
