"""Every provider's posts through the web app itself: good, forged, altered on the way, too old, and posted again."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from digest.config import load
from digest.container import Container
from digest.domain.feedback import SuppressionReason
from digest.domain.subscriber import Address
from digest.web.app import create_app
from tests.outbox import configured, queue
from tests.servers import providers
from tests.servers.providers import PROVIDERS

READER = Address("reader0@example.org")
DELIVERY = 1
"""Of that reader."""


class Door:
    """The app's webhooks, and what is known of the reader behind them."""

    def __init__(self, container: Container, client: TestClient) -> None:
        self._container, self._client = container, client
        self.message_id = f"{container.adapters.verp_signer.of(DELIVERY).message}@digest.example.org"

    def post(self, provider: str, headers: dict[str, str], body: bytes) -> int:
        answered = self._client.post(f"/webhooks/{provider}", content=body, headers=headers)
        assert str(READER) not in answered.text
        return answered.status_code

    @property
    def suppressed(self) -> SuppressionReason | None:
        with self._container.adapters.store.read() as unit:
            found = unit.suppressions.find(READER)
        return found.reason if found else None

    @property
    def returned(self) -> tuple[int, int]:
        """(complaints, hard bounces) that the circuit breaker counts."""
        with self._container.adapters.store.read() as unit:
            counted = unit.feedback_events.count("daily", datetime.now(UTC) - timedelta(days=1))
        return counted.complaints, counted.hard


@contextmanager
def door_of(tmp_path: Path, readers: int) -> Iterator[tuple[Door, Container]]:
    config = configured(tmp_path, f"sqlite:///{tmp_path / 'digest.sqlite3'}", 9)
    queue(load(config), readers)
    (tmp_path / "mailgun").write_text(providers.MAILGUN, "utf-8")
    (tmp_path / "postmark").write_text(providers.POSTMARK, "utf-8")
    inbound = f"""
[inbound]
ses_topic_arn = "{providers.TOPIC}"
sendgrid_public_key = "{providers.SENDGRID}"
mailgun_signing_key_file = "{tmp_path / "mailgun"}"
postmark_password_file = "{tmp_path / "postmark"}"
"""
    config.write_text(config.read_text("utf-8") + inbound, "utf-8")
    with Container(load(config)) as container, TestClient(create_app(container)) as client:
        # what would be fetched from Amazon, once
        container.feedback._certificates[providers.CERTIFICATE] = providers.certificate(datetime.now(UTC))
        yield Door(container, client), container


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with door_of(tmp_path, 2) as (made, _):
        yield made


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("complaint", [True, False], ids=["complaint", "hard bounce"])
def test_a_good_post_is_heeded_and_posted_again_changes_nothing(door: Door, provider: str, complaint: bool) -> None:
    headers, body = PROVIDERS[provider](str(READER), door.message_id, datetime.now(UTC), complaint=complaint)
    assert door.post(provider, headers, body) == 204
    assert door.suppressed is (SuppressionReason.COMPLAINT if complaint else SuppressionReason.BOUNCE)
    counted = door.returned
    assert sum(counted) <= 1
    assert door.post(provider, headers, body) == 204, "else it would be posted for days"
    assert door.returned == counted


@pytest.mark.parametrize("provider", ["ses", "sendgrid", "mailgun"])
def test_a_post_that_was_kept_for_later_is_refused(door: Door, provider: str) -> None:
    early = datetime.now(UTC) - timedelta(hours=2)
    assert door.post(provider, *PROVIDERS[provider](str(READER), door.message_id, early, complaint=True)) == 403
    assert door.suppressed is None


def altered(provider: str, headers: dict[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
    """As somebody would who has the post of another and not the key."""
    if provider == "postmark":
        return {"authorization": "Basic " + base64.b64encode(b"digest:guessed").decode()}, body
    if provider == "mailgun":  # signs a time and a token, not the event: those are what must fit
        return headers, body.replace(b'"token": "', b'"token": "0')
    return headers, body.replace(b"reader1@example.org", b"reader0@example.org")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_forged_or_an_unsigned_post_is_refused(door: Door, provider: str) -> None:
    whose = Address("reader1@example.org") if provider in ("ses", "sendgrid") else READER
    headers, body = altered(provider, *PROVIDERS[provider](str(whose), door.message_id, datetime.now(UTC), complaint=True))
    assert b"reader0@example.org" in body
    assert door.post(provider, headers, body) == 403
    assert door.post(provider, {}, b"{}") == 403
    assert (door.suppressed, door.returned) == (None, (0, 0))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_flood_of_the_same_words_is_held_and_alarmed_once(tmp_path: Path, provider: str) -> None:
    """A provider says of thirty mailboxes in turn that they are gone: three are believed, a person decides about the others."""
    with door_of(tmp_path, 30) as (door, container):
        now = datetime.now(UTC)
        for number in range(30):
            message_id = f"{container.adapters.verp_signer.of(number + 1).message}@digest.example.org"
            assert (
                door.post(provider, *PROVIDERS[provider](f"reader{number}@example.org", message_id, now, complaint=False)) == 204
            )
        with container.adapters.store.read() as unit:
            suppressed = sum(unit.suppressions.find(Address(f"reader{n}@example.org")) is not None for n in range(30))
            held = unit.refusals.held()
        assert (suppressed, list(held.values())) == (3, [27])
        found = [each for each in container.monitoring.findings(now) if each.cause == "review"]
        assert [each.headline for each in found] == ["27 refusals in the same words are held for review"]
        assert len(container.monitoring.alarm(found, now)) == 1
        assert container.monitoring.alarm(found, now + timedelta(hours=1)) == ()
