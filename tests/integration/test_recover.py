"""What a process that is no more knew gets into the table, whatever the database does meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.config import load
from digest.container import Container
from digest.domain.delivery import DeliveryState, Reply
from digest.domain.errors import DatabaseUnreachable
from digest.domain.retry import RetryPolicy
from digest.mail.smtp.journal import Journal
from digest.services.delivery.claims import recover
from digest.store.unit_of_work import Store, UnitOfWork
from tests.outbox import configured, queue, rows


class GoesAway:
    """The store, but for its first transaction: that ends with the database gone, nothing of it kept."""

    def __init__(self, store: Store) -> None:
        self._store, self._gone = store, False

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        with self._store.begin() as unit:
            yield unit
            if not self._gone:
                self._gone = True
                raise DatabaseUnreachable("database: terminating connection due to administrator command")

    read = begin


def test_a_journal_is_replayed_by_who_could_not_before(tmp_path: Path, database_url: str) -> None:
    """The same process looks again: a journal it still held locked would be nobody's, and its first message be sent twice."""
    config, folder = configured(tmp_path, database_url, 9), tmp_path / "journal"
    sent, begun, untouched = queue(load(config), 3)
    now = datetime.now(UTC)
    with Container(load(config)) as container:
        dead = Journal.create(folder)
        with container.adapters.store.begin() as unit:
            claimed = {each.address.text: each for each in unit.deliveries.claim(2, dead.owner, now, timedelta(hours=1)).claimed}
        assert set(claimed) == {sent, begun}
        dead.dot(claimed[sent].id, now, "recorder")
        dead.reply(claimed[sent].id, now, "recorder", Reply(250, "queued", "2.0.0"))
        dead.close()
        store = GoesAway(container.adapters.store)
        with pytest.raises(DatabaseUnreachable):
            recover(store, Journal.abandoned(folder), RetryPolicy(), timedelta(minutes=10))
        assert len(list(folder.glob("deliver-*"))) == 1
        recover(store, Journal.abandoned(folder), RetryPolicy(), timedelta(minutes=10))
        assert list(folder.glob("deliver-*")) == []
    assert {email: each.state for email, each in rows(config).items()} == {
        sent: DeliveryState.ACCEPTED,
        begun: DeliveryState.QUEUED,
        untouched: DeliveryState.QUEUED,
    }
