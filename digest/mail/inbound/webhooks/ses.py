"""Amazon SES through SNS: HTTP posts signed with RSA over a fixed order of fields, and the same JSON mailed to us.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from digest.domain.errors import InvalidInput
from digest.domain.feedback import BounceClass, Feedback, FeedbackKind, Returned
from digest.domain.instant import parse_instant
from digest.mail.inbound.bounce_classifier import diagnose
from digest.mail.inbound.webhooks.events import bounce, complaint, items, read_json, refuse_stale, table, text

_CERTIFICATE_URL = re.compile(
    r"https://sns\.[a-z]{2}(?:-[a-z]{1,12}){1,3}-\d{1,2}\.amazonaws\.com(?:\.cn)?/SimpleNotificationService-[A-Za-z0-9]{1,80}\.pem"
)
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_HASHES: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303 SNS's version 1 is SHA-1


class SesWebhook:
    """`topic_arn` is the topic we subscribed; `certificate` fetches the PEM at a URL of SNS's own (never another)."""

    def __init__(self, topic_arn: str, certificate: Callable[[str], bytes]) -> None:
        self._topic_arn = topic_arn
        self._certificate = certificate

    def verify(self, headers: Mapping[str, str], body: bytes, at: datetime) -> None:
        """Raises InvalidInput: forged, stale, for another topic, or with a certificate from elsewhere."""
        post = table(read_json(body))
        fields = _SIGNED.get(text(post.get("Type")), ())
        url = text(post.get("SigningCertURL"))
        if not fields or post.get("TopicArn") != self._topic_arn:
            raise InvalidInput("ses webhook", "not a post of the configured SNS topic")
        if not _CERTIFICATE_URL.fullmatch(url):
            raise InvalidInput("ses webhook", "SigningCertURL should be a certificate of sns.<region>.amazonaws.com")
        try:
            refuse_stale("ses webhook", str(int(parse_instant(text(post.get("Timestamp"))).timestamp())), at)
            signature = base64.b64decode(text(post.get("Signature")), validate=True)
            key = x509.load_pem_x509_certificate(self._certificate(url)).public_key()
            if not isinstance(key, rsa.RSAPublicKey):
                raise InvalidInput("ses webhook", "the certificate holds no RSA key")
            signed = "".join(f"{name}\n{post[name]}\n" for name in fields if name in post)
            key.verify(signature, signed.encode(), padding.PKCS1v15(), _HASHES[text(post.get("SignatureVersion"))])
        except UnsupportedAlgorithm:  # a FIPS host
            raise InvalidInput("ses webhook", "this host checks no SHA-1: set SignatureVersion 2 on the SNS topic") from None
        except (InvalidSignature, binascii.Error, ValueError, KeyError):
            raise InvalidInput("ses webhook", "the signature does not fit what was posted") from None

    def parse(self, body: bytes) -> tuple[Feedback, ...]:
        """The notification inside an SNS post."""
        return read_notification(read_json(text_of_message(read_json(body))))

    def subscribe_url(self, body: bytes) -> str:
        """Where to confirm the subscription of a verified SubscriptionConfirmation, else ""."""
        post = table(read_json(body))
        return text(post.get("SubscribeURL")) if post.get("Type") == "SubscriptionConfirmation" else ""


def text_of_message(post: Any) -> bytes:
    """SNS wraps the notification as a string; without the wrap (raw delivery) it is what was posted."""
    message = table(post).get("Message")
    return message.encode("utf-8", "replace") if isinstance(message, str) else b"{}"


def read_notification(value: Any) -> tuple[Feedback, ...]:
    """An SES notification or event, already parsed from JSON. Deliveries are told of as `other`."""
    notification = table(value)
    kind = text(notification.get("notificationType") or notification.get("eventType")).lower()
    message_id = _message_id(table(notification.get("mail")))
    if kind == "bounce":
        about = table(notification.get("bounce"))
        permanent = about.get("bounceType") == "Permanent"
        return tuple(
            _bounced(one, permanent, text(about.get("bounceSubType")), message_id)
            for one in items(about.get("bouncedRecipients"))
        )
    if kind == "complaint":
        about = table(notification.get("complaint"))
        if about.get("complaintFeedbackType") == "not-spam":
            return (Feedback(FeedbackKind.OTHER, message_id=message_id, reason="ses event: not-spam"),)
        readers = items(about.get("complainedRecipients"))
        return tuple(complaint(text(one.get("emailAddress")), message_id=message_id, provider="ses") for one in readers)
    if kind in ("delivery", "send"):
        return (Feedback(FeedbackKind.OTHER, message_id=message_id, reason="ses event: delivered"),)
    return ()


def _bounced(recipient: dict[str, Any], permanent: bool, subtype: str, message_id: str) -> Feedback:
    address, status = text(recipient.get("emailAddress")), text(recipient.get("status"))
    words = text(recipient.get("diagnosticCode"))
    if subtype in ("Suppressed", "OnAccountSuppressionList", "ContentRejected", "AttachmentRejected"):
        # SES refused by itself: what it knows of other senders, or of our content, says nothing certain of the reader
        kind = BounceClass.SOFT if "uppress" in subtype else BounceClass.SENDER
        returned = Returned(address, status or diagnose(words).status, kind, words or subtype)
        return Feedback(FeedbackKind.BOUNCE, (returned,), message_id=message_id, reason="ses event")
    return bounce(address, words, status, permanent=permanent, message_id=message_id, provider="ses")


def _message_id(mail: dict[str, Any]) -> str:
    """Ours where the notification carries the headers; SES's own name for the mail means nothing to us."""
    found = (text(one.get("value")) for one in items(mail.get("headers")) if text(one.get("name")).lower() == "message-id")
    return next(found, text(table(mail.get("commonHeaders")).get("messageId"))).strip("<>")
