"""For machines that watch: alive, ready, and numbers for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from digest.domain.delivery import DeliveryState
from digest.domain.errors import StoreError
from digest.domain.instant import parse_instant
from digest.journey.explain import status
from digest.web.site import Site

router = APIRouter()


@router.get("/healthz")
async def alive() -> Response:
    """The process answers; nothing else is asked."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
async def ready(request: Request) -> Response:
    """Whether the database answers."""
    site = Site.of(request)

    def look() -> None:
        with site.wiring.store.read() as unit:
            unit.lists.names()

    try:
        await run_in_threadpool(look)
    except StoreError as error:
        return PlainTextResponse(f"{error}\n", 503)
    return PlainTextResponse("ready\n")


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """What `digest status` says, as numbers."""
    return Response(await run_in_threadpool(_numbers, Site.of(request)), media_type=CONTENT_TYPE_LATEST)


def _numbers(site: Site) -> bytes:
    wiring, now = site.wiring, site.clock()
    told = status(wiring.store, wiring.lists, [source.name for source in wiring.settings.sources], now)
    registry = CollectorRegistry()

    def gauge(name: str, says: str, *labels: str) -> Gauge:
        return Gauge(f"digest_{name}", says, labels, registry=registry)

    gauge("papers", "Papers in the store").set(told["papers"])
    outbox = gauge("deliveries", "Deliveries by state", "state")
    for state in DeliveryState:
        outbox.labels(state).set(told["outbox"].get(state, 0))
    gauge("oldest_due_seconds", "Age of the oldest delivery that is due and not handed over").set(told["oldest_due_seconds"])
    picks = gauge("edition_picks", "Papers in the newest edition of a list", "list")
    for each in told["lists"]:
        picks.labels(each["name"]).set(each["picks"])
    age = gauge("source_age_seconds", "Time since a source last showed something new", "source")
    for source in told["sources"]:
        if source["fresh_at"]:
            age.labels(source["name"]).set((now - parse_instant(source["fresh_at"])).total_seconds())
    return generate_latest(registry)
