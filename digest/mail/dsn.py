"""Delivery status notifications (RFC 3464): the one report every server can write, read field by field."""

from __future__ import annotations

import re
from dataclasses import dataclass

from digest.domain.feedback import BounceClass, Returned
from digest.mail.diagnosis import diagnose
from digest.mail.mime import Part, decode_transfer, read_fields

MAX_RECIPIENTS = 100

_ADDRESS = re.compile(r"[^\s<>()\[\];,\"]{1,128}@[^\s<>()\[\];,\"]{1,255}")
_HAPPENED = {"delivered", "relayed", "expanded"}


@dataclass(frozen=True, slots=True)
class Report:
    """What a delivery-status part says. `delivered`: it reports success for everybody it names."""

    recipients: tuple[Returned, ...]
    delivered: bool


def find_report(mail: Part) -> Part | None:
    """The mail's own message/delivery-status part; one inside an attached message is somebody else's."""
    return next(
        (part for part in mail.walk() if part.content_type in ("message/delivery-status", "message/global-delivery-status")), None
    )


def read_report(status: Part, notification: str = "") -> Report:
    """Reads the per-recipient blocks. `notification` is the human-readable part: asked only where a block gives no diagnostic."""
    body = decode_transfer(status.body, status.header("content-transfer-encoding"))
    returned: dict[str, Returned] = {}
    happened = 0
    for block in re.split(rb"\n[ \t]*(?:\n[ \t]*)+(?=\S)", body, maxsplit=MAX_RECIPIENTS + 1):
        fields = dict(reversed(read_fields(block)))
        address = recipient_of(fields)
        if not address and not ("action" in fields and "status" in fields):
            continue
        if fields.get("action", "").lower().split(" ")[0] in _HAPPENED:
            happened += 1
            continue
        one = _returned(address, fields, notification)
        returned.setdefault(address.lower(), one)
    return Report(tuple(returned.values()), delivered=bool(happened and not returned))


def recipient_of(fields: dict[str, str]) -> str:
    """The mailbox a block is about: as we spelled it (Original-Recipient) before what it became on the way."""
    for name in ("original-recipient", "x-actual-recipient", "final-recipient"):
        kind, _, text = fields.get(name, "").rpartition(";")
        match = _ADDRESS.search(text)
        if match and "x400" not in kind.lower():
            return match[0].strip("'")
    return ""


def _returned(address: str, fields: dict[str, str], notification: str) -> Returned:
    diagnostic = fields.get("diagnostic-code", "")
    words = diagnostic.partition(";")[2].strip() or diagnostic
    action = fields.get("action", "").lower()
    found = diagnose(words, fields.get("status", ""), delayed=action.startswith("delay"))
    if found.cause in ("undefined", "mail system") and notification:
        found = diagnose(f"{words} {notification}", fields.get("status", ""))
    return Returned(address, found.status, found.bounce, (words or fields.get("status", ""))[:500])
