"""What comes back reaches the tables by every way there is, and is only let go of when it is in them."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import smtplib
import sqlite3
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from digest.config import load
from digest.container import Container
from digest.domain.errors import StoreError
from digest.domain.feedback import SuppressionReason
from digest.domain.subscriber import Address
from digest.mail.verp import VerpSigner
from digest.services.feedback.process import FeedbackResult
from digest.web.app import create_app
from tests.outbox import configured, queue
from tests.servers import preloaded
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.running import PATIENCE, free_port, listening

ROOT = Path(__file__).resolve().parents[2]
READER = Address("reader0@example.org")
DELIVERY = 1
"""Of that reader."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A settings file; three readers were mailed by it."""
    config = configured(tmp_path, f"sqlite:///{tmp_path / 'digest.sqlite3'}", 9)
    queue(load(config), 3)
    return config


def more(config: Path, **inbound: object) -> Path:
    """The settings with an [inbound] table."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in inbound.items()]
    config.write_text(config.read_text("utf-8") + "\n".join(["[inbound]", *lines, ""]), "utf-8")
    return config


def bounce(container: Container, *, verp_signer: VerpSigner | None = None, delivery: int = DELIVERY) -> tuple[str, bytes]:
    """(whom it is for, the mail): a mailbox that does not exist, told as RFC 3464 has it."""
    to = f"bounces+{(verp_signer or container.adapters.verp_signer).of(delivery).bounce}@digest.example.org"
    report = f"""From: MAILER-DAEMON@mx.example.org
To: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="x"

--x
Content-Type: text/plain

No such user.
--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; {READER}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user
--x--
"""
    return to, report.replace("\n", "\r\n").encode()


def suppressed(container: Container, address: Address = READER) -> SuppressionReason | None:
    with container.adapters.store.read() as unit:
        found = unit.suppressions.find(address)
    return found.reason if found else None


def nothing_told(processed: FeedbackResult) -> None:
    """For tests that look into the tables instead."""


# ---- LMTP, by the daemon ---------------------------------------------------------------------------------------------------


@contextmanager
def only_ears(config: Path, ready: Callable[[], bool]) -> Iterator[None]:
    """`digest run` with nothing but its ears, from `ready()` on; it must end by itself when asked to."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")}
    command = ["run", "--config", str(config), "--no-web", "--no-deliver", "--no-collect"]
    log = config.with_name("said")
    with log.open("wb") as said:
        process = preloaded.start(command, env=clean, cwd=config.parent, stdout=said, stderr=said)
    try:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)


@pytest.fixture
def daemon(place: Path) -> Iterator[int]:
    """The port it listens on."""
    port = free_port()
    more(place, port=port)
    with only_ears(place, lambda: listening(port)):
        yield port


def test_the_daemon_hears_lmtp(daemon: int, place: Path) -> None:
    with Container(load(place)) as container, smtplib.LMTP("127.0.0.1", daemon, timeout=PATIENCE) as relay:
        to, mail = bounce(container)
        forged, _ = bounce(container, verp_signer=VerpSigner(b"not the key that we have"), delivery=2)
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            relay.sendmail("", [forged], mail)
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            relay.sendmail("", ["somebody@else.example"], mail)
        assert suppressed(container) is None
        assert relay.sendmail("", [to], mail) == {}
        assert suppressed(container) is SuppressionReason.BOUNCE
        assert suppressed(container, Address("reader1@example.org")) is None


# ---- IMAP ------------------------------------------------------------------------------------------------------------------


def deliver(server: Dovecot, mailbox: str, *mails: bytes) -> None:
    with smtplib.LMTP("127.0.0.1", server.lmtp_port, timeout=PATIENCE) as relay:
        for mail in mails:
            relay.sendmail("", [mailbox], mail)


def test_a_mail_leaves_its_mailbox_only_after_the_commit(place: Path, tmp_path: Path, dovecot_server: Dovecot) -> None:
    mailbox = "comes-back@digest.example.org"
    more(
        place,
        imap_server="127.0.0.1",
        imap_port=dovecot_server.imap_port,
        imap_tls="none",
        imap_user=mailbox,
        imap_password=PASSWORD,
    )
    now = datetime.now(UTC)
    with Container(load(place)) as container:
        _, mail = bounce(container)
        friend = b"From: friend@example.net\r\nTo: " + mailbox.encode() + b"\r\nSubject: lunch?\r\n\r\nAt noon?\r\n"
        deliver(dovecot_server, mailbox, friend, mail)
        database = sqlite3.connect(tmp_path / "digest.sqlite3")
        database.execute("CREATE TRIGGER full BEFORE INSERT ON suppressions BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        database.commit()
        with pytest.raises(StoreError, match="disk full"):
            container.feedback.poll(now, nothing_told)
        assert len(dovecot_server.messages(mailbox)) == 2, "nothing is committed, so nothing is gone"
        assert suppressed(container) is None
        database.execute("DROP TRIGGER full")
        database.commit()
        database.close()
        assert container.feedback.poll(now, nothing_told) == 1
        assert dovecot_server.parsed(mailbox)[0]["Subject"] == "lunch?", "a mail that is none of ours stays"
        assert len(dovecot_server.messages(mailbox)) == 1
        assert suppressed(container) is SuppressionReason.BOUNCE
        assert container.feedback.poll(now, nothing_told) == 0


def test_the_daemon_looks_into_its_mailbox(place: Path, tmp_path: Path, dovecot_server: Dovecot) -> None:
    """While the tables refuse what a mail says it stays, and the daemon goes on; when they take it, it leaves."""
    mailbox = "daemon@digest.example.org"
    imap = {"imap_server": "127.0.0.1", "imap_port": dovecot_server.imap_port, "imap_tls": "none", "imap_user": mailbox}
    more(place, **imap, imap_password=PASSWORD, imap_every=1)
    database = sqlite3.connect(tmp_path / "digest.sqlite3", timeout=30)
    with Container(load(place)) as container:
        _, mail = bounce(container)
        deliver(dovecot_server, mailbox, b"From: friend@example.net\r\nSubject: lunch?\r\n\r\nAt noon?\r\n", mail)
        database.execute("CREATE TRIGGER full BEFORE INSERT ON suppressions BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        database.commit()
        with only_ears(place, lambda: "disk full" in (tmp_path / "said").read_text("utf-8", "replace")):
            assert len(dovecot_server.messages(mailbox)) == 2, "nothing is committed, so nothing is gone"
            assert suppressed(container) is None
            database.execute("DROP TRIGGER full")
            database.commit()
            database.close()
            deadline = time.monotonic() + PATIENCE
            while len(dovecot_server.messages(mailbox)) > 1:
                assert time.monotonic() < deadline, (tmp_path / "said").read_text()
                time.sleep(0.1)
            assert suppressed(container) is SuppressionReason.BOUNCE, "it left, so it is in the tables"
    assert dovecot_server.parsed(mailbox)[0]["Subject"] == "lunch?"


# ---- webhooks --------------------------------------------------------------------------------------------------------------

MAILGUN = "key of the webhook"
POSTMARK = {"authorization": "Basic " + b64encode(b"digest:word").decode()}


def mailgun(container: Container, at: datetime, key: str = MAILGUN) -> bytes:
    stamp, token = str(int(at.timestamp())), "f" * 50
    signature = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    return json.dumps(
        {
            "signature": {"timestamp": stamp, "token": token, "signature": signature},
            "event-data": {
                "event": "failed",
                "severity": "permanent",
                "recipient": str(READER),
                "delivery-status": {"code": 550, "message": "5.1.1 no such user", "enhanced-code": "5.1.1"},
                "message": {
                    "headers": {"message-id": f"{container.adapters.verp_signer.of(DELIVERY).message}@digest.example.org"}
                },
            },
        }
    ).encode()


COMPLAINT = json.dumps({"RecordType": "SpamComplaint", "Email": str(READER)}).encode()


@pytest.fixture
def posting(place: Path) -> Iterator[tuple[Container, TestClient, datetime]]:
    now = datetime.now(UTC)
    more(place, mailgun_signing_key=MAILGUN, postmark_password="word")
    with Container(load(place)) as container, TestClient(create_app(container)) as client:
        yield container, client, now


def test_a_signed_post_is_heeded(posting: tuple[Container, TestClient, datetime]) -> None:
    container, client, now = posting
    assert client.post("/webhooks/mailgun", content=mailgun(container, now)).status_code == 204
    assert suppressed(container) is SuppressionReason.BOUNCE
    assert client.post("/webhooks/mailgun", content=mailgun(container, now)).status_code == 204


def test_a_complaint_ends_the_subscription(posting: tuple[Container, TestClient, datetime]) -> None:
    container, client, _ = posting
    assert client.post("/webhooks/postmark", content=COMPLAINT, headers=POSTMARK).status_code == 204
    assert suppressed(container) is SuppressionReason.COMPLAINT
    with container.adapters.store.read() as unit:
        (subscription,) = unit.subscribers.subscriptions(READER)
    assert subscription.end_reason == "complaint: marked as spam"


@pytest.mark.parametrize(
    ("provider", "headers", "key", "status"),
    [
        ("mailgun", {}, "another key", 403),
        ("postmark", {}, MAILGUN, 403),
        ("postmark", {"authorization": "Basic ZGlnZXN0OndvcmxkCg=="}, MAILGUN, 403),
        ("ses", {}, MAILGUN, 404),  # not set up here
        ("carrier-pigeon", {}, MAILGUN, 404),
    ],
)
def test_what_is_not_signed_changes_nothing(
    posting: tuple[Container, TestClient, datetime], provider: str, headers: Mapping[str, str], key: str, status: int
) -> None:
    container, client, now = posting
    body = COMPLAINT if provider == "postmark" else mailgun(container, now, key)
    answered = client.post(f"/webhooks/{provider}", content=body, headers=dict(headers))
    assert answered.status_code == status
    assert str(READER) not in answered.text
    assert suppressed(container) is None


def test_what_could_not_be_kept_is_posted_again(posting: tuple[Container, TestClient, datetime], tmp_path: Path) -> None:
    container, client, now = posting
    database = sqlite3.connect(tmp_path / "digest.sqlite3")
    database.execute("CREATE TRIGGER full BEFORE INSERT ON suppressions BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    database.commit()
    assert client.post("/webhooks/mailgun", content=mailgun(container, now)).status_code == 503
    database.execute("DROP TRIGGER full")
    database.commit()
    database.close()
    assert client.post("/webhooks/mailgun", content=mailgun(container, now)).status_code == 204
    assert suppressed(container) is SuppressionReason.BOUNCE
