"""For machines that watch: alive, ready, and numbers for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from digest import __version__
from digest.domain.errors import StoreError
from digest.domain.instant import parse_instant
from digest.services.monitoring.figures import Figures, ListFigures, SourceState
from digest.store.schema import REVISION
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
    """Whether the database answers, with the schema that this program knows, and mail is scheduled and goes out."""
    site = Site.of(request)
    try:
        await run_in_threadpool(site.container.adapters.check_schema)
        stalled = await run_in_threadpool(site.container.monitoring.stalled, site.clock())
    except StoreError as error:
        return PlainTextResponse(f"{error}\n", 503)
    lines = "".join(f"{each.headline}: {' '.join(each.seen)}\n" for each in stalled)
    return PlainTextResponse(lines or "ready\n", 503 if lines else 200)


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
    """What Prometheus calls a collector: everything is read when it is asked."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> Iterator[Metric]:
        now = self._site.clock()
        seen = self._site.container.monitoring.figures(BUCKETS, now)
        yield InfoMetricFamily("digest_build", "This program", value={"version": __version__, "schema": REVISION})
        yield GaugeMetricFamily("digest_papers", "Papers in the store", seen.papers)
        yield from _lists(seen.lists)
        yield from _outbox(seen, now)
        yield from _editions(seen.lists)
        yield from _sources(seen.sources, now)
        yield GaugeMetricFamily("digest_scheduler_runs", "Whether some daemon makes what is due", float(seen.scheduler_runs))
        alarms = "Causes the operator was told of in the last 24 hours"
        yield GaugeMetricFamily("digest_alarms_last_day", alarms, seen.alarms_last_day)


def _lists(lists: Sequence[ListFigures]) -> Iterator[Metric]:
    paused = GaugeMetricFamily("digest_list_paused", "Whether a list is paused", labels=["list"])
    readers = GaugeMetricFamily("digest_readers", "Active subscriptions of a list", labels=["list"])
    picks = GaugeMetricFamily("digest_edition_picks", "Papers in the newest edition of a list", labels=["list"])
    frozen = GaugeMetricFamily("digest_edition_timestamp_seconds", "When a list's newest edition was made", labels=["list"])
    for each in lists:
        paused.add_metric([each.name], float(each.paused))
        readers.add_metric([each.name], each.readers)
        if each.newest:
            picks.add_metric([each.name], len(each.newest.picks))
            frozen.add_metric([each.name], each.newest.frozen_at.timestamp())
    yield from (paused, readers, picks, frozen)


def _outbox(seen: Figures, now: datetime) -> Iterator[Metric]:
    queue = GaugeMetricFamily(
        "digest_deliveries", "Deliveries by state: open ones, and those of the lists' newest editions", labels=["state"]
    )
    for state, count in seen.deliveries.items():
        queue.add_metric([str(state)], count)
    yield queue
    age = max(0.0, (now - seen.oldest_due).total_seconds()) if seen.oldest_due else 0.0
    yield GaugeMetricFamily("digest_oldest_due_seconds", "Age of the oldest delivery that is due and not handed over", age)


def _editions(lists: Sequence[ListFigures]) -> Iterator[Metric]:
    latency = HistogramMetricFamily(
        "digest_send_latency_seconds", "From due to accepted, in a list's newest edition", labels=["list"]
    )
    replies = CounterMetricFamily(
        "digest_replies", "Relays' replies by class, in a list's newest edition", labels=["list", "class"]
    )
    duration = GaugeMetricFamily(
        "digest_edition_duration_seconds", "From the first acceptance of a list's newest edition to its last", labels=["list"]
    )
    for name, sending in ((each.name, each.sending) for each in lists):
        buckets = [(str(bound), float(count)) for bound, count in sending.latency or [(bound, 0) for bound in BUCKETS]]
        latency.add_metric([name], [*buckets, ("+Inf", float(sending.accepted))], sending.latency_sum)
        for each in CLASSES:
            replies.add_metric([name, each], sending.replies[each])
        if sending.began_at and sending.ended_at:
            duration.add_metric([name], (sending.ended_at - sending.began_at).total_seconds())
    yield from (latency, replies, duration)


def _sources(sources: Sequence[SourceState], now: datetime) -> Iterator[Metric]:
    age = GaugeMetricFamily("digest_source_age_seconds", "Time since a source last showed something new", labels=["source"])
    trouble = GaugeMetricFamily("digest_source_trouble", "Whether a source is stale or could not be read", labels=["source"])
    for each in sources:
        if each.last_news:
            age.add_metric([each.name], (now - parse_instant(each.last_news)).total_seconds())
        trouble.add_metric([each.name], float(bool(each.health.get("stale") or each.health.get("error"))))
    yield from (age, trouble)
