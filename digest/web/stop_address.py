"""The way out of a mail that was sent once, to an address without a subscription: no more mail to it, whatever the list."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from digest.web.site import Site

router = APIRouter()


@router.get("/unsubscribe/stop/{token}")
def stopping(request: Request, token: str) -> Response:
    site = Site.of(request)
    site.container.adapters.links.verify_stop(token)
    return site.page("stop.html", token=token, stopped=False)


@router.post("/unsubscribe/stop/{token}")
async def stopped(request: Request, token: str) -> Response:
    """RFC 8058, as for subscriptions: any body, any number of times."""
    site = Site.of(request)
    hashed = site.container.adapters.links.verify_stop(token)
    await run_in_threadpool(site.container.subscriptions.stop, hashed, site.clock())
    return site.page("stop.html", token=token, stopped=True)
