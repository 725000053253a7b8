"""SendGrid's Event Webhook, signed with ECDSA over timestamp and body.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from digest.domain.errors import ConfigurationError, InvalidInput
from digest.domain.feedback import BounceClass, Feedback, FeedbackKind, Returned
from digest.mail.inbound.bounce_classifier import diagnose
from digest.mail.inbound.webhooks.events import bounce, complaint, items, read_json, refuse_stale, text

_OF_MAILBOX = frozenset({"", "Invalid Address", "Mailbox Unavailable", "Unclassified"})
_OURS = re.compile(r"content|quota|header", re.IGNORECASE)


class SendGridWebhook:
    """`public_key` is the verification key SendGrid shows: base64 of a DER key."""

    def __init__(self, public_key: str) -> None:
        try:
            key = load_der_public_key(base64.b64decode(public_key, validate=True))
        except (ValueError, binascii.Error):
            key = None
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise ConfigurationError("inbound.sendgrid.public_key", "should be the verification key SendGrid shows (base64)")
        self._key = key

    def verify(self, headers: Mapping[str, str], body: bytes, at: datetime) -> None:
        """Raises InvalidInput: forged, stale or unsigned."""
        timestamp = headers.get("x-twilio-email-event-webhook-timestamp", "")
        refuse_stale("sendgrid webhook", timestamp, at)
        try:
            signature = base64.b64decode(headers.get("x-twilio-email-event-webhook-signature", ""), validate=True)
            self._key.verify(signature, timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, ValueError):
            raise InvalidInput("sendgrid webhook", "the signature does not fit what was posted") from None

    def parse(self, body: bytes) -> tuple[Feedback, ...]:
        """Bounces, blocks, drops and spam reports."""
        return tuple(found for event in items(read_json(body)) if (found := _feedback(event)) is not None)


def _feedback(event: dict[str, Any]) -> Feedback | None:
    address, message_id = text(event.get("email")), text(event.get("smtp-id"))
    kind = text(event.get("event"))
    if kind == "spamreport":
        return complaint(address, message_id=message_id, provider="sendgrid")
    words = text(event.get("reason"))
    if kind == "dropped":  # its own lists repeat what was said long ago, or our plan is used up: nothing certain of the reader
        found = diagnose(words)
        ours = found.bounce is BounceClass.SENDER or _OURS.search(words)
        returned = Returned(address, found.status, BounceClass.SENDER if ours else BounceClass.SOFT, words)
        return Feedback(FeedbackKind.BOUNCE, (returned,), message_id=message_id.strip("<>"), reason="sendgrid event")
    if kind == "bounce":
        # "blocked" is SendGrid's word for what may pass another time; its classes tell whose fault it took it for
        permanent = event.get("type") != "blocked" and text(event.get("bounce_classification")) in _OF_MAILBOX
        return bounce(address, words, text(event.get("status")), permanent=permanent, message_id=message_id, provider="sendgrid")
    if kind == "deferred":
        returned = Returned(address, text(event.get("status")), BounceClass.DELAYED, text(event.get("response")))
        return Feedback(FeedbackKind.BOUNCE, (returned,), message_id=message_id.strip("<>"), reason="sendgrid event")
    return None
