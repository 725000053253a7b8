"""Mailgun's webhooks, signed with HMAC-SHA-256 over timestamp and token.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Mapping
from datetime import datetime

from digest.domain.errors import InvalidInput
from digest.domain.feedback import Feedback
from digest.mail.inbound.webhooks.events import TOLERANCE_SECONDS, bounce, complaint, read_json, refuse_stale, table, text


class MailgunWebhook:
    """`signing_key` is Mailgun's HTTP webhook signing key."""

    def __init__(self, signing_key: str) -> None:
        self._key = signing_key.encode()
        self._lock = threading.Lock()
        self._posts: dict[str, tuple[float, bytes]] = {}
        """By token: when it came, and a digest of the events it came with."""

    def verify(self, headers: Mapping[str, str], body: bytes, at: datetime) -> None:
        """Raises InvalidInput: forged, stale or unsigned."""
        signature = table(table(read_json(body)).get("signature"))
        timestamp, token = text(signature.get("timestamp")), text(signature.get("token"))
        expected = hmac.new(self._key, f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
        if not token or not hmac.compare_digest(expected.encode(), text(signature.get("signature")).encode()):
            raise InvalidInput("mailgun webhook", "the signature does not fit what was posted")
        refuse_stale("mailgun webhook", timestamp, at)
        self._refuse_replayed(token, body, at.timestamp())

    def _refuse_replayed(self, token: str, body: bytes, now: float) -> None:
        """The signature does not cover the events: a token that comes again with others was taken from an earlier post."""
        events = table(read_json(body)).get("event-data")
        digest = hashlib.sha256(json.dumps(events, sort_keys=True).encode()).digest()
        with self._lock:
            self._posts = {known: post for known, post in self._posts.items() if now - post[0] <= 2 * TOLERANCE_SECONDS}
            _, first = self._posts.setdefault(token, (now, digest))
        if first != digest:
            raise InvalidInput("mailgun webhook", "the token was used before, with other events")

    def parse(self, body: bytes) -> tuple[Feedback, ...]:
        """Failures and complaints."""
        event = table(table(read_json(body)).get("event-data"))
        address = text(event.get("recipient"))
        message_id = text(table(table(event.get("message")).get("headers")).get("message-id"))
        if event.get("event") == "complained":
            return (complaint(address, message_id=message_id, provider="mailgun"),)
        if event.get("event") == "failed":
            status = table(event.get("delivery-status"))
            words = " ".join(text(status.get(name)) for name in ("code", "message", "description"))
            # its own suppression lists ("suppress-bounce") repeat what was said long ago: never certain
            permanent = event.get("severity") == "permanent" and not text(event.get("reason")).startswith("suppress-")
            code = text(status.get("enhanced-code"))
            return (bounce(address, words, code, permanent=permanent, message_id=message_id, provider="mailgun"),)
        return ()
