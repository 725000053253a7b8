"""Names only we can make: the envelope sender, the unsubscribe mailbox and the Message-ID of a delivery (VERP, keyed).

A stamp is `<subject>.<mac>`: the delivery's number, or a letter and a hash for a mail that belongs to no delivery, and 80 bits
of HMAC-SHA256 in base 32. Lower case only: some servers fold the case of addresses. Whoever cannot compute the mac cannot
make us believe that somebody's mail bounced.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from digest.domain.errors import ConfigurationError
from digest.domain.keyed_hash import keyed_hash

BOUNCES = "bounces"
UNSUBSCRIBE = "unsubscribe"

_STAMPED = re.compile(r"(?:[a-z]+[+=-])?([0-9]{1,19}|t[a-z2-7]{16})\.([a-z2-7]{16})", re.IGNORECASE)
_SHORTEST_KEY = 16
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [high + low for high in _LETTERS for low in _LETTERS]
"""Base 32, two letters (ten bits) at a time: the standard library's takes five times as long, and every mail has one."""
_SHIFTS = range(230, -1, -10)


@dataclass(frozen=True, slots=True)
class Stamp:
    """Three unrelated stamps of one thing: knowing one does not give the others."""

    bounce: str
    unsubscribe: str
    message: str


class VerpSigner:
    """Makes and reads stamps. `key` is a secret that must outlive the mails sent with it (bounces come days later)."""

    def __init__(self, key: bytes) -> None:
        if len(key) < _SHORTEST_KEY:
            raise ConfigurationError("secret", f"should be at least {_SHORTEST_KEY} bytes")
        self._hash = keyed_hash(hashlib.sha256(b"digest/mail/verp\0" + key).digest())

    def of(self, subject: int | str) -> Stamp:
        """The stamps of a delivery (its number) or of another occasion (any text)."""
        name = str(subject) if isinstance(subject, int) else _name(subject)
        bounce, unsubscribe, message = self._macs(name)
        return Stamp(f"{name}.{bounce}", f"{name}.{unsubscribe}", f"{name}.{message}")

    def read_bounce(self, address: str) -> int | None:
        """The delivery whose envelope sender `address` is; None when it is none of ours, forged, or of no delivery."""
        return self._read(address, 0)

    def read_unsubscribe(self, address: str) -> int | None:
        """The delivery whose unsubscribe mailbox `address` is."""
        return self._read(address, 1)

    def read_message_id(self, message_id: str) -> int | None:
        """The delivery whose Message-ID this is, with or without angle brackets."""
        return self._read(message_id.strip().removeprefix("<"), 2)

    def made(self, address: str) -> bool:
        """Whether we made this envelope sender or unsubscribe mailbox, for a delivery or for another occasion."""
        return any(self._name(address, which) for which in (0, 1))

    def _read(self, address: str, which: int) -> int | None:
        name = self._name(address, which)
        return int(name) if name.isdigit() else None

    def _name(self, address: str, which: int) -> str:
        """What was stamped, or "" where the stamp is none of ours."""
        stamped = _STAMPED.fullmatch(address.strip().partition("@")[0])
        if not stamped:
            return ""
        name, mac = stamped[1].lower(), stamped[2].lower()
        return name if hmac.compare_digest(self._macs(name)[which], mac) else ""

    def _macs(self, name: str) -> tuple[str, str, str]:
        number = int.from_bytes(self._hash(name.encode())[:30])
        spelled = "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])
        return spelled[:16], spelled[16:32], spelled[32:]


def _name(subject: str) -> str:
    return "t" + base64.b32encode(hashlib.sha256(subject.encode()).digest()[:10]).decode().lower()
