"""The table or the disk takes nothing more while mail goes out: what is under way is heard, and nobody is mailed twice."""

from __future__ import annotations

import errno
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from digest.config import load
from digest.container import Container
from digest.domain.delivery import DeliveryState
from digest.domain.errors import DatabaseUnreachable, DigestError
from digest.services.delivery import run
from tests.outbox import configured, queue, rows
from tests.servers.smtp import SmtpServer

READERS = 60


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("what", ["the table, for good", "the table, once", "the disk, and the table with it", "the disk alone"])
def test_nobody_twice_and_nobody_lost(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    with SmtpServer(tmp_path / "kept") as server:
        config = configured(tmp_path, sqlite_url, server.port, "connections = 5\nclaim_size = 10")
        queue(load(config), READERS)
        settle, calls = run.settle, Counter[str]()

        def breaks(*given: Any) -> int:
            calls["settle"] += 1
            if "disk" in what:
                monkeypatch.setattr(os, "posix_fallocate", full)
                monkeypatch.setattr("digest.mail.smtp.journal._RESERVE", 0)
            if what != "the disk alone" and (what != "the table, once" or calls["settle"] == 1):
                raise DatabaseUnreachable("database: disk I/O error")
            return settle(*given)

        monkeypatch.setattr(run, "settle", breaks)
        with Container(load(config)) as container:
            if what == "the disk alone":  # there is room in the journal for as many as this
                container.delivery.deliver(lambda: datetime.now(UTC))
            else:
                with pytest.raises(DigestError, match="disk I/O error"):
                    container.delivery.deliver(lambda: datetime.now(UTC))
        begun = len(server.accepted())
        assert begun < READERS or what == "the disk alone", "nothing more is begun"
        monkeypatch.undo()
        with Container(load(config)) as container:
            container.delivery.deliver(lambda: datetime.now(UTC))
        got = Counter(kept.recipients[0] for kept in server.accepted())
    assert (len(got), set(got.values())) == (READERS, {1})
    assert Counter(each.state for each in rows(config).values()) == {DeliveryState.ACCEPTED: READERS}
    assert not list((tmp_path / "journal").glob("deliver-*"))
