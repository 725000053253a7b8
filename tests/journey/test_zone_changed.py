"""A list's zone is changed at noon: each reader still gets one mail a local day, the next morning included."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from digest.config import load
from digest.container import Container
from digest.domain.subscriber import Address, NewReader, Preferences
from tests import outbox
from tests.servers.stocked import CONSENT, sighting, upvotes

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = ("UTC", "Asia/Tokyo", "America/Los_Angeles")
HOURS = (time(0), time(4), time(12), time(23))


Days = dict[tuple[str, str], Counter[date]]
"""By zone and address of a reader: how many mails are due on each day there."""


READERS = {f"{place.lower().replace('/', '-')}-{hour.hour}@example.org": (place, hour) for place in ZONES for hour in HOURS}
UNCHANGED = FIRST + 2 * DAY + 6 * HOUR
"""Up to here all that follows is the same."""


def configured(folder: Path, zone: str = "") -> Path:
    config = outbox.configured(folder, f"sqlite:///{folder / 'digest.sqlite'}", 9)
    settings = config.read_text("utf-8") + "picks = 1\npool = 1\n"  # its day matters, not what is in it
    config.write_text(settings + (f'timezone = "{zone}"\n' if zone else ""), "utf-8")
    return config


def ticks(config: Path, since: datetime, until: datetime) -> None:
    with Container(load(config)) as container:
        at = since
        while at < until:
            if at.hour == 1:
                with container.adapters.store.begin() as unit:
                    number = (at - FIRST).days * 2 + 100
                    votes = [upvotes(50.0, at - HOUR / 2)]
                    made = [sighting(number + n, signals=tuple(votes), seen_at=at - HOUR / 2) for n in range(2)]
                    unit.papers.merge(made)
            if at.hour in (1, 5, 11, 12, 13, 16, 20, 23):
                assert not container.scheduler.tick(at).failed
            at += HOUR


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what there is before a zone is changed."""
    folder = tmp_path_factory.mktemp("unchanged")
    config = configured(folder)
    with Container(load(config)) as container, container.adapters.store.begin() as unit:
        for email, (place, hour) in READERS.items():
            new = NewReader(Address(email), "daily", Preferences(timezone=place, hour=hour))
            unit.subscribers.add_confirmed([new], CONSENT, FIRST - 10 * DAY)
    ticks(config, FIRST, UNCHANGED)
    return folder


@pytest.fixture
def unchanged(lived: Path, tmp_path: Path) -> Path:
    """The test's own copy of it."""
    return shutil.copytree(lived, tmp_path / "changed")


def days_of(folder: Path, changes: dict[datetime, str], end: datetime) -> Days:
    """What is due in the end; at each instant of `changes` the list's zone becomes the one named."""
    before, config = UNCHANGED, configured(folder)
    for at, zone in changes.items():
        ticks(config, before, at)
        before, config = at, configured(folder, zone)
    ticks(config, before, end)
    with Container(load(config)) as container, container.adapters.store.read() as unit:
        return {
            (place, email): Counter(
                each.due_at.astimezone(ZoneInfo(place)).date() for each in unit.deliveries.of_subscription(number)
            )
            for number, (email, (place, _)) in enumerate(READERS.items(), start=1)
        }


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_one_mail_a_local_day(unchanged: Path, zone: str) -> None:
    for reader, days in days_of(unchanged, {FIRST + 2 * DAY + 12 * HOUR: zone}, FIRST + 5 * DAY).items():
        assert set(days.values()) == {1}, days
        # to the west the edition of that day is made later than before: who is due meanwhile has had the one there is
        sure = (2, 3) if zone == "Pacific/Kiritimati" else (3,)
        assert {(FIRST + n * DAY).date() for n in sure} <= days.keys(), (reader, days)


@pytest.mark.parametrize(
    "zone",
    [pytest.param(zone, marks=pytest.mark.slow) for zone in ("Pacific/Kiritimati", "America/New_York")] + ["Pacific/Pago_Pago"],
)
@pytest.mark.parametrize("hour", [6, 21])
def test_changed_at_any_hour_and_back(unchanged: Path, zone: str, hour: int) -> None:
    """By mistake, and put right an hour later, or the day after next."""
    changed = FIRST + 2 * DAY + hour * HOUR
    changes = {changed: zone, changed + HOUR: "UTC", changed + 2 * HOUR: zone, changed + 2 * DAY: "UTC"}
    for reader, days in days_of(unchanged, changes, FIRST + 8 * DAY).items():
        assert set(days.values()) == {1}, days
        assert {(FIRST + n * DAY).date() for n in (1, 6)} <= days.keys(), (reader, days)
        assert len(days) >= 6, "a day at most is without one, at each change to the west"
