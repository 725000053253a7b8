"""One odd title or one unknown time zone is its own trouble and nobody else's."""

from __future__ import annotations

import zoneinfo
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from digest.config import load
from digest.container import Container
from digest.domain.schedule import known_zone, read_zone
from digest.domain.subscriber import Address, NewReader, Preferences
from digest.services.monitoring.explain import explain, status
from tests.outbox import AT, configured
from tests.servers.stocked import CONSENT, sighting, upvotes

DUE = datetime(2026, 3, 2, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "title",
    [
        "On m0123456789-cards-m tokens",
        "m0123456789-cut-m",
        "mabcdefabcd-unsubscribe-url-m and mabcdefabcd-cards-m",
        "{{ unsubscribe_url }} and {% for paper in papers %}",
        "Bcc: everybody@example.org",
        "--=_boundary-- Content-Type: text/html",
        "=?utf-8?q?Bcc=3A_x?= %s {0} ${why} <%= cards %>",
    ],
)
def test_an_edition_is_made_with_the_paper_in_it(title: str, tmp_path: Path, sqlite_url: str) -> None:
    with Container(load(configured(tmp_path, sqlite_url, 1))) as container:
        odd = replace(sighting(1, signals=(upvotes(99, AT - timedelta(hours=8)),), seen_at=AT - timedelta(hours=9)), title=title)
        with container.adapters.store.begin() as unit:
            unit.papers.merge([odd, sighting(2, seen_at=AT - timedelta(hours=9))])
        edition = container.editions.edition(container.adapters.paper_list("daily"), date(2026, 3, 2), AT)
        assert title in [pick.ranked.paper.title for pick in edition.picks]


@pytest.mark.parametrize("zone", ["Europe/Gone", "localtime2", "..", "Europe", "x" * 300])
def test_a_zone_this_machine_does_not_know_is_its_readers_trouble_alone(zone: str, tmp_path: Path, sqlite_url: str) -> None:
    with Container(load(configured(tmp_path, sqlite_url, 1))) as container:
        people = [NewReader(Address(f"{name}@example.org"), "daily", Preferences(hour=time(7))) for name in ("lost", "other")]
        with container.adapters.store.begin() as unit:
            unit.papers.merge([sighting(2, seen_at=DUE - timedelta(days=1))])
            unit.subscribers.add_confirmed(people, CONSENT, DUE - timedelta(days=1))
        with container.adapters.store.engine.begin() as connection:
            connection.execute(text("UPDATE subscriptions SET timezone = :zone WHERE id = 1"), {"zone": zone})
        ticked = container.scheduler.tick(DUE)
        assert (ticked.deliveries, ticked.failed) == (2, ()), "the reader gets it at the default's hour"
        assert status(container.adapters.store, container.adapters.lists, (), DUE)["unknown_timezones"] == {zone: 1}
        assert (
            "gets the edition"
            in explain(container.adapters.store, people[0].address, container.adapters.lists, DUE)["subscriptions"][0]["now"]
        )


@pytest.mark.parametrize(
    "zone", ["localtime", "posix/Europe/Berlin", "right/UTC", "Factory", "posixrules", "europe/berlin", "UTC+1"]
)
def test_at_the_door_only_zones_that_every_machine_knows(zone: str) -> None:
    with pytest.raises(ValueError, match="unknown time zone"):
        read_zone(zone)
    assert known_zone(zone) is None, "and where it is stored, its reader gets the default's"
    assert zoneinfo.TZPATH == (), "what a machine has of its own counts for nothing"
    assert read_zone("Europe/Berlin") == "Europe/Berlin"


def test_a_list_that_breaks_and_a_cohort_that_breaks_stop_no_other(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from digest.services.scheduler import create_deliveries

    usual = create_deliveries.timetable_of

    def broken(cohort: object, *rest: object) -> object:
        if "Tokyo" in str(cohort):
            raise RuntimeError("a row nobody foresaw")
        return usual(cohort, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(create_deliveries, "timetable_of", broken)
    with Container(load(configured(tmp_path, sqlite_url, 1))) as container:
        zones = ("Asia/Tokyo", "UTC")
        people = [NewReader(Address(f"r{n}@example.org"), "daily", Preferences(timezone=z)) for n, z in enumerate(zones)]
        with container.adapters.store.begin() as unit:
            unit.papers.merge([sighting(2, seen_at=DUE - timedelta(days=1))])
            unit.subscribers.add_confirmed(people, CONSENT, DUE - timedelta(days=2))
        ticked = container.scheduler.tick(DUE)
        assert ticked.deliveries == 1
        assert ticked.cohorts_failed == ("list daily, readers of 07:00 Asia/Tokyo: RuntimeError: a row nobody foresaw",)
