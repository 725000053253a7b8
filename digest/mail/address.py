"""What a person typed → an address we can deliver to."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email

from digest.domain.errors import InvalidAddress
from digest.domain.subscriber import Address


def read_address(text: str) -> Address:
    """Reads a bare mailbox (RFC 5321 dot-atom, RFC 6531 international), normalised: NFC, domain in lower case and Unicode.

    No display name, quoting, comment or address literal. The domain need not exist: that is for the relay to find out.
    Raises InvalidAddress with what is wrong.
    """
    try:
        read = validate_email(text.strip(), check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as error:
        raise InvalidAddress(f"address {text[:80]!r}", f"{error}; should be like name@example.org") from None
    return Address(f"{read.local_part}@{read.domain.lower()}")
