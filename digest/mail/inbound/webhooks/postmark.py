"""Postmark's webhooks. Postmark signs nothing: it sends the user name and password of the URL it was given (HTTP Basic).

https://postmarkapp.com/developer/webhooks/webhooks-overview
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from datetime import datetime

from digest.domain.errors import InvalidInput
from digest.domain.feedback import BounceClass, Feedback, FeedbackKind, Returned
from digest.mail.inbound.webhooks.events import bounce, complaint, read_json, table, text

# https://postmarkapp.com/developer/api/bounce-api#bounce-types
_CLASSES = {
    "Blocked": BounceClass.SENDER,
    "SpamNotification": BounceClass.SENDER,
    "DMARCPolicy": BounceClass.SENDER,
    "SMTPApiError": BounceClass.SENDER,
    "InboundError": BounceClass.SENDER,
    "TemplateRenderingFailed": BounceClass.SENDER,
    "VirusNotification": BounceClass.SENDER,
    "OpenRelayTest": BounceClass.SENDER,
}
_NO_BOUNCE = frozenset({"AutoResponder", "AddressChange", "Subscribe", "Unsubscribe", "ChallengeVerification", "Unconfirmed"})


class PostmarkWebhook:
    """`user` and `password` as written into the webhook's URL."""

    def __init__(self, user: str, password: str) -> None:
        self._expected = b"Basic " + base64.b64encode(f"{user}:{password}".encode())

    def verify(self, headers: Mapping[str, str], body: bytes, at: datetime) -> None:
        """Raises InvalidInput where user name and password are not ours."""
        if not hmac.compare_digest(self._expected, headers.get("authorization", "").encode("utf-8", "replace")):
            raise InvalidInput("postmark webhook", "user name and password should be those of the webhook's URL")

    def parse(self, body: bytes) -> tuple[Feedback, ...]:
        """Bounces and complaints."""
        event = table(read_json(body))
        kind, address = text(event.get("Type")), text(event.get("Email"))
        if event.get("RecordType") == "SpamComplaint":
            return (complaint(address, provider="postmark"),)
        if event.get("RecordType") != "Bounce":
            return ()
        if kind in _NO_BOUNCE:
            return (Feedback(FeedbackKind.AUTO_REPLY, reason=f"postmark event: {kind}"),)
        words = text(event.get("Details") or event.get("Description"))
        if kind in ("HardBounce", "BadEmailAddress"):
            return (bounce(address, words, permanent=True, provider="postmark"),)
        returned = Returned(address, "", _CLASSES.get(kind, BounceClass.SOFT), words)
        return (Feedback(FeedbackKind.BOUNCE, (returned,), reason="postmark event"),)
