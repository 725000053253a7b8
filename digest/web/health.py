"""For machines that watch: alive, ready, and numbers for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from digest import __version__
from digest.domain.delivery import DeliveryState
from digest.domain.edition import Edition
from digest.domain.errors import StoreError
from digest.domain.instant import parse_instant
from digest.services.monitoring.alerts import QUIET
from digest.services.scheduler.election import SCHEDULER
from digest.store.deliveries.delivery_stats import Sending
from digest.store.migrate import check
from digest.store.schema import REVISION
from digest.store.unit_of_work import Unit
from digest.web.response_cache import Answer
from digest.web.site import Site

router = APIRouter()

BUCKETS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0)
"""Seconds from due to accepted."""
CLASSES = ("2xx", "4xx", "5xx", "none")


@router.get("/healthz")
async def alive() -> Response:
    """The process answers; nothing else is asked."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
async def ready(request: Request) -> Response:
    """Whether the database answers, with the schema that this program knows."""
    try:
        await run_in_threadpool(check, Site.of(request).container.adapters.store.engine)
    except StoreError as error:
        return PlainTextResponse(f"{error}\n", 503)
    return PlainTextResponse("ready\n")


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Numbers as Prometheus reads them; they are as old as any page may be."""
    site = Site.of(request)

    def numbers() -> Answer:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Numbers(site))
        return Answer.of(generate_latest(registry), CONTENT_TYPE_LATEST)

    answer = await run_in_threadpool(site.kept.get, "metrics", numbers)
    return Response(answer.body, media_type=answer.media_type)


class _Numbers:
    """What Prometheus calls a collector: everything is read in one transaction when it is asked."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> Iterator[Metric]:
        container, now = self._site.container, self._site.clock()
        yield InfoMetricFamily("digest_build", "This program", value={"version": __version__, "schema": REVISION})
        with container.adapters.store.read() as unit:
            newest = {each.name: unit.editions.latest(each.name, now) for each in container.adapters.lists}
            yield GaugeMetricFamily("digest_papers", "Papers in the store", unit.papers.count())
            yield from _lists(unit, [each.name for each in container.adapters.lists], newest)
            yield from _outbox(unit, [edition for edition in newest.values() if edition], now)
            yield from _editions(unit, newest)
            yield from _sources(unit, [source.name for source in container.settings.sources], now)
            yield from _operating(unit, now)


def _lists(unit: Unit, names: list[str], newest: dict[str, Edition | None]) -> Iterator[Metric]:
    paused = GaugeMetricFamily("digest_list_paused", "Whether a list is paused", labels=["list"])
    readers = GaugeMetricFamily("digest_readers", "Active subscriptions of a list", labels=["list"])
    picks = GaugeMetricFamily("digest_edition_picks", "Papers in the newest edition of a list", labels=["list"])
    frozen = GaugeMetricFamily("digest_edition_timestamp_seconds", "When a list's newest edition was made", labels=["list"])
    for name in names:
        paused.add_metric([name], float(unit.lists.paused(name) is not None))
        readers.add_metric([name], unit.tallies.active(name))
        if edition := newest[name]:
            picks.add_metric([name], len(edition.picks))
            frozen.add_metric([name], edition.frozen_at.timestamp())
    yield from (paused, readers, picks, frozen)


def _outbox(unit: Unit, newest: list[Edition], now: datetime) -> Iterator[Metric]:
    """What waits is counted whole; what has ended, in the newest edition of each list."""
    ended = dict.fromkeys(DeliveryState, 0)
    for edition in newest:
        for state, count in unit.deliveries.tally(edition.id).items():
            ended[state] += count
    queue = GaugeMetricFamily(
        "digest_deliveries", "Deliveries by state: open ones, and those of the lists' newest editions", labels=["state"]
    )
    for state, count in (ended | unit.pulse.open()).items():
        queue.add_metric([str(state)], count)
    yield queue
    oldest = unit.deliveries.oldest_due(now)
    age = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
    yield GaugeMetricFamily("digest_oldest_due_seconds", "Age of the oldest delivery that is due and not handed over", age)


def _editions(unit: Unit, newest: dict[str, Edition | None]) -> Iterator[Metric]:
    latency = HistogramMetricFamily(
        "digest_send_latency_seconds", "From due to accepted, in a list's newest edition", labels=["list"]
    )
    replies = CounterMetricFamily(
        "digest_replies", "Relays' replies by class, in a list's newest edition", labels=["list", "class"]
    )
    duration = GaugeMetricFamily(
        "digest_edition_duration_seconds", "From the first acceptance of a list's newest edition to its last", labels=["list"]
    )
    for name, edition in newest.items():
        sending = unit.pulse.sending(edition.id, BUCKETS) if edition else Sending()
        buckets = [(str(bound), float(count)) for bound, count in sending.latency or [(bound, 0) for bound in BUCKETS]]
        latency.add_metric([name], [*buckets, ("+Inf", float(sending.accepted))], sending.latency_sum)
        for each in CLASSES:
            replies.add_metric([name, each], sending.replies[each])
        if sending.began_at and sending.ended_at:
            duration.add_metric([name], (sending.ended_at - sending.began_at).total_seconds())
    yield from (latency, replies, duration)


def _sources(unit: Unit, names: list[str], now: datetime) -> Iterator[Metric]:
    age = GaugeMetricFamily("digest_source_age_seconds", "Time since a source last showed something new", labels=["source"])
    trouble = GaugeMetricFamily("digest_source_trouble", "Whether a source is stale or could not be read", labels=["source"])
    for name in names:
        fresh, health = unit.sources.load(name, "freshness") or {}, unit.sources.load(name, "health") or {}
        if seen := fresh.get("last_unseen_at"):
            age.add_metric([name], (now - parse_instant(seen)).total_seconds())
        trouble.add_metric([name], float(bool(health.get("stale") or health.get("error"))))
    yield from (age, trouble)


def _operating(unit: Unit, now: datetime) -> Iterator[Metric]:
    held = unit.leases.holder(SCHEDULER)
    runs = float(held is not None and held[1] >= now)
    yield GaugeMetricFamily("digest_scheduler_runs", "Whether some daemon makes what is due", runs)
    told = len(unit.alarms.since(now - QUIET))
    yield GaugeMetricFamily("digest_alarms_last_day", "Causes the operator was told of in the last 24 hours", told)
