"""A list that one process does not know: its deliveries wait for one that does, and somebody is told."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.config import load
from digest.container import Container
from digest.domain.delivery import DeliveryState
from digest.store.unit_of_work import Store
from tests.command_line import clean_environment, command
from tests.outbox import configured, queue, rows
from tests.servers.smtp import SmtpServer

READERS = 3


def states(config: Path) -> Counter[DeliveryState]:
    return Counter(each.state for each in rows(config).values())


@pytest.mark.parametrize("lists", ["renamed", "another installation's", "an older file"])
def test_what_is_due_waits_and_goes_when_the_list_is_known_again(tmp_path: Path, database_url: str, lists: str) -> None:
    """The list is named otherwise, or others are there: nothing is failed, and nothing is held for review."""
    with SmtpServer(tmp_path / "kept") as server:
        config = configured(tmp_path, database_url, server.port)
        queue(load(config), READERS)
        right = config.read_text("utf-8")
        wrong = right.replace('name = "daily"', 'name = "dayly"')
        if lists != "renamed":
            wrong += "".join(f'[[lists]]\nname = "{name}"\ntitle = "T"\n' for name in ("one", "two"))
        config.write_text(wrong, "utf-8")
        told = command(tmp_path, "deliver", "--config", str(config), environment=clean_environment())
        assert told.returncode == 1
        why = f"list daily is not in the settings: its {READERS} deliveries that are due wait until it is"
        assert told.stderr.strip() == f"digest: {why}"
        assert states(config) == {DeliveryState.QUEUED: READERS}
        config.write_text(right, "utf-8")
        assert command(tmp_path, "deliver", "--config", str(config), environment=clean_environment()).returncode == 0
        assert states(config) == {DeliveryState.ACCEPTED: READERS}
        assert len(server.accepted()) == READERS


def test_one_alarm_says_so_and_mail_is_not_late_for_it(tmp_path: Path, database_url: str) -> None:
    config = configured(tmp_path, database_url, 9)
    queue(load(config), READERS)
    config.write_text(config.read_text("utf-8").replace('name = "daily"', 'name = "other"'), "utf-8")
    later = datetime.now(UTC) + timedelta(hours=3)
    with Container(load(config)) as container:
        found = {each.cause: each for each in container.monitoring.findings(later)}
        assert found["unknown list daily"].seen[0].startswith(f"{READERS} deliveries of it are due")
        assert "overdue" not in found
        assert container.monitoring.stalled(later) == ()


def test_what_is_too_late_ends_whoever_claims(tmp_path: Path, database_url: str) -> None:
    config = configured(tmp_path, database_url, 9)
    queue(load(config), READERS)
    late = datetime.now(UTC) + timedelta(days=2)
    with Container(load(config)) as container:
        store: Store = container.adapters.store
        with store.begin() as unit:
            assert unit.deliveries.oldest_due(late - timedelta(days=1, hours=1), ["other"]) is None
            assert unit.deliveries.oldest_due(late, ["other"]) is not None
            batch = unit.deliveries.claim(10, "me", late, timedelta(hours=1), ["other"])
    assert (batch.claimed, batch.expired) == ((), READERS)
