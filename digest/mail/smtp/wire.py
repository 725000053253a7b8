"""What a message looks like on the wire: its commands, its bytes, and whether a relay can carry it at all. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from digest.domain.delivery import Envelope, Reply

_BARE = re.compile(rb"\r\n|\r|\n")
NOT_SENT = "not sent: "
"""So begins the reply that we give ourselves on behalf of a relay that cannot carry a message."""
_UNSAFE_PATH = re.compile(r"[\x00-\x20\x7f<>]")


@dataclass(frozen=True, slots=True)
class Offers:
    """What the relay's EHLO promised. `size` is the largest message in bytes, 0 when it names none."""

    pipelining: bool = False
    size_known: bool = False
    size: int = 0
    eight_bit: bool = False
    smtputf8: bool = False
    enhanced: bool = False


def impossible(envelope: Envelope, offers: Offers) -> Reply | None:
    """Why this relay cannot carry it: our own answer on its behalf, said before anything is sent. None when it can."""
    paths = envelope.sender + envelope.recipient
    if _UNSAFE_PATH.search(paths):
        return Reply(501, f"{NOT_SENT}the envelope holds a space, control character or angle bracket", "5.5.4")
    if not paths.isascii() or envelope.smtputf8:
        if not offers.smtputf8:
            return Reply(553, f"{NOT_SENT}the address is not ASCII and this relay does not offer SMTPUTF8", "5.6.7")
    elif not offers.eight_bit and not envelope.data.isascii():
        return Reply(554, f"{NOT_SENT}the message is not ASCII and this relay does not offer 8BITMIME", "5.6.3")
    if 0 < offers.size < envelope.size:
        return Reply(552, f"{NOT_SENT}{envelope.size} bytes, this relay takes {offers.size}", "5.3.4")
    return None


def commands(envelope: Envelope, offers: Offers) -> tuple[bytes, bytes, bytes]:
    """MAIL, RCPT and DATA, with the parameters that the relay offers and the message needs."""
    sender, recipient = envelope.sender, envelope.recipient
    parameters = f" SIZE={envelope.size}" if offers.size_known else ""
    ascii_paths = sender.isascii() and recipient.isascii()
    # SMTPUTF8 lets the header be UTF-8, and then 8BITMIME must be said too (RFC 6531 §3.6); what is ready is ASCII otherwise
    if offers.eight_bit and not ((envelope.ready and not envelope.smtputf8) or envelope.data.isascii()):
        parameters += " BODY=8BITMIME"
    if envelope.smtputf8 or not ascii_paths:
        parameters += " SMTPUTF8"
    return f"MAIL FROM:<{sender}>{parameters}\r\n".encode(), f"RCPT TO:<{recipient}>\r\n".encode(), b"DATA\r\n"


def on_the_wire(data: bytes) -> bytes:
    """`data` with CRLF line ends only, ended by one, and dots doubled at line starts (RFC 5321 §4.5.2).

    A bare CR or LF never goes out: servers that take one for a line end can be made to see a second message (smuggling).
    """
    if not data.count(b"\r\n") == data.count(b"\r") == data.count(b"\n"):
        data = _BARE.sub(b"\r\n", data)
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    data = data.replace(b"\r\n.", b"\r\n..")
    return b"." + data if data.startswith(b".") else data
