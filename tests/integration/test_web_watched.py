"""What a watcher sees: alive, ready, and every number by the name that dashboards and alerts are written for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from digest.config import SourceSettings
from digest.domain.instant import isoformat
from digest.services.monitoring.explain import status
from tests.servers.website import NOON, Website, website

Numbers = dict[tuple[str, tuple[str, ...]], float]


def numbers(site: Website) -> Numbers:
    """(name, sorted label values) → value, as Prometheus' own parser reads the page."""
    answer = site.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = list(text_string_to_metric_families(answer.text))
    assert all(family.documentation for family in families)
    return {(s.name, tuple(sorted(s.labels.values()))): s.value for family in families for s in family.samples}


def test_every_number_is_there_before_anything_happened(site: Website) -> None:
    told = numbers(site)
    assert told["digest_papers", ()] == 12
    assert told["digest_readers", ("daily",)] == 0
    assert told["digest_list_paused", ("daily",)] == 0
    assert told["digest_edition_picks", ("daily",)] == 10
    assert told["digest_edition_timestamp_seconds", ("daily",)] == NOON.timestamp()
    assert told["digest_oldest_due_seconds", ()] == 0
    assert told["digest_scheduler_runs", ()] == 0
    assert told["digest_alarms_last_day", ()] == 0
    assert {name for name, _ in told} >= {"digest_build_info", "digest_replies_total", "digest_send_latency_seconds_bucket"}
    states = {labels[0] for name, labels in told if name == "digest_deliveries"}
    assert states == {"queued", "claimed", "accepted", "failed", "withheld", "expired", "uncertain"}


def test_they_follow_a_mail_on_its_way(site: Website) -> None:
    site.reader()
    assert site.container.scheduler.tick(NOON).deliveries == 1
    told = numbers(site)
    assert told["digest_deliveries", ("queued",)] == 1
    assert told["digest_oldest_due_seconds", ()] == 5 * 3600, "due at 07:00, and it is noon"
    site.container.delivery.deliver(lambda: site.now)
    told = numbers(site)
    assert (told["digest_deliveries", ("queued",)], told["digest_deliveries", ("accepted",)]) == (0, 1)
    assert told["digest_replies_total", ("2xx", "daily")] == 1
    assert told["digest_send_latency_seconds_bucket", ("14400.0", "daily")] == 0
    assert told["digest_send_latency_seconds_bucket", ("+Inf", "daily")] == 1
    assert round(told["digest_send_latency_seconds_sum", ("daily",)]) == 5 * 3600
    assert told["digest_edition_duration_seconds", ("daily",)] == 0


def test_they_show_trouble(tmp_path: Path, stocked: Path) -> None:
    with website(tmp_path, stocked) as site:
        container = site.container
        sources = (SourceSettings(name="hf", kind="huggingface"), SourceSettings(name="quiet", kind="huggingface"))
        container.settings = container.settings.model_copy(update={"sources": sources})
        seen, asked = isoformat(NOON - timedelta(days=3)), isoformat(NOON)
        with container.adapters.store.begin() as unit:
            unit.lists.pause("daily", "why not", NOON)
            unit.alarms.raise_once("relay", NOON - timedelta(hours=23), timedelta(days=1), "refused")
            unit.alarms.raise_once("key", NOON - timedelta(hours=25), timedelta(days=1), "wrong")
            unit.sources.save("hf", "freshness", {"last_unseen_at": seen, "ids": ["arxiv:1"]}, NOON)
            unit.sources.save("hf", "health", {"at": asked, "stale": True, "error": None}, NOON)
            unit.leases.take("scheduler", "me", timedelta(hours=1))
        told = numbers(site)
        [hf, _] = status(container.adapters.store, container.adapters.lists, ["hf", "quiet"], NOON)["sources"]
    assert hf == {"name": "hf", "fresh_at": seen, "asked_at": asked, "stale": True, "error": None}
    assert told["digest_source_age_seconds", ("hf",)] == 3 * 86_400
    assert (told["digest_source_trouble", ("hf",)], told["digest_source_trouble", ("quiet",)]) == (1, 0)
    assert told["digest_list_paused", ("daily",)] == 1
    assert told["digest_alarms_last_day", ()] == 1, "23 hours ago; not the one of 25"
    assert told["digest_scheduler_runs", ()] == 1


def test_alive_is_not_ready(site: Website) -> None:
    assert site.get("/healthz").status_code == 200
    assert (site.get("/readyz").status_code, site.get("/readyz").text) == (200, "ready\n")
    with site.container.adapters.store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    refused = site.get("/readyz")
    assert refused.status_code == 503
    assert "upgrade the program" in refused.text
    assert site.get("/healthz").status_code == 200
