"""Nothing scheduled, or mail that is late: /readyz and an alarm say so, whatever was done to the clock."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from digest import daemon
from digest.domain.instant import isoformat
from digest.services.scheduler.election import TICKED
from tests.servers.running import PATIENCE, until
from tests.servers.stocked import NOW
from tests.servers.website import Website

MINUTES = timedelta(minutes=1)


def watched_for(site: Website, time_: timedelta) -> None:
    site.container.monitoring._since = time.monotonic() - time_.total_seconds()


def last_tick(site: Website, ago: timedelta) -> None:
    with site.container.adapters.store.begin() as unit:
        now = unit.leases.now()
        unit.sources.save(*TICKED, {"at": isoformat(now - ago)}, now)


@pytest.mark.parametrize("ago", [11 * MINUTES, timedelta(days=3), -2 * timedelta(hours=1), -11 * MINUTES], ids=str)
def test_no_tick_for_ten_minutes(site: Website, ago: timedelta) -> None:
    """One that lies in the future came before the clock was set back: since then there was none."""
    last_tick(site, ago)
    assert site.get("/readyz").status_code == 200, "this process has just begun to look"
    watched_for(site, 11 * MINUTES)
    answer = site.get("/readyz")
    assert answer.status_code == 503
    assert answer.text.startswith("Nothing has been scheduled for ten minutes: ")
    [found] = [each for each in site.container.monitoring.findings(NOW) if each.cause == "scheduler"]
    assert "digest run" in found.fix[0]
    site.container.scheduler.tick(NOW)
    assert site.get("/readyz").status_code == 200


def test_none_at_all(site: Website) -> None:
    watched_for(site, 9 * MINUTES)
    assert site.get("/readyz").status_code == 200
    watched_for(site, 10 * MINUTES)
    assert site.get("/readyz").status_code == 503


def test_every_job_rings_at_once_when_the_clock_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set back by two hours, the jobs would else wait for two hours; set forward, nothing is lost by one ring more."""
    wall = [1_800_000_000.0]
    rung: list[datetime] = []
    job = SimpleNamespace(modify=lambda next_run_time: rung.append(next_run_time))
    monkeypatch.setattr(daemon, "time", SimpleNamespace(time=lambda: wall[0], monotonic=lambda: 50.0))
    monkeypatch.setattr(daemon, "CLOCK_LOOK", 0.01)
    running = daemon.Daemon(SimpleNamespace())  # type: ignore[arg-type]
    looking = threading.Thread(target=running._watch_clock, args=(SimpleNamespace(get_jobs=lambda: [job]),))
    looking.start()
    for count, step in ((1, -7200.0), (2, 3600.0)):
        wall[0] += step
        until(lambda count=count: len(rung) == count, "it rings")
    running.stop()
    looking.join(PATIENCE)
    assert (len(rung), looking.is_alive()) == (2, False)
