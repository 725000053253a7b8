"""A list's zone is changed at noon: each reader still gets one mail a local day, the next morning included."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from digest.config import load
from digest.container import Container
from digest.domain.subscriber import Address, NewReader, Preferences
from tests.outbox import configured
from tests.servers.stocked import CONSENT, sighting, upvotes

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = ("UTC", "Asia/Tokyo", "America/Los_Angeles")
HOURS = (time(0), time(4), time(12), time(23))


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_one_mail_a_local_day(tmp_path: Path, sqlite_url: str, zone: str) -> None:
    config = configured(tmp_path, sqlite_url, 9)
    readers = {f"{place.lower().replace('/', '-')}-{hour.hour}@example.org": (place, hour) for place in ZONES for hour in HOURS}
    with Container(load(config)) as container, container.adapters.store.begin() as unit:
        for email, (place, hour) in readers.items():
            new = NewReader(Address(email), "daily", Preferences(timezone=place, hour=hour))
            unit.subscribers.add_confirmed([new], CONSENT, FIRST - 10 * DAY)

    def ticks(since: datetime, until: datetime) -> None:
        with Container(load(config)) as container:
            at = since
            while at < until:
                if at.hour == 1:
                    with container.adapters.store.begin() as unit:
                        number = (at - FIRST).days * 12 + 100
                        votes = [upvotes(50.0, at - HOUR / 2)]
                        made = [sighting(number + n, signals=tuple(votes), seen_at=at - HOUR / 2) for n in range(12)]
                        unit.papers.merge(made)
                if at.hour in (1, 5, 11, 12, 13, 16, 20, 23):
                    assert not container.scheduler.tick(at).failed
                at += HOUR

    noon = FIRST + 2 * DAY + 12 * HOUR
    ticks(FIRST, noon)
    config.write_text(config.read_text("utf-8") + f'timezone = "{zone}"\n', "utf-8")
    ticks(noon, FIRST + 5 * DAY)
    with Container(load(config)) as container, container.adapters.store.read() as unit:
        for number, (place, _) in enumerate(readers.values(), start=1):
            due = [each.due_at.astimezone(ZoneInfo(place)).date() for each in unit.deliveries.of_subscription(number)]
            days = Counter(due)
            assert set(days.values()) == {1}, days
            # to the west the edition of that day is made later than before: who is due meanwhile has had the one there is
            sure = (2, 3) if zone == "Pacific/Kiritimati" else (3,)
            assert {(FIRST + n * DAY).date() for n in sure} <= days.keys(), (place, number, days)
