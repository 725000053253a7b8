"""What providers post to us: signed by them, recent, and understood like a mail would be."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import ConfigurationError, InvalidInput
from digest.domain.feedback import BounceClass, Feedback, FeedbackKind, Returned
from digest.mail.inbound.webhooks import Webhook
from digest.mail.inbound.webhooks.mailgun import MailgunWebhook
from digest.mail.inbound.webhooks.postmark import PostmarkWebhook
from digest.mail.inbound.webhooks.sendgrid import SendGridWebhook
from digest.mail.inbound.webhooks.ses import SesWebhook
from tests.tables import every_row

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
HARD, SOFT, SENDER, DELAYED = BounceClass.HARD, BounceClass.SOFT, BounceClass.SENDER, BounceClass.DELAYED
TOPIC = "arn:aws:sns:eu-west-1:123456789012:bounces"
CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"

EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem() -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    build = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(RSA_KEY.public_key())
    build = build.serial_number(1).not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
    return build.sign(RSA_KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


PEM = pem()


def sns(message: dict[str, Any], **changed: Any) -> bytes:
    post = {
        "Type": "Notification",
        "MessageId": "22b80b92",
        "TopicArn": TOPIC,
        "Message": json.dumps(message),
        "Timestamp": "2026-11-23T07:59:00.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
    } | changed
    names = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
    text = "".join(f"{name}\n{post[name]}\n" for name in names if name in post)
    post["Signature"] = base64.b64encode(RSA_KEY.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
    return json.dumps(post).encode()


def signed_by_sendgrid(body: bytes, stamp: str = STAMP) -> dict[str, str]:
    signature = EC_KEY.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return {
        "x-twilio-email-event-webhook-signature": base64.b64encode(signature).decode(),
        "x-twilio-email-event-webhook-timestamp": stamp,
    }


def mailgun(event: dict[str, Any], stamp: str = STAMP, key: bytes = b"signing key") -> bytes:
    signature = hmac.new(key, f"{stamp}token".encode(), hashlib.sha256).hexdigest()
    return json.dumps({"signature": {"timestamp": stamp, "token": "token", "signature": signature}, "event-data": event}).encode()


def basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


DER = EC_KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
SES = SesWebhook(TOPIC, lambda url: PEM)
SENDGRID = SendGridWebhook(base64.b64encode(DER).decode())
MAILGUN = MailgunWebhook("signing key")
POSTMARK = PostmarkWebhook("digest", "secret")


# ---- signatures ------------------------------------------------------------------------------------------------------------

BOUNCE = {"notificationType": "Bounce", "bounce": {"bounceType": "Permanent", "bouncedRecipients": []}, "mail": {}}
GENUINE = [
    (SES, {}, sns(BOUNCE)),
    (SENDGRID, signed_by_sendgrid(b"[]"), b"[]"),
    (MAILGUN, {}, mailgun({})),
    (POSTMARK, basic("digest", "secret"), b"{}"),
]
FORGED = [
    (SES, {}, sns(BOUNCE).replace(b"Permanent", b"Transient")),
    (SES, {}, sns(BOUNCE, TopicArn=TOPIC + "x")),
    (SES, {}, sns(BOUNCE, SigningCertURL="https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem")),
    (SES, {}, sns(BOUNCE, SigningCertURL="https://evil.example/sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem")),
    (SES, {}, sns(BOUNCE, Timestamp="2026-11-22T07:59:00.000Z")),
    (SES, {}, sns(BOUNCE, SignatureVersion="9")),
    (SES, {}, b"{}"),
    (SES, {}, b"\xff"),
    (SENDGRID, {}, b"[]"),
    (SENDGRID, signed_by_sendgrid(b"[]"), b"[{}]"),
    (SENDGRID, signed_by_sendgrid(b"[]") | {"x-twilio-email-event-webhook-timestamp": str(int(STAMP) + 1)}, b"[]"),
    (SENDGRID, signed_by_sendgrid(b"[]", str(int(STAMP) - 3600)), b"[]"),
    (SENDGRID, signed_by_sendgrid(b"[]") | {"x-twilio-email-event-webhook-signature": "no base64"}, b"[]"),
    (MAILGUN, {}, mailgun({}, key=b"another key")),
    (MAILGUN, {}, mailgun({}, stamp=str(int(STAMP) - 3600))),
    (MAILGUN, {}, b"[]"),
    (POSTMARK, {}, b"{}"),
    (POSTMARK, basic("digest", "Secret"), b"{}"),
    (POSTMARK, {"authorization": "Basic ümlaut"}, b"{}"),
]


@pytest.mark.parametrize(("webhook", "headers", "body"), GENUINE)
def test_a_post_of_the_provider_is_accepted(webhook: Webhook, headers: dict[str, str], body: bytes) -> None:
    webhook.verify(headers, body, NOW)


@every_row(("webhook", "headers", "body"), FORGED)
def test_a_forged_or_stale_post_is_refused(webhook: Webhook, headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(InvalidInput, match="webhook: "):
        webhook.verify(headers, body, NOW)


def test_a_certificate_from_elsewhere_is_never_fetched() -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return PEM

    webhook = SesWebhook(TOPIC, fetch)
    for _, headers, body in FORGED[2:4]:
        with pytest.raises(InvalidInput, match="SigningCertURL"):
            webhook.verify(headers, body, NOW)
    assert asked == []


WRONG_KEYS = [
    "nonsense",
    "",
    base64.b64encode(b"no key").decode(),
    base64.b64encode(PEM).decode(),
    base64.b64encode(
        RSA_KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ).decode(),
]


@pytest.mark.parametrize("key", WRONG_KEYS)
def test_a_key_that_is_none_is_a_mistake_in_the_configuration(key: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        SendGridWebhook(key)
    said = "configuration: inbound.sendgrid.public_key: should be the verification key SendGrid shows (base64)"
    assert str(refused.value) == said


def refusal(webhook: Webhook, headers: dict[str, str], body: bytes, at: datetime = NOW) -> str:
    try:
        webhook.verify(headers, body, at)
    except InvalidInput as error:
        return str(error)
    return ""


def test_a_refusal_names_the_provider_and_says_why() -> None:
    unfit = "the signature does not fit what was posted"
    assert refusal(SES, {}, sns(BOUNCE).replace(b"Permanent", b"Transient")) == f"ses webhook: {unfit}"
    assert refusal(SES, {}, b"{}") == "ses webhook: not a post of the configured SNS topic"
    elsewhere = "SigningCertURL should be a certificate of sns.<region>.amazonaws.com"
    assert refusal(SES, {}, sns(BOUNCE, SigningCertURL="https://evil.example/x.pem")) == f"ses webhook: {elsewhere}"
    assert refusal(SENDGRID, signed_by_sendgrid(b"[]"), b"[{}]") == f"sendgrid webhook: {unfit}"
    assert refusal(MAILGUN, {}, mailgun({}, key=b"another key")) == f"mailgun webhook: {unfit}"
    said = "user name and password should be those of the webhook's URL"
    assert refusal(POSTMARK, {}, b"{}") == f"postmark webhook: {said}"


def test_how_old_a_post_may_be() -> None:
    for seconds in (-600, 0, 600):
        at = NOW + timedelta(seconds=seconds)
        assert refusal(SENDGRID, signed_by_sendgrid(b"[]"), b"[]", at) == ""
        assert refusal(MAILGUN, {}, mailgun({}), at) == ""
    for seconds in (-601, 601):
        at = NOW + timedelta(seconds=seconds)
        stale = "signed 601 s away from now; should be within 600 s"
        assert refusal(SENDGRID, signed_by_sendgrid(b"[]"), b"[]", at) == f"sendgrid webhook: {stale}"
        assert refusal(MAILGUN, {}, mailgun({}), at) == f"mailgun webhook: {stale}"
    assert refusal(SES, {}, sns(BOUNCE), NOW + timedelta(seconds=540)) == ""
    assert refusal(SES, {}, sns(BOUNCE), NOW + timedelta(seconds=541)).startswith("ses webhook: signed 601 s away")
    assert refusal(SENDGRID, signed_by_sendgrid(b"[]", "soon"), b"[]") == "sendgrid webhook: timestamp should be Unix seconds"
    assert refusal(SENDGRID, signed_by_sendgrid(b"[]", ""), b"[]") == "sendgrid webhook: timestamp should be Unix seconds"


def test_sns_with_its_older_signature_and_for_a_certificate_that_is_none() -> None:
    post = json.loads(sns(BOUNCE, SignatureVersion="1"))
    names = ("Message", "MessageId", "Timestamp", "TopicArn", "Type")
    text = "".join(f"{name}\n{post[name]}\n" for name in names)
    post["Signature"] = base64.b64encode(RSA_KEY.sign(text.encode(), padding.PKCS1v15(), hashes.SHA1())).decode()
    assert refusal(SES, {}, json.dumps(post).encode()) == ""
    assert refusal(SES, {}, sns(BOUNCE, SignatureVersion="1")) != "", "signed as version 2"
    asked: list[str] = []
    assert refusal(SesWebhook(TOPIC, lambda url: asked.append(url) or PEM), {}, sns(BOUNCE)) == ""  # type: ignore[func-returns-value]
    assert asked == [CERTIFICATE]
    assert "does not fit" in refusal(SesWebhook(TOPIC, lambda url: b"no certificate"), {}, sns(BOUNCE))
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    build = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(EC_KEY.public_key())
    build = build.serial_number(1).not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
    of_other_kind = build.sign(EC_KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    said = refusal(SesWebhook(TOPIC, lambda url: of_other_kind), {}, sns(BOUNCE))
    assert said == "ses webhook: the certificate holds no RSA key"


def test_a_subscription_is_confirmed_where_sns_says_and_nothing_else_is() -> None:
    url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=x"
    assert SES.subscribe_url(json.dumps({"Type": "SubscriptionConfirmation", "SubscribeURL": url}).encode()) == url
    for post in ({"Type": "Notification", "SubscribeURL": url}, {"SubscribeURL": url}, {"Type": "SubscriptionConfirmation"}, []):
        assert SES.subscribe_url(json.dumps(post).encode()) == ""


# ---- what they say ---------------------------------------------------------------------------------------------------------


def ses_bounce(kind: str, subtype: str, status: str, words: str) -> bytes:
    recipient = {"emailAddress": "ada@example.org", "status": status, "diagnosticCode": words}
    about = {"bounceType": kind, "bounceSubType": subtype, "bouncedRecipients": [recipient]}
    mail = {"messageId": "0100-ses", "headers": [{"name": "Message-ID", "value": "<1.abc@ours.example>"}]}
    return json.dumps({"Message": json.dumps({"notificationType": "Bounce", "bounce": about, "mail": mail})}).encode()


def sendgrid_event(**event: str) -> bytes:
    return json.dumps([{"email": "ada@example.org", "smtp-id": "<1.abc@ours.example>"} | event]).encode()


def mailgun_failed(severity: str, code: int, words: str, reason: str = "bounce") -> bytes:
    status = {"code": code, "message": words, "description": ""}
    headers = {"headers": {"message-id": "1.abc@ours.example"}}
    event = {"event": "failed", "severity": severity, "reason": reason, "recipient": "ada@example.org"}
    return mailgun(event | {"delivery-status": status, "message": headers})


EVENTS = [
    (SES, ses_bounce("Permanent", "General", "5.1.1", "smtp; 550 5.1.1 user unknown"), HARD),
    (SES, ses_bounce("Permanent", "General", "", ""), HARD),
    (SES, ses_bounce("Transient", "MailboxFull", "5.2.2", "smtp; 552 5.2.2 mailbox full"), SOFT),
    (SES, ses_bounce("Transient", "General", "5.7.1", "smtp; 554 5.7.1 blocked using spamhaus"), SENDER),
    (SES, ses_bounce("Transient", "ContentRejected", "", ""), SENDER),
    (SES, ses_bounce("Permanent", "Suppressed", "", "on the suppression list"), SOFT),
    (SENDGRID, sendgrid_event(event="bounce", type="bounce", status="5.1.1", reason="550 5.1.1 no such user"), HARD),
    (SENDGRID, sendgrid_event(event="bounce", type="blocked", status="5.7.1", reason="554 5.7.1 listed on a blocklist"), SENDER),
    (SENDGRID, sendgrid_event(event="bounce", type="blocked", status="5.1.1", reason="550 5.1.1 no such user"), SOFT),
    (SENDGRID, sendgrid_event(event="deferred", response="451 later"), DELAYED),
    (SENDGRID, sendgrid_event(event="bounce", type="bounce", reason="554 refused", bounce_classification="Reputation"), SOFT),
    (SENDGRID, sendgrid_event(event="bounce", type="bounce", reason="554 no", bounce_classification="Invalid Address"), HARD),
    (
        SENDGRID,
        sendgrid_event(event="bounce", type="bounce", reason="unable to get mx info", bounce_classification="Technical"),
        SOFT,
    ),
    (SENDGRID, sendgrid_event(event="dropped", reason="Bounced Address"), SOFT),
    (SENDGRID, sendgrid_event(event="dropped", reason="Unsubscribed Address"), SOFT),
    (SENDGRID, sendgrid_event(event="dropped", reason="Spam Content"), SENDER),
    (SENDGRID, sendgrid_event(event="dropped", reason="Recipient List over Package Quota"), SENDER),
    (SENDGRID, sendgrid_event(event="dropped", reason="Invalid SMTPAPI header"), SENDER),
    (SES, ses_bounce("Permanent", "General", "5.3.0", "smtp; 550 5.3.0"), SOFT),
    (SES, ses_bounce("Permanent", "General", "4.4.7", "smtp; 550 4.4.7 message expired: unable to deliver in 840 minutes"), SOFT),
    (SES, ses_bounce("Permanent", "NoEmail", "", ""), HARD),
    (SES, ses_bounce("Permanent", "OnAccountSuppressionList", "", "on the suppression list for your account"), SOFT),
    (SES, ses_bounce("Undetermined", "Undetermined", "", ""), SOFT),
    (MAILGUN, mailgun_failed("permanent", 602, "Too old", "old"), SOFT),
    (MAILGUN, mailgun_failed("permanent", 606, "Not delivering to unsubscribed address", "suppress-unsubscribe"), SOFT),
    (MAILGUN, mailgun_failed("permanent", 498, "No MX for example.org", "generic"), HARD),
    (MAILGUN, mailgun_failed("permanent", 550, "", "generic"), HARD),
    (MAILGUN, mailgun_failed("permanent", 550, "5.1.1 The email account that you tried to reach does not exist"), HARD),
    (MAILGUN, mailgun_failed("permanent", 605, "Not delivering to previously bounced address", "suppress-bounce"), SOFT),
    (MAILGUN, mailgun_failed("temporary", 452, "4.2.2 over quota"), SOFT),
    (MAILGUN, mailgun_failed("permanent", 554, "5.7.1 message rejected as spam"), SENDER),
    (POSTMARK, b'{"RecordType": "Bounce", "Type": "HardBounce", "Email": "ada@example.org"}', HARD),
    (
        POSTMARK,
        b'{"RecordType": "Bounce", "Type": "HardBounce", "Email": "ada@example.org", "Details": "550 5.7.26 unauthenticated"}',
        SENDER,
    ),
    (POSTMARK, b'{"RecordType": "Bounce", "Type": "Transient", "Email": "ada@example.org"}', SOFT),
    (POSTMARK, b'{"RecordType": "Bounce", "Type": "SpamNotification", "Email": "ada@example.org"}', SENDER),
]


@every_row(("webhook", "body", "bounce"), EVENTS)
def test_bounces(webhook: Webhook, body: bytes, bounce: BounceClass) -> None:
    (found,) = webhook.parse(body)
    assert found.kind is FeedbackKind.BOUNCE
    assert [(each.address, each.bounce) for each in found.recipients] == [("ada@example.org", bounce)]
    assert found.message_id == ("" if webhook is POSTMARK else "1.abc@ours.example")


COMPLAINTS = [
    (
        SES,
        json.dumps(
            {
                "Message": json.dumps(
                    {
                        "notificationType": "Complaint",
                        "complaint": {"complainedRecipients": [{"emailAddress": "ada@example.org"}]},
                    }
                )
            }
        ).encode(),
    ),
    (SENDGRID, sendgrid_event(event="spamreport")),
    (MAILGUN, mailgun({"event": "complained", "recipient": "ada@example.org"})),
    (POSTMARK, b'{"RecordType": "SpamComplaint", "Type": "SpamComplaint", "Email": "ada@example.org"}'),
]


WHOLE = [
    (
        SENDGRID,
        sendgrid_event(event="bounce", type="bounce", status="5.1.1", reason="550  5.1.1 no\nsuch user"),
        Feedback(
            FeedbackKind.BOUNCE,
            (Returned("ada@example.org", "5.1.1", HARD, "550 5.1.1 no such user"),),
            message_id="1.abc@ours.example",
            reason="sendgrid event",
        ),
    ),
    (
        SENDGRID,
        sendgrid_event(event="deferred", status="4.2.2", response="452 4.2.2 later"),
        Feedback(
            FeedbackKind.BOUNCE,
            (Returned("ada@example.org", "4.2.2", DELAYED, "452 4.2.2 later"),),
            message_id="1.abc@ours.example",
            reason="sendgrid event",
        ),
    ),
    (
        SENDGRID,
        sendgrid_event(event="spamreport"),
        Feedback(
            FeedbackKind.COMPLAINT,
            (Returned("ada@example.org", "", None, "abuse"),),
            message_id="1.abc@ours.example",
            reason="sendgrid event",
        ),
    ),
    (
        POSTMARK,
        b'{"RecordType": "Bounce", "Type": "HardBounce", "Email": "ada@example.org", "Details": "smtp;550 no"}',
        Feedback(FeedbackKind.BOUNCE, (Returned("ada@example.org", "", HARD, "smtp;550 no"),), reason="postmark event"),
    ),
    (
        POSTMARK,
        b'{"RecordType": "Bounce", "Type": "Unheard", "Email": "ada@example.org", "Description": "something new"}',
        Feedback(FeedbackKind.BOUNCE, (Returned("ada@example.org", "", SOFT, "something new"),), reason="postmark event"),
    ),
    (
        POSTMARK,
        b'{"RecordType": "Bounce", "Type": "AutoResponder", "Email": "ada@example.org"}',
        Feedback(FeedbackKind.AUTO_REPLY, reason="postmark event: AutoResponder"),
    ),
    (
        POSTMARK,
        b'{"RecordType": "SpamComplaint", "Type": "SpamComplaint", "Email": "ada@example.org"}',
        Feedback(FeedbackKind.COMPLAINT, (Returned("ada@example.org", "", None, "abuse"),), reason="postmark event"),
    ),
    (
        MAILGUN,
        mailgun(
            {
                "event": "failed",
                "severity": "permanent",
                "recipient": "ada@example.org",
                "delivery-status": {"code": 550, "message": "no such user", "description": "said mx", "enhanced-code": "5.1.1"},
                "message": {"headers": {"message-id": "<1.abc@ours.example>"}},
            }
        ),
        Feedback(
            FeedbackKind.BOUNCE,
            (Returned("ada@example.org", "5.1.1", HARD, "550 no such user said mx"),),
            message_id="1.abc@ours.example",
            reason="mailgun event",
        ),
    ),
    (
        SES,
        ses_bounce("Permanent", "Suppressed", "5.1.1", ""),
        Feedback(
            FeedbackKind.BOUNCE,
            (Returned("ada@example.org", "5.1.1", SOFT, "Suppressed"),),
            message_id="1.abc@ours.example",
            reason="ses event",
        ),
    ),
    (
        SES,
        ses_bounce("Transient", "AttachmentRejected", "", "552 5.3.4 attachment"),
        Feedback(
            FeedbackKind.BOUNCE,
            (Returned("ada@example.org", "5.3.4", SENDER, "552 5.3.4 attachment"),),
            message_id="1.abc@ours.example",
            reason="ses event",
        ),
    ),
    (
        SES,
        json.dumps({"Message": json.dumps({"eventType": "Send", "mail": {"commonHeaders": {"messageId": "<2@x>"}}})}).encode(),
        Feedback(FeedbackKind.OTHER, message_id="2@x", reason="ses event: delivered"),
    ),
]


@every_row(("webhook", "body", "whole"), WHOLE)
def test_all_that_an_event_says(webhook: Webhook, body: bytes, whole: Feedback) -> None:
    assert webhook.parse(body) == (whole,)


@pytest.mark.parametrize(("webhook", "body"), COMPLAINTS)
def test_complaints(webhook: Webhook, body: bytes) -> None:
    (found,) = webhook.parse(body)
    assert (found.kind, found.recipients[0].address) == (FeedbackKind.COMPLAINT, "ada@example.org")


def test_not_spam_is_no_complaint() -> None:
    about = {"complaintFeedbackType": "not-spam", "complainedRecipients": [{"emailAddress": "ada@example.org"}]}
    (found,) = SES.parse(json.dumps({"Message": json.dumps({"eventType": "Complaint", "complaint": about})}).encode())
    assert (found.kind, found.recipients) == (FeedbackKind.OTHER, ())


@every_row("webhook", [SENDGRID, MAILGUN, POSTMARK])
@every_row("body", [sendgrid_event(event="open"), mailgun({"event": "opened"}), b'{"RecordType": "Open"}'])
def test_what_says_nothing_about_a_reader_is_left_out(webhook: Webhook, body: bytes) -> None:
    assert webhook.parse(body) == ()


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.sampled_from(["bounce", "failed", "ada@x.org"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["event", "type", "email", "Message", "notificationType", "bounce", "mail", "headers", "event-data",
                         "bouncedRecipients", "emailAddress", "RecordType", "Type", "delivery-status", "reason", "name"]),
        inner, max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@given(_JSON)
def test_any_json_is_read(value: object) -> None:
    body = json.dumps(value).encode()
    wrapped = json.dumps({"Message": json.dumps(value)}).encode()
    for webhook in (SES, SENDGRID, MAILGUN, POSTMARK):
        webhook.parse(body)
        webhook.parse(wrapped)
