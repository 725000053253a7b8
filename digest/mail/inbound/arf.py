"""Complaints: abuse reports in ARF (RFC 5965, RFC 6591, RFC 6650) and the older ones that only forward the mail."""

from __future__ import annotations

import re

from digest.domain.feedback import BounceClass, Feedback, FeedbackKind, Returned
from digest.mail.message.mime import Part, decode_transfer, read_fields

_ADDRESS = re.compile(r"[^\s<>()\[\];:,\"]{1,128}@[^\s<>()\[\];:,\"]{1,255}")
_FORWARDED = re.compile(r"complaint about message from|(?:abuse|spam) (?:report|complaint)|^\[?spam\b.*report", re.IGNORECASE)
_REPORTERS = re.compile(
    r"^(?:staff@hotmail\.|scomp@|feedback(?:loop|-loop)?@|fbl|abuse|complaints?@|no-?reply@.*(?:fbl|abuse))", re.IGNORECASE
)
_RECIPIENT_FIELDS = ("original-rcpt-to", "removal-recipient", "original-recipient", "x-hmxmroriginalrecipient", "x-original-to")


def read_complaint(mail: Part) -> Feedback | None:
    """The complaint in the mail, or None. Reports of failed authentication (DMARC) complain of us, not for a reader:
    their recipients are classed `sender`; "not-spam" takes a complaint back and is no complaint."""
    report = next((part for part in mail.walk() if part.content_type == "message/feedback-report"), None)
    if report is None:
        return _forwarded(mail)
    fields = dict(
        reversed(read_fields(decode_transfer(report.body, report.header("content-transfer-encoding")).replace(b"\n\n", b"\n")))
    )
    kind = fields.get("feedback-type", "abuse").lower().strip()
    if kind == "not-spam":
        return Feedback(FeedbackKind.OTHER, reason="feedback report: not-spam")
    bounce = BounceClass.SENDER if kind in ("auth-failure", "dmarc") else None
    recipients = _recipients(fields) or _recipients(_original(mail))
    returned = tuple(Returned(address, "", bounce, kind) for address in recipients)
    return Feedback(FeedbackKind.COMPLAINT, returned, reason=f"feedback report: {kind[:40]}")


def _forwarded(mail: Part) -> Feedback | None:
    """Hotmail's and AOL's elder loops: a mail from the loop, holding nothing but the complained-of message."""
    sender = _ADDRESS.search(mail.header("from"))
    attached = next((part for part in mail.walk() if part.content_type == "message/rfc822" and part.parts), None)
    if attached is None or sender is None or not (_REPORTERS.match(sender[0]) and _FORWARDED.search(mail.words("subject"))):
        return None
    returned = tuple(Returned(address, "", None, "abuse") for address in _recipients(_original(mail)))
    return Feedback(FeedbackKind.COMPLAINT, returned, reason="complaint that forwards the message")


def _original(mail: Part) -> dict[str, str]:
    for part in mail.walk():
        if part.content_type == "message/rfc822" and part.parts:
            return dict(reversed(part.parts[0].headers))
        if part.content_type in ("text/rfc822-headers", "text/rfc822-header", "message/rfc822-headers"):
            return dict(reversed(read_fields(part.body)))
    return {}


def _recipients(fields: dict[str, str]) -> tuple[str, ...]:
    for name in (*_RECIPIENT_FIELDS, "to"):
        found = _ADDRESS.findall(fields.get(name, ""))
        if found:
            return tuple(dict.fromkeys(found))
    return ()
