"""Mails outside subscriptions, and the style a reader chose: whose links they carry, and what a click on them does."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from digest.config import load
from digest.container import Container
from digest.domain.delivery import Attempt, Envelope
from digest.domain.edition import Edition
from digest.domain.subscriber import Address, Preferences
from digest.links import Purpose
from digest.services.delivery.one_off import Sent, send
from digest.web.app import create_app
from tests.outbox import AT, configured, queue
from tests.transport import FakeTransport, OfflineContainer

STRANGER = Address("stranger@elsewhere.example")
READER = Address("reader0@example.org")


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    config = configured(tmp_path, f"sqlite:///{tmp_path / 'digest.sqlite3'}", 9)
    queue(load(config), 2)
    with Container(load(config)) as made:
        yield made


def made(container: Container) -> Edition:
    return container.editions.edition(container.adapters.paper_list("daily"), AT.date(), AT)


def sent(container: Container, *addresses: Address, at: datetime = AT) -> tuple[list[Sent], list[EmailMessage]]:
    kept, edition = FakeTransport(lambda: at), made(container)
    outcomes = send(container.adapters.store, edition, container.editions.message_composer(edition), kept, addresses, at)
    return outcomes, [email.message_from_bytes(each.data, policy=email.policy.default) for each in kept.envelopes]


def plain(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def one_click(mail: EmailMessage) -> str:
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    found = re.match(r"<https://[^/]+(/[^>]+)>", mail["List-Unsubscribe"])
    assert found
    return found[1]


def test_a_strangers_links_are_a_strangers(container: Container) -> None:
    _, (mail,) = sent(container, STRANGER)
    text = plain(mail)
    assert "Digest sent this to stranger@elsewhere.example once" in " ".join(text.split())
    assert "\nSubscribe\nhttps://digest.example.org/subscribe?list=daily\n" in text
    assert "/manage/" not in mail.as_string()
    for purpose in (Purpose.UNSUBSCRIBE, Purpose.MANAGE, Purpose.FEEDBACK):
        assert container.adapters.links.token(purpose, "0") not in mail.as_string().replace("=\n", "")
    assert STRANGER.text not in one_click(mail)


def test_one_click_in_a_strangers_mail_means_no_more_mail(container: Container) -> None:
    _, (mail,) = sent(container, STRANGER)
    with TestClient(create_app(container)) as client:
        assert client.get(one_click(mail)).status_code == 200
        assert sent(container, STRANGER)[0][0].state == "accepted", "looking changes nothing"
        for _ in range(2):
            assert client.post(one_click(mail), data={"List-Unsubscribe": "One-Click"}).status_code == 200
        assert client.post(one_click(mail)[:-3]).status_code == 403
    assert sent(container, STRANGER)[0][0].state == "suppressed"
    assert sent(container, READER)[0][0].state == "accepted"


def test_a_subscribers_one_off_carries_their_own_links(container: Container) -> None:
    _, (mail,) = sent(container, READER)
    subscription = container.subscriptions.subscription(READER, container.adapters.paper_list("daily"))
    assert one_click(mail) == f"/unsubscribe/{container.adapters.links.token(Purpose.UNSUBSCRIBE, subscription.public_id)}"
    assert "subscribed to Trending papers" in plain(mail)


def test_the_same_mail_at_another_instant_is_another_mail(container: Container) -> None:
    ids = [sent(container, STRANGER, at=at)[1][0]["Message-ID"] for at in (AT, AT, AT + timedelta(minutes=1))]
    assert ids[0] == ids[1] != ids[2]


def test_a_reader_gets_the_style_they_chose(container: Container) -> None:
    paper_list, edition = container.adapters.paper_list("daily"), made(container)
    before = container.editions.preview(edition, paper_list, READER, datetime.now(UTC)).data
    subscription = container.subscriptions.subscription(READER, paper_list)
    with container.adapters.store.begin() as unit:
        unit.subscribers.change(subscription.id, Preferences(style="compact"))
    now = datetime.now(UTC)
    compact = email.message_from_bytes(
        container.editions.preview(edition, paper_list, READER, now).data, policy=email.policy.default
    )
    full = email.message_from_bytes(before, policy=email.policy.default)
    assert isinstance(compact, EmailMessage)
    assert isinstance(full, EmailMessage)
    assert re.search(r"More  \[\d\] Less  \[\d\] Save$", plain(full), re.MULTILINE)
    assert "Save" not in plain(compact)
    titles = [re.findall(r"^ ?\d+\. (.+)$", plain(mail), re.MULTILINE) for mail in (full, compact)]
    assert titles[0] == titles[1] != []
    with container.adapters.store.begin() as unit:
        claimed = unit.deliveries.claim(10, "me", now, timedelta(minutes=1)).claimed
    styles = {each.address.text: each.style for each in claimed}
    assert styles == {"reader0@example.org": "compact", "reader1@example.org": None}
    delivered = {each.address.text: container.editions.compose(each, None).data for each in claimed}
    assert len(delivered["reader0@example.org"]) < len(delivered["reader1@example.org"])


class Dies(FakeTransport):
    """With the first message in its hands."""

    def send_many(self, envelopes: Iterable[Envelope], *_: object) -> Iterator[Attempt]:  # type: ignore[override]
        self.accepted += [(self.clock(), next(iter(envelopes)))]
        raise MemoryError
        yield


def test_what_is_tried_again_after_a_crash_is_the_same_mail(tmp_path: Path) -> None:
    settings = load(configured(tmp_path, f"sqlite:///{tmp_path / 'digest.sqlite3'}", 9))
    queue(settings, 2)
    now = datetime.now(UTC)
    before, after = Dies(lambda: now), FakeTransport(lambda: now)
    with OfflineContainer(settings, before) as container:
        with pytest.raises(MemoryError):
            container.delivery.deliver(lambda: now)
        with container.adapters.store.begin() as unit:
            assert all(each.picks for each in unit.deliveries.claim(10, "me", now, timedelta(minutes=1)).claimed)
            unit.deliveries.release("me")
    with OfflineContainer(settings, after) as container:
        container.delivery.deliver(lambda: now)
    assert len(after.envelopes) == 2
    assert before.envelopes[0].data in [each.data for each in after.envelopes]
