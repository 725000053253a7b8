"""Posts that anybody can make before anything is proven: refused by name, at no cost to others."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from digest.config import Settings
from digest.container import Container
from digest.domain.errors import InvalidInput, SourceThrottled
from digest.mail.inbound.webhooks.events import refuse_stale
from digest.mail.inbound.webhooks.mailgun import MailgunWebhook
from digest.mail.inbound.webhooks.ses import SesWebhook
from tests.servers.hostile import AT
from tests.servers.running import PATIENCE
from tests.tables import every_row

NOW = int(AT.timestamp())


@every_row("written", ["9" * 401, "", "-1", "1e9", "١٢٣٤٥٦٧٨٩٠", "1_779_883_200", " 1779883200", "inf", "²", "0x10", "\x00"])
def test_what_is_no_timestamp_is_refused(written: str) -> None:
    with pytest.raises(InvalidInput, match="Unix seconds"):
        refuse_stale("webhook", written, AT)


@pytest.mark.parametrize("token", ["\ud800", "a\udfffb", "\x00", "\U0010ffff", "9" * 5_000, "", "\u202e"])
def test_odd_tokens_of_mailgun_are_refused(token: str) -> None:
    body = json.dumps({"signature": {"token": token, "timestamp": str(NOW), "signature": "\udc00"}}).encode()
    with pytest.raises(InvalidInput):
        MailgunWebhook("key").verify({}, body, AT)


def _signed(event: dict[str, Any], token: str = "t" * 50) -> bytes:
    signature = hmac.new(b"key", f"{NOW}{token}".encode(), hashlib.sha256).hexdigest()
    return json.dumps(
        {"signature": {"token": token, "timestamp": str(NOW), "signature": signature}, "event-data": event}
    ).encode()


@pytest.mark.parametrize(
    "other",
    [
        {"event": "failed", "severity": "permanent", "recipient": "b@example.org"},
        {"event": "complained", "recipient": "a@example.org"},
        {"event": "failed", "severity": "temporary", "recipient": "a@example.org"},
        {"event": "failed", "severity": "permanent", "recipient": "A@EXAMPLE.ORG"},
        {},
    ],
)
def test_a_signature_of_mailgun_counts_for_its_own_events(other: dict[str, Any]) -> None:
    webhook, event = MailgunWebhook("key"), {"event": "failed", "severity": "permanent", "recipient": "a@example.org"}
    webhook.verify({}, _signed(event), AT)
    webhook.verify({}, _signed(event), AT)  # Mailgun posts again what we did not answer
    with pytest.raises(InvalidInput):
        webhook.verify({}, _signed(other), AT)


@pytest.mark.parametrize(
    "host",
    [
        "sns.s3.amazonaws.com",
        "sns.eu-west-1.amazonaws.com.example.org",
        "sns.eu-west-1.amazonaws.com:8443",
        "sns.s3-eu-west-1.amazonaws.com",
        "bucket.s3.eu-west-1.amazonaws.com",
        "sns.lambda.amazonaws.com",
        "user@sns.eu-west-1.amazonaws.com",
    ],
)
def test_certificates_from_elsewhere_are_not_fetched(host: str) -> None:
    fetched: list[str] = []

    def fetch(url: str) -> bytes:
        fetched.append(url)
        return b""

    url = f"https://{host}/SimpleNotificationService-a.pem"
    post = {"Type": "Notification", "TopicArn": "arn", "SigningCertURL": url, "Timestamp": AT.isoformat(), "Message": "{}"}
    with pytest.raises(InvalidInput):
        SesWebhook("arn", fetch).verify({}, json.dumps(post).encode(), AT)
    assert fetched == []


def test_one_certificate_is_fetched_at_a_time_and_few_an_hour(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    begun, gate = threading.Event(), threading.Event()

    class Getter:
        def get(self, *given: object, **how: object) -> object:
            begun.set()
            assert gate.wait(PATIENCE)
            raise SourceThrottled("ses", "no answer")

    container = Container(Settings())
    monkeypatch.setitem(container.adapters.__dict__, "getter", Getter())

    def fetch(number: int) -> str:
        with pytest.raises(SourceThrottled) as refused:
            container.feedback._certificate(f"https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{number}.pem")
        return refused.value.reason

    first = threading.Thread(target=fetch, args=(0,))
    first.start()
    assert begun.wait(PATIENCE)
    assert "another certificate" in fetch(1)  # at once, though the first still waits
    gate.set()
    first.join(PATIENCE)
    reasons = [fetch(number) for number in range(2, 40)]
    assert reasons.count("no answer") == 19
    assert "within an hour" in reasons[-1]
