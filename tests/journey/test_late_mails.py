"""A mail that is late: a list set up in the middle of a reader's day, and a machine that was down."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from digest.config import load
from digest.container import Container
from digest.domain.schedule import EVERY_DAY, Frequency
from digest.domain.subscriber import Address, NewReader, Preferences
from tests.outbox import configured
from tests.servers.stocked import CONSENT, sighting, upvotes

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def came(tmp_path: Path, url: str, reader: Preferences, confirmed_at: datetime, ticks: list[datetime]) -> list[tuple[str, str]]:
    """(the tick that made a mail, the cutoff of its edition) of a list whose days begin at 05:00 UTC."""
    config, made = configured(tmp_path, url, 9), []
    with Container(load(config)) as container:
        with container.adapters.store.begin() as unit:
            new = NewReader(Address("ada@example.org"), "daily", reader)
            unit.subscribers.add_confirmed([new], CONSENT, confirmed_at)
        known = 0
        for number, at in enumerate(ticks):
            with container.adapters.store.begin() as unit:
                seen_at, papers = at - HOUR / 2, range(100 + 12 * number, 112 + 12 * number)
                unit.papers.merge([sighting(each, signals=(upvotes(50.0, seen_at),), seen_at=seen_at) for each in papers])
            assert not container.scheduler.tick(at).failed
            with container.adapters.store.read() as unit:
                deliveries = unit.deliveries.of_subscription(1)
            if len(deliveries) > known:
                known = len(deliveries)
                made.append((f"{at:%a %H:%M}", f"{max(each.edition_cutoff for each in deliveries):%a %H:%M}"))
    return made


@pytest.mark.parametrize(
    ("hour", "hours_of_ticks", "mails"),
    [
        # the list is set up at 15:16, and its reader's hour has passed: the day's mail comes at once
        (0, (15, 16, 24, 29), [("Mon 15:16", "Mon 15:00"), ("Tue 00:16", "Tue 00:00")]),
        (4, (15, 24 + 4), [("Mon 15:16", "Mon 15:00"), ("Tue 04:16", "Tue 04:00")]),
        (8, (15, 24 + 8), [("Mon 15:16", "Mon 15:00"), ("Tue 08:16", "Tue 08:00")]),
        # it has not: at that hour
        (16, (15, 16, 24), [("Mon 16:16", "Mon 16:00")]),
        # it is the hour before: nothing for the evening before that
        (17, (15, 17), [("Mon 17:16", "Mon 17:00")]),
        # just after midnight the mail of the evening before is caught up
        (23, (24, 24 + 23), [("Tue 00:16", "Tue 00:00"), ("Tue 23:16", "Tue 23:00")]),
    ],
)
def test_set_up_in_the_middle_of_the_day(
    tmp_path: Path, sqlite_url: str, hour: int, hours_of_ticks: tuple[int, ...], mails: list[tuple[str, str]]
) -> None:
    installed = MONDAY + hours_of_ticks[0] * HOUR
    ticks = [MONDAY + each * HOUR + timedelta(minutes=16) for each in hours_of_ticks]
    assert came(tmp_path, sqlite_url, Preferences(hour=time(hour)), installed, ticks) == mails


WEEKLY = Preferences(hour=time(8), frequency=Frequency.WEEKLY, weekdays=EVERY_DAY)


@pytest.mark.parametrize(
    ("reader", "hours_of_ticks", "mails"),
    [
        # down from Monday's noon over the next cutoff: the newest there is, not the day before's
        (Preferences(hour=time(4)), (12, 24 + 6), [("Mon 12:16", "Mon 12:00"), ("Tue 06:16", "Tue 06:00")]),
        # an evening's mail is caught up in the night, and early in the morning
        (Preferences(hour=time(23)), (12, 24 + 2), [("Tue 02:16", "Tue 02:00")]),
        # shortly before the next, it is not: that one comes instead
        (Preferences(hour=time(8)), (4, 24 + 7, 24 + 8), [("Tue 08:16", "Tue 08:00")]),
        # a week's mail is worth it for half a week
        (WEEKLY, (4, 2 * 24 + 6), [("Wed 06:16", "Wed 06:00")]),
        (WEEKLY, (4, 5 * 24), []),
    ],
)
def test_down_when_a_mail_was_due(
    tmp_path: Path, sqlite_url: str, reader: Preferences, hours_of_ticks: tuple[int, ...], mails: list[tuple[str, str]]
) -> None:
    ticks = [MONDAY + each * HOUR + timedelta(minutes=16) for each in hours_of_ticks]
    assert came(tmp_path, sqlite_url, reader, MONDAY - 10 * DAY, ticks) == mails
