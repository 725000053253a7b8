"""Mail to one person asks right before it is begun whether it is still wanted: notices, the welcome, `digest send`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from digest.config import load
from digest.domain.feedback import SuppressionReason
from digest.domain.subscriber import Address, Interests, Preferences
from digest.services.subscriptions.subscribe import confirm, end, erase, request
from digest.store.unit_of_work import Store
from tests.outbox import AT, configured
from tests.servers.stocked import sighting, upvotes
from tests.transport import FakeTransport, OfflineContainer

ADA = Address("ada@example.org")
LATER = AT + timedelta(minutes=10)


def blocked(store: Store) -> None:
    with store.begin() as unit:
        unit.suppressions.add(ADA, SuppressionReason.OPERATOR, LATER)


def erased(store: Store) -> None:
    erase(store, ADA, LATER)


def left(store: Store) -> None:
    with store.read() as unit:
        mine = unit.subscribers.subscriptions(ADA)[0]
    end(store, mine.id, "left", LATER)


def nothing(store: Store) -> None:
    pass


def site(tmp_path: Path, url: str) -> OfflineContainer:
    container = OfflineContainer(load(configured(tmp_path, url, 1)), FakeTransport(lambda: LATER))
    with container.adapters.store.begin() as unit:
        unit.papers.merge([sighting(n, signals=(upvotes(n, AT),), seen_at=AT - timedelta(hours=n)) for n in range(1, 5)])
    container.editions.edition(container.adapters.paper_list("daily"), AT.date(), AT)
    return container


@pytest.mark.parametrize(("done", "mails"), [(nothing, 1), (blocked, 0), (erased, 0)])
@pytest.mark.parametrize("confirmed", [False, True])
def test_a_notice(done: Callable[[Store], None], mails: int, confirmed: bool, tmp_path: Path, sqlite_url: str) -> None:
    """A confirmation, and a welcome with the current edition."""
    with site(tmp_path, sqlite_url) as container:
        step = request(container.adapters.store, ADA, "daily", Preferences(), Interests(), AT, notify=not confirmed)
        if confirmed:
            confirm(container.adapters.store, step.subscription.id, "test", "link confirmed", AT, notify=True)
        container.transport.before = lambda: done(container.adapters.store)
        container.notices.send_queued(lambda: LATER)
        assert len(container.transport.accepted) == mails
        with container.adapters.store.read() as unit:
            assert unit.notices.count() == 0


@pytest.mark.parametrize(
    ("done", "state"), [(nothing, "accepted"), (blocked, "suppressed"), (left, "failed"), (erased, "suppressed")]
)
def test_a_mail_by_hand(done: Callable[[Store], None], state: str, tmp_path: Path, sqlite_url: str) -> None:
    with site(tmp_path, sqlite_url) as container:
        step = request(container.adapters.store, ADA, "daily", Preferences(), Interests(), AT)
        confirm(container.adapters.store, step.subscription.id, "test", "link confirmed", AT)
        container.transport.before = lambda: done(container.adapters.store)
        sent = container.delivery.send(container.adapters.paper_list("daily"), AT.date(), [ADA], LATER, dry_run=False)
        assert [each.state for each in sent] == [state]
        assert len(container.transport.accepted) == (state == "accepted")


def test_a_row_that_cannot_be_read_holds_up_no_other_notice(tmp_path: Path, sqlite_url: str) -> None:
    with site(tmp_path, sqlite_url) as container:
        for address in (ADA, Address("bob@example.org")):
            request(container.adapters.store, address, "daily", Preferences(), Interests(), AT, notify=True)
        with container.adapters.store.engine.begin() as connection:
            connection.execute(text("UPDATE subscriptions SET interests = '[' WHERE id = 1"))
        assert container.notices.send_queued(lambda: LATER) == 1
