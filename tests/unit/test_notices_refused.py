"""Confirmations that a relay refuses because of us wait, and the refusal is raised: whoever sends them alarms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from digest.domain.delivery import Attempt, Envelope, Stage
from digest.domain.errors import RelayRefusedUs
from digest.domain.notice import NoticeKind, QueuedNotice
from digest.domain.retry import RetryPolicy
from digest.mail.smtp.journal import NullSendLog
from digest.mail.smtp.relay_pool import RelayPool
from digest.mail.smtp.wire import reply_of
from digest.services.monitoring.alerts import of_failure
from digest.services.notices.pending import NoticeTools, send_queued
from tests.tables import every_row

NOW = datetime(2026, 5, 4, 7, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
REFUSED = [  # stage, reply, until when they wait at least
    (Stage.RCPT, "550 relay not permitted", MINUTE),
    (Stage.RCPT, "550 Domain example.org has exceeded the max emails per hour (100/100 (100%)) allowed.", 59 * MINUTE),
    (Stage.DOT, "550 5.4.5 Daily user sending limit exceeded.", 24 * 60 * MINUTE),
    (Stage.MAIL, "501 Mail from address must be same as authorization user.", MINUTE),
    (Stage.MAIL, "503 Error: need EHLO and AUTH first !", MINUTE),
    (Stage.DOT, "554 Message rejected: Email address is not verified.", MINUTE),
    (Stage.RCPT, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", 30 * MINUTE),
]


class Notices:
    """Pending notices in memory, which are also their store and its unit of work."""

    def __init__(self, count: int) -> None:
        notices = [
            SimpleNamespace(subscription=SimpleNamespace(id=n, request=""), kind=NoticeKind.CONFIRM, fits=True)
            for n in range(count)
        ]
        self.due = [QueuedNotice(cast(Any, each), NOW, attempts=0, suppressed=None) for each in notices]
        self._queued = tuple(self.due)
        self.settled: list[Any] = []
        self.waiting: dict[int, tuple[datetime, int]] = {}

    @property
    def notices(self) -> Notices:
        return self

    @contextmanager
    def begin(self) -> Iterator[Notices]:
        yield self

    def take(self, at: datetime, limit: int, until: datetime) -> list[QueuedNotice]:
        due, self.due = self.due, []
        return due

    @contextmanager
    def read(self) -> Iterator[Notices]:
        yield self

    def current(self, ids: list[int]) -> list[QueuedNotice]:
        return [each for each in self._queued if each.notice.subscription.id in ids]

    def settle(self, given: Any) -> None:
        self.settled += given

    def put_off(self, notice: Any, next_attempt_at: datetime, attempts: int) -> None:
        self.waiting[notice.subscription.id] = (next_attempt_at, attempts)


class Relay:
    name = "mx"

    def __init__(self, stage: Stage, reply: str) -> None:
        self._stage, self._reply = stage, reply_of(int(reply[:3]), [reply[4:]])

    def sending(self, envelopes: Iterator[Envelope], log: object, *_: object) -> Iterator[Attempt]:
        for each in envelopes:
            yield Attempt(each.delivery_id, NOW, self.name, self._stage, self._reply)


@every_row("count", [1, 8])
@every_row(("stage", "reply", "wait"), REFUSED)
def test_they_wait_and_the_operator_hears_why(stage: Stage, reply: str, wait: timedelta, count: int) -> None:
    notices, post = Notices(count), RelayPool([cast(Any, Relay(stage, reply))], NullSendLog(), 2)
    means = NoticeTools(
        compose=lambda notice, at: Envelope(notice.subscription.id, "b@example.org", "r@example.net", [b"x"]),
        welcome=lambda notice, at: False,
        transport=post,
        policy=RetryPolicy(),
    )
    with pytest.raises(RelayRefusedUs) as refused:
        send_queued(cast(Any, notices), means, lambda: NOW)
    assert notices.settled == []
    assert sorted(notices.waiting) == list(range(count))
    assert {attempts for _, attempts in notices.waiting.values()} == {0}
    assert max(at for at, _ in notices.waiting.values()) >= NOW + wait
    alarm = of_failure("notices", refused.value)
    assert alarm.cause == "relay"
    assert reply[4:].split(" (")[0] in alarm.seen[0]
