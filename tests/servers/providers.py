"""Posts as SES, SendGrid, Mailgun and Postmark sign and send them, with keys of our own: (headers, body) of one event.

`complaint` False: the mailbox does not exist.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

RelayPool = tuple[dict[str, str], bytes]
TOPIC = "arn:aws:sns:eu-west-1:123456789012:bounces"
CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
MAILGUN = "key of the webhook"
POSTMARK = "word of the webhook"
_EC = ec.generate_private_key(ec.SECP256R1())
_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SENDGRID = base64.b64encode(
    _EC.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()


def certificate(at: datetime) -> bytes:
    """Amazon's, if we were Amazon."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    build = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(_RSA.public_key()).serial_number(1)
    build = build.not_valid_before(at - timedelta(days=9)).not_valid_after(at + timedelta(days=9))
    return build.sign(_RSA, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def ses(email: str, message_id: str, at: datetime, *, complaint: bool) -> RelayPool:
    who = {"emailAddress": email, "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
    bounce = {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [who]}
    said = {"complaint": {"complainedRecipients": [who]}} if complaint else {"bounce": bounce}
    mail = {"messageId": "0100", "headers": [{"name": "Message-ID", "value": f"<{message_id}>"}]}
    post = {
        "Type": "Notification",
        "MessageId": "22b80b92",
        "TopicArn": TOPIC,
        "Message": json.dumps({"notificationType": "Complaint" if complaint else "Bounce", "mail": mail, **said}),
        "Timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
    }
    text = "".join(f"{name}\n{post[name]}\n" for name in ("Message", "MessageId", "Timestamp", "TopicArn", "Type"))
    post["Signature"] = base64.b64encode(_RSA.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
    return {}, json.dumps(post).encode()


def sendgrid(email: str, message_id: str, at: datetime, *, complaint: bool) -> RelayPool:
    event = {"email": email, "smtp-id": f"<{message_id}>"}
    event |= (
        {"event": "spamreport"}
        if complaint
        else {"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 no"}
    )
    body, stamp = json.dumps([event]).encode(), str(int(at.timestamp()))
    signature = base64.b64encode(_EC.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    return {"x-twilio-email-event-webhook-signature": signature, "x-twilio-email-event-webhook-timestamp": stamp}, body


def mailgun(email: str, message_id: str, at: datetime, *, complaint: bool) -> RelayPool:
    stamp, token = str(int(at.timestamp())), hashlib.sha256(message_id.encode()).hexdigest()[:50]
    signature = hmac.new(MAILGUN.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    status = {"code": 550, "message": "5.1.1 no such user"}
    failed = {"event": "failed", "severity": "permanent", "delivery-status": status}
    event = {"recipient": email, "message": {"headers": {"message-id": message_id}}}
    event |= {"event": "complained"} if complaint else failed
    signed = {"signature": {"timestamp": stamp, "token": token, "signature": signature}, "event-data": event}
    return {}, json.dumps(signed).encode()


def postmark(email: str, message_id: str, at: datetime, *, complaint: bool) -> RelayPool:
    """Signs nothing: the password in its address is what it is known by, so an old post is as good as a new one."""
    said = {"RecordType": "SpamComplaint"} if complaint else {"RecordType": "Bounce", "Type": "HardBounce"}
    word = base64.b64encode(f"digest:{POSTMARK}".encode()).decode()
    return {"authorization": f"Basic {word}"}, json.dumps({**said, "Email": email}).encode()


Provider = Callable[..., RelayPool]
PROVIDERS: dict[str, Provider] = {"ses": ses, "sendgrid": sendgrid, "mailgun": mailgun, "postmark": postmark}
